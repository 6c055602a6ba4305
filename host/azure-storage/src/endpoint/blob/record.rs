//! What is kept of a container or blob: properties, then the content, in one document.

use super::lease::Lease;
use crate::dates;
use crate::endpoint::answer::{self, Answer};
use crate::endpoint::error::{ServiceError, code};
use crate::endpoint::{Components, metadata};
use http::header::{self, HeaderName};
use orchestration::Timestamp;
use ports::{Document, DocumentError, DocumentWrite, Expecting, Metadata};
use serde::{Deserialize, Serialize};

/// Room for properties in a document: metadata may take 8 KiB, each header about as much.
pub(super) const MAX_PROPERTIES_BYTES: usize = 128 << 10;
/// How often a change is decided anew after somebody else was quicker.
const MAX_ATTEMPTS: usize = 16;

/// A container, which has no content, or a blob.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Record {
    pub(super) properties: Properties,
    pub(super) content: Vec<u8>,
}

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Properties {
    /// Another one after each write, though not after what only concerns the lease.
    pub(super) etag: u64,
    /// In ticks.
    pub(super) created: i64,
    /// In ticks.
    pub(super) modified: i64,
    #[serde(default)]
    pub(super) metadata: Metadata,
    /// What readers get as headers, by their names.
    #[serde(default)]
    pub(super) headers: Metadata,
    #[serde(default)]
    pub(super) lease: Option<Lease>,
    /// Of containers: as an XML text.
    #[serde(default)]
    pub(super) access_policies: String,
}

impl Record {
    /// A record of that moment.
    pub(super) fn new(components: &Components, now: Timestamp) -> Record {
        let mut record = Record::default();
        record.properties.created = now.ticks();
        record.touch(components, now);
        record
    }

    /// Notes that it was written.
    pub(super) fn touch(&mut self, components: &Components, now: Timestamp) {
        self.properties.modified = now.ticks();
        self.properties.etag = (components.randomness.next_u128() >> 64 ^ components.randomness.next_u128()) as u64;
    }

    fn decode(document: &Document) -> Result<Record, ServiceError> {
        let corrupt = |why: &str| {
            code::INTERNAL_ERROR.because(&format!("the document '{}' cannot be read: {why}", document.name))
        };
        let (length, rest) = document.content.split_first_chunk::<4>().ok_or_else(|| corrupt("it is too short"))?;
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let (properties, content) = rest.split_at_checked(length).ok_or_else(|| corrupt("it is too short"))?;
        let properties = serde_json::from_slice(properties).map_err(|error| corrupt(&error.to_string()))?;
        Ok(Record { properties, content: content.to_vec() })
    }

    fn encode(&self) -> Result<Vec<u8>, ServiceError> {
        let properties = serde_json::to_vec(&self.properties)
            .map_err(|error| code::INTERNAL_ERROR.because(&format!("properties cannot be written: {error}")))?;
        if properties.len() > MAX_PROPERTIES_BYTES - 4 {
            return Err(code::METADATA_TOO_LARGE.because("Headers and metadata together are too large."));
        }
        let length = u32::try_from(properties.len()).unwrap_or(u32::MAX).to_le_bytes();
        Ok([length.as_slice(), &properties, &self.content].concat())
    }

    /// The ETag without its quotes.
    pub(super) fn etag(&self) -> String {
        format!("0x{:016X}", self.properties.etag)
    }

    /// When it was written, without the part of a second that headers cannot tell.
    pub(super) fn last_modified(&self) -> Timestamp {
        let seconds = Timestamp::from_ticks(self.properties.modified).unix_ms().div_euclid(1_000);
        Timestamp::from_unix_ms(seconds * 1_000)
    }

    /// Writes its state into an answer: the two headers that every answer about it has.
    pub(super) fn put_state(&self, answer: &mut Answer) {
        answer::put(answer, header::ETAG, &["\"", &self.etag(), "\""].concat());
        answer::put(answer, header::LAST_MODIFIED, &dates::rfc1123(self.last_modified()));
    }

    /// Writes all that its readers learn besides the content.
    pub(super) fn put_all(&self, answer: &mut Answer, now: Timestamp) {
        self.put_state(answer);
        for (name, value) in &self.properties.headers {
            if let Ok(name) = HeaderName::try_from(name.as_str()) {
                answer::put(answer, name, value);
            }
        }
        let phase = Lease::phase(self.properties.lease.as_ref(), now);
        answer::put(answer, HeaderName::from_static("x-ms-lease-status"), phase.status());
        answer::put(answer, HeaderName::from_static("x-ms-lease-state"), phase.name());
        if let Some(duration) = self.properties.lease.as_ref().and_then(|lease| lease.duration_name(now)) {
            answer::put(answer, HeaderName::from_static("x-ms-lease-duration"), duration);
        }
        metadata::put(answer, &self.properties.metadata);
    }
}

/// The name of a container's document.
pub(super) fn container_name(container: &str) -> String {
    [CONTAINERS, container].concat()
}

/// The name of a blob's document.
pub(super) fn blob_name(container: &str, blob: &str) -> String {
    [BLOBS, container, "/", blob].concat()
}

pub(super) const CONTAINERS: &str = "blob-containers/";
pub(super) const BLOBS: &str = "blobs/";

/// Reads one.
pub(super) async fn read(components: &Components, name: &str) -> Result<Option<Record>, ServiceError> {
    components.documents.document(name).await?.as_ref().map(Record::decode).transpose()
}

/// Reads a page of them, by name.
pub(super) async fn read_page(
    components: &Components,
    prefix: &str,
    from: &str,
    limit: usize,
) -> Result<Vec<(String, Record)>, ServiceError> {
    let documents = components.documents.documents(prefix, Some(from), limit).await?;
    documents.iter().map(|document| Ok((document.name.clone(), Record::decode(document)?))).collect()
}

/// Changes one: `decide` gets what is there and gives what is to be there, and the answer. It is asked again when somebody else
/// was quicker, so it must not act by itself.
pub(super) async fn change<T: Send>(
    components: &Components,
    name: &str,
    decide: impl Fn(Option<Record>) -> Result<(Option<Record>, T), ServiceError> + Send,
) -> Result<T, ServiceError> {
    for _ in 0..MAX_ATTEMPTS {
        let document = components.documents.document(name).await?;
        let expecting = document.as_ref().map_or(Expecting::Nothing, |there| Expecting::Version(there.version));
        let there = document.as_ref().map(Record::decode).transpose()?;
        let (record, answer) = decide(there)?;
        let content = record.as_ref().map(Record::encode).transpose()?;
        let write = DocumentWrite { name: name.to_owned(), expecting, content };
        match components.documents.write_documents(vec![write]).await {
            Ok(_) => return Ok(answer),
            Err(DocumentError::Changed { .. }) => {}
            Err(DocumentError::Store(error)) => return Err(error.into()),
        }
    }
    Err(code::SERVER_BUSY.because("Too many others change it at the same time."))
}
