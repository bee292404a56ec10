//! What reports are written with: one HTML file without scripts that prints well, and what keeps a value from being
//! anything but text, in HTML and in Markdown.

use std::{borrow::Cow, fmt::Write as _};

use protocol::Timestamp;

const STYLE: &str = "\
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;\
background:#fff}\
h1{font-size:1.6rem}h2{font-size:1.15rem;margin:2rem 0 .3rem}table{border-collapse:collapse;width:100%}\
th,td{border:1px solid #d0d7de;padding:.3rem .5rem;text-align:left;vertical-align:top;\
overflow-wrap:anywhere}th{background:#f3f5f7;overflow-wrap:normal}\
.s{font-weight:600;padding:.05rem .45rem;border:1px solid;border-radius:.3rem;white-space:nowrap}\
.met{color:#116329}.partly{color:#7d4e00}.not_met{color:#a40e26}.not_known{color:#57606a}\
.not_applicable{color:#57606a}.own_duty{color:#0550ae}\
pre,.h{font:12px/1.4 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere;margin:.2rem 0}\
.h{color:#57606a;display:block}.t{white-space:nowrap}\
@page{margin:18mm}@media print{body{max-width:none;margin:0;font-size:10.5pt}section,tr{break-inside:avoid}\
section.long,section.long tr{break-inside:auto}pre,.h{font-size:8pt}h2{break-after:avoid}th{background:none}}";

/// The beginning of a page, up to the title as people read it.
pub(crate) fn begin(title: &str) -> String {
    let title = esc(title);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n"
    )
}

/// The end of a page.
pub(crate) const END: &str = "</body></html>\n";

/// Writes behind what is there.
pub(crate) fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // lost-ok: writing to a string cannot fail.
    out.write_fmt(text).ok();
}

/// A word that stands out, in the colour of its class.
pub(crate) fn badge(class: &str, words: &str) -> String {
    format!("<span class=\"s {class}\">{}</span>", esc(words))
}

/// For HTML, in text and in attributes.
pub(crate) fn esc(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            _ => out.push(c),
        }
    }
    out
}

/// For Markdown: one line, no cell, tag or link of its own. Code in our words stays.
pub(crate) fn md(text: &str) -> Cow<'_, str> {
    if !text.contains(['|', '<', '[', '\n', '\r']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '|' | '<' | '[' => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// A moment as people read it, in UTC.
pub(crate) fn moment(at: Timestamp) -> String {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    format!("{:.0}", jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX))
}
