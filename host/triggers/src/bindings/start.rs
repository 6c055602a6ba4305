//! The value of a `durableClient` output: which orchestration to start.

use orchestration::{Json, StartOptions, Timestamp};
use ports::StartRequest;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The object as functions write it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Start<'a> {
    /// Azure's name for it; `name` is shorter.
    #[serde(alias = "name", alias = "FunctionName")]
    function_name: String,
    #[serde(borrow, default, alias = "Input")]
    input: Option<&'a RawValue>,
    #[serde(default, alias = "InstanceId")]
    instance_id: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    start_at: Option<String>,
}

/// Reads the object, or says what is wrong with it.
pub(super) fn from_json(value: &str) -> Result<StartRequest, String> {
    if !value.trim_start().starts_with('{') {
        return Err("a start is an object with functionName, and input, instanceId, version, tags, startAt if wanted"
            .to_owned());
    }
    let start: Start<'_> = serde_json::from_str(value).map_err(|error| error.to_string())?;
    let start_at = start.start_at.map(|text| {
        let moment = storage_model::parse_date(&text).map(Timestamp::from_ticks);
        moment.ok_or_else(|| format!("startAt '{text}' is no moment; write it like 2026-01-31T12:00:00Z"))
    });
    Ok(StartRequest {
        instance_id: start.instance_id,
        options: StartOptions { version: start.version, tags: start.tags, start_at: start_at.transpose()? },
        ..StartRequest::new(start.function_name, start.input.map_or_else(Json::null, |input| Json::from(input.get())))
    })
}
