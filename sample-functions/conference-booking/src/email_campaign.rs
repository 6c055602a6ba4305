//! **Hundreds of them?** Fan out, then take the results as they come.
//!
//! Each result wakes the one future that waits for it, so a fan-out of thousands costs per task what one of two costs.
//! How far it has come is shown as the custom status, which anybody can read while it runs.

use std::time::Duration;

use dacapo::{Context, Failure, Request, Response, RetryPolicy};
use futures::stream::{FuturesUnordered, StreamExt};
use serde::{Deserialize, Serialize};

use crate::services::{Email, send_email};
use crate::starting::start;
use crate::trips::Behaviour;

/// The most e-mails of one campaign: what a history can hold with ease.
const MOST_RECIPIENTS: u32 = 10_000;

/// What [`email_campaign`] takes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Campaign {
    pub(crate) subject: String,
    /// How many e-mails: to `guest1@example.com` and so on.
    pub(crate) recipients: u32,
    /// So many of the addresses do not exist.
    #[serde(default)]
    pub(crate) bouncing: u32,
    /// How the mail server behaves for all others.
    #[serde(default)]
    pub(crate) simulate: Behaviour,
}

/// What became of a campaign; also its custom status, while it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) sent: u32,
    pub(crate) bounced: u32,
}

/// Sends all e-mails at once and counts what became of them.
#[dacapo::orchestrator]
pub(crate) async fn email_campaign(ctx: Context, campaign: Campaign) -> Result<Delivery, Failure> {
    if campaign.recipients > MOST_RECIPIENTS {
        let message = format!("a campaign has at most {MOST_RECIPIENTS} recipients, not {}", campaign.recipients);
        return Err(Failure::new("TooManyRecipients", message));
    }
    let mut under_way: FuturesUnordered<_> =
        (1..=campaign.recipients).map(|number| send_one(&ctx, &campaign, number)).collect();
    let mut delivery = Delivery::default();
    while let Some(result) = under_way.next().await {
        match result {
            Ok(()) => delivery.sent += 1,
            Err(_bounced) => delivery.bounced += 1,
        }
        ctx.set_custom_status(&delivery);
    }
    Ok(delivery)
}

async fn send_one(ctx: &Context, campaign: &Campaign, number: u32) -> Result<(), Failure> {
    let bounces = Behaviour { refuses: true, ..Behaviour::default() };
    let email = Email {
        to: format!("guest{number}@example.com"),
        subject: campaign.subject.clone(),
        simulate: if number <= campaign.bouncing { bounces } else { campaign.simulate.clone() },
    };
    ctx.call(send_email, &email).retry(RetryPolicy::new(3, Duration::from_secs(1))).await
}

/// `POST /api/trips/email-campaign`
#[dacapo::http]
fn start_email_campaign(request: Request) -> Result<Response, Failure> {
    start(email_campaign, &request)
}
