//! Starting orchestrations, for the first time and again.

use super::{Client, check_key};
use orchestration::{
    ExecutionId, ExecutionStarted, InstanceId, InstanceRow, Json, NewInstance, Reuse, StartOptions, Tags,
};
use ports::{ClientError, Created, InstanceView, PrepareStart, StartRequest};
use uuid::Uuid;

/// Under which ids that follow from idempotency keys are made: a constant of ours, drawn once.
const KEY_NAMESPACE: Uuid = Uuid::from_u128(0x6e2c_1b0f_93d4_4a57_8f61_2d9c_70be_5a18);

impl PrepareStart for Client {
    fn prepare_start(&self, request: StartRequest) -> Result<NewInstance, ClientError> {
        Client::prepare_start(self, request)
    }
}

impl Client {
    /// Starts an orchestration; it is durable when this returns. Of racing starts of one id exactly one wins. With an
    /// idempotency key, a second start answers the id of the first for as long as the instance is not purged.
    ///
    /// # Errors
    /// When the orchestrator is unknown, the id is malformed or taken, the key belongs to another orchestrator, or the input
    /// or the tags are too large.
    pub async fn start(&self, request: StartRequest) -> Result<InstanceId, ClientError> {
        let new = self.prepare_start(request)?;
        match new.idempotency_key {
            Some(_) => self.create_once(new).await,
            None => self.create(new).await,
        }
    }

    /// What [`Client::start`] would create, for whoever commits it together with something else.
    ///
    /// # Errors
    /// When the orchestrator is unknown, the id is malformed, or the input or the tags are too large.
    pub fn prepare_start(&self, request: StartRequest) -> Result<NewInstance, ClientError> {
        let name = self.orchestrator(&request.name)?;
        self.check_payload("input", request.input.len())?;
        self.check_tags(&request.options.tags)?;
        let key = request.idempotency_key;
        if let Some(key) = &key {
            check_key("idempotency key", key)?;
        }
        let id = match (request.instance_id.as_deref(), &key) {
            (Some(chosen), _) => InstanceId::parse(chosen).map_err(|why| ClientError::Invalid(why.to_string()))?,
            (None, Some(key)) => self.id_of_key(key),
            (None, None) => InstanceId::from_random(self.randomness.next_u128()),
        };
        let reuse = request.reuse.unwrap_or(self.settings.reuse);
        let new = self.new_instance(id, name, request.input, request.options);
        Ok(NewInstance { reuse, idempotency_key: key, ..new })
    }

    /// Starts again what was started once, on the present app, with name, input, version and tags as they were; under a new
    /// id, or under the same if the instance has ended.
    ///
    /// # Errors
    /// When there is no such instance, its orchestrator is not in the app any more, or it is to keep its id and is at work.
    pub async fn restart(&self, id: &str, with_new_id: bool) -> Result<InstanceId, ClientError> {
        let InstanceView { row, input } = self.status(id, true).await?;
        let name = self.orchestrator(&row.name)?;
        let InstanceRow { id, options, idempotency_key, .. } = row;
        let options = StartOptions { start_at: None, ..options };
        let input = input.unwrap_or_else(Json::null);
        if with_new_id {
            let id = InstanceId::from_random(self.randomness.next_u128());
            return self.create(self.new_instance(id, name, input, options)).await;
        }
        // Whoever repeats the first start means this instance still.
        let new = NewInstance { reuse: Reuse::ENDED, idempotency_key, ..self.new_instance(id, name, input, options) };
        self.create(new).await
    }

    fn new_instance(&self, id: InstanceId, name: String, input: Json, options: StartOptions) -> NewInstance {
        let execution = ExecutionId::from_random(self.randomness.next_u128());
        let present = &self.settings.present;
        let version = options.version.or_else(|| present.default_version.clone());
        let started = ExecutionStarted {
            options: StartOptions { version, ..options },
            pinned_to: present.digest.clone(),
            ..ExecutionStarted::new(name, input, execution)
        };
        let at = self.clock.now();
        NewInstance { id, started, at, reuse: Reuse::NEVER, otherwise: None, idempotency_key: None }
    }

    async fn create(&self, new: NewInstance) -> Result<InstanceId, ClientError> {
        let id = new.id.clone();
        match self.store.create(new).await? {
            Created::Yes => Ok(id),
            Created::Exists { row } => Err(taken(&row)),
        }
    }

    /// The first start of its key creates the instance; a later one changes nothing, however far the instance has come.
    async fn create_once(&self, new: NewInstance) -> Result<InstanceId, ClientError> {
        let first = NewInstance { reuse: Reuse::NEVER, ..new.clone() };
        let row = match self.store.create(first).await? {
            Created::Yes => return Ok(new.id),
            Created::Exists { row } => row,
        };
        if row.idempotency_key == new.idempotency_key {
            return same_start(&new, &row);
        }
        // A chosen id that another start has taken before.
        match self.store.create(new.clone()).await? {
            Created::Yes => Ok(new.id),
            Created::Exists { row } if row.idempotency_key == new.idempotency_key => same_start(&new, &row),
            Created::Exists { row } => Err(taken(&row)),
        }
    }

    fn id_of_key(&self, key: &str) -> InstanceId {
        let hub = Uuid::new_v5(&KEY_NAMESPACE, self.settings.hub_name.to_lowercase().as_bytes());
        InstanceId::from_random(Uuid::new_v5(&hub, key.as_bytes()).as_u128())
    }

    fn orchestrator(&self, name: &str) -> Result<String, ClientError> {
        self.orchestrators.get(&name.to_lowercase()).cloned().ok_or_else(|| {
            let known: Vec<_> = self.orchestrators.values().map(String::as_str).collect();
            ClientError::Invalid(format!(
                "the function '{name}' doesn't exist, is disabled, or is not an orchestrator function; the known orchestrator \
                 functions are: {}",
                known.join(", ")
            ))
        })
    }

    fn check_tags(&self, tags: &Tags) -> Result<(), ClientError> {
        for name in tags.keys() {
            check_key("name of a tag", name)?;
        }
        self.check_payload("text of all tags", tags.iter().map(|(name, value)| name.len() + value.len()).sum())
    }
}

fn taken(row: &InstanceRow) -> ClientError {
    ClientError::AlreadyExists { id: row.id.to_string(), status: row.status }
}

/// What a start answers whose key is known.
fn same_start(new: &NewInstance, row: &InstanceRow) -> Result<InstanceId, ClientError> {
    if row.name.eq_ignore_ascii_case(&new.started.name) {
        return Ok(row.id.clone());
    }
    let (key, before, id) = (new.idempotency_key.as_deref().unwrap_or_default(), &row.name, &row.id);
    Err(ClientError::Invalid(format!(
        "the idempotency key '{key}' was used to start the orchestrator '{before}' (instance '{id}'), and now for '{}'; use \
         another key",
        new.started.name
    )))
}
