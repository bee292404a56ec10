//! A report as text: Markdown, one HTML file that prints well, or JSON; with its seal.

use flow::treasurer::caps::money;
use protocol::Timestamp;
use serde::Serialize;
use store::audit::AuditKeys;

use super::{Moment, Report, seal};
use crate::page::{self, esc, md, moment, put};

/// As what a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Markdown.
    Md,
    /// One file to print.
    Html,
    /// For programs.
    Json,
}

impl Form {
    /// As what a text is written, by its beginning.
    pub(super) fn of(text: &str) -> Option<Self> {
        let begins = [("# ", Self::Md), ("<!doctype html>", Self::Html), ("{\n", Self::Json)];
        begins.into_iter().find(|(begin, _)| text.starts_with(begin)).map(|(_, form)| form)
    }
}

/// A report with its seal.
///
/// # Errors
/// Never: a report has only words and numbers.
pub fn sealed(report: &Report, form: Form, keys: &AuditKeys) -> Result<String, String> {
    let content = match form {
        Form::Md => markdown(report),
        Form::Html => html(report),
        Form::Json => json(report).map_err(|error| error.to_string())?,
    };
    seal::put(form, &content, report, keys).ok_or_else(|| "it could not be sealed".to_owned())
}

const SEAL: &str = "These lines are signed with the key that signs the audit log; \"content\" is the SHA-256 of everything \
                    above them. \"guildhall forensics verify\" checks both, and what was read.";

fn title(report: &Report) -> String {
    format!("Forensic report on incident {}", report.incident.number)
}

/// The sentences at the top.
fn head(report: &Report) -> Vec<String> {
    let Report { id, made, incident: it, sums, .. } = report;
    let noted = made.noted_as.map_or_else(
        || "; where that is noted was not found".to_owned(),
        |seq| format!(", noted as record {seq} of the audit log"),
    );
    let asked =
        if made.hall_runs { "asked of the hall that ran" } else { "read while no hall ran" };
    let texts = match report.with_texts {
        true => "It holds what people wrote and were answered: keep it as such.",
        false => "No text of a message and no id of a person is in it.",
    };
    vec![
        format!(
            "Report {id}, made at {} by {}, with guildhall {}, {asked}{noted}. {texts}",
            moment(report.made_at()),
            made.by,
            made.version
        ),
        format!(
            "The incident: {}, {}, {}, about {} and {}; {} times, weighing {}, from {} to {}. Looked at is what \
             was from {} to {} (UTC).",
            it.kind,
            it.severity,
            it.stage,
            it.person,
            if it.agent == "-" { "no agent" } else { &it.agent },
            it.count,
            it.score,
            moment(Timestamp(it.since_ms)),
            moment(Timestamp(it.last_ms)),
            moment(Timestamp(report.from_ms)),
            moment(Timestamp(report.until_ms)),
        ),
        format!(
            "In the ledger: {} questions, {} answered by a model, {} refused, {} tried more than once; {} calls to \
             models, {} tokens in, {} out, {}.",
            sums.turns,
            sums.answered,
            sums.refused,
            sums.retried,
            sums.calls,
            sums.input_tokens,
            sums.output_tokens,
            money(sums.cost_micros, &sums.currency)
        ),
    ]
}

/// A moment of time with its milliseconds: here the order counts.
fn exact(at_ms: u64) -> String {
    let millis = i64::try_from(at_ms).unwrap_or(i64::MAX);
    format!("{:.3}", jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX))
}

fn json(report: &Report) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Whole<'r> {
        report: &'r Report,
    }
    let text = serde_json::to_string_pretty(&Whole { report })?;
    let open = text.strip_suffix("\n}").unwrap_or(&text);
    Ok(format!("{open},\n  \"seal\": [\n"))
}

fn markdown(report: &Report) -> String {
    let mut out = format!("# {}\n", title(report));
    for sentence in head(report) {
        put(&mut out, format_args!("\n{}\n", md(&sentence)));
    }
    out += "\n## What is missing\n\n";
    for gap in &report.gaps {
        put(&mut out, format_args!("* {}\n", md(gap)));
    }
    out += "\n## What happened\n\n| time (UTC) | from | about | what | details |\n|---|---|---|---|---|\n";
    for it in &report.moments {
        markdown_row(&mut out, it);
    }
    if !report.figures.is_empty() {
        out += "\n## What the hall counted since its start\n\n| figure | value |\n|---|---|\n";
    }
    for (name, value) in &report.figures {
        put(&mut out, format_args!("| {} | {} |\n", md(name), md(value)));
    }
    let chain = &report.chain;
    put(
        &mut out,
        format_args!(
            "\n## Chain of custody\n\nThe audit log: {}. Its last record, {}, has the hash `{}`.\n\n\
             | what was read | bytes | SHA-256 | state |\n|---|---|---|---|\n",
            md(&chain.verdict),
            chain.records,
            chain.head
        ),
    );
    for it in &report.sources {
        put(
            &mut out,
            format_args!(
                "| {} | {} | `{}` | {} |\n",
                md(&it.name),
                it.bytes,
                it.sha256,
                md(&it.state)
            ),
        );
    }
    out + &format!("\n## Seal\n\n{SEAL}\n\n```text\n")
}

