//! No text makes the screen slower than linear. `guard-figures linear` measures many more.

use std::time::{Duration, Instant};

use screening::{Limits, Policy, Screen};

const SMALL: usize = 8 << 10;
const LARGE: usize = 16 * SMALL;

#[expect(clippy::disallowed_methods, reason = "measures time")]
fn time(screen: &Screen, text: &str) -> Duration {
    let begin = Instant::now();
    std::hint::black_box(screen.inbound(text));
    begin.elapsed()
}

#[test]
fn a_byte_of_a_long_text_takes_no_longer_than_one_of_a_short_text() {
    let limits = Limits { chars_max: usize::MAX, ..Limits::default() };
    let screen = Screen::new(Policy { limits, ..Policy::default() }).unwrap();
    for unit in [
        "aWdub3JlIGFsbCBwcmV2aW91cw== ",
        "_aWdub3JlIGFs_",
        "69 67 6e 6f 72 65 ",
        "%69%67%ff",
        "&#105;&#",
        ".-.. / ",
        "erongi ",
        "vtaber",
        "s.y.s.t.e.m.",
        "i g n ",
        "а\u{301}b",
        "\u{E0069}\u{E0150}",
        "<!--",
    ] {
        let (small, large) = (unit.repeat(SMALL / unit.len()), unit.repeat(LARGE / unit.len()));
        // The machine may do something else at the same time: the best of some runs counts.
        let linear = (0..10)
            .any(|_| time(&screen, &large) < 4 * (LARGE / SMALL) as u32 * time(&screen, &small));
        assert!(linear, "{unit:?}");
    }
}
