//! The durable client as guests see it, over the port.

use super::{Invocation, Occasion};
use crate::bindings::{client, entity_from_wit, entity_to_wit, failure_to_wit, start_from_wit, tags_to_wit, values};
use crate::fault::Stop;
use orchestration::{EntityId, InstanceId, Json, RaisedEvent, RuntimeStatus, Timestamp};
use ports::{
    ClientError, DurableClient, EntityPage, EntityQuery, EntityView, InstanceKind, InstanceQuery, InstanceView, Page,
    PageToken, PurgeFilter, RewindTo, StartRequest,
};
use std::sync::Arc;
use std::time::Duration;

/// What a guest gets: the outer error stops it.
type Answer<T> = wasmtime::Result<Result<T, client::ClientError>>;

impl Invocation {
    fn client(&self) -> wasmtime::Result<Arc<dyn DurableClient>> {
        self.client
            .clone()
            .ok_or_else(|| Stop::forbidden("there is no durable client here: `describe` must not use it"))
    }
}

impl client::Host for Invocation {
    async fn start(
        &mut self,
        orchestrator: String,
        input: String,
        options: values::StartOptions,
        idempotency_key: Option<String>,
    ) -> Answer<String> {
        let (instance_id, options) = start_from_wit(options);
        let start = StartRequest::new(orchestrator, Json::from(input));
        let started = self.client()?.start(StartRequest { instance_id, options, idempotency_key, ..start }).await;
        answer(started.map(|id| id_to_wit(&id)))
    }

    async fn status(&mut self, instance_id: String) -> Answer<client::InstanceStatus> {
        answer(self.client()?.status(&instance_id, true).await.map(view_to_wit))
    }

    async fn query(&mut self, query: client::InstanceQuery) -> Answer<client::InstancePage> {
        let query = InstanceQuery {
            statuses: query.statuses.into_iter().map(status_from_wit).collect(),
            created_from: query.created_from.map(Timestamp::from_ticks),
            created_to: query.created_to.map(Timestamp::from_ticks),
            id_prefix: query.instance_id_prefix,
            tags: query.tags,
            kind: InstanceKind::Orchestrations,
            with_input: query.with_input,
            page_size: page_size(query.page_size),
            after: query.continuation_token.map(PageToken),
            ..InstanceQuery::default()
        };
        answer(self.client()?.query(&query).await.map(page_to_wit))
    }

    async fn raise_event(
        &mut self,
        instance_id: String,
        name: String,
        payload: String,
        event_id: Option<String>,
    ) -> Answer<()> {
        let event = RaisedEvent { name, input: Json::from(payload), id: event_id };
        answer(self.client()?.raise_event(&instance_id, event).await)
    }

    async fn terminate(&mut self, instance_id: String, reason: String, recursive: bool) -> Answer<()> {
        let reason = Json::from(serde_json::Value::String(reason).to_string());
        answer(self.client()?.terminate(&instance_id, reason, recursive).await)
    }

    async fn suspend(&mut self, instance_id: String, reason: String) -> Answer<()> {
        answer(self.client()?.suspend(&instance_id, reason).await)
    }

    async fn resume(&mut self, instance_id: String, reason: String) -> Answer<()> {
        answer(self.client()?.resume(&instance_id, reason).await)
    }

    async fn rewind(&mut self, instance_id: String, reason: String) -> Answer<()> {
        answer(self.client()?.rewind(&instance_id, reason, RewindTo::SameApp).await)
    }

    async fn restart(&mut self, instance_id: String, with_new_instance_id: bool) -> Answer<String> {
        answer(self.client()?.restart(&instance_id, with_new_instance_id).await.map(|id| id_to_wit(&id)))
    }

    async fn purge(&mut self, instance_id: String) -> Answer<()> {
        answer(self.client()?.purge(&instance_id).await)
    }

    async fn purge_by(&mut self, filter: client::PurgeFilter) -> Answer<u32> {
        let filter = PurgeFilter {
            created_from: Timestamp::from_ticks(filter.created_from),
            created_to: filter.created_to.map(Timestamp::from_ticks),
            statuses: filter.statuses.into_iter().map(status_from_wit).collect(),
        };
        let purged = self.client()?.purge_by(&filter).await;
        answer(purged.map(|number| u32::try_from(number).unwrap_or(u32::MAX)))
    }

    async fn clean_entities(&mut self) -> Answer<u32> {
        let released = self.client()?.clean_entities().await;
        answer(released.map(|number| u32::try_from(number).unwrap_or(u32::MAX)))
    }

    async fn wait_for_completion(&mut self, instance_id: String, timeout: u64) -> Answer<client::InstanceStatus> {
        answer(self.client()?.wait(&instance_id, Duration::from_millis(timeout)).await.map(view_to_wit))
    }

    async fn signal_entity(
        &mut self,
        entity: values::EntityId,
        operation: String,
        input: String,
        deliver_at: Option<i64>,
    ) -> Answer<()> {
        let entity = match entity_id(&entity) {
            Ok(entity) => entity,
            Err(malformed) => return answer(Err(malformed)),
        };
        let deliver_at = deliver_at.map(Timestamp::from_ticks);
        answer(self.client()?.signal_entity(entity, operation, Json::from(input), deliver_at).await)
    }

