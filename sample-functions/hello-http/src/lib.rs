//! The smallest HTTP functions: a greeting, and one that reads JSON.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use dacapo::{Failure, Request, Response};

/// `GET /api/hello?name=you`
#[dacapo::http]
fn hello(request: Request) -> String {
    let name = request.query("name").unwrap_or_else(|| "world".into());
    format!("Hello, {name}!\n")
}

/// `POST /api/greetings/{language}` with a name in JSON. What is not JSON is answered with 400 by `?` alone.
#[dacapo::http]
fn greet(request: Request) -> Result<Response, Failure> {
    let name: String = request.json()?;
    let language = request.param("language").unwrap_or("en");
    let word = match language {
        "en" => "Hello",
        "de" => "Guten Tag",
        "it" => "Ciao",
        other => {
            let unknown = Failure::new("UnknownLanguage", format!("I do not speak '{other}'"));
            return Err(unknown.with_http_status(404));
        }
    };
    Ok(Response::json(&BTreeMap::from([("greeting", format!("{word}, {name}!"))]))
        .with_header("content-language", language))
}
