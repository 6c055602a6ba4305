//! The blob service.

use super::Components;
use super::answer::Answer;
use super::call::Call;
use super::error::{ServiceError, code};
use ports::Document;

/// Largest body of a request.
pub(super) const MAX_BODY_BYTES: usize = Document::MAX_BYTES - (64 << 10);

/// Answers one request to the blob service.
pub(super) async fn answer(_components: &Components, _call: &Call) -> Result<Answer, ServiceError> {
    Err(code::NOT_IMPLEMENTED.because(""))
}
