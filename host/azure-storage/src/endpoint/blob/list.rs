//! Lists of containers and blobs, in pages.

use super::lease::Lease;
use super::record::{BLOBS, CONTAINERS, Record, read_page};
use crate::dates;
use crate::endpoint::Components;
use crate::endpoint::answer::{self, Answer};
use crate::endpoint::call::Call;
use crate::endpoint::error::ServiceError;
use crate::xml::Writer;
use http::StatusCode;
use orchestration::Timestamp;

/// Most items of one page of a list, and how many there are when the client does not say.
const MAX_PAGE: i64 = 5_000;
/// How many documents are read at once: they come with their contents.
const DOCUMENTS_AT_ONCE: usize = 16;

/// What stands in a list.
enum Item {
    One(String, Box<Record>),
    /// All names that begin so.
    Prefix(String),
}

/// One page of the account's containers.
pub(super) async fn containers(components: &Components, call: &Call) -> Result<Answer, ServiceError> {
    let (items, next) = page(components, CONTAINERS, None, call).await?;
    let mut writer = begin(call, None);
    writer.open("Containers");
    for item in items {
        if let Item::One(name, record) = item {
            writer.open("Container");
            writer.element("Name", &name);
            writer.open("Properties");
            properties(&mut writer, &record, call.now);
            writer.close("Properties");
            metadata(&mut writer, &record, call);
            writer.close("Container");
        }
    }
    writer.close("Containers");
    Ok(end(writer, next.as_deref()))
}

/// One page of a container's blobs.
pub(super) async fn blobs(components: &Components, container: &str, call: &Call) -> Result<Answer, ServiceError> {
    let delimiter = call.query.get("delimiter").filter(|delimiter| !delimiter.is_empty());
    let (items, next) = page(components, &[BLOBS, container, "/"].concat(), delimiter, call).await?;
    let mut writer = begin(call, Some(container));
    writer.open("Blobs");
    for item in items {
        match item {
            Item::Prefix(name) => {
                writer.open("BlobPrefix");
                writer.element("Name", &name);
                writer.close("BlobPrefix");
            }
            Item::One(name, record) => {
                writer.open("Blob");
                writer.element("Name", &name);
                writer.open("Properties");
                writer.element("Creation-Time", &dates::rfc1123(Timestamp::from_ticks(record.properties.created)));
                properties(&mut writer, &record, call.now);
                writer.number("Content-Length", record.content.len() as u64);
                for (element, header) in [
                    ("Content-Type", "content-type"),
                    ("Content-Encoding", "content-encoding"),
                    ("Content-Language", "content-language"),
                    ("Content-MD5", "content-md5"),
                    ("Cache-Control", "cache-control"),
                    ("Content-Disposition", "content-disposition"),
                ] {
                    writer.element(element, record.properties.headers.get(header).map_or("", String::as_str));
                }
                writer.element("BlobType", "BlockBlob");
                writer.close("Properties");
                metadata(&mut writer, &record, call);
                writer.close("Blob");
            }
        }
    }
    writer.close("Blobs");
    Ok(end(writer, next.as_deref()))
}

/// The items of a page, and the name to go on with.
async fn page(
    components: &Components,
    root: &str,
    delimiter: Option<&str>,
    call: &Call,
) -> Result<(Vec<Item>, Option<String>), ServiceError> {
    let limit = call.query.number("maxresults", 1, i64::MAX)?.unwrap_or(MAX_PAGE).min(MAX_PAGE);
    let limit = usize::try_from(limit).unwrap_or(1);
    let prefix = call.query.get("prefix").unwrap_or("");
    let all = [root, prefix].concat();
    let mut from = [root, call.query.get("marker").unwrap_or("").max(prefix)].concat();
    let mut items = Vec::new();
    loop {
        let documents = read_page(components, &all, &from, DOCUMENTS_AT_ONCE).await?;
        let is_last = documents.len() < DOCUMENTS_AT_ONCE;
        let mut skip_to: Option<String> = None;
        for (document, record) in documents {
            if skip_to.as_ref().is_some_and(|skip_to| document < *skip_to) {
                continue;
            }
            let name = document[root.len()..].to_owned();
            if items.len() == limit {
                return Ok((items, Some(name)));
            }
            // The next name that is not this one.
            from = [&document, "\0"].concat();
            let rest = &name[prefix.len()..];
            match delimiter.and_then(|delimiter| Some(rest.find(delimiter)? + delimiter.len())) {
                Some(len) => {
                    let group = name[..prefix.len() + len].to_owned();
                    from = [root, &group, "\u{10ffff}"].concat();
                    skip_to = Some(from.clone());
                    items.push(Item::Prefix(group));
                }
                None => items.push(Item::One(name, Box::new(record))),
            }
        }
        if is_last {
            return Ok((items, None));
        }
    }
}

fn begin(call: &Call, container: Option<&str>) -> Writer {
    let mut writer = Writer::with_capacity(4_096);
    let endpoint = [&call.base_url, "/"].concat();
    let attributes = [("ServiceEndpoint", Some(endpoint.as_str())), ("ContainerName", container)];
    writer.open_with("EnumerationResults", attributes.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let parameters =
        [("Prefix", "prefix"), ("Marker", "marker"), ("MaxResults", "maxresults"), ("Delimiter", "delimiter")];
    for (element, parameter) in parameters {
        if let Some(value) = call.query.get(parameter).filter(|value| !value.is_empty()) {
            writer.element(element, value);
        }
    }
    writer
}

fn end(mut writer: Writer, next: Option<&str>) -> Answer {
    writer.element("NextMarker", next.unwrap_or(""));
    writer.close("EnumerationResults");
    answer::xml(StatusCode::OK, writer.finish())
}

fn properties(writer: &mut Writer, record: &Record, now: Timestamp) {
    let phase = Lease::phase(record.properties.lease.as_ref(), now);
    writer.element("Last-Modified", &dates::rfc1123(record.last_modified()));
    writer.element("Etag", &record.etag());
    writer.element("LeaseStatus", phase.status());
    writer.element("LeaseState", phase.name());
    if let Some(duration) = record.properties.lease.as_ref().and_then(|lease| lease.duration_name(now)) {
        writer.element("LeaseDuration", duration);
    }
}

fn metadata(writer: &mut Writer, record: &Record, call: &Call) {
    if call.query.get("include").is_some_and(|included| included.split(',').any(|part| part == "metadata")) {
        writer.open("Metadata");
        record.properties.metadata.iter().for_each(|(name, value)| writer.element(name, value));
        writer.close("Metadata");
    }
}
