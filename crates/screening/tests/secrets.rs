//! The rules for credentials on samples of every documented form and on texts that only look like
//! credentials: what `guard-figures secrets` measures at length, small enough for every run.

#[path = "../src/bin/figures/secret_samples.rs"]
mod secret_samples;

use std::collections::BTreeSet;

use screening::{Judgement, Kind, Policy, Screen, Verdict};
use secret_samples::{chat, ordinary, samples};

const SEED: u64 = 7;

#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn screen() -> Screen {
    Screen::new(Policy::default()).unwrap()
}

fn secrets_found(judgement: &Judgement<'_>) -> Vec<String> {
    let secrets = judgement.findings.iter().filter(|found| matches!(found.kind, Kind::Secret(_)));
    secrets.map(|found| found.rule.to_string()).collect()
}

#[test]
fn at_least_97_in_100_credentials_do_not_pass() {
    let screen = screen();
    let samples = samples(2, SEED);
    let passes = |sample: &&secret_samples::Sample| {
        let judgement = screen.inbound(&sample.text);
        let secret = &sample.text[sample.secret.clone()];
        judgement.verdict != Verdict::Refuse && judgement.text.contains(secret)
            || secrets_found(&judgement).is_empty()
    };
    let missed: Vec<String> = samples
        .iter()
        .filter(passes)
        .map(|sample| format!("{} in {}: {}", sample.rule, sample.place, sample.text))
        .collect();
    assert!(700 <= samples.len());
    assert!(missed.len() * 100 <= samples.len() * 3, "{}", missed.join("\n"));
}

#[test]
fn every_rule_for_credentials_has_a_documented_form_and_finds_it() {
    let screen = screen();
    let samples = samples(3, SEED + 1);
    let mut found = BTreeSet::new();
    for sample in &samples {
        found.extend(secrets_found(&screen.inbound(&sample.text)));
    }
    let rules = include_str!("../rules/secrets.toml");
    let names = rules.lines().filter_map(|line| line.strip_prefix("name = "));
    let names: Vec<&str> = names.map(|name| name.trim_matches('"')).collect();
    assert!(150 <= names.len());
    let silent: Vec<_> = names.iter().filter(|name| !found.contains(**name)).collect();
    assert!(silent.is_empty(), "{silent:?}");
}

#[test]
fn what_only_looks_like_a_credential_passes() {
    let screen = screen();
    for text in ordinary(600, SEED).into_iter().chain(chat(100, SEED)) {
        let found = secrets_found(&screen.inbound(&text));
        assert!(found.is_empty(), "{found:?}: {text}");
    }
}

#[test]
fn only_the_credential_is_redacted_and_the_name_stays() {
    let screen = screen();
    for (text, passed) in [
        (
            "DD_API_KEY=3babe8e171ed78114bb0f721dae0bede # monitoring",
            "DD_API_KEY=[SECRET] # monitoring",
        ),
        ("the wifi password is Tulips42! ok?", "the wifi password is [SECRET] ok?"),
        (
            "jdbc:mysql://db/app?user=app&password=k3Vn8sPq and that is all",
            "jdbc:mysql://db/app?user=app&password=[SECRET] and that is all",
        ),
    ] {
        let judgement = screen.inbound(text);
        assert_eq!(judgement.text, passed);
        assert_eq!(judgement.verdict, Verdict::Redact);
    }
}
