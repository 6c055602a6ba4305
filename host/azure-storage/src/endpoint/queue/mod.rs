//! The queue service.

use super::Components;
use super::answer::Answer;
use super::call::Call;
use super::error::{ServiceError, code};

/// Largest body of a request: a message of 64 KiB, each byte of which is an escape, fits.
pub(super) const MAX_BODY_BYTES: usize = 512 << 10;

/// Answers one request to the queue service.
pub(super) async fn answer(_components: &Components, _call: &Call) -> Result<Answer, ServiceError> {
    Err(code::NOT_IMPLEMENTED.because(""))
}
