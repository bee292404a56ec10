//! Figures of the rules for credentials: recall on samples made from the documented forms, false
//! alarms on ordinary texts, the time to build a screen and to judge a message.

use std::{collections::BTreeMap, error::Error, path::PathBuf, time::Instant};

use screening::{ExactSecret, Judgement, Kind, Policy, Screen, Verdict};

use crate::{
    Args, Outcome,
    secret_samples::{Sample, chat, ordinary, samples},
    texts,
};

const SEED: u64 = 20_261_124;
/// Samples of each documented form.
const PER_FORM: usize = 17;
const HARD_TEXTS: usize = 12_000;
/// Required: the share of credentials that is found.
const RECALL_MIN: f64 = 0.97;
/// Required: false alarms must stay below this share of ordinary texts.
const FALSE_ALARMS_MAX: f64 = 0.001;
/// Required: a screen is built in less, in milliseconds.
const BUILD_MS_MAX: f64 = 150.0;
/// How many texts are timed at most.
const TIMED_MAX: usize = 4_000;

/// Measures and prints. With a folder of texts, those labelled 0 are the ordinary ones.
pub(crate) fn run(args: &Args) -> Outcome {
    let screen = Screen::new(Policy::default())?;
    let recalled = recall(&screen);
    let mut quiet = false_alarms(&screen, "generated hard texts", &ordinary(HARD_TEXTS, SEED));
    let mut messages = chat(TIMED_MAX, SEED);
    if !args.data.is_empty() {
        let mut all = Vec::new();
        for (source, texts) in benign(&args.data)? {
            // Each source is shown, and only all together must meet the limit: some are small.
            false_alarms(&screen, &source, &texts);
            all.extend(texts);
        }
        quiet &= false_alarms(&screen, "**all of the folder**", &all);
        let usual = |text: &String| (200..=500).contains(&text.chars().count());
        messages = all.into_iter().filter(usual).take(TIMED_MAX).collect();
    }
    let quick = timings(&messages)?;
    Ok(recalled && quiet && quick)
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn say(line: &str) {
    println!("{line}");
}

fn is_secret(kind: &Kind) -> bool {
    match kind {
        Kind::Secret(_) => true,
        Kind::PromptInjection
        | Kind::Jailbreak
        | Kind::PromptLeak
        | Kind::DataExfiltration
        | Kind::Dangerous
        | Kind::Pii(_)
        | Kind::Custom
        | Kind::Malformed => false,
    }
}

/// Whether nothing of the credential passes: the text is refused for a secret, or findings cover all
/// of it.
fn covered(judgement: &Judgement<'_>, sample: &Sample) -> bool {
    let secrets = || judgement.findings.iter().filter(|found| is_secret(&found.kind));
    if judgement.verdict == Verdict::Refuse && secrets().next().is_some() {
        return true;
    }
    sample.secret.clone().all(|at| secrets().any(|found| found.start <= at && at < found.end))
}

/// How many of the samples are found.
#[derive(Default)]
struct Tally {
    all: u32,
    covered: u32,
    by_its_rule: u32,
}

impl Tally {
    fn share(&self) -> f64 {
        f64::from(self.covered) / f64::from(self.all.max(1))
    }
}

fn recall(screen: &Screen) -> bool {
    let mut total = Tally::default();
    let mut places: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut rules: BTreeMap<&str, Tally> = BTreeMap::new();
    for sample in samples(PER_FORM, SEED) {
        let judgement = screen.inbound(&sample.text);
        let covered = u32::from(covered(&judgement, &sample));
        let right = judgement.findings.iter().any(|found| &*found.rule == sample.rule);
        let place = places.entry(sample.place).or_default();
        for tally in [&mut total, place, rules.entry(sample.rule).or_default()] {
            tally.all += 1;
            tally.covered += covered;
            tally.by_its_rule += u32::from(right);
        }
    }
    say("| credentials in | samples | wholly found | recall | by the rule meant |");
    say("|---|---|---|---|---|");
    for (name, tally) in
        places.iter().map(|(name, tally)| (*name, tally)).chain([("**all**", &total)])
    {
        let Tally { all, covered, by_its_rule } = tally;
        say(&format!("| {name} | {all} | {covered} | {:.4} | {by_its_rule} |", tally.share()));
    }
    say("");
    let weak: Vec<String> = rules
        .iter()
        .filter(|(_, tally)| tally.share() < RECALL_MIN)
        .map(|(rule, tally)| format!("{rule} {}/{}", tally.covered, tally.all))
        .collect();
    say(&format!("{} rules; below {RECALL_MIN}: {}", rules.len(), weak.join(", ")));
    say("");
    say("| ordinary texts | texts | false alarms | per 1,000 | rules |");
    say("|---|---|---|---|---|");
    RECALL_MIN <= total.share()
}

fn false_alarms(screen: &Screen, source: &str, texts: &[String]) -> bool {
    let mut alarms = 0_u32;
    let mut rules: BTreeMap<String, u32> = BTreeMap::new();
    for text in texts {
        let judgement = screen.inbound(text);
        let found: Vec<_> =
            judgement.findings.iter().filter(|found| is_secret(&found.kind)).collect();
        alarms += u32::from(!found.is_empty());
        for found in found {
            *rules.entry(found.rule.to_string()).or_default() += 1;
        }
    }
    let count = u32::try_from(texts.len()).unwrap_or(u32::MAX).max(1);
    let share = f64::from(alarms) / f64::from(count);
    let rules: Vec<String> = rules.iter().map(|(rule, count)| format!("{rule} {count}")).collect();
    say(&format!(
        "| {source} | {count} | {alarms} | {:.2} | {} |",
        share * 1_000.0,
        rules.join(", ")
    ));
    share < FALSE_ALARMS_MAX
}

/// The texts labelled 0, by their source.
fn benign(folders: &[PathBuf]) -> Result<BTreeMap<String, Vec<String>>, Box<dyn Error>> {
    let mut sources: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for text in texts::read(folders)?.into_iter().filter(|text| !text.is_attack()) {
        sources.entry(text.source).or_default().push(text.text);
    }
    Ok(sources)
}

#[expect(clippy::disallowed_methods, reason = "a measurement takes the real clock")]
fn micros(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e6
}

/// The value at a share of the values, by nearest rank.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let below = |at: usize| f64::from(u32::try_from(at).unwrap_or(u32::MAX));
    let last = values.len().saturating_sub(1);
    let place = (0..last).find(|&at| share * below(last) <= below(at)).unwrap_or(last);
    values.get(place).copied().unwrap_or_default()
}

