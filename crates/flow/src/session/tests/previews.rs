//! What is seen of an answer while it is written: nothing that does not pass at the end.

use proptest::prelude::*;

use super::*;

const KEY_TEXT: &str = "AKIAIOSFODNN7EXAMPLQ";
const CANARY: &str = "gh-0123456789ab";
const CARD: &str = "4111 1111 1111 1111";
const INSTRUCTIONS: &str = "You are the keeper of the seventh lighthouse. Speak only of ships, never \
                            of the treasure under the third stair, and greet with ahoy. Whoever asks \
                            for the lamp is sent to the harbour master in the old town hall.";
/// What must be seen in no form and in no part, whether the rest of the answer passes or not.
const HIDDEN: [&str; 7] =
    ["AKIAIO", "gh-012", "BEGIN PRI", "MIIEvQ", "4111", "41 4B 49", "the treasure under the third"];

/// A piece of an answer: words, or something that must not be seen.
fn piece() -> impl Strategy<Value = String> {
    let block = format!(
        "\n-----BEGIN PRIVATE KEY-----\n{}-----END PRIVATE KEY-----\n",
        format!("MIIEvQ{}\n", "IBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDExample").repeat(33)
    );
    let web_key = format!(
        "{{\"kty\":\"RSA\", {} \"d\":\"{}\"}} ",
        "\"n\": 1, ".repeat(250),
        "Qx7".repeat(30)
    );
    let hex = KEY_TEXT.bytes().map(|it| format!("{it:02X} ")).collect::<String>();
    prop_oneof![
        6 => "([a-z]{1,9} ){3,12}",
        3 => Just("The weather is fine, and everybody goes for a walk.\n".to_owned()),
        2 => Just("Your card [CREDIT_CARD_1] is fine. ".to_owned()),
        1 => (0_usize..30, 4_usize..30).prop_map(|(from, count)| {
            let words = INSTRUCTIONS.split(' ').skip(from).take(count).collect::<Vec<_>>();
            format!("{} ", words.join(" "))
        }),
        1 => Just(format!("the key is {KEY_TEXT} ")),
        1 => Just("AK\u{200B}IAIOSFODNN7EXAMPLQ ".to_owned()),
        1 => Just(hex),
        1 => Just(format!("({CANARY}) ")),
        1 => Just(block),
        1 => Just(web_key),
        1 => Just(format!("pay with {CARD}. ")),
        1 => Just(format!("4111{}1111 1111 1111 ", " ".repeat(300))),
        1 => Just("x".repeat(300) + " "),
        1 => Just("\u{200D}\u{AD} \t  \u{202E}".to_owned()),
    ]
}

/// The previews of an answer that is written in these steps, and its messages.
fn written(answer: &str, borders: &[usize]) -> (Vec<String>, Vec<String>) {
    let context = OutboundContext::new(Some("sage".to_owned()), INSTRUCTIONS);
    let context = context.with_canary(CANARY).unwrap();
    let mut world = World::new(KEY, config());
    world.events.push(Event::NoticeShown);
    world.folded.noticed = true;
    world.session = Session::new(KEY, Arc::clone(&world.config), world.folded.clone());
    let mut previews = Vec::new();
    let mut tell = |world: &mut World, input: Input| {
        let effects = world.session.step(input, &world.view);
        previews.extend(effects.iter().filter_map(|it| match it {
            Effect::Preview(_, draft) => Some(draft.get().0.clone()),
            _ => None,
        }));
        effects
    };
    let question = Some(Inbound::Said(said(GUEST, &format!("My card is {CARD}."))));
    let (update, at) = (UpdateId(1), Timestamp(0));
    let entries = vec![Entry { update, at, inbound: question, reference: RefId(1), own: None }];
    let effects = tell(&mut world, Input::Arrived { entries, recovered: false, now: at });
    let Some(Effect::ScreenPrompt(_, prompt, agent)) = effects.into_iter().next() else {
        panic!("the question is not judged")
    };
    let (verdict, hidden) = guard::screen_prompt(&SCREEN, prompt, &agent);
    tell(&mut world, Input::PromptJudged(update, verdict, hidden));
    for border in borders {
        let so_far: String = answer.chars().take(*border).collect();
        for effect in tell(&mut world, Input::Ticked(update, Some(so_far))) {
            if let Effect::ScreenPreview(_, draft, _) = effect {
                let verdict = guard::screen_preview(&SCREEN, draft, &context, true);
                tell(&mut world, Input::PreviewJudged(update, verdict));
            }
        }
    }
    let effects = tell(&mut world, Input::Completed(update, Ok(completion(answer))));
    let Some(Effect::ScreenDraft(_, draft, _)) = effects.into_iter().next() else {
        panic!("the answer is not judged")
    };
    let verdict = guard::screen_answer(&SCREEN, draft, &context, true);
    let effects = tell(&mut world, Input::DraftJudged(update, verdict));
    let sent = effects.iter().filter_map(|it| match it {
        Effect::Deliver { what, .. } => Some(plain(what)),
        _ => None,
    });
    (previews, sent.collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn every_preview_is_a_beginning_of_the_answer_or_holds_nothing_of_what_was_refused(
        pieces in prop::collection::vec(piece(), 1..6),
        borders in prop::collection::btree_set(1_usize..=1_000, 24..=48),
    ) {
        let answer = pieces.concat();
        let chars = answer.chars().count();
        let borders: Vec<usize> = borders.into_iter().map(|it| chars * it / 1_000).collect();
        let (previews, sent) = written(&answer, &borders);
        let [sent] = sent.as_slice() else { panic!("one message: {sent:?}") };
        let is_refused = sent.starts_with("The answer was held back");
        for preview in &previews {
            let is_beginning = is_refused || sent.starts_with(preview.as_str());
            prop_assert!(is_beginning, "seen: {preview:?}\nsent: {sent:?}");
            let own = preview.replace(CARD, "");
            for hidden in HIDDEN {
                prop_assert!(!own.contains(hidden), "{hidden} was seen: {preview:?}");
            }
        }
    }
}

#[test]
fn of_an_answer_that_is_refused_at_the_end_what_refuses_it_was_never_seen() {
    let harmless = "The weather is fine, and everybody goes for a walk.\n".repeat(20);
    let answer = format!("{harmless}Here is what I was told: {INSTRUCTIONS} {CANARY} And so on.");
    let borders: Vec<usize> = (1..answer.len()).step_by(37).collect();
    let (previews, sent) = written(&answer, &borders);
    assert!(sent[0].starts_with("The answer was held back"), "{sent:?}");
    let last = previews.last().unwrap();
    assert!(5 < previews.len() && harmless.len() / 2 < last.len(), "{last}");
    assert!(previews.iter().all(|it| answer.starts_with(it.as_str())));
    assert!(!last.contains("keeper") && !last.contains("lighthouse"), "{last}");
}

#[test]
fn a_long_answer_without_anything_to_hide_is_seen_while_it_is_written() {
    let answer = "The weather is fine, and everybody goes for a walk.\n".repeat(30);
    let borders: Vec<usize> = (1..answer.len()).step_by(100).collect();
    let (previews, sent) = written(&answer, &borders);
    assert!(10 < previews.len(), "{}", previews.len());
    let last = previews.last().unwrap();
    assert!(sent[0].starts_with(last.as_str()) && sent[0].len() - last.len() < 400);
}
