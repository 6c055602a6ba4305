//! Documents in a map, with the versions that the port asks for.

use async_trait::async_trait;
use ports::{Document, DocumentError, DocumentStore, DocumentWrite, Expecting, StoreError};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// The last version given out, and what is there.
#[derive(Default)]
pub(crate) struct FakeDocuments(Mutex<(u64, BTreeMap<String, Document>)>);

#[async_trait]
impl DocumentStore for FakeDocuments {
    async fn document(&self, name: &str) -> Result<Option<Document>, StoreError> {
        Ok(self.0.lock().unwrap().1.get(name).cloned())
    }

    async fn documents(&self, prefix: &str, from: Option<&str>, limit: usize) -> Result<Vec<Document>, StoreError> {
        let held = self.0.lock().unwrap();
        let from = from.unwrap_or("").max(prefix).to_owned();
        let found = held.1.range(from..).map(|(_, document)| document);
        Ok(found.take_while(|document| document.name.starts_with(prefix)).take(limit).cloned().collect())
    }

    async fn write_documents(&self, writes: Vec<DocumentWrite>) -> Result<Vec<Option<u64>>, DocumentError> {
        let mut held = self.0.lock().unwrap();
        for write in &writes {
            let version = held.1.get(&write.name).map(|document| document.version);
            let fits = match write.expecting {
                Expecting::Anything => true,
                Expecting::Nothing => version.is_none(),
                Expecting::Version(expected) => version == Some(expected),
            };
            if !fits {
                return Err(DocumentError::Changed { name: write.name.clone() });
            }
        }
        let mut versions = Vec::new();
        for DocumentWrite { name, content, .. } in writes {
            let Some(content) = content else {
                held.1.remove(&name);
                versions.push(None);
                continue;
            };
            assert!(content.len() <= Document::MAX_BYTES);
            held.0 += 1;
            let version = held.0;
            held.1.insert(name.clone(), Document { name, version, content });
            versions.push(Some(version));
        }
        Ok(versions)
    }
}
