//! What goes as a rich message, and that nothing in it is fetched, acts or leads elsewhere.

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};

use super::*;

/// The Markdown of the one rich message that a text becomes, if it becomes one.
fn rich(markdown: &str) -> Option<String> {
    let parts = render_rich(markdown);
    assert_eq!(parts.len(), 1, "{parts:?}");
    parts.into_iter().next().and_then(|it| it.rich)
}

#[test]
fn what_html_cannot_show_goes_rich_and_all_else_stays_as_it_is() {
    for classic in [
        "Hello!",
        "**bold**, _it_, ~~no~~ and `code`",
        "- a\n- b",
        "1. a\n2. b",
        "> quoted",
        "```rust\nlet x;\n```",
        "[here](https://example.com)",
        "![a](https://example.com/a.png)",
        "It costs $5 or $10, in $US/$EUR.",
        "a | b",
        "<b>raw</b>",
    ] {
        assert_eq!(rich(classic), None, "{classic}");
        assert_eq!(render_rich(classic), render(classic), "{classic}");
    }
    for rich_one in [
        "# Title",
        "Title\n===",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "- a\n  - b",
        "Euler: $e^{i\\pi} = -1$",
        "$$\\int_0^1 x\\,dx$$",
        "> a\n> > b",
        "<details>\n<summary>More</summary>\n\nHidden\n\n</details>",
    ] {
        assert!(rich(rich_one).is_some(), "{rich_one}");
    }
}

#[test]
fn a_rich_message_says_what_the_model_wrote() {
    let written = |it| rich(it).expect("it is rich");
    let table = "# Prices *now*\n\n| Thing | Price |\n|:--|--:|\n| Tea `a` | **2** |\n| Milk | 1 |";
    assert_eq!(
        written(table),
        "# Prices *now*\n\n| Thing | Price |\n| :-- | --: |\n| Tea `a` | **2** |\n| Milk | 1 |"
    );
    let list = "Steps:\n1. one\n   - deep\n   - [x] done\n2. two\n\n   more\n";
    assert_eq!(written(list), "Steps:\n\n1. one\n\n   - deep\n   - [x] done\n2. two\n\n   more");
    let code = "## Code\n```rust\nlet a = \"`\";\n\nlet b;\n```\nand ``a`b``";
    assert_eq!(written(code), "## Code\n\n```rust\nlet a = \"`\";\n\nlet b;\n```\n\nand ``a`b``");
    let quote = "> a\n> b\n>\n> > c\n\nd";
    assert_eq!(written(quote), "> a  \n> b\n>\n> > c\n\nd");
    let fold = "<details><summary>The *proof*</summary>\n\nLong.\n\n</details>\n\nEnd";
    assert_eq!(
        written(fold),
        "<details>\n<summary>The &#42;proof&#42;</summary>\n\nLong.\n\n</details>\n\nEnd"
    );
    let maths = "Let $x$ be $5-$6 or $a_1 < b$.";
    assert_eq!(written(maths), "Let $x$ be \\$5-\\$6 or $a_1 \\lt  b$.");
}

#[test]
fn what_takes_the_place_of_a_rich_message_says_the_same() {
    let parts = render_rich("# T\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n$x^2$ costs $5");
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].plain, "T\n\na │ b\n──┼──\n1 │ 2\n\n$x^2$ costs $5");
    let html = parts[0].html.as_deref().unwrap_or_default();
    assert!(html.starts_with("<b>T</b>") && html.contains("<pre>"), "{html}");
}

#[test]
fn rich_1_a_picture_is_a_link_however_it_is_written() {
    for (written, expected) in [
        ("# a\n\n![cat](https://e.org/c.png?q=secret)", "[cat](https://e.org/c.png?q=secret)"),
        ("# a\n\n![](https://e.org/c.png)", "[image](https://e.org/c.png)"),
        ("# a\n\n![x](tg://emoji?id=5)", "x"),
        ("# a\n\n\\![cat](https://e.org/c.png)", "\\![cat](https://e.org/c.png)"),
        ("# a\n\nwow!<https://e.org/c.png>", "wow\\![https://e.org/c.png](https://e.org/c.png)"),
        ("# a\n\n[![c](https://e.org/c.png)](https://e.org)", "[c](https://e.org)"),
        ("# a\n\n![c][1]\n\n[1]: https://e.org/c.png", "[c](https://e.org/c.png)"),
        (
            "# a\n\n<img src=\"https://e.org/c.png\">",
            "\\<img src=\"[https://e.org/c.png](https://e.org/c.png)\">",
        ),
        ("# a\n\n&#33;&#91;a&#93;(https://e.org)", "\\!\\[a\\]([https://e.org](https://e.org))"),
    ] {
        let whole = rich(written).expect("it is rich");
        assert_eq!(whole.strip_prefix("# a\n\n"), Some(expected), "{written}");
    }
}

