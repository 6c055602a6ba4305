//! The storage endpoint: the app's own queues, tables and small blobs as Azure Storage would offer them, on the emulator's
//! ports.
//!
//! Owns the ports and what is said when one is taken. What requests mean is up to `azure_storage`; where messages and
//! entities are, to the store.

use anyhow::{Context, anyhow};
use async_trait::async_trait;
use azure_storage::endpoint::{Components, Endpoint};
use azure_storage::{Account, Service};
use http::{Request, Response};
use ports::{Body, Clock};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use crate::hosting::Tasks;
use crate::http_server::{self, Answers};
use crate::port;
use crate::shutdown::Stopping;

/// Where the emulator of Azure's tools has its services, and where every client looks that is told
/// `UseDevelopmentStorage=true`.
pub(crate) const DEFAULT_PORTS: StoragePorts = StoragePorts { blob: 10_000, queue: 10_001, table: 10_002 };

/// A port for each service; 0: any free one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoragePorts {
    pub(crate) blob: u16,
    pub(crate) queue: u16,
    pub(crate) table: u16,
}

/// The ports, held and not yet served.
pub(crate) struct Listening(Vec<(Service, TcpListener)>);

impl Listening {
    /// Takes all three ports of this machine alone.
    ///
    /// # Errors
    /// Names the first port that is taken, and by whom where the system tells.
    pub(crate) fn bind(ports: StoragePorts) -> anyhow::Result<Listening> {
        let services = [
            (Service::Blob, ports.blob, "--blob-port"),
            (Service::Queue, ports.queue, "--queue-port"),
            (Service::Table, ports.table, "--table-port"),
        ];
        let bind = |(service, number, flag): (Service, u16, &str)| {
            let listener = TcpListener::bind(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), number))
                .map_err(|error| taken(service, number, flag, &error))?;
            listener.set_nonblocking(true).context("a port of the storage endpoint cannot be used without blocking")?;
            Ok((service, listener))
        };
        services.into_iter().map(bind).collect::<anyhow::Result<_>>().map(Listening)
    }

    /// The address of each service, as connection strings have them.
    pub(crate) fn addresses(&self) -> Vec<(Service, String)> {
        let address = |(service, listener): &(Service, TcpListener)| {
            let address = listener.local_addr().ok()?;
            Some((*service, format!("http://{address}/{}", Account::development().name())))
        };
        self.0.iter().filter_map(address).collect()
    }

    /// Serves all three until the host stops.
    ///
    /// # Errors
    /// The system does not let the ports be waited for.
    pub(crate) fn serve(
        self,
        accounts: &Arc<StorageAccounts>,
        clock: &Arc<dyn Clock>,
        stopping: &Stopping,
        tasks: &Tasks,
    ) -> anyhow::Result<()> {
        for (service, listener) in self.0 {
            let listener = tokio::net::TcpListener::from_std(listener).context("a storage port cannot be served")?;
            let answers = Arc::new(ServiceAnswers { service, accounts: Arc::clone(accounts) });
            let server = http_server::serve(listener, answers, Arc::clone(clock), stopping.clone());
            tasks.spawn("a service of the storage endpoint", stopping.clone(), server);
        }
        Ok(())
    }
}

/// The accounts of a host: each app's own, by the app's name, and the emulator's for the app that was named first.
pub(crate) struct StorageAccounts {
    emulator: Arc<Endpoint>,
    /// By the names of the accounts.
    by_name: Vec<(String, Arc<Endpoint>)>,
}

/// The account of an app: the lower-case letters and digits of its name, as many as an account's name may have; none if they
/// are too few. Its key is the emulator's.
pub(crate) fn account_of(app: &str) -> Option<Account> {
    const LONGEST: usize = 24;
    let name: String = app.chars().filter(char::is_ascii_alphanumeric).take(LONGEST).collect();
    Account::new(&name.to_ascii_lowercase(), &[Account::DEVELOPMENT_KEY]).ok()
}

impl StorageAccounts {
    /// The accounts of apps and where they keep what is sent; none: there is no app. Of two apps whose accounts would have one
    /// name, the first one has it.
    pub(crate) fn new(apps: &[(String, Components)]) -> Option<StorageAccounts> {
        let (_, first) = apps.first()?;
        let mut by_name: Vec<(String, Arc<Endpoint>)> = Vec::new();
        for (app, components) in apps {
            let Some(account) = account_of(app) else { continue };
            let name = account.name().to_owned();
            if by_name.iter().all(|(taken, _)| *taken != name) {
                by_name.push((name, Arc::new(Endpoint::new(account, components.clone()))));
            }
        }
        let emulator = Arc::new(Endpoint::new(Account::development(), first.clone()));
        Some(StorageAccounts { emulator, by_name })
    }

    /// Whoever has the account that a request names, by its path or by its host; else the emulator's, which says what is wrong.
    fn meant<B>(&self, request: &Request<B>) -> &Arc<Endpoint> {
        let of_path = request.uri().path().split('/').nth(1).unwrap_or_default();
        let of_path = of_path.strip_suffix("-secondary").unwrap_or(of_path);
        let host = request.headers().get(http::header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let of_host = host.split('.').next().unwrap_or_default();
        let named = self.by_name.iter().find(|(name, _)| name == of_path || name == of_host);
        named.map_or(&self.emulator, |(_, endpoint)| endpoint)
    }
}

/// One service of the endpoint on its port.
struct ServiceAnswers {
    service: Service,
    accounts: Arc<StorageAccounts>,
}

#[async_trait]
impl Answers for ServiceAnswers {
    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        self.accounts.meant(&request).handle(self.service, request).await
    }
}

fn taken(service: Service, number: u16, flag: &str, error: &std::io::Error) -> anyhow::Error {
    if error.kind() != ErrorKind::AddrInUse {
        return anyhow!(
            "the storage endpoint cannot listen on port {number} for its {} service: {error}",
            service.name()
        );
    }
    let by = port::holder(number).map(|process| format!(" by {process}")).unwrap_or_default();
    anyhow!(
        "port {number}, where the storage endpoint has its {} service, is in use{by}; stop that process, choose another port \
         with {flag} (0 takes any free one), or go without the endpoint with --no-storage-endpoint",
        service.name()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_port_names_its_holder_and_the_ways_out() {
        let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let number = holder.local_addr().expect("it has one").port();
        let error =
            Listening::bind(StoragePorts { blob: 0, queue: number, table: 0 }).err().expect("the port is taken");
        let text = error.to_string();
        let process = format!("process {}", std::process::id());
        for part in [&format!("port {number}"), "queue service", &process, "--queue-port", "--no-storage-endpoint"] {
            assert!(text.contains(part), "{part:?} is not in {text:?}");
        }
    }

    #[test]
    fn free_ports_are_told() {
        let listening = Listening::bind(StoragePorts { blob: 0, queue: 0, table: 0 }).expect("three free ports");
        let addresses = listening.addresses();
        assert_eq!(addresses.len(), 3);
        assert!(
            addresses.iter().all(|(_, url)| url.starts_with("http://127.0.0.1:") && url.ends_with("/devstoreaccount1"))
        );
    }
}
