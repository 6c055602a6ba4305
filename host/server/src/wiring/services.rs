//! What answers requests: HTTP functions, the management API, the admin API, and the page at `/`.

use http::uri::Authority;
use ports::{Activities, DurableClient};
use std::net::SocketAddr;
use std::sync::Arc;
use task_hub::TaskHub;
use triggers::bindings::BindingParts;
use triggers::http::{
    FaultDetail, ForwardedHeaders, HttpLimits, HttpOptions, HttpParts, HttpTrigger, OriginPolicy, Surroundings,
};

use super::triggers::cannot_set_up;
use super::{Site, Triggers, World, management_uris, saturating_usize};
use crate::admin::{Admin, ManualRuns};
use crate::auth::Guarded;
use crate::background::Background;
use crate::exit::Problem;
use crate::http_server::{AddedHeaders, HomePage, Services};
use crate::invocations::{Counted, Outstanding};
use crate::listeners::Listeners;
use crate::management::Management;
use crate::metering::Metering;
use crate::{listing, machine};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Parts of the running host that requests reach.
pub(super) struct ServiceParts {
    pub(super) functions: Arc<Counted<guest::App>>,
    pub(super) bindings: BindingParts,
    pub(super) client: Arc<dyn DurableClient>,
    pub(super) store: Arc<storage::TaskHub>,
    pub(super) hub: TaskHub,
    pub(super) triggers: Arc<Triggers>,
    pub(super) activities: Arc<dyn Activities>,
    pub(super) metering: Arc<Metering>,
    pub(super) listeners: Arc<Listeners>,
    pub(super) outstanding: Outstanding,
    pub(super) background: Background,
}

/// Everybody who answers.
///
/// # Errors
/// Every binding of an HTTP function that leads nowhere.
pub(super) fn services(site: &Site, world: &World, parts: ServiceParts) -> Result<Services, Problem> {
    let app = &site.located.app;
    let origins = OriginPolicy { own: own_authority(site.address), forwarded: ForwardedHeaders::Ignored };
    let http = Arc::new(http(site, world, &parts, origins.clone())?);
    let management = Management {
        client: parts.client.clone(),
        store: parts.store.clone(),
        explainer: Arc::new(parts.hub.clone()),
        clock: world.clock.clone(),
        uris: management_uris(site),
        origins: origins.clone(),
        max_payload_bytes: saturating_usize(app.host.durable_task.max_payload_bytes),
        show_activity_inputs: app.host.durable_task.store_inputs_in_orchestration_history,
    };
    Ok(Services {
        functions: http.clone(),
        management,
        admin: admin(site, world, parts, http, origins.clone()),
        home: match site.access.guarded {
            Guarded::No => home_page(site),
            Guarded::Yes => HomePage::Empty,
        },
        doors: site.access.doors(),
        cors: site.access.cors.clone(),
        added: AddedHeaders::of(&app.host.http),
        origins,
    })
}

fn http(site: &Site, world: &World, parts: &ServiceParts, origins: OriginPolicy) -> Result<HttpTrigger, Problem> {
    let app = &site.located.app;
    let is_local = site.address.ip().is_loopback();
    let options = HttpOptions {
        limits: HttpLimits::new(&app.host.http, machine::memory_bytes()),
        // Only developers themselves may see what is inside of a failure.
        fault_detail: if is_local { FaultDetail::Problem } else { FaultDetail::InvocationId },
        origins,
    };
    let surroundings = Surroundings { gatekeeper: Arc::new(site.access.doors()), bindings: parts.bindings.clone() };
    let parts = HttpParts {
        functions: parts.functions.clone(),
        clock: world.clock.clone(),
        randomness: world.randomness.clone(),
    };
    HttpTrigger::guarded(app, parts, surroundings, options).map_err(|errors| cannot_set_up(site, &errors))
}

fn admin(site: &Site, world: &World, parts: ServiceParts, http: Arc<HttpTrigger>, origins: OriginPolicy) -> Admin {
    Admin {
        app: Arc::new(site.located.app.clone()),
        version: VERSION,
        instance_id: format!("{:032x}", world.randomness.next_u128()),
        started: world.clock.now(),
        clock: world.clock.clone(),
        doors: site.access.doors(),
        keys: site.access.keys.clone(),
        origins,
        metering: parts.metering,
        listeners: parts.listeners,
        outstanding: parts.outstanding,
        runs: ManualRuns {
            http,
            triggers: parts.triggers,
            activities: parts.activities,
            client: parts.client,
            clock: world.clock.clone(),
            randomness: world.randomness.clone(),
            background: parts.background,
        },
    }
}

fn home_page(site: &Site) -> HomePage {
    let listings = listing::functions(&site.located.app, &listing::origin(site.address));
    let lines: Vec<(String, String)> = listings.into_iter().map(listing::Listing::into_columns).collect();
    let functions = lines.iter().map(|(name, started_by)| (name.as_str(), started_by.as_str()));
    HomePage::listing(&site.located.app.name, VERSION, functions)
}

fn own_authority(address: SocketAddr) -> Authority {
    let origin = listing::origin(address);
    let authority = origin.trim_start_matches("http://");
    authority.parse().expect("an IP address or localhost, with a port, is an authority")
}
