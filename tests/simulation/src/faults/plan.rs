//! Which fault happens at which point: as a list, or drawn from a seed.

use crate::random::Rng;
use std::fmt;
use std::str::FromStr;

/// A call of a port.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Call {
    TakeTurn,
    Commit,
    Release,
    TakeActivity,
    Complete,
    Renew,
    Abandon,
    Create,
    Send,
    Read,
    History,
    Query,
    Purge,
    Pending,
    Begin,
    Advance,
    Operate,
    Run,
    PutMessage,
    ChangeQueue,
    Receive,
    RenewMessage,
    GiveBack,
    Arrival,
    CommitEffects,
    ReadUser,
    WriteDocuments,
    RunQueue,
    RunTimer,
}

impl Call {
    /// Whether its answer is work, which a caller that is told to end does not wait for.
    pub(super) fn hands_out(self) -> bool {
        matches!(self, Call::TakeTurn | Call::TakeActivity | Call::Receive)
    }

    /// Whether a listener of a trigger makes it.
    pub(super) fn is_of_listener(self) -> bool {
        match self {
            Call::Receive
            | Call::RenewMessage
            | Call::GiveBack
            | Call::Arrival
            | Call::CommitEffects
            | Call::ReadUser
            | Call::WriteDocuments
            | Call::RunQueue
            | Call::RunTimer => true,
            Call::TakeTurn
            | Call::Commit
            | Call::Release
            | Call::TakeActivity
            | Call::Complete
            | Call::Renew
            | Call::Abandon
            | Call::Create
            | Call::Send
            | Call::Read
            | Call::History
            | Call::Query
            | Call::Purge
            | Call::Pending
            | Call::Begin
            | Call::Advance
            | Call::Operate
            | Call::Run
            | Call::PutMessage
            | Call::ChangeQueue => false,
        }
    }
}

/// Before a call takes effect, or after.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Side {
    Before,
    After,
}

/// What can happen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Kind {
    /// The process dies and starts again: its futures are gone, its memory too, its durable rows are not.
    Crash,
    /// The worker stands still until its leases have run out and others have done its work.
    Stall,
    /// The call takes its time, and others go on meanwhile.
    Delay,
    /// The store does nothing and says so.
    Refuse,
    /// The store does it, and its answer is lost.
    Lose,
    /// Only a part of the messages is handed out.
    Fewer,
    /// Answers are handed out twice, or somebody is told of news that are none.
    Duplicate,
    /// Messages of different senders come in another order.
    Shuffle,
    /// The guest of an orchestrator, an entity or a triggered function traps.
    Trap,
    /// The activity runs once more.
    Twice,
    /// The activity fails.
    Fail,
    /// The next version of the app begins while this one is at work.
    Swap,
}

impl Kind {
    pub(crate) const ALL: [Kind; 12] = [
        Kind::Crash,
        Kind::Stall,
        Kind::Delay,
        Kind::Refuse,
        Kind::Lose,
        Kind::Fewer,
        Kind::Duplicate,
        Kind::Shuffle,
        Kind::Trap,
        Kind::Twice,
        Kind::Fail,
        Kind::Swap,
    ];

