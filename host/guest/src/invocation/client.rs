//! The durable client as guests see it, over the port.

use super::Invocation;
use crate::bindings::{client, failure_to_wit};
use crate::fault::Stop;
use orchestration::{Json, RuntimeStatus};
use ports::{ClientError, DurableClient, InstanceView, StartRequest};
use std::sync::Arc;
use std::time::Duration;

impl Invocation {
    fn client(&self) -> wasmtime::Result<Arc<dyn DurableClient>> {
        self.client.clone().ok_or_else(|| Stop::forbidden("`describe` must not call the durable client"))
    }
}

impl client::Host for Invocation {
    async fn start(
        &mut self,
        orchestrator: String,
        input: String,
        options: client::StartOptions,
    ) -> wasmtime::Result<Result<String, client::ClientError>> {
        let request = StartRequest { name: orchestrator, input: Json::from(input), instance_id: options.instance_id };
        let started = self.client()?.start(request).await;
        Ok(started.map(|id| id.as_str().to_owned()).map_err(|error| error_to_wit(&error)))
    }

    async fn status(
        &mut self,
        instance_id: String,
    ) -> wasmtime::Result<Result<client::InstanceStatus, client::ClientError>> {
        let view = self.client()?.status(&instance_id, true).await;
        Ok(view.map(view_to_wit).map_err(|error| error_to_wit(&error)))
    }

    async fn raise_event(
        &mut self,
        instance_id: String,
        name: String,
        payload: String,
    ) -> wasmtime::Result<Result<(), client::ClientError>> {
        let raised = self.client()?.raise_event(&instance_id, &name, Json::from(payload)).await;
        Ok(raised.map_err(|error| error_to_wit(&error)))
    }

    async fn terminate(
        &mut self,
        instance_id: String,
        reason: String,
    ) -> wasmtime::Result<Result<(), client::ClientError>> {
        let reason = serde_json::Value::String(reason).to_string();
        let terminated = self.client()?.terminate(&instance_id, Json::from(reason)).await;
        Ok(terminated.map_err(|error| error_to_wit(&error)))
    }

    async fn wait_for_completion(
        &mut self,
        instance_id: String,
        timeout: u64,
    ) -> wasmtime::Result<Result<client::InstanceStatus, client::ClientError>> {
        let view = self.client()?.wait(&instance_id, Duration::from_millis(timeout)).await;
        Ok(view.map(view_to_wit).map_err(|error| error_to_wit(&error)))
    }

    fn management_uris(&mut self, instance_id: String) -> wasmtime::Result<String> {
        Ok(self.client()?.management_uris(&instance_id, self.origin.as_deref()).as_str().to_owned())
    }
}

fn error_to_wit(error: &ClientError) -> client::ClientError {
    let text = error.to_string();
    match error {
        ClientError::NotFound(_) => client::ClientError::NotFound(text),
        ClientError::AlreadyExists { .. } => client::ClientError::AlreadyExists(text),
        ClientError::Gone { .. } => client::ClientError::Gone(text),
        ClientError::Invalid(_) => client::ClientError::Invalid(text),
        ClientError::Store(_) => client::ClientError::Unavailable(text),
    }
}

fn view_to_wit(view: InstanceView) -> client::InstanceStatus {
    let text = |json: Json| json.as_str().to_owned();
    let row = view.row;
    client::InstanceStatus {
        name: row.name,
        instance_id: row.id.as_str().to_owned(),
        runtime_status: status_to_wit(row.status),
        input: view.input.map(text),
        output: row.output.map(text),
        custom_status: row.custom_status.map(text),
        failure: row.failure.map(failure_to_wit),
        created_time: row.created_at.ticks(),
        last_updated_time: row.updated_at.ticks(),
    }
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
