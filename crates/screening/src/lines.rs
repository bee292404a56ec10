//! Screens a stream of JSON Lines: one request a line in, one response a line out.
//!
//! A line that cannot be used is answered with verdict `refuse` and kind `malformed`; it never
//! stops the stream. Output is flushed whenever no whole line is waiting, so it keeps up with a pipe.

use std::{
    borrow::Cow,
    io::{self, BufRead, BufReader, Read, Write},
};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    judgement::{Direction, Finding, Judgement, Verdict},
    leak::OutboundContext,
    screen::{Screen, malformed},
};

/// The longest line, in bytes. The rest of a longer one is skipped and it is malformed.
const LINE_BYTES_MAX: usize = 8 << 20;
/// Room for lines that wait to be read.
const BUFFER_BYTES: usize = 64 << 10;

/// One line to be screened. Other keys are ignored.
#[derive(Debug, Deserialize)]
pub struct ScreenRequest<'l> {
    /// Any JSON; handed back as it came. `null` if left out.
    #[serde(borrow, default)]
    pub id: Option<&'l RawValue>,
    /// The text to judge.
    #[serde(borrow)]
    pub text: Cow<'l, str>,
}

/// The answer to one line.
#[derive(Debug, Serialize)]
pub struct ScreenResponse<'l> {
    /// The request's id.
    pub id: Option<&'l RawValue>,
    /// What was decided.
    #[serde(flatten)]
    pub judgement: Judgement<'l>,
}

/// What became of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinesSummary {
    /// Lines answered, empty ones left out.
    pub lines: u64,
    /// Lines that were refused, malformed ones among them.
    pub refused: u64,
    /// Lines that could not be used.
    pub malformed: u64,
}

/// Reads requests from `reader` until its end and writes a response for each to `writer`.
///
/// # Errors
/// Those of `reader` and `writer`. Nothing in a line is an error.
pub fn screen_lines(
    screen: &Screen,
    direction: Direction,
    reader: impl Read,
    mut writer: impl Write,
) -> io::Result<LinesSummary> {
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, reader);
    let mut summary = LinesSummary::default();
    let context = OutboundContext::default();
    let mut line = Vec::new();
    let mut answer = Vec::new();
    while let Some(fits) = read_line(&mut reader, &mut line)? {
        if fits && line.trim_ascii().is_empty() {
            continue;
        }
        answer.clear();
        let response = respond(screen, direction, &context, fits.then_some(&line));
        summary.lines += 1;
        summary.refused += u64::from(response.judgement.verdict == Verdict::Refuse);
        summary.malformed += u64::from(is_bad_line(&response.judgement.findings));
        serde_json::to_writer(&mut answer, &response)?;
        answer.push(b'\n');
        writer.write_all(&answer)?;
        if !reader.buffer().contains(&b'\n') {
            writer.flush()?;
        }
    }
    writer.flush()?;
    Ok(summary)
}

/// Reads one line into `line`, without its end. `None` at the end of input; `Some(false)` if the
/// line is longer than lines may be.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    line.clear();
    let limit = LINE_BYTES_MAX as u64 + 1;
    if reader.by_ref().take(limit).read_until(b'\n', line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        return Ok(Some(true));
    }
    if line.len() <= LINE_BYTES_MAX {
        return Ok(Some(true));
    }
    reader.skip_until(b'\n')?;
    Ok(Some(false))
}

const BAD_LINE: &str = "bad_line";

fn is_bad_line(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| &*finding.rule == BAD_LINE)
}

fn respond<'l>(
    screen: &Screen,
    direction: Direction,
    context: &OutboundContext,
    line: Option<&'l Vec<u8>>,
) -> ScreenResponse<'l> {
    let bytes = line.map(Vec::as_slice).unwrap_or_default();
    let Ok(request) = serde_json::from_slice::<ScreenRequest<'l>>(bytes) else {
        let finding = malformed(BAD_LINE, 0, 0);
        let judgement =
            Judgement::conclude(screen.level(), 0.0, vec![finding], |_| Cow::Borrowed(""));
        return ScreenResponse { id: id_of(bytes), judgement };
    };
    let judgement = match (direction, request.text) {
        (Direction::In, Cow::Borrowed(text)) => screen.inbound(text),
        (Direction::Out, Cow::Borrowed(text)) => screen.outbound(text, context),
        (Direction::In, Cow::Owned(text)) => screen.inbound(&text).into_owned(),
        (Direction::Out, Cow::Owned(text)) => screen.outbound(&text, context).into_owned(),
    };
    ScreenResponse { id: request.id, judgement }
}

/// The id of a line that is malformed otherwise, so that its sender can tell which it was.
fn id_of(line: &[u8]) -> Option<&RawValue> {
    #[derive(Deserialize)]
    struct OnlyId<'l> {
        #[serde(borrow, default)]
        id: Option<&'l RawValue>,
    }
    serde_json::from_slice::<OnlyId<'_>>(line).ok().and_then(|only| only.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{classifier::AttackKind, screen::Policy};

    fn screened(input: &[u8]) -> (String, LinesSummary) {
        // These tests are about the form of the answers, so no trained weights may change them.
        let attacks_disabled = AttackKind::ALL.to_vec();
        let screen = Screen::new(Policy { attacks_disabled, ..Policy::default() }).unwrap();
        let mut output = Vec::new();
        let summary = screen_lines(&screen, Direction::In, input, &mut output).unwrap();
        (String::from_utf8(output).unwrap(), summary)
    }

    #[test]
    fn every_line_is_answered_and_a_bad_one_stops_nothing() {
        let input = b"{\"id\":1,\"text\":\"hello\"}\nnot json\n\n\
            {\"id\":{\"a\":[1.50]},\"text\":5}\n{\"text\":\"tab\\there\",\"more\":true}\n\xff\xfe\n\
            {\"id\":\"x\",\"text\":\"\\ud800\"}";
        let (output, summary) = screened(input);
        let refused = |id: &str| {
            format!(
                "{{\"id\":{id},\"verdict\":\"refuse\",\"score\":0.0,\"findings\":[{{\"kind\":\"malformed\",\
                 \"rule\":\"bad_line\",\"severity\":\"medium\",\"start\":0,\"end\":0,\
                 \"action\":\"refuse\"}}],\"text\":\"\"}}\n"
            )
        };
        let clear = |id: &str, text: &str| {
            format!(
                "{{\"id\":{id},\"verdict\":\"clear\",\"score\":0.0,\"findings\":[],\"text\":\"{text}\"}}\n"
            )
        };
        let expected = [
            clear("1", "hello"),
            refused("null"),
            refused("{\"a\":[1.50]}"),
            clear("null", "tab\\there"),
            refused("null"),
            refused("\"x\""),
        ];
        assert_eq!(output, expected.concat());
        assert_eq!(summary, LinesSummary { lines: 6, refused: 4, malformed: 4 });
    }

    #[test]
    fn a_line_longer_than_lines_may_be_is_malformed_and_the_next_is_read() {
        let mut input = vec![b'a'; LINE_BYTES_MAX + 10];
        input.extend(b"\n{\"id\":2,\"text\":\"ok\"}\n");
        let (output, summary) = screened(&input);
        assert!(output.lines().nth(1).unwrap().starts_with("{\"id\":2,\"verdict\":\"clear\""));
        assert_eq!(summary, LinesSummary { lines: 2, refused: 1, malformed: 1 });
    }
}
