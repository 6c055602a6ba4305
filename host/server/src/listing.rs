//! What an app offers, as the console and the home page list it: its functions with their triggers and URLs.

use manifest::{App, AuthLevel, Function, Trigger};
use std::net::{IpAddr, SocketAddr};

/// One line under `Functions:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Listing {
    /// `StartTrip: [POST] http://localhost:7071/api/trips/{conference}`
    Http {
        /// The function's name.
        name: String,
        /// `POST` or `GET,POST`.
        methods: String,
        /// Where it answers, with the template's placeholders.
        url: String,
        /// The template alone, without the app's prefix.
        route: String,
    },
    /// `BookTrip: orchestrationTrigger`
    Other {
        /// The function's name.
        name: String,
        /// The trigger's name as in the manifest.
        trigger: &'static str,
    },
}

impl Listing {
    /// The name, and what starts the function.
    pub(crate) fn into_columns(self) -> (String, String) {
        match self {
            Listing::Http { name, methods, url, route: _ } => (name, format!("[{methods}] {url}")),
            Listing::Other { name, trigger } => (name, trigger.to_owned()),
        }
    }
}

/// Scheme, host and port under which a person reaches a socket of this machine.
pub(crate) fn origin(address: SocketAddr) -> String {
    let port = address.port();
    match address.ip() {
        // Everywhere includes here, and a name can be clicked on.
        ip if ip.is_unspecified() => format!("http://localhost:{port}"),
        IpAddr::V4(ip) if ip.is_loopback() => format!("http://localhost:{port}"),
        IpAddr::V4(ip) => format!("http://{ip}:{port}"),
        IpAddr::V6(ip) => format!("http://[{ip}]:{port}"),
    }
}

/// HTTP functions first, then the others, each group in the order of the manifest.
pub(crate) fn functions(app: &App, origin: &str) -> Vec<Listing> {
    let (http, others): (Vec<&Function>, Vec<&Function>) =
        app.functions.iter().partition(|function| matches!(function.trigger, Trigger::Http(_)));
    http.into_iter().chain(others).map(|function| listing(function, &app.host.http.route_prefix, origin)).collect()
}

/// The HTTP functions that ask their callers for a key.
pub(crate) fn guarded(app: &App) -> Vec<(&str, AuthLevel)> {
    let guard = |function: &'_ Function| match &function.trigger {
        Trigger::Http(trigger) if trigger.auth_level != AuthLevel::Anonymous => Some(trigger.auth_level),
        Trigger::Http(_)
        | Trigger::Orchestration
        | Trigger::Activity(_)
        | Trigger::Entity
        | Trigger::Queue(_)
        | Trigger::Timer(_) => None,
    };
    app.functions.iter().filter_map(|function| Some((function.name.as_str(), guard(function)?))).collect()
}

/// Functions that take each other's messages away, one sentence for each pair.
pub(crate) fn competitors(app: &App) -> Vec<String> {
    let pairs = app.competing_queue_triggers().into_iter();
    let sentence = |(first, second): (&Function, &Function)| {
        let Trigger::Queue(queue) = &second.trigger else { return None };
        let (first, second, queue) = (&first.name, &second.name, &queue.queue_name);
        Some(format!(
            "{first} and {second} take messages from one queue, '{queue}': each message goes to one of them, by chance"
        ))
    };
    pairs.filter_map(sentence).collect()
}

fn listing(function: &Function, route_prefix: &str, origin: &str) -> Listing {
    let name = function.name.clone();
    match &function.trigger {
        Trigger::Http(trigger) => {
            let methods: Vec<&str> =
                trigger.methods.to_vec().into_iter().map(manifest::route::Method::as_str).collect();
            let route = trigger.route.to_string();
            let path: Vec<&str> = [route_prefix, &route].into_iter().filter(|part| !part.is_empty()).collect();
            let url = format!("{origin}/{}", path.join("/"));
            Listing::Http { name, methods: methods.join(","), url, route }
        }
        Trigger::Orchestration | Trigger::Activity(_) | Trigger::Entity | Trigger::Queue(_) | Trigger::Timer(_) => {
            Listing::Other { name, trigger: function.trigger.type_name() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check_functions(http_settings: &str, expected: &Expect) {
        let text = format!(
            r#"
            [app]
            name = "trips"
            version = "1"
            [components.a]
            source = "a.wasm"
            [functions.BookTrip]
            trigger = {{ type = "orchestrationTrigger" }}
            [functions.Counter]
            trigger = {{ type = "entityTrigger" }}
            [functions.StartTrip]
            trigger = {{ type = "httpTrigger", methods = ["post", "get"], route = "/trips/{{conference}}" }}
            [functions.Root]
            trigger = {{ type = "httpTrigger", route = "", authLevel = "anonymous" }}
            {http_settings}"#
        );
        let app = manifest::parse(&text, "trips.toml", &manifest::no_settings).expect("the manifest is right");
        let mut lines: Vec<String> =
            functions(&app, "http://localhost:1").into_iter().map(|listing| format!("{listing:?}")).collect();
        lines.push(format!("guarded: {:?}", guarded(&app)));
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn http_functions_come_first_with_their_urls() {
        check_functions(
            "",
            &expect![[r#"
            Http { name: "StartTrip", methods: "GET,POST", url: "http://localhost:1/api/trips/{conference}", route: "trips/{conference}" }
            Http { name: "Root", methods: "GET,POST,DELETE,HEAD,PATCH,PUT,OPTIONS,TRACE", url: "http://localhost:1/api", route: "" }
            Other { name: "BookTrip", trigger: "orchestrationTrigger" }
            Other { name: "Counter", trigger: "entityTrigger" }
            guarded: [("StartTrip", Function)]"#]],
        );
    }

    #[test]
    fn an_empty_prefix_leaves_no_slash() {
        check_functions(
            "[host.http]\nroutePrefix = ''",
            &expect![[r#"
            Http { name: "StartTrip", methods: "GET,POST", url: "http://localhost:1/trips/{conference}", route: "trips/{conference}" }
            Http { name: "Root", methods: "GET,POST,DELETE,HEAD,PATCH,PUT,OPTIONS,TRACE", url: "http://localhost:1/", route: "" }
            Other { name: "BookTrip", trigger: "orchestrationTrigger" }
            Other { name: "Counter", trigger: "entityTrigger" }
            guarded: [("StartTrip", Function)]"#]],
        );
    }

    #[test]
    fn a_person_gets_a_name_where_there_is_one() {
        let check = |address: &str, expected: &str| {
            assert_eq!(origin(address.parse().expect("an address")), expected);
        };
        check("127.0.0.1:7071", "http://localhost:7071");
        check("0.0.0.0:80", "http://localhost:80");
        check("10.0.0.7:80", "http://10.0.0.7:80");
        check("[::1]:80", "http://[::1]:80");
        check("[::]:80", "http://localhost:80");
    }
}
