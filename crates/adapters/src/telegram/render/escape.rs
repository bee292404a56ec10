//! Writes words, formulas, titles and addresses so that nothing in them is Markdown or HTML.

/// Where words stand.
#[derive(Clone, Copy)]
pub(super) struct Position {
    /// Nothing stands before them on their line.
    pub(super) at_line_start: bool,
    /// They are a heading's.
    pub(super) in_heading: bool,
}

/// Commands of formulas that could fetch, open or include something.
const REACHING_COMMANDS: [&str; 6] =
    ["\\href", "\\url", "\\include", "\\input", "\\html", "\\verb"];

/// Words of one line. A line end in them, as `&#10;` makes one, is a space.
pub(super) fn escape_line(text: &str, position: Position) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let mut before = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|it| it.1);
        let begins_line = position.at_line_start && at == 0;
        let needs = match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '~' | '$' | '^' | '|' => true,
            '&' => next.is_some_and(|it| it.is_ascii_alphanumeric() || it == '#'),
            '=' => begins_line || next == Some('=') || before == Some('='),
            '#' | '{' => begins_line || position.in_heading,
            '>' | '+' | '-' | ':' => begins_line,
            '.' | ')' => position.at_line_start && 0 < digits && at == digits,
            '!' => next == Some('['),
            _ => false,
        };
        if needs {
            escaped.push('\\');
        }
        match c {
            c if c.is_control() || c == '\u{2028}' || c == '\u{2029}' => escaped.push(' '),
            c => escaped.push(c),
        }
        before = Some(c);
    }
    escaped
}

/// A formula on one line, if it is one: between two prices stands none.
pub(super) fn formula(text: &str, is_block: bool) -> Option<String> {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    // Whoever reads no formula there must not find a tag, a picture or a link.
    let text = text.replace('<', "\\lt ");
    let text = text.trim();
    let one_letter = text.chars().count() == 1 && text.chars().all(char::is_alphabetic);
    let is_formula = is_block || one_letter || text.contains(['\\', '^', '_', '=', '{']);
    let lower = text.to_ascii_lowercase();
    let reaches = REACHING_COMMANDS.iter().any(|it| lower.contains(it));
    let ends = text.contains(['$', '`']) || text.contains("](") || text.contains("]:");
    let ends = ends || text.contains("![") || text.ends_with('\\');
    (is_formula && !reaches && !ends && !text.is_empty()).then(|| text.to_owned())
}

/// The title of a fold: every sign that could mean something as a number.
pub(super) fn summary(title: &str) -> String {
    let mut escaped = String::with_capacity(title.len());
    for c in title.chars() {
        match c {
            c if c.is_control() => escaped.push(' '),
            c if c.is_ascii_punctuation() && !".,?:;'-()/".contains(c) => {
                escaped.push_str(&format!("&#{};", u32::from(c)));
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// An address between the brackets of a link.
pub(super) fn encode(address: &str) -> String {
    let mut encoded = String::with_capacity(address.len());
    for c in address.chars() {
        let is_plain = !c.is_ascii() || c.is_ascii_alphanumeric() || "-._/:?#@!&+,=%".contains(c);
        match c {
            c if is_plain => encoded.push(c),
            c => encoded.push_str(&format!("%{:02X}", u32::from(c))),
        }
    }
    encoded
}
