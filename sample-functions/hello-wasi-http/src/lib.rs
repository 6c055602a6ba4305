//! A component of the standard world `wasi:http/proxy`, made without the SDK: any such component, in any language, is a
//! valid HTTP function.
//!
//! It greets, then sends the request's body back as it comes in. Neither side is ever held as a whole: a file larger than
//! the memory of the function passes through, and the first byte is back before the last one has come.

#[cfg(target_arch = "wasm32")]
mod component {
    use wasip2::http::types::{
        ErrorCode, Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam,
    };
    use wasip2::io::streams::{InputStream, OutputStream, StreamError};

    /// How much is moved from one side to the other at once.
    const CHUNK_BYTES: u64 = 64 * 1024;

    struct Greeter;

    wasip2::http::proxy::export!(Greeter);

    impl wasip2::exports::http::incoming_handler::Guest for Greeter {
        fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
            match respond(&request) {
                Ok((response, body)) => {
                    // The head goes out now; what is written to the body from here on is sent as it comes.
                    ResponseOutparam::set(response_out, Ok(response));
                    send(&request, body);
                }
                Err(()) => {
                    let problem = ErrorCode::InternalError(Some("the response could not be built".into()));
                    ResponseOutparam::set(response_out, Err(problem));
                }
            }
        }
    }

    fn respond(request: &IncomingRequest) -> Result<(OutgoingResponse, OutgoingBody), ()> {
        let without_body = matches!(request.method(), Method::Get | Method::Head);
        let content_type = if without_body { "text/plain; charset=utf-8" } else { "application/octet-stream" };
        let headers = Fields::new();
        headers.set("content-type", &[content_type.into()]).map_err(|_| ())?;
        let response = OutgoingResponse::new(headers);
        let body = response.body()?;
        Ok((response, body))
    }

    fn send(request: &IncomingRequest, body: OutgoingBody) {
        let Ok(output) = body.write() else { return };
        let path = request.path_with_query().unwrap_or_else(|| "/".into());
        let sent = greet(&output, &path).and_then(|()| match request.consume() {
            Ok(incoming) => incoming.stream().map_or(Ok(()), |input| copy(&input, &output)),
            Err(()) => Ok(()),
        });
        drop(output);
        // A body that is dropped rather than finished is a broken answer, which is what the client should see.
        if sent.is_ok() {
            // It can only fail when the client has gone, and then there is nobody to tell.
            let _gone = OutgoingBody::finish(body, None);
        }
    }

    fn greet(output: &OutputStream, path: &str) -> Result<(), StreamError> {
        output.blocking_write_and_flush(format!("Hello from {path}!\n").as_bytes())
    }

    /// The host moves the bytes; they do not even enter the memory of the component.
    fn copy(input: &InputStream, output: &OutputStream) -> Result<(), StreamError> {
        loop {
            match output.blocking_splice(input, CHUNK_BYTES) {
                Ok(_moved) => output.blocking_flush()?,
                Err(StreamError::Closed) => return Ok(()),
                Err(failed) => return Err(failed),
            }
        }
    }
}
