//! Requests that invocations send: only to the hosts that the manifest allows.

use crate::output::GuestOutput;
use manifest::OutboundHost;
use std::sync::Arc;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// The hosts that one component may talk to.
pub(crate) struct Outbound {
    allowed: Arc<[OutboundHost]>,
    output: GuestOutput,
}

type Sent = Result<(http::Response<WasiBody>, Transmission), Error>;
type Transmission = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl Outbound {
    /// What is refused is told in the log of the guest.
    pub(crate) fn new(allowed: Arc<[OutboundHost]>, output: GuestOutput) -> Outbound {
        Outbound { allowed, output }
    }

    fn allows(&self, uri: &http::Uri) -> bool {
        let https = uri.scheme() == Some(&http::uri::Scheme::HTTPS);
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        uri.host().is_some_and(|host| self.allowed.iter().any(|entry| entry.allows(https, host, port)))
    }
}

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        if !self.allows(request.uri()) {
            let authority = request.uri().authority().map_or("no host", http::uri::Authority::as_str);
            let notice =
                format!("a request to {authority} was refused; allow it by the component's allowedOutboundHosts");
            self.output.log(tracing::Level::WARN, &notice);
            return Box::new(std::future::ready(Err(Error::HttpRequestDenied)));
        }
        Box::new(async move {
            let (response, transmission) = wasmtime_wasi_http::default_send_request(request, options).await?;
            let response = response.map(http_body_util::BodyExt::boxed_unsync);
            Ok((response, Box::new(transmission) as Transmission))
        })
    }
}
