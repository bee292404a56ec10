//! Reads everything that is held of a person: page by page through the whole log, then the folded
//! states. There is no list of who wrote where: such a list would itself be about people.

use protocol::{
    PersonId, SessionKey,
    ledger::{Bookmark, Held, HeldPage, LedgerError, Owned, Stream},
};

use crate::{
    disk::key,
    past,
    record::{Body, Record, StreamName},
    shared::Shared,
};

/// Rows of one page: so few that other reads do not wait long.
const ROWS_MAX: u64 = 64;
/// States of one page.
const STATES_MAX: usize = 64;
/// Bookmarks of states begin here, and go on with the first bits of a stream's name; the log never
/// gets so long.
const STATES: u64 = 1 << 63;

/// One page.
pub(crate) fn read(
    shared: &Shared,
    person: PersonId,
    from: Option<Bookmark>,
) -> Result<HeldPage, LedgerError> {
    let from = from.map_or(1, |Bookmark(at)| at);
    if STATES <= from {
        return states(shared, person, from - STATES);
    }
    let last = {
        let _settled = shared.settled()?;
        shared.disk.last_row()?
    };
    let mut page = HeldPage::default();
    let end = last.min(from.saturating_add(ROWS_MAX - 1));
    for row in from..=end {
        for record in past::open(shared, row)? {
            take(record, person, &mut page.held);
        }
    }
    page.next = Some(Bookmark(if end < last { end + 1 } else { STATES }));
    Ok(page)
}

fn take(record: Record, person: PersonId, held: &mut Vec<Held>) {
    // In format 1 a private chat's texts had no owner but the chat.
    let is_theirs = |it: &Owned, session: &SessionKey| {
        it.owners.contains(&person) || it.owners.is_empty() && session.chat.0 == person.0
    };
    match record.body {
        Body::Arrived { key, owner, update, at, raw } => {
            if owner == Some(person) || owner.is_none() && key.chat.0 == person.0 {
                held.push(Held::Update { session: key, update, at, raw });
            }
        }
        Body::Appended { stream: Some(Stream::Session(session)), events, .. } => {
            let theirs = events.into_iter().filter(|it| is_theirs(it, &session));
            held.extend(theirs.map(|it| Held::Events { session, events: it.bytes }));
        }
        Body::State { stream: Some(Stream::Session(session)), state } => {
            let theirs = state.into_iter().filter(|it| is_theirs(it, &session));
            held.extend(theirs.map(|it| Held::State { session, state: it.bytes }));
        }
        Body::Appended { stream: Some(Stream::Memories(scope)), events, .. }
        | Body::State { stream: Some(Stream::Memories(scope)), state: events } => {
            let session = scope.session;
            let theirs = events.into_iter().filter(|it| is_theirs(it, &session));
            held.extend(theirs.map(|it| Held::Memory { session, memory: it.bytes }));
        }
        Body::Appended { stream: Some(Stream::Treasury), events: sums, .. }
        | Body::State { stream: Some(Stream::Treasury), state: sums } => {
            let theirs = sums.into_iter().filter(|it| it.owners.contains(&person));
            held.extend(theirs.map(|it| Held::Spending { sums: it.bytes }));
        }
        Body::Appended { stream: Some(Stream::Hall), events: rules, .. } => {
            let theirs = rules.into_iter().filter(|it| it.owners.contains(&person));
            held.extend(theirs.map(|it| Held::Proposal { rule: it.bytes }));
        }
        Body::Appended { stream: Some(Stream::Timetable), events: reminders, .. }
        | Body::State { stream: Some(Stream::Timetable), state: reminders } => {
            let theirs = reminders.into_iter().filter(|it| it.owners.contains(&person));
            held.extend(theirs.map(|it| Held::Reminder { reminder: it.bytes }));
        }
        Body::Appended { stream: Some(Stream::Alerts) | None, .. }
        | Body::State { stream: Some(Stream::Hall | Stream::Alerts) | None, .. }
        | Body::ArrivedErased { .. }
        | Body::Dropped { .. }
        | Body::Quarantined { .. }
        | Body::Rested
        | Body::Checkpoint(_)
        | Body::OldCheckpoint(_)
        | Body::Accepted(_) => {}
    }
}

/// A page of states, from a place in the order of their names on.
fn states(shared: &Shared, person: PersonId, from: u64) -> Result<HeldPage, LedgerError> {
    let names = shared.disk.snapshots((from << 1).to_be_bytes(), STATES_MAX)?;
    let mut page = HeldPage::default();
    let is_last = names.len() < STATES_MAX;
    let Some(StreamName([a, b, c, d, e, f, g, h, ..])) = names.last() else { return Ok(page) };
    let last = u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]) >> 1;
    for name in &names {
        let Some(row) = shared.disk.get_parts(&key::snapshot(*name))? else { continue };
        take(shared.seal.open_slot(&row, 0)?, person, &mut page.held);
    }
    page.next = (!is_last && last + 1 < STATES).then_some(Bookmark(STATES + last + 1));
    Ok(page)
}
