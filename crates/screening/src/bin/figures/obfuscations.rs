//! What is left of the screen's catch when attacks are disguised, and what looking behind
//! disguises costs in false alarms.

use screening::{Judgement, Limits, Policy, Screen, Verdict};

use crate::{
    Args, Outcome,
    disguises::DISGUISES,
    texts::{self, Labelled},
};

/// Attacks to disguise. Fewer say little.
const ATTACKS_MIN: usize = 500;
/// Longer attacks are left out: some disguises make ten characters of one.
const ATTACK_BYTES_MAX: usize = 4_000;
/// The share of caught attacks that must still be caught, over all disguises.
const CAUGHT_MIN: f64 = 0.9;
/// The share of harmless texts that may be found guilty only by what was decoded in them.
const ALARMS_MAX: f64 = 0.001;

#[expect(clippy::print_stdout, reason = "the figures are the program's output")]
pub(crate) fn run(args: &Args) -> Outcome {
    let texts = texts::read(&args.data)?;
    let unlimited = Limits { chars_max: usize::MAX, ..Limits::default() };
    let screen = Screen::new(Policy { limits: unlimited, ..Policy::default() })?;
    let blind = Limits { decode_depth_max: 0, ..unlimited };
    let blind = Screen::new(Policy { limits: blind, ..Policy::default() })?;

    let is_plain = |text: &Labelled| text.text.is_ascii() && text.text.len() <= ATTACK_BYTES_MAX;
    let attacks: Vec<&str> = texts
        .iter()
        .filter(|text| text.is_attack() && is_plain(text) && is_caught(&blind.inbound(&text.text)))
        .map(|text| text.text.as_str())
        .collect();
    if attacks.len() < ATTACKS_MIN {
        return Err(format!("only {} attacks are caught plainly", attacks.len()).into());
    }
    println!("{} attacks that are caught as they are written.\n", attacks.len());
    println!(
        "| disguise | caught | drop | refused | caught without decoding |\n|---|---|---|---|---|"
    );
    let share = |count: usize| count as f64 / attacks.len() as f64;
    let mut sum = 0.0;
    for (name, disguise) in DISGUISES {
        let disguised: Vec<String> = attacks.iter().map(|attack| disguise(attack)).collect();
        let count = |screen: &Screen, test: fn(&Judgement<'_>) -> bool| {
            disguised.iter().filter(|text| test(&screen.inbound(text))).count()
        };
        let caught = share(count(&screen, is_caught));
        let refused = share(count(&screen, |it| it.verdict == Verdict::Refuse));
        let before = share(count(&blind, is_caught));
        sum += caught;
        println!(
            "| {name} | {:.1}% | {:.1}% | {:.1}% | {:.1}% |",
            caught * 100.0,
            (1.0 - caught) * 100.0,
            refused * 100.0,
            before * 100.0
        );
    }
    let mean = sum / DISGUISES.len() as f64;
    println!(
        "| **mean of {}** | **{:.1}%** | {:.1}% | | |",
        DISGUISES.len(),
        mean * 100.0,
        (1.0 - mean) * 100.0
    );
    let alarms = alarms(&texts, &screen, &blind);
    Ok(CAUGHT_MIN <= mean && alarms <= ALARMS_MAX)
}

fn is_caught(judgement: &Judgement<'_>) -> bool {
    judgement.findings.iter().any(|finding| finding.kind.is_attack())
}

/// The share of harmless texts that are found guilty, or flagged for their form, only by what
/// this screen decodes in them.
#[expect(clippy::print_stdout, reason = "the figures are the program's output")]
fn alarms(texts: &[Labelled], screen: &Screen, blind: &Screen) -> f64 {
    let harmless: Vec<_> = texts.iter().filter(|text| !text.is_attack()).collect();
    let differs = |text: &&&Labelled| {
        screen.inbound(&text.text).findings != blind.inbound(&text.text).findings
    };
    let more = harmless.iter().filter(differs).count();
    let share = more as f64 / harmless.len() as f64;
    println!(
        "\nHarmless texts in which only decoding finds something: {more} of {} ({:.3}%).",
        harmless.len(),
        share * 100.0
    );
    share
}
