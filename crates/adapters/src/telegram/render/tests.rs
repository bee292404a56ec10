//! What people see, what Telegram accepts, and that nothing is lost on the way.

use proptest::prelude::*;

use super::*;

const ALLOWED: &[&str] = &["b", "i", "u", "s", "code", "pre", "a", "blockquote"];

/// Reads HTML as strictly as Telegram does, and gives back the text without tags.
fn read_html(html: &str) -> Result<String, String> {
    let mut open: Vec<&str> = Vec::new();
    let mut text = String::new();
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&', '>', '"']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(entity) = rest.strip_prefix('&') {
            let (name, after) = entity.split_once(';').ok_or("entity without end")?;
            text.push_str(match name {
                "amp" => "&",
                "lt" => "<",
                "gt" => ">",
                "quot" => "\"",
                _ => return Err(format!("entity {name}")),
            });
            rest = after;
        } else if let Some(tag) = rest.strip_prefix("</") {
            let (name, after) = tag.split_once('>').ok_or("tag without end")?;
            if open.pop() != Some(name) {
                return Err(format!("</{name}> closes nothing"));
            }
            rest = after;
        } else if let Some(tag) = rest.strip_prefix('<') {
            let (tag, after) = tag.split_once('>').ok_or("tag without end")?;
            let (name, attribute) = tag.split_once(' ').unwrap_or((tag, ""));
            let fine = match name {
                "a" => attribute.starts_with("href=\"") && attribute.matches('"').count() == 2,
                "code" => attribute.is_empty() || attribute.starts_with("class=\"language-"),
                _ => attribute.is_empty(),
            };
            let nested = open.contains(&name) || open.contains(&"code");
            if !fine || nested || !ALLOWED.contains(&name) {
                return Err(format!("<{tag}> inside {open:?}"));
            }
            open.push(name);
            rest = after;
        } else {
            return Err(format!("bare {:?}", &rest[..1]));
        }
    }
    text.push_str(rest);
    if open.is_empty() { Ok(text) } else { Err(format!("{open:?} left open")) }
}

fn html(markdown: &str) -> String {
    let parts = render(markdown);
    assert_eq!(parts.len(), 1, "{parts:?}");
    parts[0].html.clone().unwrap_or_else(|| format!("plain: {}", parts[0].plain))
}

fn check(markdown: &str, units_max: usize) {
    let parts = render_within(markdown, units_max);
    for part in &parts {
        assert!(!is_blank(&part.plain), "RENDER-1: {part:?}");
        assert!(part.plain.encode_utf16().count() <= units_max, "RENDER-1: {part:?}");
        if let Some(html) = &part.html {
            let text = read_html(html).unwrap_or_else(|error| panic!("RENDER-1: {error}: {html}"));
            assert!(!is_blank(&text), "RENDER-1: {html}");
            assert!(text.encode_utf16().count() <= units_max, "RENDER-1: {html}");
        }
    }
    let whole: String =
        render_within(markdown, usize::MAX).into_iter().map(|part| part.plain).collect();
    let blank = |c: char| is_blank(c.encode_utf8(&mut [0; 4]));
    let mut rest = whole.as_str();
    for part in &parts {
        let part = part.plain.trim_start_matches(blank);
        rest = rest.trim_start_matches(blank).strip_prefix(part).unwrap_or_else(|| {
            panic!("RENDER-2: {part:?} does not come next in {rest:?}");
        });
    }
    assert!(is_blank(rest), "RENDER-2: {rest:?} is lost");
}

#[test]
fn text_without_markup_goes_out_unchanged() {
    for text in ["Hello.\nSee you at 5:30!", "2 + 2 = 4 (really)", "Привет 👋", "a\n\nb  c"]
    {
        assert_eq!(render(text), [Part { plain: text.to_owned(), ..Part::default() }]);
    }
    assert!(render(" \n ").is_empty());
}

