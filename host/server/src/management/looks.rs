//! Looking at one instance and at lists of them: status, history, and what an instance is doing.

use super::history::{self, Shown};
use super::reply::{self, Refusal, Reply};
use super::status::{self, InstanceStatus};
use super::{Call, Management, explain};
use http::StatusCode;
use http::header::LOCATION;
use orchestration::InstanceId;
use ports::{InstanceKind, InstanceQuery, InstanceView};

use crate::history_file;

/// Advice in the answer to a look at an instance that has not ended, in seconds; as in Durable Functions.
const RETRY_AFTER_STATUS: u32 = 5;

impl Management {
    pub(super) async fn status(&self, call: &Call, id: &str) -> Result<Reply, Refusal> {
        let query = &call.query;
        let show_input = query.flag("showInput", true);
        let view = self.view(id, show_input).await?;
        let InstanceView { row, .. } = &view;
        let code = status::code(row.status, query.flag("returnInternalServerErrorOnFailure", false));
        let reply = if query.flag("showHistory", false) {
            let events = self.store.history(&row.id, row.execution).await?;
            let shown = Shown {
                inputs: show_input,
                activity_inputs: show_input && self.show_activity_inputs,
                results: query.flag("showHistoryOutput", false),
            };
            let history = history::project(&events, shown);
            reply::json(code, &InstanceStatus::new(&view).with_history(history))
        } else {
            reply::json(code, &InstanceStatus::new(&view))
        };
        if code != StatusCode::ACCEPTED {
            return Ok(reply);
        }
        Ok(reply::retry_after(reply::with_header(reply, LOCATION, &call.own_uri()), RETRY_AFTER_STATUS))
    }

    /// An orchestration or an entity: whatever is there can be looked at.
    async fn view(&self, id: &str, with_input: bool) -> Result<InstanceView, Refusal> {
        let view = self.store.read(&InstanceId::from_stored(id), with_input).await?;
        view.ok_or_else(|| Refusal::UnknownInstance(id.to_owned()))
    }

    pub(super) async fn list(&self, call: &Call) -> Result<Reply, Refusal> {
        let query = &call.query;
        let prefix = query.text("instanceIdPrefix");
        // Entities are instances too, but nobody expects them among orchestrations without asking.
        let asks_for_entities = prefix.is_some_and(|prefix| prefix.starts_with('@'));
        let page = self
            .store
            .query(&InstanceQuery {
                statuses: query.statuses().known,
                created_from: query.moment("createdTimeFrom"),
                created_to: query.moment("createdTimeTo"),
                id_prefix: prefix.map(str::to_owned),
                tags: query.tags(),
                kind: if asks_for_entities { InstanceKind::Any } else { InstanceKind::Orchestrations },
                with_input: query.flag("showInput", true),
                page_size: call.page_size(),
                after: call.continuation_token(),
                ..InstanceQuery::default()
            })
            .await?;
        let statuses: Vec<_> = page.instances.iter().map(InstanceStatus::new).collect();
        Ok(reply::page(&statuses, page.next.as_ref()))
    }

    /// Every event, one a line.
    pub(super) async fn history(&self, id: &str) -> Result<Reply, Refusal> {
        let row = self.view(id, false).await?.row;
        let events = self.store.history(&row.id, row.execution).await?;
        Ok(reply::text(StatusCode::OK, history_file::MEDIA_TYPE, history_file::write(&row.id, &events)))
    }

    pub(super) async fn explain(&self, id: &str) -> Result<Reply, Refusal> {
        let explanation = self.explainer.explain(id).await?;
        Ok(reply::json(StatusCode::OK, &explain::shown(&explanation)))
    }
}
