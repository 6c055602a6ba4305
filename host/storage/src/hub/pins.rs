//! Which apps instances are pinned to, from the index by app: it holds an entry for each instance that is pinned and may run
//! again, and no row is read for the answers.

use crate::keys;
use crate::rows::{self, KeyRange, Table, View};
use orchestration::{InstanceId, RuntimeStatus};
use ports::{AppPins, StoreError};
use std::cmp::Ordering;
use std::ops::ControlFlow;

/// How many entries of the index are held in memory at once.
const PIECE: usize = 1_000;

/// The apps in ascending order of bytes: one look per app finds them.
pub(super) fn pinned_apps(view: &dyn View) -> Result<Vec<String>, StoreError> {
    let mut apps: Vec<String> = Vec::new();
    let mut range = KeyRange::all();
    loop {
        let mut next = None;
        view.scan(Table::ByApp, &range, &mut |key, _| {
            next = Some(key.to_vec());
            ControlFlow::Break(())
        })?;
        let Some(key) = next else { return Ok(apps) };
        match keys::split_text(&key) {
            Ok((app, _)) => {
                range.from = KeyRange::prefix(keys::by_app(&app, None)).to.unwrap_or_default();
                apps.push(app);
            }
            Err(error) => {
                tracing::warn!(record = rows::record_name(Table::ByApp, &key), %error, "left out of the apps in use");
                range = range.after(key);
            }
        }
    }
}

/// The apps with what is pinned to them. Takes time in proportion to the pinned instances and, per app, to the failed ones.
pub(super) fn pins(view: &dyn View) -> Result<Vec<AppPins>, StoreError> {
    let mut pins = Vec::new();
    for app in pinned_apps(view)? {
        pins.extend(of_app(view, app)?);
    }
    Ok(pins)
}

/// None if no id among the app's entries can be read.
fn of_app(view: &dyn View, digest: String) -> Result<Option<AppPins>, StoreError> {
    let before_id = keys::by_app(&digest, None);
    let mut range = KeyRange::prefix(before_id.clone());
    let (mut running, mut failed) = (Counted::default(), Counted::default());
    loop {
        let mut piece: Vec<Vec<u8>> = Vec::new();
        view.scan(Table::ByApp, &range, &mut |key, _| {
            piece.push(key.get(before_id.len()..).unwrap_or_default().to_vec());
            if piece.len() < PIECE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        let (Some(first), Some(last)) = (piece.first(), piece.last()) else { break };
        let has_failed = failed_among(view, first, last, &piece)?;
        range = range.after([before_id.as_slice(), last].concat());
        for (id, has_failed) in piece.iter().zip(has_failed) {
            if has_failed { &mut failed } else { &mut running }.count(id);
        }
    }
    let example = running.first.or(failed.first);
    Ok(example.map(|example| AppPins { digest, running: running.number, failed: failed.number, example }))
}

/// Which of these ids, in ascending order from `first` to `last`, stand in the index by status as failed.
fn failed_among(view: &dyn View, first: &[u8], last: &[u8], ids: &[Vec<u8>]) -> Result<Vec<bool>, StoreError> {
    let before_id = keys::by_status(RuntimeStatus::Failed, None);
    let from = [before_id.as_slice(), first].concat();
    // No id's key begins like another's: nothing stands between the last one and the one that is continued with a zero.
    let to = Some([before_id.as_slice(), last, &[0]].concat());
    let mut found = vec![false; ids.len()];
    let mut at = 0;
    view.scan(Table::ByStatus, &KeyRange { from, to }, &mut |key, _| {
        let failed = key.get(before_id.len()..).unwrap_or_default();
        while let Some(id) = ids.get(at) {
            match id.as_slice().cmp(failed) {
                Ordering::Less => at += 1,
                Ordering::Equal => {
                    found[at] = true;
                    return ControlFlow::Continue(());
                }
                Ordering::Greater => return ControlFlow::Continue(()),
            }
        }
        ControlFlow::Break(())
    })?;
    Ok(found)
}

/// Instances of one kind.
#[derive(Default)]
struct Counted {
    number: u64,
    first: Option<InstanceId>,
}

impl Counted {
    /// One whose id cannot be read counts, because it keeps the app, but is no example.
    fn count(&mut self, id: &[u8]) {
        self.number += 1;
        if self.first.is_none() {
            self.first = keys::split_id(id).ok().map(|(id, _)| id);
        }
    }
}
