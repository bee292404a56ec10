//! What backups are called, which of them belong together, and which may go.
//!
//! A name is `made-chain-number-kind.ghb`: milliseconds since 1970, 16 hexadecimal digits, the place
//! in the chain, `full` or `more`. So names sort by time, and a listing is enough to decide.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    str::FromStr,
    time::Duration,
};

use protocol::{Timestamp, shelf::Shelf};

use super::archive::{Head, Kind};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// What is kept. A backup that a kept one needs is kept with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// The newest so many; at least one.
    pub last: u32,
    /// The newest of each of so many days that have one.
    pub daily: u32,
    /// The newest of each of so many weeks that have one.
    pub weekly: u32,
}

/// The name of a backup.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) made: u64,
    pub(crate) chain: u64,
    pub(crate) number: u32,
    pub(crate) is_full: bool,
}

impl Name {
    pub(crate) fn of(head: &Head) -> Self {
        let Head { kind, chain, number, made, .. } = head;
        Self { made: made.0, chain: *chain, number: *number, is_full: *kind == Kind::Full }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { made, chain, number, is_full } = self;
        let kind = if *is_full { "full" } else { "more" };
        write!(f, "{made:013}-{chain:016x}-{number:05}-{kind}.ghb")
    }
}

impl FromStr for Name {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let parts: Vec<&str> = text.strip_suffix(".ghb").ok_or(())?.split('-').collect();
        let [made, chain, number, kind] = parts.as_slice() else { return Err(()) };
        let is_full = match *kind {
            "full" => true,
            "more" => false,
            _ => return Err(()),
        };
        let name = Self {
            made: made.parse().map_err(drop)?,
            chain: u64::from_str_radix(chain, 16).map_err(drop)?,
            number: number.parse().map_err(drop)?,
            is_full,
        };
        if name.to_string() == text && is_full == (name.number == 0) { Ok(name) } else { Err(()) }
    }
}

/// The backups on a shelf. What is called otherwise is not ours.
pub(crate) fn list(shelf: &dyn Shelf) -> io::Result<Vec<Name>> {
    let mut names: Vec<Name> = shelf.list()?.iter().filter_map(|it| it.name.parse().ok()).collect();
    names.sort();
    Ok(names)
}

/// How old the full backup of a name's chain is. A clock that went back makes it young.
pub(crate) fn age(listed: &[Name], name: &Name, now: Timestamp) -> Duration {
    let full = listed.iter().find(|it| it.chain == name.chain && it.is_full);
    full.map_or(Duration::MAX, |it| Duration::from_millis(now.0.saturating_sub(it.made)))
}

/// A state that can be restored: the last of its backups, and those it goes on from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// The name of the last one.
    pub name: String,
    /// When that was made.
    pub made: Timestamp,
    /// All of them, the full one first.
    pub files: Vec<String>,
    /// Their size together.
    pub bytes: u64,
}

/// The states that can be restored from a shelf, oldest first.
///
/// # Errors
/// Why the shelf cannot be read.
pub fn points(shelf: &dyn Shelf) -> io::Result<Vec<Point>> {
    let sizes: BTreeMap<String, u64> =
        shelf.list()?.into_iter().map(|it| (it.name, it.bytes)).collect();
    let mut names: Vec<Name> = sizes.keys().filter_map(|it| it.parse().ok()).collect();
    names.sort();
    let restorable = names.iter().filter_map(|name| {
        let files: Vec<String> = needed_by(&names, name)?.map(Name::to_string).collect();
        let bytes = files.iter().filter_map(|it| sizes.get(it)).sum();
        Some(Point { name: name.to_string(), made: Timestamp(name.made), files, bytes })
    });
    Ok(restorable.collect())
}

/// The backups that a name needs, from the full one to itself. `None` if one is missing.
fn needed_by<'a>(names: &'a [Name], name: &Name) -> Option<impl Iterator<Item = &'a Name>> {
    let (chain, number) = (name.chain, name.number);
    let mut needed: Vec<&Name> =
        names.iter().filter(|it| it.chain == chain && it.number <= number).collect();
    needed.sort_by_key(|it| it.number);
    let is_whole = needed.iter().map(|it| it.number).eq(0..=number);
    is_whole.then(|| needed.into_iter())
}

