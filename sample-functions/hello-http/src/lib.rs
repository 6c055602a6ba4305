//! The smallest HTTP functions: a greeting.

use dacapo::{Request, Response};

/// `GET /api/hello?name=you`
#[dacapo::http]
fn hello(request: Request) -> Response {
    let name = request.query("name").unwrap_or_else(|| "world".into());
    Response::text(format!("Hello, {name}!\n"))
}