    async fn read_entity(&mut self, entity: values::EntityId) -> Answer<Option<client::EntityState>> {
        let entity = match entity_id(&entity) {
            Ok(entity) => entity,
            Err(malformed) => return answer(Err(malformed)),
        };
        answer(self.client()?.read_entity(&entity).await.map(|view| view.as_ref().map(entity_view_to_wit)))
    }

    async fn query_entities(&mut self, query: client::EntityQuery) -> Answer<client::EntityPage> {
        let query = EntityQuery {
            name: query.name,
            last_operation_from: query.last_operation_from.map(Timestamp::from_ticks),
            last_operation_to: query.last_operation_to.map(Timestamp::from_ticks),
            with_state: query.with_state,
            with_transient: false,
            page_size: page_size(query.page_size),
            after: query.continuation_token.map(PageToken),
        };
        let page = self.client()?.query_entities(&query).await;
        answer(page.map(|EntityPage { entities, next }| client::EntityPage {
            entities: entities.iter().map(entity_view_to_wit).collect(),
            continuation_token: next.map(|PageToken(token)| token),
        }))
    }

    fn management_uris(&mut self, instance_id: String) -> wasmtime::Result<String> {
        let origin = match &self.occasion {
            Occasion::Http { origin, .. } | Occasion::Stream { origin } => origin.as_deref(),
            Occasion::Activity { .. } | Occasion::Triggered(_) | Occasion::Entity | Occasion::Describe => None,
        };
        Ok(self.client()?.management_uris(&instance_id, origin).as_str().to_owned())
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the outer result is the one that stops a guest, and this is where it is decided not to"
)]
fn answer<T>(result: Result<T, ClientError>) -> Answer<T> {
    Ok(result.map_err(|error| error_to_wit(&error)))
}

fn entity_id(id: &values::EntityId) -> Result<EntityId, ClientError> {
    entity_from_wit(id).map_err(ClientError::Invalid)
}

fn page_size(size: u32) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}

fn error_to_wit(error: &ClientError) -> client::ClientError {
    let text = error.to_string();
    match error {
        ClientError::NotFound(_) => client::ClientError::NotFound(text),
        ClientError::AlreadyExists { .. } => client::ClientError::AlreadyExists(text),
        ClientError::Gone { .. } => client::ClientError::Gone(text),
        ClientError::Conflict { .. } => client::ClientError::Conflict(text),
        ClientError::Invalid(_) => client::ClientError::Invalid(text),
        ClientError::Store(_) => client::ClientError::Unavailable(text),
    }
}

fn id_to_wit(id: &InstanceId) -> String {
    id.as_str().to_owned()
}

fn page_to_wit(page: Page) -> client::InstancePage {
    client::InstancePage {
        instances: page.instances.into_iter().map(view_to_wit).collect(),
        continuation_token: page.next.map(|PageToken(token)| token),
    }
}

fn view_to_wit(view: InstanceView) -> client::InstanceStatus {
    let row = view.row;
    client::InstanceStatus {
        name: row.name,
        instance_id: row.id.as_str().to_owned(),
        runtime_status: status_to_wit(row.status),
        input: view.input.as_ref().map(text),
        output: row.output.as_ref().map(text),
        custom_status: row.custom_status.as_ref().map(text),
        failure: row.failure.map(failure_to_wit),
        created_time: row.created_at.ticks(),
        last_updated_time: row.updated_at.ticks(),
        version: row.options.version,
        tags: tags_to_wit(row.options.tags),
    }
}

fn entity_view_to_wit(view: &EntityView) -> client::EntityState {
    client::EntityState {
        id: entity_to_wit(&view.id),
        state: view.state.as_ref().map(text),
        last_operation_time: view.last_operation_at.ticks(),
        locked_by: view.locked_by.as_ref().map(id_to_wit),
    }
}

fn text(json: &Json) -> String {
    json.as_str().to_owned()
}

fn status_to_wit(status: RuntimeStatus) -> client::RuntimeStatus {
    match status {
        RuntimeStatus::Running => client::RuntimeStatus::Running,
        RuntimeStatus::Completed => client::RuntimeStatus::Completed,
        RuntimeStatus::ContinuedAsNew => client::RuntimeStatus::ContinuedAsNew,
        RuntimeStatus::Failed => client::RuntimeStatus::Failed,
        RuntimeStatus::Canceled => client::RuntimeStatus::Canceled,
        RuntimeStatus::Terminated => client::RuntimeStatus::Terminated,
        RuntimeStatus::Pending => client::RuntimeStatus::Pending,
        RuntimeStatus::Suspended => client::RuntimeStatus::Suspended,
    }
}

fn status_from_wit(status: client::RuntimeStatus) -> RuntimeStatus {
    match status {
        client::RuntimeStatus::Running => RuntimeStatus::Running,
        client::RuntimeStatus::Completed => RuntimeStatus::Completed,
        client::RuntimeStatus::ContinuedAsNew => RuntimeStatus::ContinuedAsNew,
        client::RuntimeStatus::Failed => RuntimeStatus::Failed,
        client::RuntimeStatus::Canceled => RuntimeStatus::Canceled,
        client::RuntimeStatus::Terminated => RuntimeStatus::Terminated,
        client::RuntimeStatus::Pending => RuntimeStatus::Pending,
        client::RuntimeStatus::Suspended => RuntimeStatus::Suspended,
    }
}
