//! Removing instances that have ended, one or all that a filter names; `force=true` also removes those at work.
//!
//! Azure Storage's purge removes running instances without a word, and all of them when a filter's status is misspelt. Codes
//! and shapes are the same here, but an instance at work stays unless the caller says otherwise, and a filter of which
//! nothing is understood removes nothing.

use super::reply::{self, Refusal, Reply};
use super::{Call, Management};
use http::StatusCode;
use orchestration::{InstanceId, RuntimeStatus};
use ports::{ClientError, InstanceQuery, Purge};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Purged {
    instances_deleted: u64,
}

impl Management {
    pub(super) async fn purge(&self, call: &Call, id: &str) -> Result<Reply, Refusal> {
        let instance = InstanceId::from_stored(id);
        // Whoever waits for an entity would wait for ever if it were gone: no force removes it then.
        if what(call) == Purge::Any && !instance.is_entity() {
            let removed = self.store.purge(&instance, Purge::Any).await?;
            return if removed { Ok(one()) } else { Err(Refusal::UnknownInstance(id.to_owned())) };
        }
        match self.client.purge(id).await {
            Ok(()) => Ok(one()),
            Err(ClientError::Conflict { id, status, .. }) => Err(Refusal::AtWork { id, status }),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn purge_many(&self, call: &Call) -> Result<Reply, Refusal> {
        let created_from = call.query.moment("createdTimeFrom").ok_or(Refusal::NoCreatedTimeFrom)?;
        let purge = what(call);
        let Some(statuses) = statuses(call, purge) else { return Ok(reply::empty(StatusCode::NOT_FOUND)) };
        let mut query = InstanceQuery {
            statuses,
            created_from: Some(created_from),
            created_to: Some(call.query.moment("createdTimeTo").unwrap_or_else(|| self.clock.now())),
            ..InstanceQuery::default()
        };
        let mut instances_deleted = 0;
        loop {
            let page = self.store.query(&query).await?;
            for view in &page.instances {
                instances_deleted += u64::from(self.store.purge(&view.row.id, purge).await?);
            }
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        if instances_deleted == 0 {
            return Ok(reply::empty(StatusCode::NOT_FOUND));
        }
        Ok(reply::json(StatusCode::OK, &Purged { instances_deleted }))
    }
}

fn one() -> Reply {
    reply::json(StatusCode::OK, &Purged { instances_deleted: 1 })
}

fn what(call: &Call) -> Purge {
    if call.query.flag("force", false) { Purge::Any } else { Purge::Ended }
}

/// The statuses to look for; none if there is nothing to look for.
fn statuses(call: &Call, purge: Purge) -> Option<Vec<RuntimeStatus>> {
    let named = call.query.statuses();
    let asked = if named.given { named.known } else { RuntimeStatus::ALL.to_vec() };
    let allowed: Vec<_> = match purge {
        Purge::Any => asked,
        Purge::Ended => asked.into_iter().filter(|status| status.is_terminal()).collect(),
    };
    (!allowed.is_empty()).then_some(allowed)
}
