//! Entities as clients reach them: told, read, listed, cleaned.

use super::Client;
use orchestration::{EntityId, EntityLock, Envelope, InstanceId, InstanceRow, Json, MessageKind, Timestamp};
use ports::{
    ClientError, EntityPage, EntityQuery, EntityView, InstanceKind, InstanceQuery, InstanceView, PageToken, Sent,
};

impl Client {
    /// Tells an entity to do something, at `deliver_at` or later; durable when this returns.
    ///
    /// # Errors
    /// When the app has no such entity, or the input or the operation's name is too large.
    pub async fn signal_entity(
        &self,
        entity: EntityId,
        operation: String,
        input: Json,
        deliver_at: Option<Timestamp>,
    ) -> Result<(), ClientError> {
        self.check_entity(&entity)?;
        self.check_payload("operation's name", operation.len())?;
        self.check_payload("input", input.len())?;
        let request = format!("{:032x}", self.randomness.next_u128());
        let kind = MessageKind::EntityOperationSignaled { sender: None, request, operation, input };
        self.tell(&entity.instance_id(), kind, deliver_at).await
    }

    /// An entity as of its last batch; none if it does not exist.
    ///
    /// # Errors
    /// When the store cannot do it.
    pub async fn read_entity(&self, entity: &EntityId) -> Result<Option<EntityView>, ClientError> {
        let view = self.store.read(&entity.instance_id(), false).await?;
        Ok(view.and_then(|view| entity_view(&view.row)).filter(|view| view.state.is_some()))
    }

    /// One page of the entities that meet all conditions. A page is shorter than asked for only if it is the last.
    ///
    /// # Errors
    /// When the store cannot do it.
    pub async fn query_entities(&self, query: &EntityQuery) -> Result<EntityPage, ClientError> {
        let mut page = EntityPage { entities: Vec::new(), next: query.after.clone() };
        loop {
            let missing = query.page_size.saturating_sub(page.entities.len());
            let found = self.store.query(&instances_of(query, missing, page.next.take())).await?;
            let rows = found.instances.iter().map(|view: &InstanceView| &view.row);
            page.entities.extend(rows.filter_map(entity_view).filter(|view| is_asked_for(query, view)).map(|view| {
                let state = view.state.filter(|_| query.with_state);
                EntityView { state, ..view }
            }));
            page.next = found.next;
            let is_full = !page.entities.is_empty() && page.entities.len() >= query.page_size;
            if is_full || page.next.is_none() {
                return Ok(page);
            }
        }
    }

    /// Releases the locks whose owner is gone, and answers how many. A last resort: whatever ends an owner releases its locks in
    /// the same commit. Entities without a state need no cleaning: the batch that empties one removes it.
    ///
    /// # Errors
    /// When the store fails; what was released before stays so.
    pub async fn clean_entities(&self) -> Result<u64, ClientError> {
        let mut released = 0;
        let mut query = InstanceQuery { kind: InstanceKind::Entities, ..InstanceQuery::default() };
        loop {
            let page = self.store.query(&query).await?;
            for InstanceView { row, .. } in page.instances {
                let Some(lock) = row.entity.and_then(|record| record.lock) else { continue };
                if self.is_orphaned(&lock).await? {
                    self.release(&row.id, &lock).await?;
                    released += 1;
                }
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(released),
            }
        }
    }

    /// Whether nobody is left who would release it: the owner is gone, has ended, or is in another execution.
    async fn is_orphaned(&self, lock: &EntityLock) -> Result<bool, ClientError> {
        let owner = self.store.read(&lock.owner, false).await?;
        Ok(owner.is_none_or(|owner| owner.row.status.is_terminal() || owner.row.execution != lock.section.execution))
    }

    async fn release(&self, entity: &InstanceId, lock: &EntityLock) -> Result<(), ClientError> {
        let Some(id) = EntityId::of_instance(entity) else { return Ok(()) };
        tracing::warn!(%entity, owner = %lock.owner, "released a lock whose owner is gone");
        let kind = MessageKind::EntityUnlockSent { section: lock.section, entities: vec![id], position: 0 };
        self.tell(entity, kind, None).await
    }

    async fn tell(
        &self,
        entity: &InstanceId,
        kind: MessageKind,
        deliver_at: Option<Timestamp>,
    ) -> Result<(), ClientError> {
        let envelope = Envelope { deliver_at, ..Envelope::new(entity.clone(), None, kind) };
        match self.store.send(envelope).await? {
            Sent::Yes => Ok(()),
            // A store takes a message for an entity in any case.
            Sent::NoInstance | Sent::Ended => Err(ClientError::NotFound(entity.to_string())),
        }
    }

    fn check_entity(&self, entity: &EntityId) -> Result<(), ClientError> {
        if self.entities.contains_key(entity.name()) {
            return Ok(());
        }
        let known: Vec<_> = self.entities.values().map(String::as_str).collect();
        Err(ClientError::Invalid(format!(
            "the entity '{}' doesn't exist, is disabled, or is not an entity function; the known entity functions are: {}",
            entity.name(),
            known.join(", ")
        )))
    }
}

/// What to ask the store for: all that can match, and perhaps more.
fn instances_of(query: &EntityQuery, page_size: usize, after: Option<PageToken>) -> InstanceQuery {
    InstanceQuery {
        kind: InstanceKind::Entities,
        id_prefix: query.name.as_ref().map(|name| format!("@{}@", name.to_lowercase())),
        // Whatever an entity did, it was changed then or later.
        updated_from: query.last_operation_from,
        page_size,
        after,
        ..InstanceQuery::default()
    }
}

fn is_asked_for(query: &EntityQuery, view: &EntityView) -> bool {
    let exists = view.state.is_some() || query.with_transient;
    let from = query.last_operation_from.is_none_or(|from| view.last_operation_at >= from);
    let to = query.last_operation_to.is_none_or(|to| view.last_operation_at <= to);
    exists && from && to
}

/// The entity that a row stands for. One that never did anything is as old as its row.
fn entity_view(row: &InstanceRow) -> Option<EntityView> {
    let record = row.entity.as_ref()?;
    Some(EntityView {
        id: EntityId::of_instance(&row.id)?,
        state: record.state.clone(),
        last_operation_at: record.last_operation_at.unwrap_or(row.created_at),
        locked_by: record.lock.as_ref().map(|lock| lock.owner.clone()),
    })
}