#[test]
fn rich_2_links_lead_where_they_may_and_nothing_is_a_tag() {
    for (written, expected) in [
        ("[u](tg://user?id=5)", "u"),
        ("[u](javascript:alert(1))", "u"),
        ("[u](http://e.org/a_(b)|c*$`)", "[u](http://e.org/a_%28b%29%7Cc%2A%24%60)"),
        (
            "see https://e.org/a_b?c=1&d=2.",
            "see [https://e.org/a\\_b?c=1\\&d=2](https://e.org/a_b?c=1&d=2).",
        ),
        ("<tg-spoiler>x</tg-spoiler>", "\\<tg-spoiler>x\\</tg-spoiler>"),
        ("<u>x</u><script>y</script>", "x\\<script>y\\</script>"),
        (
            "&lt;b&gt; &amp;amp; ||x|| ==y== ^z^",
            "\\<b> \\&amp; \\|\\|x\\|\\| \\=\\=y\\=\\= \\^z\\^",
        ),
        ("a&#10;# b", "a # b"),
    ] {
        let whole = rich(&format!("# a\n\n{written}")).expect("it is rich");
        assert_eq!(whole.strip_prefix("# a\n\n"), Some(expected), "{written}");
    }
}

#[test]
fn rich_3_what_telegram_would_refuse_goes_in_classic_formatting() {
    let wide = format!("|{}\n|{}", " a |".repeat(21), "---|".repeat(21));
    assert_eq!(rich(&wide), None);
    let fits = format!("|{}\n|{}", " a |".repeat(20), "---|".repeat(20));
    assert!(rich(&fits).is_some());
    let deep: String = (0..12).map(|at| format!("{}- x\n", "  ".repeat(at))).collect();
    assert_eq!(rich(&deep), None);
    let many = format!("# a\n\n{}", "- a\n".repeat(600));
    assert_eq!(rich(&many), None);
}

#[test]
fn a_long_answer_is_cut_between_blocks_and_each_message_says_what_it_is() {
    let row = format!("| {} | b |\n", "a".repeat(90));
    let table = format!("| head | b |\n|---|---|\n{}", row.repeat(10));
    let answer = format!("{table}\n{}\n\n{table}", "Words. ".repeat(500));
    let parts = render_rich(&answer);
    let rich: Vec<bool> = parts.iter().map(|it| it.rich.is_some()).collect();
    assert_eq!(rich, [true, false, true]);
    let giant = format!("| head | b |\n|---|---|\n{}", row.repeat(100));
    let parts = render_rich(&giant);
    assert!(1 < parts.len() && parts.iter().all(|it| it.rich.is_none()));
}

#[test]
fn a_fold_that_is_left_open_is_closed_and_one_that_is_not_open_is_text() {
    let open = "<details>\n<summary>S</summary>\n\n# in\n\nstill";
    assert_eq!(
        rich(open).as_deref(),
        Some("<details>\n<summary>S</summary>\n\n# in\n\nstill\n\n</details>")
    );
    assert_eq!(rich("# a\n\n</details>").as_deref(), Some("# a\n\n\\</details>"));
}

/// What a reader with every extension would make of it that could act.
fn acts(markdown: &str) -> Vec<String> {
    let all = Options::all();
    let mut found = Vec::new();
    for event in Parser::new_ext(markdown, all) {
        match event {
            Event::Start(Tag::Image { dest_url, .. }) => found.push(format!("image {dest_url}")),
            Event::Start(Tag::Link { dest_url, .. })
                if !["http://", "https://", "mailto:"]
                    .iter()
                    .any(|it| dest_url.starts_with(it)) =>
            {
                found.push(format!("link {dest_url}"));
            }
            Event::InlineHtml(html) | Event::Html(html) => {
                let html = html.trim();
                let title =
                    html.strip_prefix("<summary>").map(|it| it.trim_end_matches("</summary>"));
                let is_ours = title.is_some_and(|it| !it.contains(['<', '[', '!', '`']));
                if !is_ours && !["<details>", "</details>", ""].contains(&html) {
                    found.push(format!("tag {html}"));
                }
            }
            Event::Start(Tag::FootnoteDefinition(_) | Tag::MetadataBlock(_))
            | Event::FootnoteReference(_) => found.push("a footnote".to_owned()),
            Event::Start(_)
            | Event::End(_)
            | Event::Text(_)
            | Event::Code(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::SoftBreak
            | Event::HardBreak
            | Event::Rule
            | Event::TaskListMarker(_) => {}
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn rich_1_and_2_hold_for_whatever_a_model_writes(
        markdown in "([a-z ]|!|\\[|\\]|\\(|\\)|<|>|&#33;|&#91;|&#10;|\\\\|`|\\$|\\||\\*|_|~|\n|\n\n|    |# |- |1\\. |> |-{3}|\\|-\\|-\\|\n|<details>|<summary>|</summary>|</details>|https://e\\.org/a|!\\[a\\]\\(http://e\\.org\\)|<img src=x>|\\^1|:|=|\\{|\\}|\"|'){0,60}",
    ) {
        // A heading before it, so that there is something that HTML cannot show.
        for part in render_rich(&format!("# a\n\n{markdown}")) {
            if let Some(rich) = part.rich {
                prop_assert_eq!(acts(&rich), Vec::<String>::new(), "{:?} became {:?}", markdown, rich);
            }
        }
    }

    #[test]
    fn render_1_and_2_hold_for_what_takes_the_place_of_a_rich_message(
        markdown in "([a-z]|[ *_`~|$]|\n|\n\n|# |- |> |https://e\\.org ){0,80}",
    ) {
        for part in render_rich(&format!("# a\n\n{markdown}")) {
            prop_assert!(part.plain.encode_utf16().count() <= PART_UNITS_MAX);
            prop_assert!(!super::is_blank(&part.plain));
        }
    }
}
