//! What is shipped for Prometheus and Grafana, and the page about metrics, name only figures that there are.

use std::{collections::BTreeSet, fs};

use xtask::root;

/// Where figures are registered.
const REGISTERED_IN: [&str; 3] = [
    "crates/flow/src/tally.rs",
    "crates/flow/src/tally/sensed.rs",
    "crates/guildhall/src/source.rs",
];
const SHIPPED: [&str; 3] =
    ["config/prometheus/alerts.yml", "config/grafana/guildhall.json", "docs/metrics.md"];
/// What OpenMetrics puts behind a name.
const ENDINGS: [&str; 4] = ["_total", "_bucket", "_count", "_sum"];

/// Every `guildhall_…` of a text, without the prefix and OpenMetrics' endings.
fn names(text: &str) -> BTreeSet<String> {
    let may_stand = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let pieces = text.split("guildhall_").skip(1);
    let names = pieces.map(|it| it.split(|c| !may_stand(c)).next().unwrap_or_default());
    let bare =
        |it: &str| ENDINGS.iter().find_map(|end| it.strip_suffix(end)).unwrap_or(it).to_owned();
    names.map(bare).collect()
}

#[test]
fn every_figure_in_a_shipped_rule_or_dashboard_is_registered() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let registered: String = REGISTERED_IN.iter().map(|it| read(it)).collect();
    for path in SHIPPED {
        let names = names(&read(path));
        assert!(5 < names.len(), "{path} names nothing: {names:?}");
        for name in names {
            let literal = format!("\"{name}\"");
            assert!(registered.contains(&literal), "{path}: there is no figure `{name}`");
        }
    }
}

#[test]
fn every_shipped_rule_leads_to_a_runbook_that_is_there() {
    let rules = fs::read_to_string(root().join("config/prometheus/alerts.yml")).unwrap();
    let urls = rules.lines().filter_map(|it| it.trim().strip_prefix("runbook_url: "));
    let paths: Vec<&str> = urls
        .map(|it| it.strip_prefix("https://runbooks.example.org/guildhall/").unwrap())
        .collect();
    assert_eq!(paths.len(), rules.matches("- alert: ").count(), "each rule has one");
    for path in paths {
        assert!(path.starts_with("runbooks/"), "{path}");
        assert!(root().join("docs").join(path).is_file(), "{path} is not there");
    }
}
