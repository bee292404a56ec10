//! Turns a web page into text that reads: what is shown, in lines, without scripts, styles and menus.
//!
//! Promises  one pass, in time and memory in proportion to the page, whatever it holds; no address of
//!           the page is kept.

/// Elements whose content is not shown, or is no part of what the page says.
const SKIPPED: [&str; 14] = [
    "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "select",
    "button", "nav", "footer", "form", "dialog",
];
/// Elements whose content is text to a browser, whatever it looks like.
const RAW: [&str; 5] = ["script", "style", "textarea", "title", "iframe"];
/// Elements that begin a new line.
const BLOCKS: [&str; 31] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "br",
    "dd",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "tr",
    "ul",
    "details",
];
/// Elements that may contain what is skipped and are never closed by mistake.
const VOID: [&str; 8] = ["br", "hr", "img", "input", "link", "meta", "source", "wbr"];

/// What a page says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) text: String,
}

/// Reads a page of HTML.
pub(super) fn read(html: &str) -> Page {
    let mut reader = Reader::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        reader.text(text);
        rest = reader.tag(tag);
    }
    reader.text(rest);
    Page { title: collapse(&reader.title), text: tidy(&reader.text) }
}

#[derive(Default)]
struct Reader {
    title: String,
    text: String,
    in_title: bool,
    /// The skipped element that is open, and how many of its name.
    skipped: Option<(String, usize)>,
}

impl Reader {
    fn text(&mut self, raw: &str) {
        if self.in_title {
            decode(raw, &mut self.title);
        } else if self.skipped.is_none() {
            decode(raw, &mut self.text);
        }
    }

    /// Takes one tag or comment, which begins with `<`. Returns what comes after it.
    fn tag<'t>(&mut self, tag: &'t str) -> &'t str {
        if let Some(comment) = tag.strip_prefix("<!--") {
            return comment.split_once("-->").map_or("", |(_, rest)| rest);
        }
        let is_tag =
            tag[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
        if !is_tag {
            self.text("<");
            return &tag[1..];
        }
        let (inside, rest) = tag[1..].split_at(end_of(&tag[1..]));
        let rest = rest.strip_prefix('>').unwrap_or(rest);
        let (name, closes) = inside.strip_prefix('/').map_or((inside, false), |it| (it, true));
        let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
        let name = name[..end].to_ascii_lowercase();
        self.element(&name, closes, inside.ends_with('/'));
        if closes || !RAW.contains(&name.as_str()) {
            return rest;
        }
        // Up to its own end nothing is a tag.
        let (raw, rest) = rest.split_at(find_close(rest, &name));
        self.text(raw);
        rest
    }

    fn element(&mut self, name: &str, closes: bool, is_empty: bool) {
        if let Some((open, depth)) = &mut self.skipped {
            if open == name {
                *depth =
                    if closes { depth.saturating_sub(1) } else { *depth + usize::from(!is_empty) };
            }
            if *depth == 0 {
                self.skipped = None;
            }
            return;
        }
        if name == "title" {
            self.in_title = !closes && self.title.is_empty();
        } else if SKIPPED.contains(&name) && !closes && !is_empty && !VOID.contains(&name) {
            self.skipped = Some((name.to_owned(), 1));
        } else if BLOCKS.contains(&name) {
            self.text.push('\n');
            match name {
                "li" if !closes => self.text.push_str("- "),
                "p" | "h1" | "h2" | "h3" | "h4" | "table" | "ul" | "ol" => self.text.push('\n'),
                _ => {}
            }
        } else if matches!(name, "td" | "th") && closes {
            self.text.push_str(" | ");
        }
    }
}

/// Where a tag ends: its `>`, outside of quotes; the end of the page where there is none.
fn end_of(tag: &str) -> usize {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate() {
        match (byte, quote) {
            (b'"' | b'\'', None) => quote = Some(byte),
            (byte, Some(open)) if byte == open => quote = None,
            (b'>', None) => return at,
            _ => {}
        }
    }
    // A quote that is never closed: then quotes mean nothing.
    tag.find('>').unwrap_or(tag.len())
}

