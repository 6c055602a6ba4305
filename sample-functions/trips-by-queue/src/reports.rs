//! Reports: written at night, and read over HTTP.

use std::time::Duration;

use dacapo::{Client, Failure, PurgeFilter, Request, Response, RuntimeStatus, TimerInfo, Timestamp};

use crate::rows::{ReportRow, TripRow};

/// How long the histories of bookings are kept.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3_600);

/// Counts what is in the table, and removes the histories of bookings that ended and began long ago.
///
/// Purging what is purged changes nothing, so that a second try does no harm.
#[dacapo::timer]
#[expect(clippy::print_stdout, reason = "the host makes lines of its log from it")]
pub(crate) fn nightly_report(timer: TimerInfo) -> Result<ReportRow, Failure> {
    let trips: Vec<TripRow> = dacapo::input("trips")?;
    let old = PurgeFilter::created_from(Timestamp::UNIX_EPOCH)
        .created_to(timer.scheduled - KEPT)
        .status(RuntimeStatus::Completed);
    let purged = Client::new().purge_by(&old)?;
    let booked = trips.iter().filter(|trip| trip.seat.is_some()).count();
    if timer.is_past_due {
        println!("the report is late: the host was not running at {}", timer.scheduled);
    }
    Ok(ReportRow {
        partition_key: "nightly".into(),
        row_key: day(timer.scheduled),
        booked,
        waiting: trips.len() - booked,
        purged,
    })
}

/// Such as `2026-11-22`, in UTC.
fn day(moment: Timestamp) -> String {
    moment.to_string().chars().take_while(|c| *c != 'T').collect()
}

/// `GET /api/trips/{conference}/{id}`: the manifest reads the row by both before the function begins.
#[dacapo::http]
pub(crate) fn show_trip(_request: Request) -> Result<Response, Failure> {
    let trip: Option<TripRow> = dacapo::input("trip")?;
    Ok(trip.map_or_else(|| Response::new(404), |trip| Response::json(&trip)))
}

/// `GET /api/reports/{day}`
#[dacapo::http]
pub(crate) fn show_report(_request: Request) -> Result<Response, Failure> {
    let report: Option<ReportRow> = dacapo::input("report")?;
    Ok(report.map_or_else(|| Response::new(404), |report| Response::json(&report)))
}
