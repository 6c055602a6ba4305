//! What two apps in one host cannot both have: their names, the name of a task hub, the name of a function, a route.
//!
//! Names are compared without case, as everywhere. Two routes clash if they match the same paths and share a method;
//! which of two other routes a request goes to is a question of precedence.

use std::fmt;

use crate::app::{App, HttpTrigger, Trigger};
use crate::route::Method;

/// One thing that both apps have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The app that has it already.
    pub holder: String,
    /// What it is.
    pub what: Clashing,
}

/// What both apps have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clashing {
    /// The apps' name, written differently.
    AppName,
    /// A task hub of that name.
    TaskHub(String),
    /// A function of that name.
    Function(String),
    /// A route for the same requests.
    Route {
        /// The function of the new app.
        function: String,
        /// The function that has it already.
        holder_function: String,
        /// A method and the path, prefix included.
        route: String,
    },
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let holder = &self.holder;
        match &self.what {
            Clashing::AppName => {
                write!(f, "an app '{holder}' is here, whose name differs in case only; name one of them differently")
            }
            Clashing::TaskHub(hub) => write!(
                f,
                "the task hub '{hub}' belongs to the app '{holder}'; set another host.durableTask.hubName in one of them"
            ),
            Clashing::Function(name) => {
                write!(
                    f,
                    "the app '{holder}' has a function '{name}' too; function names are unique in a host, so rename one"
                )
            }
            Clashing::Route { function, holder_function, route } => write!(
                f,
                "function '{function}': the route {route} belongs to '{holder_function}' of the app '{holder}'; change one of the \
                 routes, or host.http.routePrefix of one of the apps"
            ),
        }
    }
}

impl App {
    /// Everything that this app and another one in the same host cannot both have. An app does not clash with an earlier
    /// version of itself.
    pub fn clashes(&self, other: &App) -> Vec<Clash> {
        if self.name == other.name {
            return Vec::new();
        }
        let mut found = Vec::new();
        if self.name.eq_ignore_ascii_case(&other.name) {
            found.push(Clashing::AppName);
        }
        let (own_hub, other_hub) = (&self.host.durable_task.hub_name, &other.host.durable_task.hub_name);
        if own_hub.eq_ignore_ascii_case(other_hub) {
            found.push(Clashing::TaskHub(own_hub.clone()));
        }
        let names = self.functions.iter().filter(|function| other.function(&function.name).is_some());
        found.extend(names.map(|function| Clashing::Function(function.name.clone())));
        found.extend(self.clashing_routes(other));
        found.into_iter().map(|what| Clash { holder: other.name.clone(), what }).collect()
    }

    fn clashing_routes(&self, other: &App) -> Vec<Clashing> {
        let taken: Vec<(String, &str, &HttpTrigger)> = routes(other).collect();
        let mut found = Vec::new();
        for (shape, function, trigger) in routes(self) {
            for (_, holder, held) in taken.iter().filter(|(other_shape, ..)| *other_shape == shape) {
                let shares = |method: &Method| trigger.methods.contains(*method) && held.methods.contains(*method);
                let Some(method) = Method::ALL.into_iter().find(shares) else { continue };
                found.push(Clashing::Route {
                    function: function.to_owned(),
                    holder_function: (*holder).to_owned(),
                    route: format!("{} {}", method.as_str(), path(self, trigger)),
                });
            }
        }
        found
    }
}

/// Every route with its shape below the prefix.
fn routes(app: &App) -> impl Iterator<Item = (String, &str, &HttpTrigger)> {
    app.functions.iter().filter_map(|function| match &function.trigger {
        Trigger::Http(trigger) => {
            let prefix = app.host.http.route_prefix.to_lowercase();
            Some((format!("{prefix}/{}", trigger.route.shape()), function.name.as_str(), trigger))
        }
        Trigger::Orchestration | Trigger::Activity(_) | Trigger::Entity | Trigger::Queue(_) | Trigger::Timer(_) => None,
    })
}

fn path(app: &App, trigger: &HttpTrigger) -> String {
    match app.host.http.route_prefix.as_str() {
        "" => format!("/{}", trigger.route),
        prefix => format!("/{prefix}/{}", trigger.route),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn app(name: &str, hub: &str, functions: &str) -> App {
        let text = format!(
            "[app]\nname = '{name}'\nversion = '1'\n[components.a]\nsource = 'a.wasm'\n{functions}\n\
             [host.durableTask]\nhubName = '{hub}'"
        );
        crate::parse(&text, "app.toml", &crate::no_settings).expect("the manifest is right")
    }

    fn http(name: &str, route: &str, methods: &str) -> String {
        format!("[functions.{name}]\ntrigger = {{ type = 'httpTrigger', route = '{route}', methods = [{methods}] }}\n")
    }

    fn check(new: &App, holder: &App, expected: &Expect) {
        let clashes: Vec<String> = new.clashes(holder).iter().map(ToString::to_string).collect();
        expected.assert_eq(&clashes.join("\n"));
    }

    #[test]
    fn different_apps_live_side_by_side() {
        let trips = app("trips", "Trips", &(http("A", "trips/{id}", "'get'") + &http("B", "{*rest}", "'get'")));
        let hotels = app("hotels", "Hotels", &(http("C", "trips/{id}", "'post'") + &http("D", "{rest}", "'get'")));
        check(&hotels, &trips, &expect![""]);
        check(&trips, &trips, &expect![""]);
    }

    #[test]
    fn each_clash_is_told_with_the_way_out() {
        let trips = app("trips", "Hub", &(http("Start", "trips/{id:int}", "'get', 'post'") + &http("B", "b", "'get'")));
        let other = app("Trips", "hub", &(http("start", "TRIPS/{number:int}", "'post'") + &http("C", "b/c", "'get'")));
        check(
            &other,
            &trips,
            &expect![[r#"
            an app 'trips' is here, whose name differs in case only; name one of them differently
            the task hub 'hub' belongs to the app 'trips'; set another host.durableTask.hubName in one of them
            the app 'trips' has a function 'start' too; function names are unique in a host, so rename one
            function 'start': the route POST /api/TRIPS/{number:int} belongs to 'Start' of the app 'trips'; change one of the routes, or host.http.routePrefix of one of the apps"#]],
        );
    }

    #[test]
    fn the_most_specific_route_of_several_tables_is_found() {
        let reach = |app: &App, path: &str| app.route_table().reach("GET", path);
        let all = app(
            "all",
            "All",
            "[functions.A]\ntrigger = { type = 'httpTrigger', route = '{*rest}', methods = ['get'] }\n[host.http]\nroutePrefix = ''\n",
        );
        let some = app("some", "Some", &(http("B", "trips/{id}", "'get'") + &http("C", "orders", "'post'")));
        assert!(reach(&some, "/api/trips/1") < reach(&all, "/api/trips/1"));
        assert!(reach(&all, "/api/orders") < reach(&some, "/api/orders"), "a function before a wrong method");
        assert!(reach(&all, "/elsewhere") < reach(&some, "/elsewhere"));
    }
}
