//! Reports of halls that were really made: sound ones, weaker ones, running and broken ones.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use flow::incident::Desk;
use protocol::{
    Clock as _, PersonId, Timestamp,
    audit::{Action, AuditLog as _, Deed, Doer, Outcome, Target},
};
use store::{KeyPlace, Keys, Store};
use toml::{Table, Value};

use super::*;
use crate::{
    audit, backups,
    config::{Env, Loaded, load_text},
    master,
    run::{SystemClock, store_config},
};

/// The ids that must be in no report: an owner, a stranger, somebody who was forgotten.
const IDS: [i64; 3] = [7_770_001_234, 7_770_005_678, 7_770_009_012];

struct House {
    folder: tempfile::TempDir,
    settings: Table,
}

impl House {
    /// A hall that was started once, and of which everything is well that does not need it to run.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("data")).unwrap();
        fs::create_dir(at("agents")).unwrap();
        fs::create_dir(at("rules")).unwrap();
        fs::set_permissions(at("data"), fs::Permissions::from_mode(0o700)).unwrap();
        let settings = format!(
            r#"
            hall = {{ data_dir = {data:?}, key_file = {key:?}, agents_dir = {agents:?} }}
            access = {{ owners = [{owner}], admins = [2], auditors = [3], allow = [4], accept_notice = true }}
            guard = {{ rules_dir = {rules:?}, personal = {{ credit_card = "redact" }} }}
            store = {{ region = "<b>eu</b>", engine = "redb", retention = {{ conversations = "720h" }} }}
            backup = {{ dir = {backups:?} }}
            budgets = {{ hall = {{ tokens_day = 1000 }} }}
            limits = {{ person_per_minute = 20 }}
            logs = {{ dir = {logs:?}, keep_days = 200, syslog = {{ addr = "syslog.example.org:6514" }} }}
            http = {{ addr = "127.0.0.1:1" }}
            alerts = {{ telegram = true }}
            playbooks = {{ dir = {playbooks:?} }}
            telegram = {{ api_url = "https://api.telegram.org" }}
            "#,
            owner = IDS[0],
            data = at("data"),
            key = at("secrets/master.key"),
            agents = at("agents"),
            rules = at("rules"),
            backups = at("backups"),
            logs = at("logs"),
            playbooks = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/playbooks"),
        );
        let house = Self { folder, settings: settings.parse().unwrap() };
        house.stand_once();
        house
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn loaded(&self) -> Loaded {
        let text = toml::to_string(&self.settings).unwrap();
        let token = format!("123456:{}", "a".repeat(35));
        let env = [("TELEGRAM_BOT_TOKEN", token.as_str()), ("OPENAI_API_KEY", "sk-1")];
        let env: Env = env.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        load_text("", &text, &env).unwrap_or_else(|problems| panic!("{problems}"))
    }

    /// Makes key, ledger, audit log and a backup.
    fn stand_once(&self) {
        let loaded = self.loaded();
        let config = &loaded.config;
        Keys::create(&config.key_file(), KeyPlace::OutsideOf(&config.hall.data_dir)).unwrap();
        let tried = [
            Action::HallStarted,
            Action::AlertsTried,
            Action::AuditRead,
            Action::BackupRestored,
            Action::RedteamRun,
        ];
        self.note(&tried.map(|it| audit::deed(Doer::Operator, it, Target::Nothing)));
        let store = self.store();
        let shelf = backups::shelf(&loaded).unwrap();
        let rules = backups::rules(config);
        store.backup(shelf.as_ref(), rules, SystemClock.now(), &AtomicBool::new(false)).unwrap();
        store.close().unwrap();
    }

    fn store(&self) -> Store {
        let config = self.loaded().config;
        Store::open(store_config(&config), master::keys(&config).unwrap()).unwrap()
    }

    fn note(&self, deeds: &[Deed]) {
        let store = self.store();
        let log = audit::open(&self.loaded().config, &store).unwrap();
        for deed in deeds {
            kit::block_on(log.record(deed.clone())).unwrap();
        }
        drop(log);
        store.close().unwrap();
    }

    /// Changes a setting; `None` takes it away.
    fn set(&mut self, key: &str, value: Option<&str>) {
        let (section, key) = key.rsplit_once('.').unwrap();
        let mut table = &mut self.settings;
        for name in section.split('.') {
            let of = table.entry(name).or_insert_with(|| Value::Table(Table::new()));
            table = of.as_table_mut().unwrap();
        }
        match value {
            None => drop(table.remove(key)),
            Some(value) => {
                let line: Table = format!("it = {value}").parse().unwrap();
                table.insert(key.to_owned(), line["it"].clone());
            }
        }
    }

