//! **Entities.** A small piece of state with a name, `@counter@stock`, and operations that run one at a time.
//!
//! The state is the struct, kept as JSON: `{"value":5}`. Every method in the block is an operation; `delete` comes with it.
//! A call waits for the result; a signal does not wait, and can be for later.

use std::time::Duration;

use dacapo::{Client, Context, Failure, Request, Response};
use serde::{Deserialize, Serialize};

/// How much to add: a number, or its text. Durable Functions' client for Python writes every input as JSON in a JSON string, so
/// that 5 comes as `"5"`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Amount {
    Number(i64),
    Text(String),
}

impl Amount {
    fn into_number(self) -> Result<i64, Failure> {
        match self {
            Amount::Number(number) => Ok(number),
            Amount::Text(text) => {
                text.parse().map_err(|_| Failure::new("NoNumber", format!("the amount {text:?} is no whole number")))
            }
        }
    }
}

impl From<i64> for Amount {
    fn from(number: i64) -> Amount {
        Amount::Number(number)
    }
}

/// A number that can be added to.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counter {
    pub(crate) value: i64,
}

#[dacapo::entity]
impl Counter {
    /// Adds, and returns the new value. After a failure everything is as it was before.
    fn add(&mut self, amount: Amount) -> Result<i64, Failure> {
        self.value += amount.into_number()?;
        match self.value {
            ..0 => Err(Failure::new("BelowZero", format!("the counter would be {}", self.value))),
            value => Ok(value),
        }
    }

    /// Back to zero. The counter still exists then; after `delete` it does not.
    fn reset(&mut self) {
        self.value = 0;
    }

    /// Reading does not bring a counter into being.
    fn get(&self) -> i64 {
        self.value
    }
}

/// What [`use_counter`] and [`count_later`] take.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Counting {
    pub(crate) key: String,
    pub(crate) amount: i64,
    /// For [`count_later`].
    #[serde(default)]
    pub(crate) seconds: u64,
}

/// Signals and calls. Messages of one sender to one entity are done in order, so that the call sees what was signalled.
#[dacapo::orchestrator]
pub(crate) async fn use_counter(ctx: Context, counting: Counting) -> Result<i64, Failure> {
    ctx.signal::<Counter>(&counting.key).add(&counting.amount.into())?;
    ctx.entity::<Counter>(&counting.key).get().await
}

/// A signal for later: the orchestrator does not wait, the entity hears of it when the time has come.
#[dacapo::orchestrator]
pub(crate) async fn count_later(ctx: Context, counting: Counting) -> Result<(), Failure> {
    let moment = ctx.now() + Duration::from_secs(counting.seconds);
    ctx.signal_at::<Counter>(&counting.key, moment).add(&counting.amount.into())
}

/// `POST /api/counters/{key}`: signals from outside. The answer does not wait for the operation.
#[dacapo::http]
pub(crate) fn add_to_counter(request: Request) -> Result<Response, Failure> {
    let key = request.param("key").unwrap_or_default();
    Client::new().signal::<Counter>(key).add(&request.json()?)?;
    Ok(Response::new(202))
}

/// `GET /api/counters/{key}`: reads the state, as it is between two operations.
#[dacapo::http]
pub(crate) fn read_counter(request: Request) -> Result<Response, Failure> {
    let key = request.param("key").unwrap_or_default();
    Ok(match Client::new().entity_state::<Counter>(key)? {
        Some(counter) => Response::json(&counter),
        None => Response::new(404),
    })
}
