//! Keys over HTTP, in Azure's shapes: lists, single keys, new values, chosen values, and their end.
//!
//! | request | answer |
//! |---|---|
//! | `GET host/{keys, functionkeys, systemkeys}`, `GET functions/{name}/keys` | 200 `{keys: [{name, value}], links}` |
//! | `GET .../{key}` | 200 `{name, value, links}`; 404 |
//! | `POST .../{key}` | a new random value: 200, or 201 for a new key |
//! | `PUT .../{key}` with `{name, value}` | this value: 200, or 201 for a new key; 400 if it cannot be one |
//! | `DELETE .../{key}` | 204; 404; 400 for `_master` |
//!
//! `keys` and `functionkeys` are the host's function keys. `_master` is found under each of the three, and listed among the
//! system keys.

use http::header::CACHE_CONTROL;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use ports::Body;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::refusal::Refusal;
use super::{Admin, reads};
use crate::keys::{KeyError, KeyId, KeyName, KeyRing, Keys, MASTER, Scope, Secret};
use crate::management::reply::{self, Reply};

/// A name and a value.
const MAX_BODY_BYTES: usize = 16 << 10;

/// What is asked for. Names of keys are as the caller wrote them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    List(Scope),
    Read(Scope, String),
    Generate(Scope, String),
    Set(Scope, String),
    Delete(Scope, String),
}

/// The operation of these segments below `/admin`: in lower case, and as they are.
pub(super) fn find(method: &Method, fixed: &[&str], given: &[&str]) -> Option<Operation> {
    let (scope, key) = match (fixed, given) {
        (["host", kind], _) => (host_scope(kind)?, None),
        (["host", kind, _], [_, _, key]) => (host_scope(kind)?, Some((*key).to_owned())),
        (["functions", _, "keys"], [_, function, _]) => (Scope::Function((*function).to_owned()), None),
        (["functions", _, "keys", _], [_, function, _, key]) => {
            (Scope::Function((*function).to_owned()), Some((*key).to_owned()))
        }
        _ => return None,
    };
    match (method, key) {
        (method, None) => reads(method).then_some(Operation::List(scope)),
        (method, Some(key)) if reads(method) => Some(Operation::Read(scope, key)),
        (&Method::POST, Some(key)) => Some(Operation::Generate(scope, key)),
        (&Method::PUT, Some(key)) => Some(Operation::Set(scope, key)),
        (&Method::DELETE, Some(key)) => Some(Operation::Delete(scope, key)),
        (_, Some(_)) => None,
    }
}

fn host_scope(kind: &str) -> Option<Scope> {
    match kind {
        "keys" | "functionkeys" => Some(Scope::Host),
        "systemkeys" => Some(Scope::System),
        _ => None,
    }
}

#[derive(Serialize)]
struct KeyList<'k> {
    keys: Vec<NamedValue<'k>>,
    links: [Link; 1],
}

#[derive(Serialize)]
struct SingleKey<'k> {
    #[serde(flatten)]
    key: NamedValue<'k>,
    links: [Link; 1],
}

#[derive(Serialize)]
struct NamedValue<'k> {
    name: &'k str,
    value: &'k str,
}

#[derive(Serialize)]
struct Link {
    rel: &'static str,
    href: String,
}

#[derive(Deserialize)]
struct Wanted {
    name: Option<String>,
    value: Option<String>,
}

impl Admin {
    pub(super) async fn of_keys(&self, operation: Operation, head: &Parts, body: Body) -> Reply {
        let done = match operation {
            Operation::List(scope) => self.list(scope, head).await,
            Operation::Read(scope, key) => self.read_key(scope, &key, head).await,
            Operation::Generate(scope, key) => self.put(scope, &key, None, head).await,
            Operation::Set(scope, key) => match self.wanted(&key, body).await {
                Ok(value) => self.put(scope, &key, Some(value), head).await,
                Err(refused) => Err(refused),
            },
            Operation::Delete(scope, key) => self.delete(scope, &key).await,
        };
        let mut reply = done.unwrap_or_else(|refusal| refusal.reply());
        // Nobody on the way may keep values.
        reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        reply
    }

    async fn list(&self, scope: Scope, head: &Parts) -> Result<Reply, Refusal> {
        let scope = self.known(scope)?;
        let all = self.all().await?;
        let named = all.of(&scope).iter().map(|key| NamedValue { name: &key.name, value: key.value.reveal() });
        let master = NamedValue { name: MASTER, value: all.master.reveal() };
        let keys = named.chain((scope == Scope::System).then_some(master)).collect();
        Ok(reply::json(StatusCode::OK, &KeyList { keys, links: [self.link(head)] }))
    }