    fn reports(&self) -> Vec<Report> {
        let loaded = self.loaded();
        let facts = gather(&loaded, 90, SystemClock.now());
        Standard::ALL.into_iter().map(|it| report(it, &facts, true)).collect()
    }
}

/// Everything that was looked at: standard, control, check and what it found.
type Seen = BTreeSet<(Standard, &'static str, &'static str, Status)>;

fn seen(reports: &[Report]) -> Seen {
    let rows = reports.iter().flat_map(|it| it.controls.iter().map(|row| (it.standard, row)));
    rows.flat_map(|(standard, row)| {
        row.looked.iter().map(move |it| (standard, row.id, it.check, it.answer.status))
    })
    .collect()
}

fn of_checks(wanted: &[&str]) -> BTreeSet<(Standard, &'static str)> {
    let controls =
        Standard::ALL.into_iter().flat_map(|it| controls::of(it).iter().map(move |c| (it, c)));
    let wanted = controls.filter(|(_, c)| c.checks.iter().any(|it| wanted.contains(&it.name)));
    wanted.map(|(standard, control)| (standard, control.id)).collect()
}

/// What a weaker hall is expected to change, and nothing else.
fn expect_flipped(good: &[Report], weak: &[Report], checks: &[&str], how: &str) {
    let statuses = |reports: &[Report]| -> BTreeSet<(Standard, &'static str, Status)> {
        reports
            .iter()
            .flat_map(|it| it.controls.iter().map(|row| (it.standard, row.id, row.status)))
            .collect()
    };
    let before = seen(good);
    let changed: BTreeSet<_> = seen(weak).difference(&before).copied().collect();
    let names: BTreeSet<&str> = changed.iter().map(|it| it.2).collect();
    assert_eq!(names, checks.iter().copied().collect(), "{how}");
    let controls: BTreeSet<_> = changed.iter().map(|it| (it.0, it.1)).collect();
    assert_eq!(controls, of_checks(checks), "{how}");
    let weaker = statuses(weak);
    for (standard, id, status) in statuses(good) {
        let is_same = weaker.contains(&(standard, id, status));
        let depends = controls.contains(&(standard, id));
        assert!(is_same || depends, "{how}: {standard:?} {id} changed");
        assert!(
            !(is_same && depends && status == Status::Met),
            "{how}: {standard:?} {id} is still met"
        );
    }
}

#[test]
fn report_1_a_weaker_setting_changes_exactly_the_controls_that_rest_on_it() {
    let mut house = House::new();
    let good = house.reports();
    let bad: Vec<_> = seen(&good)
        .into_iter()
        .filter(|it| !matches!(it.3, Status::Met | Status::NotApplicable) && it.2 != "hall")
        .collect();
    assert!(bad.is_empty(), "{bad:#?}");
    let cases: [(&str, Option<&str>, &[&str]); 21] = [
        ("store.retention.conversations", None, &["retention"]),
        ("backup.every", Some("0"), &["backups", "backups_apart"]),
        ("backup.dir", None, &["backups", "backups_apart"]),
        ("http.addr", Some("\"0.0.0.0:1\""), &["console"]),
        ("http.login", Some("false"), &["console"]),
        ("guard.level", Some("\"low\""), &["guard"]),
        ("guard.attacks_off", Some("[\"jailbreak\"]"), &["guard"]),
        ("guard.personal.credit_card", Some("\"off\""), &["personal_data"]),
        ("access.owners", None, &["owners"]),
        ("access.auditors", None, &["roles"]),
        ("access.allow", Some("[\"*\"]"), &["allow_list"]),
        ("access.accept_notice", None, &["notice"]),
        ("alerts.telegram", Some("false"), &["alert_sinks"]),
        ("playbooks.dir", Some("\"/nowhere\""), &["playbooks"]),
        ("playbooks.off", Some("[\"unusual_usage\"]"), &["playbooks"]),
        ("budgets.hall.tokens_day", None, &["caps"]),
        ("limits.person_per_minute", Some("0"), &["limits"]),
        ("logs.dir", None, &["logs_sealed", "logs_end", "logs_last"]),
        ("logs.syslog", None, &["logs_sent"]),
        ("telegram.api_url", Some("\"http://example.org\""), &["transport"]),
        ("tools.fetch", Some("{ enabled = true, approval = false }"), &["tools"]),
    ];
    let before = house.settings.clone();
    for (key, value, checks) in cases {
        house.set(key, value);
        expect_flipped(&good, &house.reports(), checks, &format!("{key} = {value:?}"));
        house.settings = before.clone();
    }
    fs::set_permissions(house.at("data"), fs::Permissions::from_mode(0o755)).unwrap();
    expect_flipped(
        &good,
        &house.reports(),
        &["file_modes", "doctor"],
        "a data folder that all may read",
    );
}

