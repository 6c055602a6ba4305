//! Whom a request to the management API is about, for a host with several task hubs. What it asks for is told by `route`.

use http::request::Parts;

use super::query::Query;
use super::route::{self, Operation};

/// What tells the task hub that a request means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Addressee {
    /// The query names it.
    TaskHub(String),
    /// The one whose app has this orchestrator or entity.
    Function(String),
    /// The one that has this instance.
    Instance(String),
    /// Nothing does, and the request is about everything in one.
    WholeHub,
    /// The answer is the same whoever gives it.
    Anybody,
}

impl Addressee {
    /// Of a request to the management API.
    pub(crate) fn of(head: &Parts) -> Addressee {
        let query = Query::parse(head.uri.query());
        if let Some(hub) = query.text("taskHub") {
            return Addressee::TaskHub(hub.to_owned());
        }
        match route::find(&head.method, head.uri.path()) {
            Some(Operation::Start { function, .. }) => Addressee::Function(function),
            Some(Operation::ListEntities { name: Some(name) }) => Addressee::Function(name),
            Some(
                Operation::ReadEntity { name, .. }
                | Operation::SignalEntity { name, .. }
                | Operation::DeleteEntity { name, .. },
            ) => Addressee::Function(name),
            Some(Operation::Instance { id, .. }) => Addressee::Instance(id),
            Some(Operation::List | Operation::PurgeMany | Operation::ListEntities { name: None }) => {
                Addressee::WholeHub
            }
            Some(Operation::MakePrimary | Operation::OpenApi) | None => Addressee::Anybody,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, rest: &str, expected: &Addressee) {
        let uri = format!("{}/{rest}", route::BASE_PATH);
        let request = http::Request::builder().method(method).uri(uri).body(()).expect("a request");
        assert_eq!(Addressee::of(&request.into_parts().0), *expected, "{method} {rest}");
    }

    #[test]
    fn a_request_tells_whom_it_means() {
        let hub = Addressee::TaskHub("Trips".to_owned());
        check("GET", "instances?taskHub=Trips", &hub);
        check("POST", "orchestrators/Book?taskhub=Trips", &hub);
        check("POST", "orchestrators/Book/id", &Addressee::Function("Book".to_owned()));
        check("GET", "entities/Counter/a", &Addressee::Function("Counter".to_owned()));
        check("POST", "instances/a%20b/terminate", &Addressee::Instance("a b".to_owned()));
        check("GET", "instances", &Addressee::WholeHub);
        check("DELETE", "instances/", &Addressee::WholeHub);
        check("GET", "entities", &Addressee::WholeHub);
        check("GET", "openapi.json", &Addressee::Anybody);
        check("GET", "nothing", &Addressee::Anybody);
    }
}
