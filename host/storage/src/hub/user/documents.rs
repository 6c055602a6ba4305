//! Documents: small, by name, each with a version that never comes twice.

use super::super::claims::{Subject, Want, Wants};
use super::super::records::corrupt;
use super::super::{Shared, TaskHub};
use super::Draft;
use crate::codec;
use crate::keys;
use crate::rows::{self, KeyRange, Table, View, record_name};
use async_trait::async_trait;
use ports::{Document, DocumentError, DocumentStore, DocumentWrite, Expecting, StoreError};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Longest name of a document, in bytes: a database's keys are short.
const MAX_NAME_BYTES: usize = 8 << 10;

/// Versions of documents as a batch leaves them; none: removed.
pub(super) type Versions = BTreeMap<String, Option<u64>>;

#[async_trait]
impl DocumentStore for TaskHub {
    async fn document(&self, name: &str) -> Result<Option<Document>, StoreError> {
        rows::read(&*self.shared.rows, |view| read_document(view, name))
    }

    async fn documents(&self, prefix: &str, from: Option<&str>, limit: usize) -> Result<Vec<Document>, StoreError> {
        let from = KeyRange { from: from.unwrap_or_default().as_bytes().to_vec(), to: None };
        let range = KeyRange::prefix(prefix.as_bytes().to_vec()).intersect(from);
        rows::read(&*self.shared.rows, |view| list(view, &range, limit))
    }

    async fn write_documents(&self, writes: Vec<DocumentWrite>) -> Result<Vec<Option<u64>>, DocumentError> {
        self.shared.write_documents(writes).await
    }
}

/// One that cannot be read is left out, with a warning.
fn list(view: &dyn View, range: &KeyRange, limit: usize) -> Result<Vec<Document>, StoreError> {
    let mut documents = Vec::new();
    view.scan(Table::Documents, range, &mut |key, value| {
        if documents.len() >= limit {
            return ControlFlow::Break(());
        }
        let name = std::str::from_utf8(key).map_err(|error| error.to_string());
        match name.and_then(|name| codec::decode_document(name, value).map_err(|why| why.to_string())) {
            Ok(document) => documents.push(document),
            Err(why) => {
                let record = record_name(Table::Documents, key);
                tracing::warn!(record, why, "a document that cannot be read is left out of the list");
            }
        }
        ControlFlow::Continue(())
    })?;
    Ok(documents)
}

fn read_document(view: &dyn View, name: &str) -> Result<Option<Document>, StoreError> {
    let key = keys::document(name);
    let Some(value) = view.get(Table::Documents, &key)? else { return Ok(None) };
    codec::decode_document(name, &value).map(Some).map_err(|why| corrupt(Table::Documents, &key, &why))
}

impl Shared {
    async fn write_documents(
        self: &Arc<Shared>,
        writes: Vec<DocumentWrite>,
    ) -> Result<Vec<Option<u64>>, DocumentError> {
        let held = self.claim_all(Wants::of(writes.iter().map(document_claim).collect())).await;
        let drafted = rows::read(&*self.rows, |view| {
            let mut draft = Draft::new(self, view);
            Ok(draft.write_documents(writes).map(|versions| (draft.finish(), versions)))
        })?;
        let (drafted, versions) = drafted?;
        Ok(self.submit(drafted, held, versions).wait().await?)
    }
}

pub(super) fn document_claim(write: &DocumentWrite) -> Want {
    Want::alone(Subject::Document(write.name.clone()))
}

impl Draft<'_> {
    /// Answers the new versions.
    pub(super) fn write_documents(&mut self, writes: Vec<DocumentWrite>) -> Result<Vec<Option<u64>>, DocumentError> {
        let mut versions = Versions::new();
        writes.into_iter().map(|write| self.write_document(&mut versions, write)).collect()
    }

    fn write_document(&mut self, versions: &mut Versions, write: DocumentWrite) -> Result<Option<u64>, DocumentError> {
        let DocumentWrite { name, expecting, content } = write;
        check_size(&name, content.as_deref())?;
        let version = |found: Result<Option<Document>, StoreError>| found.map(|found| found.map(|found| found.version));
        let is_expected = match expecting {
            // Without a look: one that cannot be read can be replaced or removed.
            Expecting::Anything => true,
            Expecting::Nothing | Expecting::Version(_) => {
                let there = match versions.get(&name) {
                    Some(pending) => *pending,
                    None => version(read_document(self.view, &name))?,
                };
                expecting == there.map_or(Expecting::Nothing, Expecting::Version)
            }
        };
        if !is_expected {
            return Err(DocumentError::Changed { name });
        }
        let key = keys::document(&name);
        let written = content.map(|content| {
            let version = self.stamp().unsigned_abs();
            self.batch().put(Table::Documents, key.clone(), codec::encode_document(version, &content));
            version
        });
        if written.is_none() {
            self.batch().delete(Table::Documents, key);
        }
        versions.insert(name, written);
        Ok(written)
    }
}

fn check_size(name: &str, content: Option<&[u8]>) -> Result<(), StoreError> {
    let bytes = content.map_or(0, <[u8]>::len);
    if name.len() <= MAX_NAME_BYTES && bytes <= Document::MAX_BYTES {
        return Ok(());
    }
    let begin: String = name.chars().take(100).collect();
    let detail = format!(
        "the document '{begin}' is too large: its name has {} bytes of {MAX_NAME_BYTES}, its content {bytes} of {}",
        name.len(),
        Document::MAX_BYTES
    );
    Err(StoreError::Unavailable { detail })
}