#[test]
fn a_hall_without_a_place_or_with_loose_model_files_is_told() {
    let mut house = House::new();
    house.set("store.region", None);
    let models = "[{ name = \"m\", protocol = \"embedded\", path = \"/nowhere/m.gguf\" }]";
    let line: Table = format!("models = {models}").parse().unwrap();
    house.settings.insert("models".to_owned(), line["models"].clone());
    let seen = seen(&house.reports());
    assert!(seen.contains(&(Standard::Gdpr, "Art. 32", "region", Status::NotMet)));
    assert!(seen.contains(&(Standard::OwaspLlm, "LLM04", "model_files", Status::NotMet)));
    assert!(seen.contains(&(Standard::OwaspLlm, "LLM09", "embeddings", Status::NotApplicable)));
}

#[test]
fn a_drill_that_failed_counts_as_none_and_an_attack_that_ended_badly_is_told() {
    let house = House::new();
    let done = |action| audit::deed(Doer::Operator, action, Target::Nothing);
    let looked = |check: &str| {
        let seen = seen(&house.reports());
        seen.into_iter().find(|it| it.2 == check).map(|it| it.3)
    };
    house.note(&[
        done(Action::BackupDrilled),
        done(Action::BackupDrilled).with(Outcome::Failed),
        done(Action::RedteamRun).with(Outcome::Failed),
    ]);
    assert_eq!(looked("restores"), Some(Status::Met), "one was put back before");
    assert_eq!(looked("attacked"), Some(Status::Partly));
    let text: String = house.reports().iter().map(markdown).collect();
    assert!(text.contains("a backup was put back 1 times in this time, drills counted"), "{text}");
    assert!(text.contains("of 2 attacks in this time 1 did not end well"), "{text}");
}

#[test]
fn what_was_done_and_refused_stands_in_the_evidence() {
    let house = House::new();
    let text = || house.reports().iter().map(markdown).collect::<String>();
    let before = text();
    assert!(before.contains("person.forgotten: 0\n"), "{before}");
    assert!(before.contains("incident.opened: 0\n"));
    fill(&house);
    let after = text();
    for line in
        ["person.forgotten: 1, record ", "incident.opened: 1, record ", "incident-1: access, "]
    {
        assert!(after.contains(line), "{line}: {after}");
    }
    assert!(after.contains("1 incidents are not closed"), "{after}");
    let bare = |it: &Report| {
        it.controls.iter().all(|row| row.looked.iter().all(|l| l.answer.evidence.is_empty()))
    };
    let loaded = house.loaded();
    let facts = gather(&loaded, 90, SystemClock.now());
    assert!(bare(&report(Standard::Gdpr, &facts, false)), "evidence only where it is wanted");
    let later = Timestamp(SystemClock.now().0 + 91 * 86_400_000);
    let facts = gather(&loaded, 90, later);
    let text = markdown(&report(Standard::Gdpr, &facts, true));
    assert!(text.contains("person.forgotten: 0\n"), "too long ago to be counted: {text}");
    assert!(text.contains("incidents have waited for somebody"), "{text}");
}

/// Somebody tries what is not theirs again and again, and somebody is forgotten.
fn fill(house: &House) {
    let store = house.store();
    let log = Arc::new(audit::open(&house.loaded().config, &store).unwrap());
    let desk = Desk::before(log);
    let stranger = Doer::Person(PersonId(IDS[1]));
    let command = Target::Thing("agents".to_owned());
    for _ in 0..4 {
        desk.note(
            audit::deed(stranger, Action::CommandDenied, command.clone()).with(Outcome::Denied),
        );
    }
    let forgotten = audit::deed(Doer::Operator, Action::PersonForgotten, Target::Person(IDS[2]));
    kit::block_on(desk.record(forgotten)).unwrap();
    drop(desk);
    store.close().unwrap();
}

