//! The contract as Rust, and what this component says it has.

pub(crate) use generated::dacapo::functions::{activity_context, client, orchestration, values};
pub(crate) use generated::exports::dacapo::functions as exports;

use exports::describe::{Function, Kind};
use exports::http::{Request, Response};

#[expect(unsafe_code, reason = "generated from the contract")]
mod generated {
    wit_bindgen::generate!({ path: "../../../../sdk/wit", world: "function-app" });
    export!(Probe with_types_in self);
    use super::Probe;
}

pub(crate) struct Probe;

impl exports::describe::Guest for Probe {
    fn describe() -> Vec<Function> {
        let function = |(name, kind): (&str, Kind)| Function { name: name.to_owned(), kind };
        let functions = [
            ("Beat", Kind::Activity),
            ("BeatForever", Kind::Activity),
            ("CallTheClient", Kind::Activity),
            ("Compute", Kind::Activity),
            ("LookAtTheCall", Kind::Activity),
            ("Orchestrate", Kind::Orchestrator),
            ("Counter", Kind::Entity),
            ("BeatOverHttp", Kind::Http),
        ];
        functions.map(function).into()
    }
}

impl exports::http::Guest for Probe {
    fn handle(_function: String, _request: Request) -> Response {
        activity_context::heartbeat(None);
        Response { status: 200, headers: Vec::new(), body: Vec::new() }
    }
}
