//! Waiting for anything but a durable task: traps with a text that says what to do instead.

use super::Orchestration;
use crate::fault::Stop;
use futures::FutureExt as _;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::WasiView as _;
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::io::poll;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

const NO_WAITING: &str = "an orchestrator must not block or sleep; wait for a durable timer (ctx.sleep), an external event or \
     another task of its context, and do everything else in an activity";

pub(super) fn shadow(linker: &mut Linker<Orchestration>) -> wasmtime::Result<()> {
    poll::add_to_linker::<_, VirtualPoll>(linker, |orchestration| Poll(orchestration.ctx().table))
}

struct VirtualPoll;

impl HasData for VirtualPoll {
    type Data<'a> = Poll<'a>;
}

/// Polling for what is ready already, such as standard output, is allowed; waiting is not.
struct Poll<'a>(&'a mut ResourceTable);

fn at_once<R>(answer: impl Future<Output = wasmtime::Result<R>>) -> wasmtime::Result<R> {
    answer.now_or_never().unwrap_or_else(|| Err(Stop::forbidden(NO_WAITING)))
}

impl poll::Host for Poll<'_> {
    async fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        at_once(poll::Host::poll(self.0, pollables))
    }
}

impl poll::HostPollable for Poll<'_> {
    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        at_once(poll::HostPollable::block(self.0, pollable))
    }

    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        poll::HostPollable::ready(self.0, pollable).await
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        poll::HostPollable::drop(self.0, pollable)
    }
}

/// Never asked: the interface that leads here is forbidden.
pub(crate) struct NoOutbound;

type Transmission = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for NoOutbound {
    fn send_request(
        &mut self,
        _request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Transmission), Error>> + Send> {
        Box::new(std::future::ready(Err(Error::HttpRequestDenied)))
    }
}