#[test]
fn report_2_no_id_of_a_person_is_in_a_report_in_any_format() {
    let house = House::new();
    fill(&house);
    for report in house.reports() {
        for text in [markdown(&report), html(&report), json(&report).unwrap()] {
            for id in IDS {
                assert!(!text.contains(&id.to_string()), "{:?}: {text}", report.standard);
            }
            assert!(!text.contains("person:"), "not even as a hash: {text}");
            assert!(!text.contains("aaaaaaaa") && !text.contains("sk-1"), "a secret: {text}");
        }
    }
}

#[test]
fn what_is_shown_is_escaped_and_holds_no_script() {
    let house = House::new();
    let reports = house.reports();
    let gdpr = reports.first().unwrap();
    let text = html(gdpr);
    assert!(text.contains("&lt;b&gt;eu&lt;/b&gt;"), "{text}");
    assert!(!text.contains("<b>") && !text.contains("<script") && !text.contains("http://"));
    assert!(text.contains("@media print"));
    assert!(markdown(gdpr).contains("\\<b>eu\\</b>"));
    let parsed: serde_json::Value = serde_json::from_str(&json(gdpr).unwrap()).unwrap();
    assert_eq!(parsed["standard"], "gdpr");
    let fields = parsed["controls"].as_array().unwrap();
    assert!(fields.iter().all(|it| it["status"].is_string() && it["id"].is_string()));
}

#[test]
fn what_a_running_hall_holds_is_not_known_and_not_guessed() {
    let mut house = House::new();
    house.set("access.auditors", None);
    house.set("budgets.hall.tokens_day", None);
    let store = house.store();
    let seen = seen(&house.reports());
    store.close().unwrap();
    for (standard, id, check) in [
        (Standard::Gdpr, "Art. 32", "roles"),
        (Standard::OwaspLlm, "LLM06", "caps"),
        (Standard::OwaspLlm, "LLM01", "rules"),
        (Standard::Soc2, "CC7.2", "hall"),
    ] {
        assert!(seen.contains(&(standard, id, check, Status::NotKnown)), "{id} {check}");
    }
    assert!(seen.contains(&(Standard::Gdpr, "Art. 32", "sealed", Status::Met)));
}

#[test]
fn a_changed_audit_log_is_told_and_nothing_is_read_from_it() {
    let house = House::new();
    let log = audit::place(&house.loaded().config).log;
    let mut bytes = fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&log, bytes).unwrap();
    let seen = seen(&house.reports());
    assert!(seen.contains(&(Standard::Gdpr, "Art. 30", "audit", Status::NotMet)));
    assert!(seen.contains(&(Standard::Gdpr, "Art. 17", "erasures", Status::NotKnown)));
    assert!(seen.contains(&(Standard::Gdpr, "Art. 17", "sealed", Status::Met)));
}

#[test]
fn a_place_where_no_hall_ever_stood_is_reported_on_too() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let text = format!("hall = {{ data_dir = {:?} }}", data.display().to_string());
    let loaded = load_text("", &text, &Env::new()).unwrap();
    let facts = gather(&loaded, 90, SystemClock.now());
    for standard in Standard::ALL {
        let report = report(standard, &facts, true);
        let met = report.controls.iter().filter(|it| it.status == Status::Met);
        let met: Vec<_> = met.map(|it| it.id).collect();
        assert!(met.len() <= 3, "{standard:?}: {met:?}");
    }
    assert!(!Path::new(&data).exists(), "looking makes nothing");
}

#[test]
fn every_control_has_an_id_of_its_own_and_says_who_does_it() {
    for standard in Standard::ALL {
        assert_eq!(standard.word().parse(), Ok(standard));
        let controls = controls::of(standard);
        let ids: BTreeSet<&str> = controls.iter().map(|it| it.id).collect();
        assert_eq!(ids.len(), controls.len());
        for control in controls {
            assert!(control.requires.ends_with('.'), "{}", control.id);
            assert!(!control.checks.is_empty() || !control.duty.is_empty(), "{}", control.id);
        }
    }
    let count = |it| controls::of(it).len();
    assert_eq!(Standard::ALL.map(count), [10, 11, 15, 10, 9]);
    assert!("iso".parse::<Standard>().is_err());
}
