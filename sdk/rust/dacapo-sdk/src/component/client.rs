//! The import `client`: what a durable client asks of the host.

use std::time::Duration;

use super::bindings::dacapo::functions::client;
use super::conversions::{entity_id, failure_from, milliseconds, start_options};
use crate::client::Instances;
use crate::{
    ClientError, EntityId, EntityQuery, EntityState, InstanceQuery, InstanceStatus, Page, PurgeFilter, RuntimeStatus,
    StartOptions, Timestamp,
};

pub(crate) struct HostInstances;

impl Instances for HostInstances {
    fn start(
        &self,
        orchestrator: &str,
        input: &str,
        options: &StartOptions,
        idempotency_key: Option<&str>,
    ) -> Result<String, ClientError> {
        Ok(client::start(orchestrator, input, &start_options(options), idempotency_key)?)
    }

    fn status(&self, instance_id: &str) -> Result<InstanceStatus, ClientError> {
        Ok(client::status(instance_id)?.into())
    }

    fn query(&self, query: &InstanceQuery, token: Option<&str>) -> Result<Page<InstanceStatus>, ClientError> {
        let query = client::InstanceQuery {
            statuses: query.statuses.iter().copied().map(Into::into).collect(),
            created_from: query.created_from.map(Timestamp::ticks),
            created_to: query.created_to.map(Timestamp::ticks),
            instance_id_prefix: query.instance_id_prefix.clone(),
            tags: query.tags.clone(),
            with_input: query.with_input,
            page_size: query.page_size,
            continuation_token: token.map(Into::into),
        };
        let client::InstancePage { instances, continuation_token } = client::query(&query)?;
        Ok(Page { items: instances.into_iter().map(Into::into).collect(), continuation_token })
    }

    fn raise_event(
        &self,
        instance_id: &str,
        name: &str,
        payload: &str,
        event_id: Option<&str>,
    ) -> Result<(), ClientError> {
        Ok(client::raise_event(instance_id, name, payload, event_id)?)
    }

    fn terminate(&self, instance_id: &str, reason: &str, recursive: bool) -> Result<(), ClientError> {
        Ok(client::terminate(instance_id, reason, recursive)?)
    }

    fn suspend(&self, instance_id: &str, reason: &str) -> Result<(), ClientError> {
        Ok(client::suspend(instance_id, reason)?)
    }

    fn resume(&self, instance_id: &str, reason: &str) -> Result<(), ClientError> {
        Ok(client::resume(instance_id, reason)?)
    }

    fn rewind(&self, instance_id: &str, reason: &str) -> Result<(), ClientError> {
        Ok(client::rewind(instance_id, reason)?)
    }

    fn restart(&self, instance_id: &str, with_new_instance_id: bool) -> Result<String, ClientError> {
        Ok(client::restart(instance_id, with_new_instance_id)?)
    }

    fn purge(&self, instance_id: &str) -> Result<(), ClientError> {
        Ok(client::purge(instance_id)?)
    }

    fn purge_by(&self, filter: &PurgeFilter) -> Result<u32, ClientError> {
        Ok(client::purge_by(&client::PurgeFilter {
            created_from: filter.created_from.ticks(),
            created_to: filter.created_to.map(Timestamp::ticks),
            statuses: filter.statuses.iter().copied().map(Into::into).collect(),
        })?)
    }

    fn clean_entities(&self) -> Result<u32, ClientError> {
        Ok(client::clean_entities()?)
    }

    fn wait_for_completion(&self, instance_id: &str, timeout: Duration) -> Result<InstanceStatus, ClientError> {
        Ok(client::wait_for_completion(instance_id, milliseconds(timeout))?.into())
    }

    fn signal_entity(
        &self,
        entity: &EntityId,
        operation: &str,
        input: &str,
        deliver_at: Option<Timestamp>,
    ) -> Result<(), ClientError> {
        Ok(client::signal_entity(&entity_id(entity), operation, input, deliver_at.map(Timestamp::ticks))?)
    }

    fn read_entity(&self, entity: &EntityId) -> Result<Option<EntityState>, ClientError> {
        Ok(client::read_entity(&entity_id(entity))?.map(Into::into))
    }

    fn query_entities(&self, query: &EntityQuery, token: Option<&str>) -> Result<Page<EntityState>, ClientError> {
        let query = client::EntityQuery {
            name: query.name.clone(),
            last_operation_from: query.last_operation_from.map(Timestamp::ticks),
            last_operation_to: query.last_operation_to.map(Timestamp::ticks),
            with_state: query.with_state,
            page_size: query.page_size,
            continuation_token: token.map(Into::into),
        };
        let client::EntityPage { entities, continuation_token } = client::query_entities(&query)?;
        Ok(Page { items: entities.into_iter().map(Into::into).collect(), continuation_token })
    }

    fn management_uris(&self, instance_id: &str) -> String {
        client::management_uris(instance_id)
    }
}

impl From<client::ClientError> for ClientError {
    fn from(error: client::ClientError) -> ClientError {
        match error {
            client::ClientError::NotFound(text) => ClientError::NotFound(text),
            client::ClientError::AlreadyExists(text) => ClientError::AlreadyExists(text),
            client::ClientError::Gone(text) => ClientError::Gone(text),
            client::ClientError::Conflict(text) => ClientError::Conflict(text),
            client::ClientError::Invalid(text) => ClientError::Invalid(text),
            client::ClientError::Unavailable(text) => ClientError::Unavailable(text),
        }
    }
}

impl From<client::InstanceStatus> for InstanceStatus {
    fn from(status: client::InstanceStatus) -> InstanceStatus {
        InstanceStatus {
            name: status.name,
            instance_id: status.instance_id,
            runtime_status: status.runtime_status.into(),
            input: status.input,
            output: status.output,
            custom_status: status.custom_status,
            failure: status.failure.map(failure_from),
            created_time: Timestamp::from_ticks(status.created_time),
            last_updated_time: Timestamp::from_ticks(status.last_updated_time),
            version: status.version,
            tags: status.tags.into_iter().collect(),
        }
    }
}

impl From<client::EntityState> for EntityState {
    fn from(entity: client::EntityState) -> EntityState {
        EntityState {
            id: EntityId::new(&entity.id.name, entity.id.key),
            state: entity.state,
            last_operation_time: Timestamp::from_ticks(entity.last_operation_time),
            locked_by: entity.locked_by,
        }
    }
}

impl From<client::RuntimeStatus> for RuntimeStatus {
    fn from(status: client::RuntimeStatus) -> RuntimeStatus {
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
}

impl From<RuntimeStatus> for client::RuntimeStatus {
    fn from(status: RuntimeStatus) -> client::RuntimeStatus {
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
}
