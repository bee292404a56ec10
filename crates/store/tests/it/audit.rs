//! The audit log: whatever is changed in it is found, and a crash leaves nothing to find.

use std::{fs, path::Path};

use proptest::prelude::*;
use protocol::{
    PersonId, Timestamp,
    audit::{Action, AuditLog, Deed, Doer, Outcome, Record, Target},
};
use store::{
    KeyPlace, Keys, Store, StoreConfig,
    audit::{Audit, AuditError, AuditKeys, AuditPlace, Finding, put_back, read, shelve, verify},
    backup::FolderShelf,
};

/// `magic · version · id`.
const HEADER_BYTES: usize = 20 + 1 + 24;

struct Bench {
    home: tempfile::TempDir,
    place: AuditPlace,
    keyring: std::path::PathBuf,
}

impl Bench {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        let keyring = home.path().join("secrets/hall.keyring");
        let place = AuditPlace::new(&data, &keyring);
        let config =
            StoreConfig { keyring: keyring.clone(), ..StoreConfig::new(data.join("ledger")) };
        let key = home.path().join("secrets/hall.key");
        let keys = Keys::create(&key, KeyPlace::Anywhere).unwrap();
        Store::open(config, keys).unwrap().close().unwrap();
        Self { home, place, keyring }
    }

    fn keys(&self) -> AuditKeys {
        let key = self.home.path().join("secrets/hall.key");
        AuditKeys::open(&self.keyring, &Keys::open(&key, KeyPlace::Anywhere).unwrap()).unwrap()
    }

    fn open(&self) -> Result<Audit, AuditError> {
        Audit::open(&self.place, self.keys(), Timestamp(1))
    }

    fn verify(&self) -> Result<store::audit::Checked, Finding> {
        match verify(&self.place, &self.keys()) {
            Ok(checked) => Ok(checked.expect("there is a log")),
            Err(AuditError::Broken(finding)) => Err(finding),
            Err(other) => panic!("{other}"),
        }
    }

    /// A log with so many records.
    fn fill(&self, count: u64) {
        let audit = self.open().unwrap();
        write(&audit, count);
        drop(audit);
    }

    fn records(&self) -> Vec<Record> {
        let mut all = Vec::new();
        let each = &mut |record: &Record, _: &[u8]| {
            all.push(record.clone());
            Ok(())
        };
        read(&self.place, &self.keys(), each).unwrap();
        all
    }
}

fn deed(number: u64) -> Deed {
    let target = Target::Person(i64::try_from(number).unwrap());
    let actor = Doer::Person(PersonId(7));
    Deed::done(Timestamp(1_000 + number), actor, Action::AccessAllowed, target)
}

fn write(audit: &Audit, count: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for number in 0..count {
        runtime.block_on(audit.record(deed(number))).unwrap();
    }
}

/// The frames of a log.
fn frames(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (mut frames, mut rest) = (Vec::new(), &bytes[HEADER_BYTES..]);
    while let Some(length) = rest.first_chunk::<4>() {
        let end = 4 + u32::from_be_bytes(*length) as usize;
        frames.push(rest[..end].to_vec());
        rest = &rest[end..];
    }
    frames
}

fn put(path: &Path, header: &[u8], frames: &[Vec<u8>]) {
    fs::write(path, [header, &frames.concat()].concat()).unwrap();
}

