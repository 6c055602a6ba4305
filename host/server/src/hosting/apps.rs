//! The apps that a host serves at the moment, and which of them a request is for.
//!
//! Whoever answers a request looks at one state of this list, which can be replaced at any time: a request that has begun
//! stays with the version of the app that it found.

use arc_swap::ArcSwap;
use http::request::Parts;
use manifest::App;
use manifest::route::Reach;
use std::collections::BTreeMap;
use std::sync::Arc;
use triggers::http::HttpTrigger;

use super::Life;
use crate::admin::ManualRuns;
use crate::cors::Cors;
use crate::http_server::AddedHeaders;
use crate::listeners::{Intake, Listeners};
use crate::management::{Addressee, Management};
use crate::metering::Metering;

/// One version of an app, as requests reach it.
pub(crate) struct Served {
    /// What its manifest says.
    pub(crate) app: Arc<App>,
    /// Its app digest.
    pub(crate) digest: String,
    /// The digests of its components, by their names.
    pub(crate) components: BTreeMap<String, String>,
    /// Its HTTP functions.
    pub(crate) functions: Arc<HttpTrigger>,
    /// The management API of its task hub.
    pub(crate) management: Management,
    /// Which web pages may call it.
    pub(crate) cors: Option<Cors>,
    /// Added to the answers of its functions.
    pub(crate) added: AddedHeaders,
    /// What its functions have used.
    pub(crate) metering: Arc<Metering>,
    /// What takes work for it by itself.
    pub(crate) listeners: Arc<Listeners>,
    /// Runs its functions by hand.
    pub(crate) runs: ManualRuns,
    /// Its functions, each with what starts it, for people.
    pub(crate) listing: Vec<(String, String)>,
    /// Ends with the last request that found it.
    pub(crate) life: Life,
}

/// See the module. Names of apps, task hubs and functions are unique among them, ignoring case.
pub(crate) struct Apps(ArcSwap<Vec<Arc<Served>>>);

/// Whose management API a request is for.
pub(crate) enum Managed {
    /// This app's.
    App(Arc<Served>),
    /// Nobody can tell; the task hubs that there are.
    Unclear(Vec<String>),
    /// There is no app.
    Nobody,
}

impl Apps {
    /// These, in the order in which people named them.
    pub(crate) fn new(served: Vec<Arc<Served>>) -> Apps {
        Apps(ArcSwap::from_pointee(served))
    }

    /// All of them, as they are now.
    pub(crate) fn all(&self) -> Arc<Vec<Arc<Served>>> {
        self.0.load_full()
    }

    /// The app of that name, ignoring case.
    pub(crate) fn named(&self, name: &str) -> Option<Arc<Served>> {
        self.find(|served| served.app.name.eq_ignore_ascii_case(name))
    }

    /// The app that has a function of that name, ignoring case.
    pub(crate) fn with_function(&self, name: &str) -> Option<Arc<Served>> {
        self.find(|served| served.app.function(name).is_some())
    }

    /// From now on this is the version of its app. Requests that have begun end on the one before, which is answered. Only one
    /// caller may do so at a time.
    pub(crate) fn publish(&self, new: Arc<Served>) -> Option<Arc<Served>> {
        let mut all = self.0.load_full().to_vec();
        let before = match all.iter_mut().find(|served| served.app.name == new.app.name) {
            Some(place) => Some(std::mem::replace(place, new)),
            None => {
                all.push(new);
                None
            }
        };
        self.0.store(Arc::new(all));
        before
    }

    /// No request reaches the app any more. Answers what was served last. Only one caller may do so at a time.
    pub(crate) fn withdraw(&self, name: &str) -> Option<Arc<Served>> {
        let mut all = self.0.load_full().to_vec();
        let place = all.iter().position(|served| served.app.name == name)?;
        let withdrawn = all.remove(place);
        self.0.store(Arc::new(all));
        Some(withdrawn)
    }

    /// The app whose function a request is for: of all routes that match, the most specific one's. Where none does, an app
    /// that knows the path with another method; else the first one, which says so. None: there is no app.
    pub(crate) fn for_functions(&self, head: &Parts) -> Option<Arc<Served>> {
        let all = self.0.load();
        let (first, others) = all.split_first()?;
        if others.is_empty() {
            return Some(Arc::clone(first));
        }
        let mut best: Option<(Reach, &Arc<Served>)> = None;
        for served in all.iter() {
            let reach = served.functions.reach(head);
            let is_better = best.as_ref().is_none_or(|(known, holder)| {
                // Of equally specific routes that only differ in their constraints, the same one's wins after every start.
                let is_tie = reach == *known && matches!(reach, Reach::Function(_));
                reach < *known || (is_tie && served.app.name < holder.app.name)
            });
            if is_better {
                best = Some((reach, served));
            }
        }
        best.map(|(_, served)| Arc::clone(served))
    }

    /// The app whose instances a request is about.
    pub(crate) async fn for_management(&self, head: &Parts) -> Managed {
        let all = self.all();
        let Some((first, others)) = all.split_first() else { return Managed::Nobody };
        if others.is_empty() {
            return Managed::App(Arc::clone(first));
        }
        let having = |function: &str| self.with_function(function).unwrap_or_else(|| Arc::clone(first));
        match Addressee::of(head) {
            Addressee::TaskHub(hub) => {
                let found = all.iter().find(|served| served.management.uris.task_hub.eq_ignore_ascii_case(&hub));
                // The first one refuses a hub that it does not know.
                Managed::App(Arc::clone(found.unwrap_or(first)))
            }
            Addressee::Function(name) => Managed::App(having(&name)),
            Addressee::Instance(id) => {
                // Where nobody is known to have it, whoever may have it says what is wrong: nobody is told that there is none.
                let mut may_have = None;
                for served in all.iter() {
                    match served.management.has(&id).await {
                        Some(true) => return Managed::App(Arc::clone(served)),
                        Some(false) => {}
                        None => may_have = Some(served),
                    }
                }
                Managed::App(Arc::clone(may_have.unwrap_or(first)))
            }
            Addressee::WholeHub => {
                Managed::Unclear(all.iter().map(|served| served.management.uris.task_hub.clone()).collect())
            }
            Addressee::Anybody => Managed::App(Arc::clone(first)),
        }
    }

    /// Whether the apps take work by themselves; none: there is no app.
    pub(crate) fn intake(&self) -> Option<Intake> {
        let all = self.0.load();
        all.iter().map(|served| served.listeners.intake()).max_by_key(|intake| intake.standing_out())
    }

    fn find(&self, is_it: impl Fn(&Served) -> bool) -> Option<Arc<Served>> {
        self.0.load().iter().find(|served| is_it(served)).cloned()
    }
}
