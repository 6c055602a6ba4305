//! Bodies of admin requests: small, and not waited for long.

use futures::future::{Either, select};
use http_body_util::BodyExt;
use ports::Body;
use std::pin::pin;
use std::time::Duration;

use super::Admin;
use super::refusal::Refusal;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

impl Admin {
    /// Reads a whole body of at most so many bytes.
    pub(super) async fn read(&self, body: Body, limit_bytes: usize) -> Result<Vec<u8>, Refusal> {
        self.read_within(body, limit_bytes, BODY_TIMEOUT).await
    }

    /// The same, for a body that may take longer.
    pub(super) async fn read_within(
        &self,
        body: Body,
        limit_bytes: usize,
        timeout: Duration,
    ) -> Result<Vec<u8>, Refusal> {
        let read = pin!(collect(body, limit_bytes));
        match select(read, self.clock.sleep_until(self.clock.now().saturating_add(timeout))).await {
            Either::Left((bytes, _)) => bytes,
            Either::Right(_) => Err(Refusal::TooSlow),
        }
    }
}

async fn collect(mut body: Body, limit_bytes: usize) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::Invalid("the body broke off".to_owned()))?;
        // Trailers say nothing here.
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > limit_bytes - bytes.len() {
            return Err(Refusal::TooLarge { limit_bytes });
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}
