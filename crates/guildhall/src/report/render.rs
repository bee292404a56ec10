//! A report as text: Markdown, one HTML file without scripts that prints well, or JSON.
//!
//! Every value is escaped, wherever it comes from.

use protocol::Timestamp;

use super::{Report, Row, Status, moment};
use crate::page::{self, esc, md, put};

const fn class(status: Status) -> &'static str {
    match status {
        Status::Met => "met",
        Status::Partly => "partly",
        Status::NotMet => "not_met",
        Status::NotKnown => "not_known",
        Status::NotApplicable => "not_applicable",
        Status::OwnDuty => "own_duty",
    }
}

const ALL: [Status; 6] = [
    Status::Met,
    Status::Partly,
    Status::NotMet,
    Status::NotKnown,
    Status::NotApplicable,
    Status::OwnDuty,
];

/// How many controls there are of each status.
fn sum(report: &Report) -> String {
    let count = |status| report.controls.iter().filter(|it| it.status == status).count();
    let parts = ALL.into_iter().map(|it| (count(it), it.words())).filter(|(count, _)| 0 < *count);
    parts.map(|(count, words)| format!("{count} {words}")).collect::<Vec<_>>().join(", ")
}

fn head(report: &Report) -> String {
    format!(
        "Made at {} by guildhall {}, from the configuration with {}, and what the logs say of the last {} \
         days. It says what the program does and can see, and is no certificate and no legal advice.",
        moment(Timestamp(report.made_ms)),
        report.version,
        report.configuration,
        report.days
    )
}

/// For programs.
///
/// # Errors
/// Never: a report has only words and numbers.
pub fn json(report: &Report) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(report)? + "\n")
}

/// To read and to keep beside other text.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut out = format!("# {}\n\n{}\n\n", report.standard.title(), md(&head(report)));
    out += &format!("**{}.**\n\n| Control | Title | Status |\n|---|---|---|\n", sum(report));
    for row in &report.controls {
        out += &format!("| {} | {} | {} |\n", md(row.id), md(row.title), row.status.words());
    }
    for row in &report.controls {
        markdown_row(&mut out, row);
    }
    out += "\n## What is missing\n\n";
    if report.gaps.is_empty() {
        out += "Nothing that the program can see.\n";
    }
    for gap in &report.gaps {
        let fix =
            if gap.fix.is_empty() { String::new() } else { format!(" To do: {}.", md(&gap.fix)) };
        out += &format!(
            "* **{}**: {}.{fix} ({})\n",
            gap.name,
            md(&gap.what),
            md(&gap.controls.join(", "))
        );
    }
    out
}

fn markdown_row(out: &mut String, row: &Row) {
    *out += &format!(
        "\n## {} {}: {}\n\n{}\n\n",
        md(row.id),
        md(row.title),
        row.status.words(),
        md(row.requires)
    );
    for looked in &row.looked {
        let (answer, check) = (&looked.answer, looked.check);
        *out += &format!("* {} (`{check}`): {}.\n", answer.status.words(), md(&answer.why));
        for (name, value) in &answer.evidence {
            *out += &format!("  * {}: {}\n", md(name), md(value));
        }
    }
    for what in row.missing {
        *out += &format!("* Not there: {}.\n", md(what));
    }
    if !row.duty.is_empty() {
        *out += &format!("* The organisation's own duty: {}\n", md(row.duty));
    }
}

/// To print: one file that needs nothing else.
#[must_use]
pub fn html(report: &Report) -> String {
    let mut out = page::begin(report.standard.title());
    put(
        &mut out,
        format_args!(
            "<p>{}</p>\n<p><strong>{}.</strong></p>\n<table><thead><tr><th>Control<th>Title<th>Status\
             </tr></thead><tbody>\n",
            esc(&head(report)),
            esc(&sum(report))
        ),
    );
    for row in &report.controls {
        put(
            &mut out,
            format_args!(
                "<tr><td>{}<td>{}<td>{}</tr>\n",
                esc(row.id),
                esc(row.title),
                badge(row.status)
            ),
        );
    }
    out += "</tbody></table>\n";
    for row in &report.controls {
        html_row(&mut out, row);
    }
    out += "<section><h2>What is missing</h2>\n";
    if report.gaps.is_empty() {
        out += "<p>Nothing that the program can see.</p>\n";
    } else {
        out += "<table><thead><tr><th>Gap<th>What is missing<th>To do<th>Controls</tr></thead><tbody>\n";
    }
    for gap in &report.gaps {
        let cells = [gap.name, &gap.what, &gap.fix, &gap.controls.join(", ")].map(esc);
        let [name, what, fix, controls] = cells;
        put(&mut out, format_args!("<tr><td>{name}<td>{what}<td>{fix}<td>{controls}</tr>\n"));
    }
    if !report.gaps.is_empty() {
        out += "</tbody></table>\n";
    }
    out + "</section>\n" + page::END
}

fn html_row(out: &mut String, row: &Row) {
    put(
        out,
        format_args!(
            "<section><h2>{} {} {}</h2>\n<p>{}</p>\n<ul>\n",
            esc(row.id),
            esc(row.title),
            badge(row.status),
            esc(row.requires)
        ),
    );
    for looked in &row.looked {
        let (answer, check) = (&looked.answer, esc(looked.check));
        put(
            out,
            format_args!("<li>{} <code>{check}</code> {}", badge(answer.status), esc(&answer.why)),
        );
        if !answer.evidence.is_empty() {
            *out += "<table>\n";
        }
        for (name, value) in &answer.evidence {
            put(out, format_args!("<tr><td>{}<td>{}</tr>\n", esc(name), esc(value)));
        }
        *out += if answer.evidence.is_empty() { "</li>\n" } else { "</table></li>\n" };
    }
    for what in row.missing {
        put(out, format_args!("<li>Not there: {}</li>\n", esc(what)));
    }
    if !row.duty.is_empty() {
        put(out, format_args!("<li>The organisation's own duty: {}</li>\n", esc(row.duty)));
    }
    *out += "</ul></section>\n";
}

fn badge(status: Status) -> String {
    page::badge(class(status), status.words())
}
