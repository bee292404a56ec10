//! What the demo needs to show agents that work together, and what people can send besides words: sentences
//! to try, one click each, and what the scripted model says and calls then.
//!
//! A model inside the process is never offered tools. Where one answers, the sentences that need tools go to
//! the steward, an agent of the demo's own with the scripted model.

use std::{fs, io, path::Path};

use rehearsal::{
    Suggestion, Tip,
    models::{Rule, Script},
};
use serde_json::json;

/// The agent, as a file of its own beside those of the house.
const STEWARD: &str = include_str!("steward.toml");
/// What the questions are recognised by, on their way to the scripted model.
const MUTEX: &str = "what a mutex is";
const EXAMPLE: &str = "Show a mutex in a few lines of Rust.";
const PARSER: &str = "Who helps me with a parser";
const NOTE: &str = "Put into one sentence: somebody writes a parser for dates.";
const DRINK: &str = "Tea or coffee";
/// What whoever sums up a panel is asked.
const SUMMING_UP: &str = "Do not answer it yourself";
const BREAD: &str = "keep bread fresh";
const CAKE: &str = "Who brings the cake";
const LEASE: &str = "When does the lease end";
const TABLE: &str = "Compare tea and coffee in a table";

/// Who is asked where tools are needed.
const fn asked(is_embedded: bool) -> &'static str {
    if is_embedded { "steward" } else { "sage" }
}

/// Sentences for the chat page. `is_embedded`: a model inside the process answers.
pub(super) fn suggestions(is_embedded: bool) -> Vec<Suggestion> {
    let with = |label: &str, text: String, file: Option<&str>| Suggestion {
        label: label.to_owned(),
        text,
        shows: "Agents and media".to_owned(),
        file: file.map(str::to_owned),
    };
    let say = |label: &str, text: &str| with(label, text.to_owned(), None);
    let ask =
        |label: &str, text: &str| with(label, format!("/ask {} {text}", asked(is_embedded)), None);
    vec![
        ask("🗣 One asks another", "Explain what a mutex is, and have the coder show one."),
        ask("✋ Your word is needed", "Who helps me with a parser for dates?"),
        say("👥 Panel", "/panel Tea or coffee in the morning?"),
        say("⏰ Reminder", "/remind in 20 seconds take the bread out"),
        with("🎙 Voice message", String::new(), Some("voice.ogg")),
        with("📄 Text file", "Who brings the cake?".to_owned(), Some("plan.txt")),
        with("📑 PDF", "When does the lease end?".to_owned(), Some("lease.pdf")),
        say("🗂 My files", "/files"),
        ask("📊 Table", "Compare tea and coffee in a table."),
        say("🌍 Language", "/language"),
    ]
}

/// What the scripted model says to them, and what it calls before.
pub(super) fn scripts() -> Vec<Script> {
    let drink = |agent: &str, answer| Script::new(DRINK, answer).instructed(agent);
    vec![
        Script::new(
            MUTEX,
            "A **mutex** lets one thread at a time at what several share: lock it, use it, \
                            let it go. The coder’s example is folded below.",
        )
        .calling("ask_agent", json!({"agent": "coder", "question": EXAMPLE})),
        // What another agent said is text of strangers: from then on every change needs the person's word.
        Script::new(PARSER, "The coder helps you with that.")
            .calling("ask_agent", json!({"agent": "scribe", "question": NOTE}))
            .calling(
                "hand_over",
                json!({"agent": "coder", "note": "They write a parser for dates."}),
            ),
        Script::new(
            SUMMING_UP,
            "They agree on something warm. Sage looks at how you slept, coder at the \
                                 clock, and scribe would not choose for you.",
        ),
        drink(
            "You are Sage",
            "**Tea**, if you slept well: it wakes you more gently. It depends on the night.",
        ),
        drink(
            "You are Coder",
            "**Coffee** until noon, tea after it:\n```python\nhour < 12 and \"coffee\" or \"tea\"\n```",
        ),
        drink(
            "You are Scribe",
            "Either. Write down for a week which one your mornings like better.",
        ),
    ]
}