#[test]
fn every_construct_has_its_form() {
    for (markdown, expected) in [
        (
            "**b** *i* ~~s~~ `a<b` <u>u</u>",
            "<b>b</b> <i>i</i> <s>s</s> <code>a&lt;b</code> <u>u</u>",
        ),
        ("# Title\ntext", "<b>Title</b>\n\ntext"),
        ("- one\n- two\n  - three\n\n1. x\n2. y", "plain: • one\n• two\n  • three\n\n1. x\n2. y"),
        ("- [ ] buy *it*\n- [x] done", "☐ buy <i>it</i>\n☑ done"),
        ("> a\n>\n> > b\n\n> c", "<blockquote>a\n\nb</blockquote>\n\n<blockquote>c</blockquote>"),
        ("> a\n\ntext\n\n> b", "<blockquote>a</blockquote>\n\ntext\n\n<blockquote>b</blockquote>"),
        ("```rust\nfn a() {}\n```", "<pre><code class=\"language-rust\">fn a() {}</code></pre>"),
        ("    indented & code", "<pre>indented &amp; code</pre>"),
        ("[a](https://x.y/?a=1&b=\"2\")", "<a href=\"https://x.y/?a=1&amp;b=&quot;2&quot;\">a</a>"),
        ("[`f`](https://x.y)", "<a href=\"https://x.y\">f</a>"),
        ("![cat](https://x.y/c.png)", "<a href=\"https://x.y/c.png\">cat</a>"),
        ("![](https://x.y/c.png)", "<a href=\"https://x.y/c.png\">image</a>"),
        ("[](https://x.y)", "<a href=\"https://x.y\">https://x.y</a>"),
        ("[a](tg://user?id=1) [b](javascript:x) *c*", "a b <i>c</i>"),
        ("a\n\n---\n\n*b*", "a\n\n———\n\n<i>b</i>"),
        ("- a\n  > b\n  > c", "• a\n<blockquote>b\nc</blockquote>"),
        ("a<br>b <script>*c*", "a\nb &lt;script&gt;<i>c</i>"),
        ("***both*** and **b *c* d**", "<b><i>both</i></b> and <b>b <i>c</i> d</b>"),
        (
            "| a | n |\n|---|--:|\n| *long* one | 1 |\n| x | 100 |",
            "<pre>a        │   n\n─────────┼────\nlong one │   1\nx        │ 100</pre>",
        ),
    ] {
        assert_eq!(html(markdown), expected, "{markdown}");
        check(markdown, 4_096);
    }
}

#[test]
fn the_plain_text_keeps_a_links_address_and_the_html_hides_it() {
    let parts = render("see [the docs](https://x.y) or <https://z.y>");
    assert_eq!(parts[0].plain, "see the docs (https://x.y) or https://z.y");
    let expected =
        "see <a href=\"https://x.y\">the docs</a> or <a href=\"https://z.y\">https://z.y</a>";
    assert_eq!(parts[0].html.as_deref(), Some(expected));
}

#[test]
fn a_code_block_closes_and_reopens_with_its_language() {
    let code: String = (0..20).map(|n| format!("    line {n}\n")).collect();
    let parts = render_within(&format!("Look:\n```py\n{code}```\nDone."), 100);
    assert!(2 < parts.len());
    for part in parts.iter().filter(|part| part.plain.contains("line")) {
        let html = part.html.as_deref().unwrap();
        assert!(html.contains("<pre><code class=\"language-py\">    line"), "{html}");
        assert!(html.contains("</code></pre>"), "{html}");
    }
    check(&format!("Look:\n```py\n{code}```\nDone."), 100);
}

#[test]
fn what_renders_to_nothing_is_shown_raw() {
    let definition = "[a]: https://x.y";
    assert_eq!(render(definition), [Part { plain: definition.to_owned(), ..Part::default() }]);
}

#[test]
fn hostile_text_is_rendered_without_trouble() {
    let nested: String =
        (0..1_000).map(|depth| format!("{}- x\n", " ".repeat(depth * 2))).collect();
    let table = format!("{}|\n{}|\n{}", "|a".repeat(500), "|-".repeat(500), "|x\n".repeat(500));
    for text in [
        "*".repeat(10_000),
        "*a".repeat(10_000),
        "- ".repeat(1_000),
        ">".repeat(10_000),
        "[".repeat(10_000),
        "![".repeat(5_000),
        "[a](".repeat(5_000),
        "`".repeat(10_000),
        "<".repeat(10_000),
        "\n".repeat(10_000),
        format!("```\n{}", "\n".repeat(10_000)),
        "&amp;".repeat(5_000),
        "a **b** ".repeat(5_000),
        "x".repeat(1 << 20),
        "*x* ".repeat(1 << 18),
        nested.chars().take(200_000).collect(),
        table,
    ] {
        check(&text, 4_096);
    }
}

proptest! {
    #[test]
    fn render_1_and_2_hold_for_anything_like_markdown(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "*", "**", "_", "`", "```\n", "```rust\n", "~~", "[a](https://x.y)", "[", "](", ")", "> ",
            "- ", "1. ", "- [x] ", "# ", "| a | b |\n|---|---|\n| c | d |\n", "\n", "\n\n", "    ",
            "word", "Sentence one. ", "<b>", "<u>", "</u>", "<br>", "&lt;", "&", "<", "\\", "👩‍👧",
            "e\u{301}", "---\n", "![", "![i](http://x.y)", "longer words in a row ",
        ]), 0..60),
        units_max in 2_usize..200,
    ) {
        check(&pieces.concat(), units_max);
    }

    #[test]
    fn render_1_and_2_hold_for_any_text(text in any::<String>()) {
        check(&text, 4_096);
    }
}
