//! The contract as Rust, and what this component says it has.

pub(crate) use generated::dacapo::functions::{
    activity_context, bindings as wit_bindings, client, orchestration, values,
};
pub(crate) use generated::exports::dacapo::functions as exports;

use exports::describe::{Function, Kind};
use exports::http::{Request, Response};

use crate::bound;

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
            ("UseBindings", Kind::Activity),
            ("Compute", Kind::Activity),
            ("LookAtTheCall", Kind::Activity),
            ("Orchestrate", Kind::Orchestrator),
            ("Counter", Kind::Entity),
            ("BeatOverHttp", Kind::Http),
            ("BindOverHttp", Kind::Http),
            ("Work", Kind::Queue),
            ("Tick", Kind::Timer),
        ];
        functions.map(function).into()
    }
}

impl exports::http::Guest for Probe {
    fn handle(function: String, request: Request) -> Response {
        let body = match function.as_str() {
            "BindOverHttp" => bound::run(&String::from_utf8_lossy(&request.body)),
            _ => {
                activity_context::heartbeat(None);
                String::new()
            }
        };
        Response { status: 503, headers: Vec::new(), body: body.into_bytes() }
    }
}