fn markdown_row(out: &mut String, it: &Moment) {
    let mut details = String::new();
    for (name, value) in &it.details {
        put(&mut details, format_args!("{}: {}; ", md(name), md(value)));
    }
    for (name, text) in &it.texts {
        put(&mut details, format_args!("**{}:** {}; ", md(name), md(&fenced(text))));
    }
    put(
        out,
        format_args!(
            "| {} | {}, {} | {} | {} | {details}`{}` |\n",
            exact(it.at_ms),
            it.origin.word(),
            md(&it.place),
            it.about.word(),
            md(&it.what),
            it.sha256
        ),
    );
}

/// What a person wrote, with nothing in it that Markdown would take for its own.
fn fenced(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '*' | '_' | '`' | '#' | '!' | '\\' | '~' => out.extend(['\\', c]),
            _ if c.is_control() => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}

fn html(report: &Report) -> String {
    let mut out = page::begin(&title(report));
    for sentence in head(report) {
        put(&mut out, format_args!("<p>{}</p>\n", esc(&sentence)));
    }
    out += "<section><h2>What is missing</h2>\n<ul>\n";
    for gap in &report.gaps {
        put(&mut out, format_args!("<li>{}</li>\n", esc(gap)));
    }
    out += "</ul></section>\n<section class=\"long\"><h2>What happened</h2>\n\
            <table><thead><tr><th>Time (UTC)<th>From<th>About<th>What</tr></thead><tbody>\n";
    for it in &report.moments {
        html_row(&mut out, it);
    }
    out += "</tbody></table></section>\n";
    if !report.figures.is_empty() {
        out += "<section><h2>What the hall counted since its start</h2>\n<table><tbody>\n";
        for (name, value) in &report.figures {
            put(&mut out, format_args!("<tr><td>{}<td>{}</tr>\n", esc(name), esc(value)));
        }
        out += "</tbody></table></section>\n";
    }
    html_custody(&mut out, report);
    out + &format!("<section class=\"long\"><h2>Seal</h2>\n<p>{}</p>\n<pre>", esc(SEAL))
}

fn html_row(out: &mut String, it: &Moment) {
    put(
        out,
        format_args!(
            "<tr><td class=\"t\">{}<td>{}<br>{}<td>{}<td><strong>{}</strong>",
            exact(it.at_ms).replace('T', "<br>"),
            it.origin.word(),
            esc(&it.place),
            it.about.word(),
            esc(&it.what)
        ),
    );
    let details: Vec<String> =
        it.details.iter().map(|(name, value)| format!("{}: {}", esc(name), esc(value))).collect();
    put(out, format_args!("<br>{}", details.join("; ")));
    for (name, text) in &it.texts {
        put(out, format_args!("<br><em>{}:</em><pre>{}</pre>", esc(name), esc(text)));
    }
    put(out, format_args!("<span class=\"h\">{}</span></tr>\n", it.sha256));
}

fn html_custody(out: &mut String, report: &Report) {
    let chain = &report.chain;
    put(
        out,
        format_args!(
            "<section><h2>Chain of custody</h2>\n<p>The audit log: {}. Its last record, {}, has the hash \
             <span class=\"h\">{}</span></p>\n<table><thead><tr><th>What was read<th>Bytes<th>SHA-256\
             <th>State</tr></thead><tbody>\n",
            esc(&chain.verdict),
            chain.records,
            esc(&chain.head)
        ),
    );
    for it in &report.sources {
        put(
            out,
            format_args!(
                "<tr><td>{}<td class=\"t\">{}<td><span class=\"h\">{}</span><td>{}</tr>\n",
                esc(&it.name),
                it.bytes,
                it.sha256,
                esc(&it.state)
            ),
        );
    }
    *out += "</tbody></table></section>\n";
}
