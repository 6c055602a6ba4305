//! The storage endpoint: the app's own queues, tables and small blobs as Azure Storage would offer them, on the emulator's
//! ports.
//!
//! Owns the ports and what is said when one is taken. What requests mean is up to `azure_storage`; where messages and
//! entities are, to the store.

use anyhow::{Context, anyhow};
use async_trait::async_trait;
use azure_storage::endpoint::Endpoint;
use azure_storage::{Account, Service};
use http::{Request, Response};
use ports::{Body, Clock};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use tokio::task::JoinSet;

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
        endpoint: &Arc<Endpoint>,
        clock: &Arc<dyn Clock>,
        stopping: &Stopping,
        tasks: &mut JoinSet<()>,
    ) -> anyhow::Result<()> {
        for (service, listener) in self.0 {
            let listener = tokio::net::TcpListener::from_std(listener).context("a storage port cannot be served")?;
            let answers = Arc::new(ServiceAnswers { service, endpoint: Arc::clone(endpoint) });
            tasks.spawn(http_server::serve(listener, answers, Arc::clone(clock), stopping.clone()));
        }
        Ok(())
    }
}

/// One service of the endpoint on its port.
struct ServiceAnswers {
    service: Service,
    endpoint: Arc<Endpoint>,
}

#[async_trait]
impl Answers for ServiceAnswers {
    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        self.endpoint.handle(self.service, request).await
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
