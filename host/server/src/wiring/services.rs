//! What requests reach of a version: its HTTP functions, the management API of its task hub, and runs by hand.

use http::uri::Authority;
use ports::{Activities, DurableClient};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use task_hub::TaskHub;
use triggers::bindings::BindingParts;
use triggers::http::{
    FaultDetail, ForwardedHeaders, HttpLimits, HttpOptions, HttpParts, HttpTrigger, OriginPolicy, Surroundings,
};

use super::{Assembly, Triggers, saturating_usize};
use crate::admin::ManualRuns;
use crate::exit::Problem;
use crate::hosting::{Life, Served};
use crate::http_server::AddedHeaders;
use crate::invocations::Counted;
use crate::listeners::Listeners;
use crate::management::Management;
use crate::{listing, machine};

/// Parts of a version that requests reach.
pub(super) struct ServiceParts {
    pub(super) digest: String,
    pub(super) components: BTreeMap<String, String>,
    pub(super) functions: Arc<Counted<guest::App>>,
    pub(super) bindings: BindingParts,
    pub(super) client: Arc<dyn DurableClient>,
    pub(super) hub: TaskHub,
    pub(super) triggers: Arc<Triggers>,
    pub(super) activities: Arc<dyn Activities>,
    pub(super) listeners: Arc<Listeners>,
}

impl Assembly<'_> {
    /// The version as requests reach it.
    ///
    /// # Errors
    /// Every binding of an HTTP function that leads nowhere.
    pub(super) fn served(self, parts: ServiceParts) -> Result<Served, Problem> {
        let Assembly { host, app: hosted, edition } = self;
        let app = &edition.located.app;
        let origins = origins(host.address);
        let functions = Arc::new(self.http(&parts, origins.clone())?);
        let management = Management {
            client: parts.client.clone(),
            store: hosted.store.clone(),
            explainer: Arc::new(parts.hub),
            clock: host.clock.clone(),
            uris: self.management_uris(),
            origins,
            max_payload_bytes: saturating_usize(app.host.durable_task.max_payload_bytes),
            show_activity_inputs: app.host.durable_task.store_inputs_in_orchestration_history,
        };
        let runs = ManualRuns {
            triggers: parts.triggers,
            activities: parts.activities,
            client: parts.client,
            clock: host.clock.clone(),
            randomness: host.randomness.clone(),
            background: host.background.clone(),
        };
        let listing = listing::functions(app, &listing::origin(host.address));
        Ok(Served {
            app: Arc::new(app.clone()),
            digest: parts.digest,
            components: parts.components,
            functions,
            management,
            cors: edition.cors.clone(),
            added: AddedHeaders::of(&app.host.http),
            metering: hosted.metering.clone(),
            listeners: parts.listeners,
            runs,
            listing: listing.into_iter().map(listing::Listing::into_columns).collect(),
            life: Life::new(),
        })
    }

    fn http(self, parts: &ServiceParts, origins: OriginPolicy) -> Result<HttpTrigger, Problem> {
        let Assembly { host, edition, .. } = self;
        let app = &edition.located.app;
        let is_local = host.address.ip().is_loopback();
        let options = HttpOptions {
            limits: HttpLimits::new(&app.host.http, machine::memory_bytes()),
            // Only developers themselves may see what is inside of a failure.
            fault_detail: if is_local { FaultDetail::Problem } else { FaultDetail::InvocationId },
            origins,
        };
        let surroundings = Surroundings { gatekeeper: Arc::new(host.access.doors()), bindings: parts.bindings.clone() };
        let parts = HttpParts {
            functions: parts.functions.clone(),
            clock: host.clock.clone(),
            randomness: host.randomness.clone(),
        };
        HttpTrigger::guarded(app, parts, surroundings, options).map_err(|errors| self.cannot_set_up(&errors))
    }
}

/// Where requests to a host at this address were sent to.
pub(crate) fn origins(address: SocketAddr) -> OriginPolicy {
    OriginPolicy { own: own_authority(address), forwarded: ForwardedHeaders::Ignored }
}

fn own_authority(address: SocketAddr) -> Authority {
    let origin = listing::origin(address);
    let authority = origin.trim_start_matches("http://");
    authority.parse().expect("an IP address or localhost, with a port, is an authority")
}
