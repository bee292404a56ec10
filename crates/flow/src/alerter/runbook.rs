//! Where it stands what to do about an alert: a page for each kind that is shipped.

use super::book::PLAYBOOK;

/// Where the pages are in the repository.
const IN_THE_REPOSITORY: &str = "docs/runbooks";
/// Kinds that the hall's own rules and actors report, with the name of the page where it is another.
pub const KINDS: [(&str, &str); 20] = [
    ("backup_failed", "backup_failed"),
    ("backup_old", "backup_old"),
    ("backup_overdue", "backup_overdue"),
    ("bot_refused", "bot_refused"),
    ("budget_nearly_used_up", "budget_nearly_used_up"),
    ("budget_used_up", "budget_used_up"),
    ("cost_spike", "cost_spike"),
    ("disk_full", "disk_full"),
    ("guard_blocks_spike", "guard_blocks_spike"),
    ("llm_errors", "llm_errors"),
    ("log_lines_lost", "log_lines_dropped"),
    ("no_poll", "no_poll"),
    ("poll", "poll"),
    ("quarantine", "quarantine"),
    ("quarantined", "quarantined"),
    ("restarts", "restarts"),
    ("session_quarantined", "session_quarantined"),
    ("slow_replies", "slow_replies"),
    ("store", "store"),
    ("tool_servers", "tool_servers"),
];

/// The page of a kind. Under an address of the operator's every kind has one, since their own rules have
/// pages there; of those in the repository only kinds that are shipped.
pub(super) fn of(base: Option<&str>, kind: &str) -> Option<String> {
    // One page is for all playbooks.
    if kind.starts_with(PLAYBOOK) {
        let base = base.map_or(IN_THE_REPOSITORY, |it| it.trim_end_matches('/'));
        return Some(format!("{base}/playbook-acted.md"));
    }
    let known = KINDS.iter().find(|(it, _)| *it == kind).map(|(_, page)| *page);
    let (base, page) = match (base, known) {
        (Some(base), known) => (base.trim_end_matches('/'), known.unwrap_or(kind)),
        (None, Some(page)) => (IN_THE_REPOSITORY, page),
        (None, None) => return None,
    };
    Some(format!("{base}/alert-{page}.md"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_leads_to_its_page_here_or_at_an_address_of_the_operators() {
        let here = |kind| of(None, kind);
        assert_eq!(here("no_poll").as_deref(), Some("docs/runbooks/alert-no_poll.md"));
        assert_eq!(
            here("log_lines_lost").as_deref(),
            Some("docs/runbooks/alert-log_lines_dropped.md")
        );
        assert_eq!(
            here("playbook_data_exfiltration").as_deref(),
            Some("docs/runbooks/playbook-acted.md")
        );
        assert_eq!(here("my_own_rule"), None);
        let there = |kind| of(Some("https://ops.example.org/hall/"), kind);
        assert_eq!(
            there("my_own_rule").as_deref(),
            Some("https://ops.example.org/hall/alert-my_own_rule.md")
        );
        let names: Vec<&str> = super::super::rules::shipped()
            .into_iter()
            .filter_map(|rule| KINDS.iter().find(|(it, _)| *it == rule.name).map(|(it, _)| *it))
            .collect();
        assert_eq!(names.len(), super::super::rules::shipped().len(), "{names:?}");
    }
}