/// The backups that the rule does not keep: BACKUP-3. Time is taken from the backups alone, so a
/// clock that jumps removes nothing.
pub(crate) fn superfluous(names: &[Name], keep: Keep) -> Vec<Name> {
    let mut points: Vec<&Name> = names.iter().filter(|it| needed_by(names, it).is_some()).collect();
    points.sort_by_key(|it| std::cmp::Reverse((it.made, it.number)));
    let first_of = |count: u32, group: &dyn Fn(&Name) -> u64| {
        let mut groups = BTreeSet::new();
        let newest = points.iter().filter(|it| groups.insert(group(it)));
        newest.take(count as usize).copied().collect::<Vec<_>>()
    };
    let day = |it: &Name| it.made / DAY_MS;
    let mut kept: Vec<&Name> = points.iter().take(keep.last.max(1) as usize).copied().collect();
    kept.extend(first_of(keep.daily, &day));
    // The first of January 1970 was a Thursday; weeks begin on Mondays.
    kept.extend(first_of(keep.weekly, &|it| (day(it) + 3) / 7));
    let needed: BTreeSet<&Name> =
        kept.into_iter().filter_map(|it| needed_by(names, it)).flatten().collect();
    names.iter().filter(|it| !needed.contains(it)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(day: u64, hour: u64, chain: u64, number: u32) -> Name {
        let made = day * DAY_MS + hour * 3_600_000;
        Name { made, chain, number, is_full: number == 0 }
    }

    fn kept(names: &[Name], last: u32, daily: u32, weekly: u32) -> Vec<(u64, u32)> {
        let gone = superfluous(names, Keep { last, daily, weekly });
        let left = names.iter().filter(|it| !gone.contains(it));
        left.map(|it| (it.chain, it.number)).collect()
    }

    #[test]
    fn a_name_reads_as_it_is_written_and_nothing_else_does() {
        let it = name(20_000, 5, 0xab, 3);
        assert_eq!(it.to_string().parse(), Ok(it));
        for other in [
            "notes.txt",
            "0000000000005-00000000000000ab-00003-full.ghb",
            "5-ab-3-more.ghb",
            "0000000000005-00000000000000ab-00003-more.ghb.unfinished",
            "0000000000005-00000000000000ab-00000-more.ghb",
        ] {
            assert_eq!(other.parse::<Name>(), Err(()), "{other}");
        }
    }

    #[test]
    fn backup_3_what_a_kept_backup_needs_is_kept_and_so_is_the_newest() {
        let chain = |day, id| (0..4).map(move |number| name(day, u64::from(number), id, number));
        let names: Vec<Name> = chain(100, 1).chain(chain(107, 2)).chain(chain(108, 3)).collect();
        let all = |id| (0..4).map(move |number| (id, number));
        assert_eq!(kept(&names, 0, 0, 0), all(3).collect::<Vec<_>>(), "the newest always");
        assert_eq!(
            kept(&names, 5, 0, 0),
            [(2, 0), (2, 1), (2, 2), (2, 3)].into_iter().chain(all(3)).collect::<Vec<_>>()
        );
        assert_eq!(kept(&names, 1, 2, 0), all(2).chain(all(3)).collect::<Vec<_>>());
        assert_eq!(kept(&names, 1, 0, 2), all(1).chain(all(3)).collect::<Vec<_>>());
        assert_eq!(kept(&names, 1, 9, 9).len(), 12);
    }

    #[test]
    fn a_clock_that_jumps_removes_no_more_than_one_backup_s_worth() {
        let mut names: Vec<Name> = (0..10).map(|day| name(day, 0, day, 0)).collect();
        assert_eq!(kept(&names, 1, 7, 0).len(), 7);
        names.push(name(40_000, 0, 99, 0));
        assert_eq!(kept(&names, 1, 7, 0).len(), 7);
        assert!(kept(&names, 1, 7, 0).contains(&(9, 0)));
    }

    #[test]
    fn a_chain_with_a_gap_is_no_point() {
        let names = [name(1, 0, 1, 0), name(1, 1, 1, 1), name(1, 3, 1, 3)];
        assert!(needed_by(&names, &names[1]).is_some());
        assert!(needed_by(&names, &names[2]).is_none());
        assert_eq!(kept(&names, 3, 0, 0), [(1, 0), (1, 1)]);
    }

    #[test]
    fn the_age_of_a_chain_is_that_of_its_full_backup() {
        let names = [name(1, 0, 1, 0), name(3, 0, 1, 1)];
        let at = |day: u64| Timestamp(day * DAY_MS);
        let days = |days: u64| Duration::from_millis(days * DAY_MS);
        assert_eq!(age(&names, &names[1], at(4)), days(3));
        assert_eq!(age(&names, &names[1], at(0)), Duration::ZERO);
        assert_eq!(age(&names, &name(1, 0, 2, 0), at(0)), Duration::MAX);
    }
}