/// What it says where nothing is called.
pub(super) fn rules() -> Vec<Rule> {
    let rule = |contains: &str, answer: &str| Rule {
        contains: contains.to_owned(),
        answer: answer.to_owned(),
    };
    vec![
        rule(
            EXAMPLE,
            "Wrap what is shared: Mutex::new(0). Whoever calls lock() has it alone, until what that gave \
             goes out of scope. I have not run it.",
        ),
        rule(NOTE, "Somebody writes a parser for dates and would like help."),
        rule(
            BREAD,
            "Keep it in a **bread box** or a paper bag, never in the fridge; freeze what you will not \
                     eat within three days.",
        ),
        rule(CAKE, "**Ben** brings it: the chocolate cake."),
        rule(LEASE, "It ends on **31 May** of the year after it began."),
        rule(
            TABLE,
            "## Tea or coffee\n\n| | Tea | Coffee |\n|:--|:-:|:-:|\n| Wakes you | gently | at once |\n\
             | Goes with | *cake* | **bread** |\n| After noon | yes | better not |\n\n\
             - In the morning:\n  - coffee, if you are late\n  - tea, if you are not",
        ),
    ]
}

/// Things to try, for a newcomer.
pub(super) fn tips(is_embedded: bool) -> Vec<Tip> {
    let tip = |title, text| Tip { title, text };
    let together = if is_embedded {
        "Choose Agents and media under a chat. The small model inside the process is never offered tools, so \
         that steward, whose model is a script, asks the others here; they answer with the small model."
    } else {
        "Choose Agents and media under a chat, and press One asks another: sage asks coder, and below the \
         answer stands, folded, who said what. /trace has all of it."
    };
    vec![
        tip("Agents at work.", together),
        tip(
            "Your word.",
            "Press Your word is needed: once another agent’s words are in a conversation, every change waits \
             for Allow once or No. Only who asked can decide.",
        ),
        tip(
            "Another thought.",
            "Ask something in words of your own, point at it or go there with Tab, and press the pencil: it is \
             answered anew.",
        ),
        tip(
            "Say it.",
            "Press Voice message, or the paper clip for a file of yours. Who listens here is a rehearsal: it \
             understands the sample, and of a recording of yours only its length.",
        ),
    ]
}

/// Puts the steward beside the agents of the house.
///
/// # Errors
/// If the file cannot be written.
pub(super) fn put_steward(demo: &Path) -> io::Result<()> {
    fs::write(demo.join("steward.toml"), STEWARD)
}

#[cfg(test)]
mod tests {
    use flow::guard::{self, Draft, Prompt, Verdict};
    use screening::{OutboundContext, Policy, Screen};

    use super::*;

    #[test]
    fn every_sentence_passes_the_guard_and_so_does_every_answer() {
        let screen = Screen::new(Policy::default()).unwrap();
        for is_embedded in [false, true] {
            for it in suggestions(is_embedded) {
                let prompt = Prompt { text: it.text.clone(), ..Prompt::default() };
                let verdict = guard::screen_prompt(&screen, prompt, &"sage".parse().unwrap()).0;
                assert!(matches!(verdict, Verdict::Clear(..)), "{it:?}");
            }
        }
        let context = OutboundContext::new(Some("sage".to_owned()), STEWARD);
        let said = scripts().into_iter().map(|it| it.answer);
        for answer in said.chain(rules().into_iter().map(|it| it.answer)) {
            let verdict = guard::screen_draft(&screen, Draft(answer.clone()), &context);
            let Verdict::Clear(draft, _) = verdict else { panic!("refused: {answer}") };
            assert_eq!(draft.get().0, answer);
        }
    }

    #[test]
    fn a_script_calls_only_what_the_agent_that_is_asked_may_do() {
        let house = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/agents/sage.toml");
        let sage = crate::agents::read_text("sage.toml", &fs::read_to_string(house).unwrap());
        let steward = crate::agents::read_text("steward.toml", STEWARD);
        for agent in [sage.unwrap(), steward.unwrap()] {
            for call in scripts().iter().flat_map(|it| &it.rounds).flatten() {
                let whom = call.arguments["agent"].as_str().unwrap().parse().unwrap();
                let listed =
                    if call.tool == "ask_agent" { &agent.may_ask } else { &agent.may_hand_to };
                assert!(listed.contains(&whom), "{} {call:?}", agent.name);
            }
        }
    }
}
