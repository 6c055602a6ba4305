//! HTTP functions that take and give whole bodies: the `http` interface of the contract.

use super::{Call, Invocation, Returned, run};
use crate::bindings::exports::http::{Request, Response};
use crate::fault;
use crate::sandbox::{Guest, Sandbox};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use ports::{Body, GuestFault, HttpAnswer};

/// A request that is not for the guest's eyes in this form.
pub(crate) struct Incoming {
    pub(crate) route_parameters: Vec<(String, String)>,
    pub(crate) request: http::Request<Body>,
}

pub(crate) async fn handle_buffered(
    sandbox: &Sandbox<Invocation>,
    state: Invocation,
    call: &Call<'_>,
    incoming: Incoming,
) -> Result<HttpAnswer, GuestFault> {
    let work = async {
        let request = read(call, incoming).await?;
        let handle = async |guest: &mut Guest<'_, Invocation>| {
            let Some(indices) = &guest.exports.http else {
                return Err(wasmtime::Error::msg("the component exports no HTTP functions"));
            };
            let http = indices.load(&mut guest.store, &guest.instance)?;
            http.call_handle(&mut guest.store, call.entry_point, &request).await
        };
        run(sandbox, state, call, handle).await
    };
    let Returned { value: response, outputs, measurement } = call.within(work).await?;
    if response.body.len() > call.settings.max_output_bytes {
        return Err(fault::output_too_large(call.function, response.body.len(), call.settings));
    }
    let response = build(response).map_err(|error| GuestFault::Trapped {
        function: call.function.to_string(),
        message: format!("it answered with what is no HTTP response: {error}"),
    })?;
    // Whatever its status says, the function has done its part.
    measurement.end(true);
    Ok(HttpAnswer { response, outputs })
}

/// Reads the whole body; how long it may be is the caller's business.
async fn read(call: &Call<'_>, incoming: Incoming) -> Result<Request, GuestFault> {
    let (parts, body) = incoming.request.into_parts();
    let body = body.collect().await.map_err(|error| GuestFault::Unavailable {
        function: call.function.to_string(),
        message: format!("the request's body broke off: {error}"),
    })?;
    let headers = parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
    Ok(Request {
        method: parts.method.as_str().to_owned(),
        url: parts.uri.to_string(),
        headers: headers.collect(),
        route_parameters: incoming.route_parameters,
        body: Vec::from(body.to_bytes()),
        invocation_id: call.invocation_id.to_owned(),
    })
}

fn build(response: Response) -> Result<http::Response<Body>, http::Error> {
    let mut builder = http::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name.as_str(), value.as_slice());
    }
    builder.body(Full::new(Bytes::from(response.body)).map_err(|never| match never {}).boxed_unsync())
}
