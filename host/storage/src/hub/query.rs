//! Lists of instances: pages in the order of ids, from whichever table narrows the search best.

use super::Shared;
use super::reading::with_payloads;
use super::records::read_row;
use crate::keys;
use crate::rows::{self, KeyRange, Table, View};
use orchestration::{InstanceId, InstanceRow};
use ports::{InstanceKind, InstanceQuery, InstanceView, Page, PageToken, StoreError};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// How many instances one page looks at. A page that finds few of many ends early, with a token to go on: no call takes
/// longer than this many reads.
const MAX_EXAMINED: usize = 10_000;
/// No page is larger, whatever was asked for.
const MAX_PAGE: usize = 1_000;

impl Shared {
    /// The page is read from one view of the rows: an instance that changes meanwhile is neither missed nor listed twice.
    pub(super) fn query(&self, query: &InstanceQuery) -> Result<Page, StoreError> {
        let size = match query.page_size {
            0 => self.settings.page_size,
            asked => asked,
        };
        let size = size.clamp(1, MAX_PAGE);
        rows::read(&*self.rows, |view| {
            let mut page = Page::default();
            let mut after = query.after.as_ref().map(|token| InstanceId::from_stored(&token.0));
            let mut examined = 0;
            loop {
                let wanted = (size + 1).min(MAX_EXAMINED - examined);
                let (candidates, more) = candidates(view, query, after.as_ref(), wanted)?;
                examined += candidates.len();
                for id in candidates {
                    let found = matching(view, query, &id)?;
                    if found.is_some() && page.instances.len() == size {
                        page.next = token(after);
                        return Ok(page);
                    }
                    page.instances.extend(found);
                    after = Some(id);
                }
                if !more {
                    return Ok(page);
                }
                if examined == MAX_EXAMINED {
                    page.next = token(after);
                    return Ok(page);
                }
            }
        })
    }
}

/// A page goes on behind the last id that was looked at.
fn token(after: Option<InstanceId>) -> Option<PageToken> {
    after.map(|last| PageToken(last.as_str().to_owned()))
}

/// The instance, if it meets all conditions. One that cannot be read is left out, with a warning.
fn matching(view: &dyn View, query: &InstanceQuery, id: &InstanceId) -> Result<Option<InstanceView>, StoreError> {
    let found = read_row(view, id).and_then(|row| match row {
        Some(row) if meets(query, &row) => with_payloads(view, row, query.with_input).map(Some),
        Some(_) | None => Ok(None),
    });
    match found {
        Err(error @ StoreError::Corrupt { .. }) => {
            tracing::warn!(instance = %id, %error, "an instance that cannot be read is left out of the list");
            Ok(None)
        }
        found => found,
    }
}

fn meets(query: &InstanceQuery, row: &InstanceRow) -> bool {
    (query.statuses.is_empty() || query.statuses.contains(&row.status))
        && query.created_from.is_none_or(|from| row.created_at >= from)
        && query.created_to.is_none_or(|to| row.created_at <= to)
        && query.updated_from.is_none_or(|from| row.updated_at >= from)
        && query.updated_to.is_none_or(|to| row.updated_at <= to)
        && query.completed_to.is_none_or(|to| row.completed_at.is_some_and(|at| at <= to))
        && query.tags.iter().all(|(name, value)| row.options.tags.get(name) == Some(value))
        && query.name.as_ref().is_none_or(|name| row.name == *name)
        && query.id_prefix.as_ref().is_none_or(|prefix| row.id.as_str().starts_with(prefix.as_str()))
}

/// At most `limit` ids behind `after` in ascending order, among which are all that can match, and whether there are more.
fn candidates(
    view: &dyn View,
    query: &InstanceQuery,
    after: Option<&InstanceId>,
    limit: usize,
) -> Result<(Vec<InstanceId>, bool), StoreError> {
    let mut ids = BTreeSet::new();
    let mut more = false;
    for Source { table, before_id, mut range } in sources(query) {
        if let Some(after) = after {
            range = range.after([before_id.as_slice(), &keys::instance(after)].concat());
        }
        let mut found = 0;
        view.scan(table, &range, &mut |key, _| {
            if found == limit {
                more = true;
                return ControlFlow::Break(());
            }
            found += 1;
            match keys::split_id(key.get(before_id.len()..).unwrap_or_default()) {
                Ok((id, _)) => drop(ids.insert(id)),
                Err(error) => tracing::warn!(record = rows::record_name(table, key), %error, "left out of the list"),
            }
            ControlFlow::Continue(())
        })?;
    }
    more |= ids.len() > limit;
    Ok((ids.into_iter().take(limit).collect(), more))
}

/// One place to look, which lists its ids in order.
struct Source {
    table: Table,
    /// What stands before the id in its keys.
    before_id: Vec<u8>,
    range: KeyRange,
}

/// Where to look.
fn sources(query: &InstanceQuery) -> Vec<Source> {
    let tables = if let Some(name) = &query.name {
        vec![(Table::ByName, keys::by_name(name, None))]
    } else if query.statuses.is_empty() {
        vec![(Table::Instances, Vec::new())]
    } else {
        let statuses: BTreeSet<_> = query.statuses.iter().copied().collect();
        statuses.into_iter().map(|status| (Table::ByStatus, keys::by_status(status, None))).collect()
    };
    let sources = tables.into_iter().flat_map(|(table, before_id)| {
        let ranges = ranges(query, &before_id);
        ranges.into_iter().map(move |range| Source { table, before_id: before_id.clone(), range })
    });
    sources.filter(|source| !source.range.is_empty()).collect()
}

/// The ids that can match. Those of entities stand together, between the ids that begin with smaller and with larger bytes:
/// a list of orchestrations leaps over them, however many there are.
fn ranges(query: &InstanceQuery, before_id: &[u8]) -> Vec<KeyRange> {
    let asked =
        KeyRange::prefix([before_id, &keys::id_prefix(query.id_prefix.as_deref().unwrap_or_default())].concat());
    let entities = KeyRange::prefix([before_id, b"@"].concat());
    let before = KeyRange { from: Vec::new(), to: Some(entities.from.clone()) };
    match query.kind {
        InstanceKind::Any => vec![asked],
        InstanceKind::Entities => vec![asked.intersect(entities)],
        InstanceKind::Orchestrations => {
            let behind = KeyRange { from: entities.to.unwrap_or_default(), to: None };
            vec![asked.clone().intersect(before), asked.intersect(behind)]
        }
    }
}
