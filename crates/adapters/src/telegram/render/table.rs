//! Lays a table out as aligned plain text, to be shown in a fixed-width typeface.

use pulldown_cmark::Alignment;

/// The widest a column is made, in characters. Longer cells stick out.
const COLUMN_CHARS_MAX: usize = 32;

/// A table as it is read. Its first row is the head.
pub(super) struct Table {
    alignments: Vec<Alignment>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(alignments: Vec<Alignment>) -> Self {
        Self { alignments, rows: Vec::new() }
    }

    pub(super) fn start_row(&mut self) {
        self.rows.push(Vec::new());
    }

    pub(super) fn start_cell(&mut self) {
        if let Some(row) = self.rows.last_mut() {
            row.push(String::new());
        }
    }

    /// Writes to the cell that was started last.
    pub(super) fn push(&mut self, text: &str) {
        if let Some(cell) = self.rows.last_mut().and_then(|row| row.last_mut()) {
            cell.push_str(text);
        }
    }

    /// What was written to the cell that was started last.
    pub(super) fn cell(&self) -> &str {
        self.rows.last().and_then(|row| row.last()).map_or("", String::as_str)
    }

    /// The table as lines, the head set off by a rule. Empty cells at the end of a row take no
    /// room, so a table is never much longer than its Markdown.
    pub(super) fn lay_out(&self) -> String {
        let mut widths = vec![1; self.alignments.len()];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = columns(cell).clamp(*width, COLUMN_CHARS_MAX.max(*width));
            }
        }
        let mut out = String::new();
        for (at, row) in self.rows.iter().enumerate() {
            self.lay_out_row(row, &widths, &mut out);
            if at == 0 {
                let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
                out.push_str(&rule.join("─┼─"));
                out.push('\n');
            }
        }
        out.truncate(out.trim_end().len());
        out
    }

    fn lay_out_row(&self, row: &[String], widths: &[usize], out: &mut String) {
        let filled = row.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |at| at + 1);
        let cells = row.iter().take(filled).zip(widths).zip(&self.alignments);
        for (at, ((cell, width), alignment)) in cells.enumerate() {
            if 0 < at {
                out.push_str(" │ ");
            }
            let cell = cell.trim();
            let room = width.saturating_sub(columns(cell));
            let before = match alignment {
                Alignment::None | Alignment::Left => 0,
                Alignment::Center => room / 2,
                Alignment::Right => room,
            };
            out.push_str(&" ".repeat(before));
            out.push_str(cell);
            if at + 1 < filled {
                out.push_str(&" ".repeat(room - before));
            }
        }
        out.push('\n');
    }
}

/// How many columns of a fixed-width typeface a text takes: two for East Asian characters and
/// emoji.
fn columns(text: &str) -> usize {
    let wide = |c| {
        matches!(c, '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{A4CF}'
        | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}' | '\u{FE30}'..='\u{FE6F}'
        | '\u{FF00}'..='\u{FF60}' | '\u{1F300}'..='\u{1FAFF}' | '\u{20000}'..='\u{3FFFF}')
    };
    text.trim().chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}
