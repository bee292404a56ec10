//! Judges whatever text the fuzzer thinks of, both ways, and checks what must always hold:
//! SCREEN-1 (offsets lie on character boundaries), SCREEN-2 (sanitising twice changes nothing),
//! SCREEN-3 (refused text does not pass), SCREEN-4 (the configured secret does not pass).

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use screening::{
    ExactSecret, OutboundContext, Policy, Sanitising, Screen, Verdict, sanitise_with,
};

const SECRET: &str = "canary-7f3a9c-value";

static SCREENS: LazyLock<Vec<Screen>> = LazyLock::new(|| {
    let made = [Sanitising::Normal, Sanitising::Strict].map(|sanitising| {
        let value = SECRET.to_owned().into();
        let secrets = vec![ExactSecret { name: "canary".to_owned(), value }];
        Screen::new(Policy { secrets, sanitising, ..Policy::default() }).expect("a valid policy")
    });
    made.into()
});

static CONTEXT: LazyLock<OutboundContext> = LazyLock::new(|| {
    OutboundContext::new(None, "You are Ada, librarian of a small town; answer in two sentences.")
});

fuzz_target!(|text: &str| {
    for mode in [Sanitising::Normal, Sanitising::Strict] {
        let once = sanitise_with(text, mode);
        assert_eq!(once.changes.is_empty(), once.text == text);
        let twice = sanitise_with(&once.text, mode);
        assert_eq!(twice.text, once.text, "SCREEN-2");
    }
    for screen in SCREENS.iter() {
        for judgement in [screen.inbound(text), screen.outbound(text, &CONTEXT)] {
            for finding in &judgement.findings {
                assert!(text.get(finding.start..finding.end).is_some(), "SCREEN-1");
            }
            if judgement.verdict == Verdict::Refuse {
                assert!(judgement.text.is_empty(), "SCREEN-3");
            }
            assert!(!judgement.text.contains(SECRET), "SCREEN-4");
        }
    }
});
