//! **Critical sections.** Several entities, locked for one orchestration: between looking and acting, nobody else acts.
//!
//! Locks are taken in one order for everybody, so two transfers in opposite directions cannot wait for each other. They
//! are given back when the guard is dropped, and whatever else happens to the orchestration.

use dacapo::{Context, EntityId, Failure};
use serde::{Deserialize, Serialize};

/// Money, in cents.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) balance: i64,
}

#[dacapo::entity]
impl Account {
    fn deposit(&mut self, amount: i64) -> i64 {
        self.balance += amount;
        self.balance
    }

    fn withdraw(&mut self, amount: i64) -> i64 {
        self.balance -= amount;
        self.balance
    }

    fn balance(&self) -> i64 {
        self.balance
    }
}

/// What [`transfer`] takes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) amount: i64,
}

/// What [`transfer`] returns.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "transfer", rename_all = "camelCase")]
pub(crate) enum Transferred {
    Done { from: i64, to: i64 },
    Refused { balance: i64 },
}

/// Moves money from one account to another, unless there is too little.
#[dacapo::orchestrator]
pub(crate) async fn transfer(ctx: Context, order: Order) -> Result<Transferred, Failure> {
    let _lock = ctx.lock([EntityId::of::<Account>(&order.from), EntityId::of::<Account>(&order.to)]).await?;
    let (from, to) = (ctx.entity::<Account>(&order.from), ctx.entity::<Account>(&order.to));
    let balance = from.balance().await?;
    if balance < order.amount {
        return Ok(Transferred::Refused { balance });
    }
    // Nobody can have withdrawn anything since the look at the balance.
    Ok(Transferred::Done { from: from.withdraw(&order.amount).await?, to: to.deposit(&order.amount).await? })
}
