//! Who may call which function. What a key is and where it is kept is decided behind the port; what a caller who may not is
//! told, and that a disabled function is not there, is decided by the trigger.

use http::request::Parts;
use manifest::AuthLevel;

/// Decides who may call.
pub trait Gatekeeper: Send + Sync {
    /// Whether the sender of a request with this head may call the function, which asks for this level. For a disabled
    /// function the level is [`AuthLevel::Admin`], whatever its trigger says: only a proven administrator runs it.
    ///
    /// Called for each request that has found its route, before anything of the body is read, and for each method of a route
    /// that was asked for with another one; it must not wait.
    fn admit(&self, function: &str, level: AuthLevel, head: &Parts) -> Admission;
}

/// What came of asking.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// The caller may call; also everybody where no keys are asked for.
    Granted,
    /// The caller may call, and has proven to be an administrator, who may also run what is disabled.
    GrantedAsAdmin,
    /// The caller may not.
    Denied,
}

/// Lets everybody call everything that is not disabled: for a host that asks for no keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct Everybody;

impl Gatekeeper for Everybody {
    fn admit(&self, _function: &str, _level: AuthLevel, _head: &Parts) -> Admission {
        Admission::Granted
    }
}