    /// Its name in lists of faults.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Crash => "crash",
            Kind::Stall => "stall",
            Kind::Delay => "delay",
            Kind::Refuse => "refuse",
            Kind::Lose => "lose",
            Kind::Fewer => "fewer",
            Kind::Duplicate => "duplicate",
            Kind::Shuffle => "shuffle",
            Kind::Trap => "trap",
            Kind::Twice => "twice",
            Kind::Fail => "fail",
            Kind::Swap => "swap",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A place where something may happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Point {
    pub(crate) number: u64,
    pub(crate) call: Call,
    pub(crate) side: Side,
    /// What can happen here.
    pub(crate) possible: &'static [Kind],
}

impl Point {
    /// A point of a call about something. An activity may only be made to fail where its caller copes with it: see `Tough`.
    pub(super) fn new(number: u64, call: Call, side: Side, subject: &str) -> Point {
        let possible: &[Kind] = match (call, side) {
            (Call::TakeTurn, Side::After) => &[
                Kind::Delay,
                Kind::Crash,
                Kind::Stall,
                Kind::Lose,
                Kind::Fewer,
                Kind::Duplicate,
                Kind::Shuffle,
                Kind::Swap,
            ],
            (
                Call::Commit
                | Call::Release
                | Call::TakeActivity
                | Call::Complete
                | Call::Renew
                | Call::Abandon
                | Call::History
                | Call::Receive
                | Call::RenewMessage
                | Call::GiveBack
                | Call::CommitEffects
                | Call::ReadUser
                | Call::WriteDocuments,
                _,
            )
            | (Call::TakeTurn, Side::Before) => match side {
                Side::Before => &[Kind::Delay, Kind::Crash, Kind::Stall, Kind::Refuse, Kind::Swap],
                Side::After => &[Kind::Delay, Kind::Crash, Kind::Stall, Kind::Lose, Kind::Swap],
            },
            // These come from outside, where nobody holds a lease.
            (
                Call::Create
                | Call::Send
                | Call::Read
                | Call::Query
                | Call::Purge
                | Call::Pending
                | Call::PutMessage
                | Call::ChangeQueue,
                _,
            ) => match side {
                Side::Before => &[Kind::Delay, Kind::Crash, Kind::Refuse, Kind::Swap],
                Side::After => &[Kind::Delay, Kind::Crash, Kind::Lose, Kind::Swap],
            },
            (Call::Arrival, _) => &[Kind::Delay, Kind::Crash, Kind::Stall, Kind::Duplicate, Kind::Swap],
            (Call::RunQueue | Call::RunTimer, Side::Before) => {
                &[Kind::Delay, Kind::Crash, Kind::Stall, Kind::Refuse, Kind::Swap]
            }
            (Call::RunQueue | Call::RunTimer, Side::After) => {
                &[Kind::Delay, Kind::Crash, Kind::Stall, Kind::Trap, Kind::Swap]
            }
            (Call::Begin, _) => &[Kind::Delay, Kind::Refuse, Kind::Swap],
            (Call::Advance, Side::Before) => &[Kind::Delay, Kind::Swap],
            (Call::Operate, Side::Before) => &[Kind::Delay, Kind::Crash, Kind::Stall, Kind::Swap],
            (Call::Advance | Call::Operate, Side::After) => {
                &[Kind::Delay, Kind::Crash, Kind::Stall, Kind::Trap, Kind::Swap]
            }
            (Call::Run, Side::Before) => &[Kind::Delay, Kind::Crash, Kind::Stall, Kind::Swap],
            (Call::Run, Side::After) if subject.ends_with(" Tough") => {
                &[Kind::Delay, Kind::Crash, Kind::Stall, Kind::Twice, Kind::Fail, Kind::Swap]
            }
            (Call::Run, Side::After) => &[Kind::Delay, Kind::Crash, Kind::Stall, Kind::Twice, Kind::Swap],
        };
        Point { number, call, side, possible }
    }
}

/// A fault that happened, or is to happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    pub(crate) point: u64,
    pub(crate) kind: Kind,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.kind, self.point)
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Fault, String> {
        let wrong = || format!("'{text}' is no fault; write kind@point, such as crash@17");
        let (kind, point) = text.split_once('@').ok_or_else(wrong)?;
        let kind = Kind::ALL.into_iter().find(|known| known.name() == kind).ok_or_else(wrong)?;
        Ok(Fault { point: point.parse().map_err(|_| wrong())?, kind })
    }
}

/// How often what happens, in a thousand points where it can.
pub(crate) type Rates = Vec<(Kind, u32)>;

/// What happens where.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// Exactly this. A fault that cannot happen at its point does not.
    Listed(Vec<Fault>),
    /// Whatever the generator says, at most this often.
    Drawn { rng: Rng, rates: Rates, most: usize },
}

impl Plan {
    /// Nothing happens.
    pub(crate) fn none() -> Plan {
        Plan::Listed(Vec::new())
    }

    /// What happens at this point.
    pub(super) fn decide(&mut self, point: Point) -> Option<Kind> {
        let possible = point.possible;
        match self {
            Plan::Listed(faults) => {
                let kind = faults.iter().find(|fault| fault.point == point.number)?.kind;
                possible.contains(&kind).then_some(kind)
            }
            Plan::Drawn { rng, rates, most } => {
                if *most == 0 {
                    return None;
                }
                let (kind, _) =
                    rates.iter().copied().find(|(kind, rate)| possible.contains(kind) && rng.chance(*rate))?;
                *most -= 1;
                Some(kind)
            }
        }
    }
}
