//! Which storage account each connection of an app leads to: the store of this host, or an account of Azure Storage somewhere
//! else.
//!
//! Owns the look-up of connection strings among the app settings, as Azure does it, and the way out for requests to other
//! accounts. What a connection string means is up to `azure_storage`.

use async_trait::async_trait;
use azure_storage::client::{Client, Components, ConnectionString, HttpSend};
use bytes::Bytes;
use http::{Request, Response};
use manifest::{App, Connection, InputSource, OutputTarget, Trigger};
use ports::BoxError;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use triggers::accounts::{AccountId, Accounts, StorageAccount};

use crate::outbound::Outbound;

/// What stands before the name of a connection's setting in Azure when nothing of the plain name is there.
const PREFIX: &str = "AzureWebJobs";
/// A setting with this value, or none at all, means the store of this host, as it means the emulator in Azure's tools.
pub(crate) const DEVELOPMENT_STORAGE: &str = "UseDevelopmentStorage";
/// What separates the name of a connection from the parts of one that uses an identity instead of a key.
const IDENTITY_SEPARATOR: &str = "__";

/// The longest that one request to another account may take: longer than the service itself takes to give up (30 s).
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Where a connection leads.
#[derive(Clone)]
pub(crate) enum Leads {
    /// To the store of this host.
    Here,
    /// To another account.
    To(Box<ConnectionString>),
}

/// Where a connection leads, by the setting of its name or, if there is none, of its name behind `AzureWebJobs`.
///
/// # Errors
/// The setting holds no connection string, or the connection is made of several settings for an identity.
pub(crate) fn leads(connection: &Connection, settings: &BTreeMap<String, String>) -> Result<Leads, String> {
    let name = &connection.0;
    let prefixed = format!("{PREFIX}{name}");
    let found = [name.as_str(), &prefixed].into_iter().find_map(|name| settings.get_key_value(name));
    if let Some((setting, value)) = found {
        let value = value.trim();
        let is_here =
            value.is_empty() || value.split('=').next() == Some(DEVELOPMENT_STORAGE) && !value.contains("Proxy");
        if is_here {
            return Ok(Leads::Here);
        }
        let parsed = ConnectionString::parse(value);
        return parsed
            .map(|string| Leads::To(Box::new(string)))
            .map_err(|error| format!("the app setting '{setting}': {error}"));
    }
    let identity = [format!("{name}{IDENTITY_SEPARATOR}"), format!("{prefixed}{IDENTITY_SEPARATOR}")];
    match settings.keys().find(|setting| identity.iter().any(|start| setting.starts_with(start))) {
        Some(setting) => Err(format!(
            "the app setting '{setting}' means a connection with an identity, which this host cannot use; set '{name}' to a \
             connection string with AccountName and AccountKey, or leave both out for the store of this host"
        )),
        None => Ok(Leads::Here),
    }
}

/// Every connection that an app names, and the functions that do.
pub(crate) fn connections(app: &App) -> BTreeMap<Connection, BTreeSet<String>> {
    let mut found: BTreeMap<Connection, BTreeSet<String>> = BTreeMap::new();
    for function in &app.functions {
        let mut name = |connection: &Connection| {
            found.entry(connection.clone()).or_default().insert(function.name.clone());
        };
        match &function.trigger {
            Trigger::Queue(trigger) => name(&trigger.connection),
            Trigger::Http(_) | Trigger::Orchestration | Trigger::Activity(_) | Trigger::Entity | Trigger::Timer(_) => {}
        }
        for input in &function.inputs {
            match &input.source {
                InputSource::Table(table) => name(&table.connection),
            }
        }
        for output in &function.outputs {
            match &output.target {
                OutputTarget::Queue(queue) => name(&queue.connection),
                OutputTarget::Table(table) => name(&table.connection),
                OutputTarget::Http | OutputTarget::DurableClient => {}
            }
        }
    }
    found
}

/// The accounts of an app. `embedded` is the store of this host.
///
/// # Errors
/// What is wrong with each connection that leads nowhere, with the functions that name it.
pub(crate) fn accounts(
    app: &App,
    settings: &BTreeMap<String, String>,
    embedded: StorageAccount,
    components: &Components,
) -> Result<Accounts, Vec<String>> {
    let mut accounts = Accounts::new(embedded);
    let mut problems = Vec::new();
    for (connection, functions) in connections(app) {
        match leads(&connection, settings) {
            Ok(Leads::Here) => accounts.connect(connection, AccountId::EMBEDDED),
            Ok(Leads::To(string)) => {
                let client = Arc::new(Client::new(*string, components.clone()));
                let account =
                    StorageAccount { queues: client.clone(), tables: client.clone(), effects: client, pushes: false };
                let id = accounts.add(account);
                accounts.connect(connection, id);
            }
            Err(why) => {
                let functions: Vec<String> = functions.into_iter().collect();
                problems.push(format!("the connection '{}' of {}: {why}", connection.0, functions.join(", ")));
            }
        }
    }
    if problems.is_empty() { Ok(accounts) } else { Err(problems) }
}

#[async_trait]
impl HttpSend for Outbound {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, BoxError> {
        self.exchange(request, REQUEST_TIMEOUT).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    const AZURE: &str =
        "DefaultEndpointsProtocol=https;AccountName=trips;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net";

    fn check(settings: &[(&str, &str)], expected: &Expect) {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let text = match leads(&Connection("Trips".to_owned()), &settings) {
            Ok(Leads::Here) => "here".to_owned(),
            Ok(Leads::To(string)) => format!("to {}", string.account()),
            Err(why) => why,
        };
        expected.assert_eq(&text);
    }

    #[test]
    fn what_is_not_said_or_said_to_be_the_emulator_is_here() {
        check(&[], &expect!["here"]);
        check(&[("Trips", "")], &expect!["here"]);
        check(&[("Trips", "UseDevelopmentStorage=true")], &expect!["here"]);
        check(&[("AzureWebJobsTrips", "UseDevelopmentStorage=true;")], &expect!["here"]);
    }

    #[test]
    fn a_connection_string_leads_to_its_account() {
        check(&[("Trips", AZURE)], &expect!["to trips"]);
        check(&[("AzureWebJobsTrips", AZURE)], &expect!["to trips"]);
        check(&[("AzureWebJobsTrips", AZURE), ("Trips", "")], &expect!["here"]);
    }

    #[test]
    fn what_is_wrong_is_said_without_the_secret() {
        check(
            &[("Trips", "AccountName=trips")],
            &expect![
                "the app setting 'Trips': the connection string has no AccountKey (or SharedAccessSignature); it has AccountName"
            ],
        );
        check(
            &[("Trips__queueServiceUri", "https://x")],
            &expect![
                "the app setting 'Trips__queueServiceUri' means a connection with an identity, which this host cannot use; set 'Trips' to a connection string with AccountName and AccountKey, or leave both out for the store of this host"
            ],
        );
    }
}