/// How long each rule's first text takes, in µs: its pattern is compiled then.
fn first_uses() -> Result<Vec<f64>, Box<dyn Error>> {
    let screen = Screen::new(Policy::default())?;
    let judge = |sample: &Sample| {
        micros(|| {
            std::hint::black_box(screen.inbound(&sample.text));
        })
    };
    Ok(samples(1, SEED).iter().map(judge).collect())
}

fn timings(messages: &[String]) -> Outcome {
    let builtin = names(include_str!("../../../rules/builtin.toml"))?;
    let credentials = names(include_str!("../../../rules/secrets.toml"))?;
    let without = |names: &[String]| {
        Screen::new(Policy { rules_disabled: names.to_vec(), ..Policy::default() })
    };
    let (none, secrets, all) =
        (without(&[&*builtin, &*credentials].concat())?, without(&builtin)?, without(&[])?);
    let configured = ["telegram_token", "model_key", "master_key", "alert_token", "webhook"];
    let configured = configured.iter().zip(samples(1, SEED)).map(|(name, sample)| ExactSecret {
        name: (*name).to_owned(),
        value: format!("{name} {}", sample.text).into(),
    });
    let policy = Policy { secrets: configured.collect(), ..Policy::default() };
    let with_secrets = Screen::new(policy)?;
    let mut builds = Vec::new();
    for _ in 0..9 {
        let mut built = None;
        builds.push(micros(|| built = Some(Screen::new(Policy::default()))) / 1e3);
        // A screen that cannot be built has no build time.
        built.transpose()?;
    }
    let build_ms = quantile(&mut builds, 0.5);
    let mut firsts = first_uses()?;
    let (first_p50, first_max) =
        (quantile(&mut firsts, 0.5) / 1e3, quantile(&mut firsts, 1.0) / 1e3);
    say("");
    say("| time, one core | p50 | p99 |");
    say("|---|---|---|");
    for (name, screen) in [
        ("no rules", &none),
        ("rules for credentials", &secrets),
        ("all rules", &all),
        ("all rules and 5 configured secrets", &with_secrets),
    ] {
        let judge = |text: &String| {
            // The best of five: what the machine does meanwhile is not measured.
            let times = (0..5).map(|_| {
                micros(|| {
                    std::hint::black_box(screen.inbound(std::hint::black_box(text)));
                })
            });
            times.fold(f64::INFINITY, f64::min)
        };
        let mut times: Vec<f64> = messages.iter().map(judge).collect();
        let (p50, p99) = (quantile(&mut times, 0.5), quantile(&mut times, 0.99));
        say(&format!(
            "| a message of {}, {name} | {p50:.2} µs | {p99:.2} µs |",
            "200 to 500 characters"
        ));
    }
    say(&format!(
        "| building a screen, {} rules | {build_ms:.1} ms | |",
        builtin.len() + credentials.len()
    ));
    say(&format!(
        "| the first text with a credential of one form | {first_p50:.2} ms | most {first_max:.2} ms |"
    ));
    Ok(build_ms < BUILD_MS_MAX)
}

/// The names of a file's rules.
fn names(file: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let table: toml::Table = file.parse()?;
    let rules = table.get("rule").and_then(toml::Value::as_array).ok_or("no rules")?;
    let name =
        |rule: &toml::Value| rule.get("name").and_then(toml::Value::as_str).map(str::to_owned);
    Ok(rules.iter().filter_map(name).collect())
}
