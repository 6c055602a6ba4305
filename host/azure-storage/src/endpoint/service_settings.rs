//! What an account sets for a whole service (logging, metrics, CORS), and how its copy is doing.
//!
//! Settings are kept and shown, as clients expect; nothing here acts on them.

use super::Components;
use super::answer::{self, Answer};
use super::call::Call;
use super::error::{ServiceError, code};
use crate::xml::{Element, Writer};
use crate::{Service, dates};
use http::{Method, StatusCode};
use ports::{DocumentError, DocumentWrite, Expecting};

/// The parts of the settings in the order of their schema, and what they are before anybody sets them.
const PARTS: &[(&str, &str)] = &[
    (
        "Logging",
        "<Logging><Version>1.0</Version><Delete>false</Delete><Read>false</Read><Write>false</Write>\
         <RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></Logging>",
    ),
    ("HourMetrics", METRICS_OFF_HOUR),
    ("MinuteMetrics", METRICS_OFF_MINUTE),
    ("Cors", "<Cors></Cors>"),
    ("DefaultServiceVersion", ""),
    ("DeleteRetentionPolicy", "<DeleteRetentionPolicy><Enabled>false</Enabled></DeleteRetentionPolicy>"),
    ("StaticWebsite", "<StaticWebsite><Enabled>false</Enabled></StaticWebsite>"),
];
const METRICS_OFF_HOUR: &str = "<HourMetrics><Version>1.0</Version><Enabled>false</Enabled>\
     <RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></HourMetrics>";
const METRICS_OFF_MINUTE: &str = "<MinuteMetrics><Version>1.0</Version><Enabled>false</Enabled>\
     <RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></MinuteMetrics>";
const ROOT: &str = "StorageServiceProperties";

/// Answers `restype=service`.
pub(super) async fn answer(components: &Components, call: &Call) -> Result<Answer, ServiceError> {
    match (call.query.get("comp"), &call.method) {
        (Some("properties"), &Method::GET) => {
            let mut writer = Writer::with_capacity(1_024);
            stored(components, call.service).await?.write(&mut writer);
            Ok(answer::xml(StatusCode::OK, writer.finish()))
        }
        (Some("properties"), &Method::PUT) => set(components, call).await,
        (Some("stats"), &Method::GET) if call.secondary => Ok(answer::xml(StatusCode::OK, stats(call))),
        (Some("stats"), &Method::GET) => Err(code::INVALID_QUERY_PARAMETER_VALUE
            .because("Statistics are at the secondary location: the account's name with '-secondary'.")
            .with("QueryParameterName", "comp")
            .with("QueryParameterValue", "stats")),
        (Some("properties" | "stats"), _) => Err(call.unsupported_method()),
        (comp, _) => Err(code::INVALID_QUERY_PARAMETER_VALUE
            .because("")
            .with("QueryParameterName", "comp")
            .with("QueryParameterValue", comp.unwrap_or(""))),
    }
}

/// The one store has no copy: the copy is as new as the moment.
fn stats(call: &Call) -> String {
    let mut writer = Writer::with_capacity(256);
    writer.open("StorageServiceStats");
    writer.open("GeoReplication");
    writer.element("Status", "live");
    writer.element("LastSyncTime", &dates::rfc1123(call.now));
    writer.close("GeoReplication");
    writer.close("StorageServiceStats");
    writer.finish()
}

fn document_name(service: Service) -> String {
    format!("storage-services/{}", service.name())
}

async fn stored(components: &Components, service: Service) -> Result<Element, ServiceError> {
    if let Some(document) = components.documents.document(&document_name(service)).await? {
        return Element::parse(&document.content)
            .map_err(|error| code::INTERNAL_ERROR.because(&format!("the stored settings cannot be read: {error}")));
    }
    let parts = PARTS.iter().filter(|(name, default)| !default.is_empty() && belongs(name, service));
    let children = parts.filter_map(|(_, default)| Element::parse(default.as_bytes()).ok()).collect();
    Ok(Element { name: ROOT.to_owned(), children, text: String::new() })
}

/// Some parts are for blobs only.
fn belongs(part: &str, service: Service) -> bool {
    service == Service::Blob || !matches!(part, "DefaultServiceVersion" | "DeleteRetentionPolicy" | "StaticWebsite")
}

/// Parts that a request leaves out stay as they are.
async fn set(components: &Components, call: &Call) -> Result<Answer, ServiceError> {
    let asked = Element::parse(&call.body).map_err(|error| code::INVALID_XML_DOCUMENT.because(&error.to_string()))?;
    let unknown = asked.children.iter().find(|part| !PARTS.iter().any(|(name, _)| *name == part.name));
    if asked.name != ROOT || unknown.is_some() {
        let name = unknown.map_or(&asked.name, |part| &part.name);
        return Err(code::INVALID_XML_DOCUMENT.because(&format!("The element '{name}' does not belong here.")));
    }
    let mut settings = stored(components, call.service).await?;
    for part in asked.children {
        settings.children.retain(|old| old.name != part.name);
        settings.children.push(part);
    }
    settings.children.sort_by_key(|part| PARTS.iter().position(|(name, _)| *name == part.name));
    let mut writer = Writer::with_capacity(1_024);
    settings.write(&mut writer);
    let write = DocumentWrite {
        name: document_name(call.service),
        expecting: Expecting::Anything,
        content: Some(writer.finish().into_bytes()),
    };
    components.documents.write_documents(vec![write]).await.map_err(|error| match error {
        DocumentError::Changed { .. } => code::SERVER_BUSY.because("somebody else set them in this moment"),
        DocumentError::Store(error) => error.into(),
    })?;
    Ok(answer::empty(StatusCode::ACCEPTED))
}
