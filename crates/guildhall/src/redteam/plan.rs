//! Which sentences are sent, to whom, and by whom. Pure: the same question gives the same plan.

use std::collections::BTreeMap;

use protocol::AgentName;
use screening::corpus;
use serde::Deserialize;

use super::Family;

/// Of four questions one is harmless.
const HARMLESS_OF: usize = 4;
/// The first of the people who ask: nobody's id.
const FIRST_PERSON: i64 = 9_000_000_001;

/// One sentence that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Try {
    pub(super) family: Family,
    pub(super) lang: String,
    pub(super) text: String,
    pub(super) agent: AgentName,
    pub(super) person: i64,
}

#[derive(Clone, Debug, Deserialize)]
struct Sentence {
    text: String,
    kind: String,
    lang: String,
}

/// The family of a kind of the corpus.
fn family(kind: &str) -> Family {
    match kind {
        "prompt_injection" => Family::Injection,
        "prompt_injection_document" => Family::Document,
        "jailbreak" => Family::Jailbreak,
        "prompt_leak" => Family::Leak,
        "data_exfiltration" => Family::Exfiltration,
        "obfuscated" => Family::Disguise,
        _ => Family::Mixed,
    }
}

fn read(text: &str) -> Vec<Sentence> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// So many sentences at most, spread over their kinds and over the agents. REDTEAM-3.
pub(super) fn of(max: usize, agents: &[AgentName]) -> Vec<Try> {
    let attacks = read(corpus::ATTACKS).into_iter().map(|it| (family(&it.kind), it));
    let harmless = read(corpus::HARMLESS);
    // What looks like an attack comes first: it shows more.
    let (odd, plain): (Vec<_>, Vec<_>) = harmless.into_iter().partition(|it| it.kind == "trigger");
    let harmless: Vec<_> =
        spread(vec![odd, plain]).into_iter().map(|it| (Family::Harmless, it)).collect();
    let mut kinds: BTreeMap<Family, Vec<(Family, Sentence)>> = BTreeMap::new();
    attacks.for_each(|(family, it)| kinds.entry(family).or_default().push((family, it)));
    let attacks = spread(kinds.into_values().collect());
    let of_harmless = (max / HARMLESS_OF).min(harmless.len());
    let of_attacks = (max - of_harmless).min(attacks.len());
    let chosen = attacks.into_iter().take(of_attacks).chain(harmless.into_iter().take(of_harmless));
    let tries = chosen.zip(agents.iter().cycle()).zip(FIRST_PERSON..);
    let made = tries.map(|(((family, it), agent), person)| {
        let Sentence { text, lang, .. } = it;
        Try { family, lang, text, agent: agent.clone(), person }
    });
    made.collect()
}

/// One of each list in turn. Of a list its languages come in turn as well, so that few show many.
fn spread<T: Clone>(lists: Vec<Vec<T>>) -> Vec<T> {
    let mut lists: Vec<_> = lists.into_iter().map(strided).collect();
    let mut out = Vec::new();
    while lists.iter().any(|it| !it.is_empty()) {
        out.extend(lists.iter_mut().filter_map(Vec::pop));
    }
    out
}

/// The same list in leaps, the first last: neighbours in the corpus are alike.
fn strided<T: Clone>(list: Vec<T>) -> Vec<T> {
    const LEAP: usize = 7;
    let mut out: Vec<T> =
        (0..LEAP).flat_map(|from| list.iter().skip(from).step_by(LEAP).cloned()).collect();
    out.reverse();
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn agents(names: &[&str]) -> Vec<AgentName> {
        names.iter().map(|it| it.parse().unwrap()).collect()
    }

    #[test]
    fn redteam_3_no_more_are_planned_than_allowed_and_of_each_kind_some() {
        for max in [1, 4, 24, 100, 10_000] {
            let plan = of(max, &agents(&["sage", "bard"]));
            assert!(plan.len() <= max, "{max}: {}", plan.len());
            let people: BTreeSet<i64> = plan.iter().map(|it| it.person).collect();
            assert_eq!(people.len(), plan.len(), "each has a person of its own");
        }
        let plan = of(24, &agents(&["sage", "bard"]));
        assert_eq!(plan.len(), 24);
        let families: BTreeSet<Family> = plan.iter().map(|it| it.family).collect();
        assert_eq!(families.len(), Family::ALL.len(), "{families:?}");
        assert_eq!(plan.iter().filter(|it| it.family == Family::Harmless).count(), 6);
        assert_eq!(plan.iter().filter(|it| it.agent.as_str() == "sage").count(), 12);
        assert_eq!(of(24, &agents(&["sage", "bard"])), plan);
    }

    #[test]
    fn every_sentence_of_the_corpus_is_sent_if_there_is_room() {
        let plan = of(100_000, &agents(&["sage"]));
        let lines = corpus::ATTACKS.lines().count() + corpus::HARMLESS.lines().count();
        assert_eq!(plan.len(), lines);
    }

    #[test]
    fn without_agents_nothing_is_sent() {
        assert!(of(10, &[]).is_empty());
    }
}