    async fn read_key(&self, scope: Scope, key: &str, head: &Parts) -> Result<Reply, Refusal> {
        let id = self.find_id(scope, key).map_err(|_| Refusal::NotFound)?;
        let all = self.all().await?;
        let (name, value) = (shown_name(&all, &id), all.value(&id).ok_or(Refusal::NotFound)?);
        Ok(self.single(StatusCode::OK, &name, value, head))
    }

    async fn put(&self, scope: Scope, key: &str, value: Option<Secret>, head: &Parts) -> Result<Reply, Refusal> {
        let id = self.find_id(scope, key)?;
        let (written, name) = self
            .blocking(move |ring| {
                let written = ring.put(&id, value)?;
                Ok((written, shown_name(&ring.read()?, &id)))
            })
            .await?;
        let status = if written.is_new { StatusCode::CREATED } else { StatusCode::OK };
        Ok(self.single(status, &name, &written.value, head))
    }

    async fn delete(&self, scope: Scope, key: &str) -> Result<Reply, Refusal> {
        let id = self.find_id(scope, key).map_err(|_| Refusal::NotFound)?;
        self.blocking(move |ring| ring.delete(&id)).await?;
        Ok(reply::empty(StatusCode::NO_CONTENT))
    }

    /// The value that the caller wants a key to have.
    async fn wanted(&self, key: &str, body: Body) -> Result<Secret, Refusal> {
        let bytes = self.read(body, MAX_BODY_BYTES).await?;
        // serde's words may repeat the value.
        let Ok(Wanted { name, value }) = serde_json::from_slice(&bytes) else {
            return Err(Refusal::Invalid(
                "the body is not JSON of the shape {\"name\": \"...\", \"value\": \"...\"}".to_owned(),
            ));
        };
        if name.is_some_and(|name| !name.eq_ignore_ascii_case(key)) {
            return Err(Refusal::Invalid("the body names another key than the URL".to_owned()));
        }
        let value = value.ok_or_else(|| {
            Refusal::Invalid("the body has no value; to have one made, send a POST request instead".to_owned())
        })?;
        Secret::parse(&value).map_err(|why| Refusal::Invalid(why.to_string()))
    }

    /// The scope, if its function is one of the app's.
    fn known(&self, scope: Scope) -> Result<Scope, Refusal> {
        match scope {
            Scope::Function(name) => self.function(&name).map(Scope::Function).ok_or(Refusal::NotFound),
            Scope::Host | Scope::System => Ok(scope),
        }
    }

    fn find_id(&self, scope: Scope, key: &str) -> Result<KeyId, Refusal> {
        let scope = self.known(scope)?;
        if key.eq_ignore_ascii_case(MASTER) && matches!(scope, Scope::Host | Scope::System) {
            return Ok(KeyId::Master);
        }
        let name = KeyName::parse(key).map_err(|why| Refusal::Invalid(why.to_string()))?;
        Ok(KeyId::Named { scope, name })
    }

    async fn all(&self) -> Result<Keys, Refusal> {
        self.blocking(|ring| ring.read()).await
    }

    /// Files are read and written on a thread that may wait for them.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(Arc<KeyRing>) -> Result<T, KeyError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let ring = Arc::clone(&self.keys);
        let failed = |why: String| {
            tracing::error!(%why, "an operation on keys failed");
            Refusal::Failed(why)
        };
        let done = tokio::task::spawn_blocking(move || work(ring)).await.map_err(|error| failed(error.to_string()))?;
        done.map_err(|error| match error {
            KeyError::Unknown(_) => Refusal::NotFound,
            KeyError::Undeletable => Refusal::Invalid(error.to_string()),
            KeyError::Unreadable { .. } | KeyError::Broken { .. } | KeyError::NotWritten { .. } => {
                failed(error.to_string())
            }
        })
    }

    fn single(&self, status: StatusCode, name: &str, value: &Secret, head: &Parts) -> Reply {
        let key = NamedValue { name, value: value.reveal() };
        reply::json(status, &SingleKey { key, links: [self.link(head)] })
    }

    /// To what was asked for, without its query: there may be a key in it.
    fn link(&self, head: &Parts) -> Link {
        let origin = self.origins.of(head).map(|origin| origin.to_string()).unwrap_or_default();
        Link { rel: "self", href: format!("{origin}{}", head.uri.path()) }
    }
}

/// The name of a key as it was first written.
fn shown_name(all: &Keys, id: &KeyId) -> String {
    match id {
        KeyId::Master => MASTER.to_owned(),
        KeyId::Named { scope, name } => {
            let kept = all.of(scope).iter().find(|key| key.name.eq_ignore_ascii_case(name.as_str()));
            kept.map_or_else(|| name.to_string(), |key| key.name.clone())
        }
    }
}
