//! `$batch`: changes of one partition that are done as a whole or not at all; or one request for reading.
//!
//! What is wrong with the batch as such is an answer of its own. What is wrong with an operation in it is told in the one part of
//! an answer that says 202, as in Azure: with the operation's status, and its number at the beginning of the message.

use super::answer_single;
use super::changes::{Change, Reply};
use super::errors::{COMMANDS_IN_BATCH_ACT_ON_DIFFERENT_PARTITIONS, INVALID_DUPLICATE_ROW, index_of, refused};
use super::multipart::{self, EmbeddedRequest, Malformed, Part, Writer};
use super::representation::Root;
use super::resource::Resource;
use crate::endpoint::Components;
use crate::endpoint::answer::{self, Answer};
use crate::endpoint::call::{Call, Query};
use crate::endpoint::error::{ServiceError, code};
use bytes::Bytes;
use http::{Method, StatusCode, header};
use ports::EntityWrite;
use std::collections::BTreeSet;
use storage_model::TableName;

/// Most changes of one batch.
const MAX_CHANGES: usize = 100;

/// An operation of a batch that cannot be done: which, and why.
struct Refused {
    index: usize,
    why: ServiceError,
}

/// Answers `POST $batch`.
pub(super) async fn answer(components: &Components, call: &Call) -> Result<Answer, ServiceError> {
    if call.method != Method::POST {
        return Err(call.unsupported_method());
    }
    let content_type = call.header("content-type").unwrap_or("");
    let boundary = multipart::boundary(content_type)
        .ok_or_else(|| broken(&Malformed::Form(format!("'{content_type}' is not multipart/mixed with a boundary"))))?;
    let parts = multipart::parts(&call.body, boundary, 1).map_err(|error| broken(&error))?;
    let [part] = parts.as_slice() else {
        return Err(broken(&Malformed::Form("there is no part".to_owned())));
    };
    let part_type = part.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let mut writer = Writer::new(format!("batchresponse_{}", call.request_id));
    match multipart::boundary(part_type) {
        Some(boundary) => {
            let mut changeset = Writer::new(format!("changesetresponse_{}", call.request_id));
            let answers = match multipart::parts(part.content, boundary, MAX_CHANGES) {
                Ok(operations) => change_set(components, call, &operations).await?,
                Err(Malformed::TooManyParts { max }) => vec![told(call, &Refused { index: max, why: too_many() })],
                Err(error @ Malformed::Form(_)) => return Err(broken(&error)),
            };
            answers.iter().for_each(|answer| changeset.answer(answer));
            writer.nested(changeset);
        }
        None => writer.answer(&reading(components, call, part).await?),
    }
    let content_type = writer.content_type();
    let mut answer = answer::with_body(StatusCode::ACCEPTED, "multipart/mixed", writer.finish());
    answer::put(&mut answer, header::CONTENT_TYPE, &content_type);
    Ok(answer)
}

fn broken(error: &Malformed) -> ServiceError {
    code::INVALID_INPUT.because(&format!("The batch cannot be read: {error}."))
}

fn too_many() -> ServiceError {
    code::INVALID_INPUT.because("The batch request operation exceeds the maximum 100 changes per change set.")
}

/// An answer for each operation, or a single one that tells why nothing was done.
async fn change_set(
    components: &Components,
    call: &Call,
    operations: &[Part<'_>],
) -> Result<Vec<Answer>, ServiceError> {
    let (table, writes, replies) = match read_changes(call, operations) {
        Ok(changes) => changes,
        Err(refused) => return Ok(vec![told(call, &refused)]),
    };
    match components.tables.write_entities(&table, writes).await {
        Ok(written) => {
            let root = Root::of(call);
            Ok(replies.into_iter().zip(written).map(|(reply, written)| reply.answer(root, &table, written)).collect())
        }
        Err(error) => match index_of(&error) {
            Some(index) => Ok(vec![told(call, &Refused { index, why: refused(error) })]),
            // The store as such failed: a status of the whole answer makes clients try again.
            None => Err(refused(error)),
        },
    }
}

type Changes = (TableName, Vec<EntityWrite>, Vec<Reply>);

fn read_changes(call: &Call, operations: &[Part<'_>]) -> Result<Changes, Refused> {
    let mut first: Option<(TableName, String)> = None;
    let mut rows = BTreeSet::new();
    let (mut writes, mut replies) = (Vec::new(), Vec::new());
    for (index, part) in operations.iter().enumerate() {
        let because = |why| Refused { index, why };
        let Change { table, write, reply } = read_change(call, part).map_err(because)?;
        let key = write.key();
        let (group_table, group) = first.get_or_insert_with(|| (table.clone(), key.partition.clone()));
        if *group_table != table || *group != key.partition {
            return Err(because(COMMANDS_IN_BATCH_ACT_ON_DIFFERENT_PARTITIONS.because("")));
        }
        if !rows.insert(key.row.clone()) {
            return Err(because(INVALID_DUPLICATE_ROW.because("")));
        }
        writes.push(write);
        replies.push(reply);
    }
    let empty = || Refused { index: 0, why: code::INVALID_INPUT.because("The batch has no operation.") };
    let (table, _) = first.ok_or_else(empty)?;
    Ok((table, writes, replies))
}

fn read_change(call: &Call, part: &Part<'_>) -> Result<Change, ServiceError> {
    let request = EmbeddedRequest::from_part(part).map_err(|error| broken(&error))?;
    if request.method == Method::GET {
        return Err(code::INVALID_INPUT.because("A change set holds changes only; reading is a batch of its own."));
    }
    let (path, _) = below_account(call, request.target)?;
    Change::from_request(&request.method, Resource::parse(path)?, &request.headers, request.body)
}

/// The one request of a batch for reading. What goes wrong in it is its answer, in a part.
async fn reading(components: &Components, call: &Call, part: &Part<'_>) -> Result<Answer, ServiceError> {
    let request = EmbeddedRequest::from_part(part).map_err(|error| broken(&error))?;
    if request.method != Method::GET {
        return Err(code::INVALID_INPUT.because("Changes stand in a change set: a multipart/mixed part of the batch."));
    }
    let (path, query) = below_account(call, request.target)?;
    let inner = Call {
        method: request.method,
        path: path.to_owned(),
        query: Query::parse(query)?,
        headers: request.headers,
        body: Bytes::new(),
        ..call.clone()
    };
    let outcome = match Resource::parse(path) {
        Ok(resource) => answer_single(components, &inner, resource).await,
        Err(error) => Err(error),
    };
    Ok(outcome.unwrap_or_else(|why| told(call, &Refused { index: 0, why })))
}

/// Path and query below the account of an address in a part. Its host is not compared: one endpoint has several names.
fn below_account<'a>(call: &Call, target: &'a str) -> Result<(&'a str, &'a str), ServiceError> {
    let path = match target.split_once("://") {
        Some((_, address)) => address.find('/').map_or("", |at| &address[at..]),
        None => target,
    };
    let (_, base) = Root::of(call).split();
    let elsewhere = || code::INVALID_INPUT.because(&format!("'{target}' is not below this account."));
    let below = match path.strip_prefix('/') {
        Some(path) if base.is_empty() => path,
        Some(path) => path.strip_prefix(base).and_then(|rest| rest.strip_prefix('/')).ok_or_else(elsewhere)?,
        None => path,
    };
    Ok(below.split_once('?').unwrap_or((below, "")))
}

fn told(call: &Call, refused: &Refused) -> Answer {
    refused.why.answer_in_batch(refused.index, &call.stamp())
}