/// Where `</name` begins.
fn find_close(text: &str, name: &str) -> usize {
    let mut from = 0;
    while let Some(at) = text[from..].find("</") {
        let at = from + at;
        let after = text.as_bytes().get(at + 2..at + 2 + name.len());
        if after.is_some_and(|it| it.eq_ignore_ascii_case(name.as_bytes())) {
            return at;
        }
        from = at + 2;
    }
    text.len()
}

/// The most characters of an entity's name.
const ENTITY_CHARS_MAX: usize = 10;

/// Adds a text, its entities replaced.
fn decode(mut raw: &str, to: &mut String) {
    while let Some(at) = raw.find('&') {
        let (before, entity) = raw.split_at(at);
        to.push_str(before);
        let near = entity.bytes().skip(1).take(ENTITY_CHARS_MAX + 1);
        let end = near.enumerate().find(|(_, it)| *it == b';').map(|(at, _)| at);
        let name = end.and_then(|end| entity.get(1..=end));
        match name.and_then(|name| Some((name, named(name)?))) {
            Some((name, c)) => {
                to.push(c);
                raw = &entity[name.len() + 2..];
            }
            None => {
                to.push('&');
                raw = &entity[1..];
            }
        }
    }
    to.push_str(raw);
}

fn named(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return char::from_u32(code.ok()?).filter(|c| !c.is_control());
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" | "ensp" | "emsp" | "thinsp" => ' ',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "laquo" => '«',
        "raquo" => '»',
        "bull" => '•',
        "middot" => '·',
        "copy" => '©',
        "reg" => '®',
        "trade" => '™',
        "deg" => '°',
        "euro" => '€',
        "pound" => '£',
        "times" => '×',
        "auml" => 'ä',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "Auml" => 'Ä',
        "Ouml" => 'Ö',
        "Uuml" => 'Ü',
        "szlig" => 'ß',
        "eacute" => 'é',
        "egrave" => 'è',
        "agrave" => 'à',
        "ccedil" => 'ç',
        "ntilde" => 'ñ',
        _ => return None,
    })
}

/// One line, single spaces.
fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Lines without spaces at their ends, and at most one that is empty between two.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len() / 2);
    let mut empty = 0;
    for line in text.lines().map(collapse) {
        let line = line.trim_end_matches(" |");
        if line.is_empty() || line == "-" {
            empty += 1;
            continue;
        }
        if !out.is_empty() {
            out.push_str(if 0 < empty { "\n\n" } else { "\n" });
        }
        empty = 0;
        out.push_str(line);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_page_reads_as_it_is_shown() {
        let page = read(
            "<!doctype html><html><head><title> A &amp; B\n</title><style>p{}</style>\
             <script>if (1 < 2) document.write('</p>');</script></head>\
             <body><nav><a href=/>Home</a></nav><h1>Head</h1><!-- hidden <p> -->\
             <p>One <b>two</b>&nbsp;three &lt;4&gt; &#8364; &bogus; a < b</p>\
             <ul><li>first<li>second</ul><table><tr><td>1</td><td>2</td></tr></table>\
             <img alt=\"a > b\" src=x><footer>Imprint</footer></body></html>",
        );
        assert_eq!(page.title, "A & B");
        assert_eq!(
            page.text,
            "Head\n\nOne two three <4> € &bogus; a < b\n\n- first\n- second\n\n1 | 2"
        );
    }

    #[test]
    fn what_is_never_closed_ends_with_the_page() {
        assert_eq!(read("<p>a<script>b").text, "a");
        assert_eq!(read("a<!-- b").text, "a");
        assert_eq!(read("a<p title=\"b>c").text, "a\n\nc");
        assert_eq!(read("<div><div>a</div></div></nav>b").text, "a\n\nb");
    }

    #[test]
    fn a_page_made_to_be_slow_is_not() {
        for piece in ["<", "<a ", "&", "<script>", "</", "<!--", "<p title='", "<svg>"] {
            let began = tokio::time::Instant::now();
            read(&piece.repeat(100_000));
            assert!(began.elapsed().as_secs() < 2, "{piece}");
        }
    }

    proptest! {
        #[test]
        fn nothing_breaks_it(html in "[<>/&;!\"'a-z #\u{e4}\u{1f600}=-]{0,200}") {
            read(&html);
        }
    }
}