#[derive(Clone, Debug)]
enum Tampering {
    Flip(prop::sample::Index, u8),
    CutAt(prop::sample::Index),
    CutBehind(prop::sample::Index),
    Remove(prop::sample::Index),
    Repeat(prop::sample::Index, prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
    Put(prop::sample::Index, Vec<u8>),
    FromAnother(prop::sample::Index),
}

fn tampering() -> impl Strategy<Value = Tampering> {
    use prop::sample::Index;
    prop_oneof![
        (any::<Index>(), 1_u8..).prop_map(|(at, mask)| Tampering::Flip(at, mask)),
        any::<Index>().prop_map(Tampering::CutAt),
        any::<Index>().prop_map(Tampering::CutBehind),
        any::<Index>().prop_map(Tampering::Remove),
        any::<(Index, Index)>().prop_map(|(from, to)| Tampering::Repeat(from, to)),
        any::<(Index, Index)>().prop_map(|(one, other)| Tampering::Swap(one, other)),
        (any::<Index>(), prop::collection::vec(any::<u8>(), 1..200))
            .prop_map(|(at, bytes)| Tampering::Put(at, bytes)),
        any::<Index>().prop_map(Tampering::FromAnother),
    ]
}

/// The log as it is after somebody was at it.
fn tampered(good: &[u8], other: &[u8], how: &Tampering) -> Vec<u8> {
    let (header, mut all) = (good[..HEADER_BYTES].to_vec(), frames(good));
    let mut bytes = good.to_vec();
    match how {
        Tampering::Flip(at, mask) => {
            bytes[at.index(good.len())] ^= mask;
            return bytes;
        }
        Tampering::CutAt(at) => {
            bytes.truncate(at.index(good.len()));
            return bytes;
        }
        Tampering::Put(at, more) => {
            let at = at.index(good.len() + 1);
            bytes.splice(at..at, more.iter().copied());
            return bytes;
        }
        Tampering::CutBehind(at) => all.truncate(at.index(all.len())),
        Tampering::Remove(at) => drop(all.remove(at.index(all.len()))),
        Tampering::Repeat(from, to) => {
            let copy = all[from.index(all.len())].clone();
            all.insert(to.index(all.len() + 1), copy);
        }
        Tampering::Swap(one, two) => {
            let (one, two) = (one.index(all.len()), two.index(all.len()));
            all.swap(one, two);
        }
        Tampering::FromAnother(at) => {
            let at = at.index(all.len());
            all[at].clone_from(&frames(other)[at]);
        }
    }
    [header, all.concat()].concat()
}

#[test]
fn chain_2_whatever_is_edited_removed_moved_repeated_or_cut_is_found() {
    const RECORDS: u64 = 12;
    let (bench, other) = (Bench::new(), Bench::new());
    bench.fill(RECORDS);
    other.fill(RECORDS);
    let good = fs::read(&bench.place.log).unwrap();
    let foreign = fs::read(&other.place.log).unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 1_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let run = runner.run(&tampering(), |how| {
        let bytes = tampered(&good, &foreign, &how);
        prop_assume!(bytes != good);
        fs::write(&bench.place.log, &bytes).unwrap();
        // A version that nobody knows is found, too, though not as a change.
        let found = verify(&bench.place, &bench.keys()).map(|it| it.expect("there is a log"));
        // Behind the last record there may be what was never acknowledged; it is reported, too.
        let is_behind = bytes.starts_with(&good);
        match found {
            Err(_) => prop_assert!(!is_behind || frames_hold(&bytes), "{how:?}: {found:?}"),
            Ok(checked) => {
                prop_assert!(is_behind, "not found: {how:?}");
                prop_assert_eq!(checked.torn_bytes, (bytes.len() - good.len()) as u64);
            }
        }
        Ok(())
    });
    run.unwrap();
}

/// True if what stands behind the last record begins with a whole frame.
fn frames_hold(bytes: &[u8]) -> bool {
    let mut rest = &bytes[HEADER_BYTES..];
    while let Some(length) = rest.first_chunk::<4>() {
        let end = 4 + u32::from_be_bytes(*length) as usize;
        let Some(next) = rest.get(end..) else { return false };
        rest = next;
    }
    true
}

#[test]
fn the_first_break_is_named_by_its_kind_and_place() {
    let bench = Bench::new();
    bench.fill(9);
    let good = fs::read(&bench.place.log).unwrap();
    let (header, all) = (good[..HEADER_BYTES].to_vec(), frames(&good));
    let path = &bench.place.log;
    let found = |frames: &[Vec<u8>]| {
        put(path, &header, frames);
        bench.verify().unwrap_err()
    };
    let without = |at: usize| [&all[..at], &all[at + 1..]].concat();
    assert_eq!(found(&without(4)), Finding::Missing { after: 4, found: 6 });
    assert_eq!(found(&all[..7]), Finding::Truncated { last: 7, anchored: 9 });
    let twice = [&all[..5], &all[4..]].concat();
    assert_eq!(found(&twice), Finding::Misplaced { after: 5, found: 5 });
    let mut edited = all.clone();
    edited[2][40] ^= 1;
    assert!(matches!(found(&edited), Finding::Unreadable { seq: 3, .. }));
    fs::remove_file(path).unwrap();
    assert_eq!(bench.verify().unwrap_err(), Finding::NoLog);
    fs::write(path, &good).unwrap();
    fs::remove_file(&bench.place.anchor).unwrap();
    assert_eq!(bench.verify().unwrap_err(), Finding::NoAnchor { last: 9 });
}

#[test]
fn an_older_log_with_its_older_end_is_found_by_a_newer_checkpoint() {
    let bench = Bench::new();
    bench.fill(3);
    let (log, anchor) = (&bench.place.log, &bench.place.anchor);
    let old = (fs::read(log).unwrap(), fs::read(anchor).unwrap());
    bench.fill(2);
    let kept = fs::read(anchor).unwrap();
    fs::write(log, &old.0).unwrap();
    fs::write(anchor, &old.1).unwrap();
    assert_eq!(bench.verify().unwrap().records, 3, "both are old: nothing here can tell");
    fs::write(anchor, &kept).unwrap();
    assert_eq!(bench.verify().unwrap_err(), Finding::Truncated { last: 3, anchored: 5 });
}

#[test]
fn chain_1_a_write_that_a_crash_cut_anywhere_is_cut_off_and_said_and_nothing_before_it_is_touched()
{
    let bench = Bench::new();
    bench.fill(3);
    let (log, anchor) = (&bench.place.log, &bench.place.anchor);
    let (before, signed) = (fs::read(log).unwrap(), fs::read(anchor).unwrap());
    bench.fill(1);
    let whole = fs::read(log).unwrap();
    for end in before.len()..=whole.len() {
        fs::write(log, &whole[..end]).unwrap();
        fs::write(anchor, &signed).unwrap();
        drop(bench.open().unwrap());
        let actions: Vec<String> = bench.records().into_iter().map(|it| it.action).collect();
        let expected = match end {
            _ if end == before.len() => 3,
            _ if end == whole.len() => 4,
            _ => {
                assert_eq!(actions.last().map(String::as_str), Some("audit.cut"), "at {end}");
                4
            }
        };
        assert_eq!(actions.len(), expected, "at {end}");
        assert!(fs::read(log).unwrap().starts_with(&before), "at {end}");
        bench.verify().unwrap();
    }
}

#[test]
fn chain_2_a_broken_log_does_not_open_until_the_operator_goes_on_and_then_it_says_so() {
    let bench = Bench::new();
    bench.fill(5);
    let good = fs::read(&bench.place.log).unwrap();
    let nothing = Audit::resume(&bench.place, bench.keys(), Doer::Operator, Timestamp(9));
    assert!(matches!(nothing, Err(AuditError::NothingBroken)));
    put(&bench.place.log, &good[..HEADER_BYTES], &frames(&good)[..4]);
    assert!(matches!(bench.open(), Err(AuditError::Broken(Finding::Truncated { .. }))));
    let audit = Audit::resume(&bench.place, bench.keys(), Doer::Operator, Timestamp(9)).unwrap();
    drop(audit);
    bench.fill(2);
    let checked = bench.verify().unwrap();
    assert_eq!((checked.records, checked.resumed.len()), (3, 1));
    let said = &checked.resumed[0].reference;
    assert!(said.contains("the end was cut off") && said.contains("5 records up to"), "{said}");
    let aside = bench.place.log.with_file_name("log.broken-9");
    assert_eq!(fs::read(aside).unwrap().len(), good.len() - frames(&good)[4].len());
}

#[test]
fn audit_2_people_are_hashes_in_records_and_nothing_is_in_the_clear_on_disk() {
    let bench = Bench::new();
    bench.fill(4);
    let keys = bench.keys();
    for (number, record) in (0..).zip(bench.records()) {
        assert_eq!(record.actor, keys.person(7));
        assert_eq!(record.target, keys.person(number));
    }
    let bytes = fs::read(&bench.place.log).unwrap();
    for word in ["access.allowed", "person:", "\"seq\""] {
        assert!(!bytes.windows(word.len()).any(|it| it == word.as_bytes()), "{word}");
    }
}

#[test]
fn a_long_log_is_signed_in_itself_and_at_its_end() {
    let bench = Bench::new();
    let audit = bench.open().unwrap();
    write(&audit, 600);
    let last = Deed::done(Timestamp(9_000), Doer::Hall, Action::HallStopped, Target::Nothing);
    audit.close(last);
    let checked = bench.verify().unwrap();
    assert_eq!((checked.records, checked.anchored, checked.checkpoints), (604, 604, 3));
    assert_eq!(bench.records().last().unwrap().action, "hall.stopped");
}

#[test]
fn another_process_cannot_write_to_it_and_can_read_it() {
    let bench = Bench::new();
    let audit = bench.open().unwrap();
    assert!(matches!(bench.open(), Err(AuditError::Locked)));
    write(&audit, 2);
    assert_eq!(bench.verify().unwrap().records, 2);
    assert_eq!(audit.newest(None, 1)[0].seq, 2);
    assert_eq!(audit.newest(Some(2), 9).len(), 1);
}

#[test]
fn what_is_denied_a_thousand_times_takes_a_few_records() {
    let bench = Bench::new();
    let audit = bench.open().unwrap();
    for _ in 0..500 {
        audit.note(Deed { at: Timestamp(5), ..deed(1) }.with(Outcome::Denied));
    }
    audit.close(Deed::done(Timestamp(6), Doer::Hall, Action::HallStopped, Target::Nothing));
    let denied: Vec<Record> =
        bench.records().into_iter().filter(|it| it.outcome == "denied").collect();
    assert!(denied.len() <= 8, "{}", denied.len());
    assert_eq!(denied.iter().map(|it| it.times).sum::<u32>(), 500);
}

#[test]
fn a_log_on_a_shelf_grows_with_it_comes_back_and_says_what_is_missing() {
    let bench = Bench::new();
    bench.fill(4);
    let shelf = FolderShelf::new(bench.home.path().join("backups"));
    let first = shelve(&bench.place, &shelf).unwrap();
    bench.fill(3);
    let second = shelve(&bench.place, &shelf).unwrap();
    assert!(first < second);
    assert_eq!(fs::read_dir(bench.home.path().join("backups")).unwrap().count(), 1);
    bench.fill(2);
    let data = bench.place.log.parent().unwrap();
    fs::remove_dir_all(data).unwrap();
    assert!(put_back(&bench.place, &shelf, &bench.keys()).unwrap());
    assert_eq!(bench.verify().unwrap_err(), Finding::Truncated { last: 7, anchored: 9 });
    let target = Target::Thing("backup".to_owned());
    let deed = Deed::done(Timestamp(9), Doer::Operator, Action::BackupRestored, target);
    drop(Audit::restored(&bench.place, bench.keys(), deed.about("backup")).unwrap());
    assert_eq!(bench.verify().unwrap().records, 8);
    let last = bench.records().pop().unwrap();
    assert!(last.reference.contains("7 records are back of 9 signed"), "{}", last.reference);
    assert!(!put_back(&bench.place, &shelf, &bench.keys()).unwrap(), "it is there");
    drop(bench.open().unwrap());
}

#[test]
fn a_shelf_that_holds_more_than_the_folder_says_so() {
    let bench = Bench::new();
    bench.fill(4);
    let shelf = FolderShelf::new(bench.home.path().join("backups"));
    shelve(&bench.place, &shelf).unwrap();
    let good = fs::read(&bench.place.log).unwrap();
    put(&bench.place.log, &good[..HEADER_BYTES], &frames(&good)[..3]);
    let refused = shelve(&bench.place, &shelf).unwrap_err().to_string();
    assert!(refused.contains("its end was cut off"), "{refused}");
}

#[test]
fn every_line_names_the_hash_of_the_line_before() {
    use sha2::{Digest as _, Sha256};
    let bench = Bench::new();
    bench.fill(5);
    let mut prev = "0".repeat(64);
    let each = &mut |record: &Record, line: &[u8]| {
        assert_eq!(record.prev, prev);
        assert_eq!(record.line().as_bytes(), line);
        prev = Sha256::digest(line).iter().map(|it| format!("{it:02x}")).collect();
        Ok(())
    };
    let checked = read(&bench.place, &bench.keys(), each).unwrap().unwrap();
    assert_eq!(checked.head, prev);
}
