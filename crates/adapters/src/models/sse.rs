//! Reads server-sent events out of the pieces in which they arrive, as the HTML standard defines
//! them: any line ending, several `data` lines, comments, a byte order mark.
//!
//! Only the data matters to us; `event`, `id` and `retry` are skipped, as are comments. An event
//! that is cut off by the end of the stream is never reported.

use memchr::memchr2;
use protocol::model::CompleteError;

/// What one event, or one piece of the stream, has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// Nothing of the answer: a comment, a ping, half an event.
    Idle,
    /// A part of the answer.
    Progress,
    /// The end of the answer.
    Done,
}

/// The state between two pieces of one stream.
pub(super) struct SseReader {
    /// An unfinished line of earlier pieces.
    line: Vec<u8>,
    /// The `data` lines of the event that is being read, each followed by a line feed.
    data: Vec<u8>,
    /// The last piece ended in a carriage return, whose line feed may still come.
    after_return: bool,
    /// No line has been read yet, so that a byte order mark may come.
    at_start: bool,
    event_bytes_max: usize,
}

impl SseReader {
    /// A reader that refuses events and lines longer than `event_bytes_max`.
    pub(super) fn new(event_bytes_max: usize) -> Self {
        Self {
            line: Vec::new(),
            data: Vec::new(),
            after_return: false,
            at_start: true,
            event_bytes_max,
        }
    }

    /// Takes the next piece, hands the data of each finished event to `on_event` and says the most
    /// that these events have brought. Nothing after a `Done` is read.
    pub(super) fn feed(
        &mut self,
        mut piece: &[u8],
        mut on_event: impl FnMut(&[u8]) -> Result<Step, CompleteError>,
    ) -> Result<Step, CompleteError> {
        let mut most = Step::Idle;
        if self.after_return && !piece.is_empty() {
            self.after_return = false;
            piece = piece.strip_prefix(b"\n").unwrap_or(piece);
        }
        while let Some(end) = memchr2(b'\n', b'\r', piece) {
            let (line, rest) = piece.split_at(end);
            piece = match rest {
                [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => rest,
                [] => rest,
            };
            self.after_return = rest == b"\r";
            let step = self.finish_line(line, &mut on_event)?;
            most = most.max(step);
            if step == Step::Done {
                return Ok(most);
            }
        }
        self.limit(self.line.len(), piece.len())?;
        self.line.extend_from_slice(piece);
        Ok(most)
    }

    fn finish_line(
        &mut self,
        end: &[u8],
        on_event: impl FnMut(&[u8]) -> Result<Step, CompleteError>,
    ) -> Result<Step, CompleteError> {
        if self.line.is_empty() {
            return self.take_line(end, on_event);
        }
        self.limit(self.line.len(), end.len())?;
        let mut line = std::mem::take(&mut self.line);
        line.extend_from_slice(end);
        let step = self.take_line(&line, on_event);
        line.clear();
        self.line = line;
        step
    }

    fn take_line(
        &mut self,
        line: &[u8],
        mut on_event: impl FnMut(&[u8]) -> Result<Step, CompleteError>,
    ) -> Result<Step, CompleteError> {
        let mut line = line;
        if std::mem::take(&mut self.at_start) {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        if line.is_empty() {
            let Some((_line_feed, data)) = self.data.split_last() else { return Ok(Step::Idle) };
            let step = on_event(data)?;
            self.data.clear();
            return Ok(step);
        }
        let value = match line.strip_prefix(b"data") {
            Some([]) => &[],
            Some([b':', b' ', value @ ..] | [b':', value @ ..]) => value,
            // A comment, or a field that we do not need.
            Some(_) | None => return Ok(Step::Idle),
        };
        self.limit(self.data.len(), value.len())?;
        self.data.extend_from_slice(value);
        self.data.push(b'\n');
        Ok(Step::Idle)
    }

    fn limit(&self, held: usize, more: usize) -> Result<(), CompleteError> {
        if held.saturating_add(more) > self.event_bytes_max {
            return Err(CompleteError::TooLarge);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All events of a stream that arrives in pieces of the given size.
    fn events(stream: &[u8], piece_bytes: usize) -> Vec<String> {
        let mut reader = SseReader::new(64);
        let mut seen = Vec::new();
        for piece in stream.chunks(piece_bytes) {
            reader
                .feed(piece, |data| {
                    seen.push(String::from_utf8(data.to_vec()).unwrap());
                    Ok(Step::Progress)
                })
                .unwrap();
        }
        seen
    }

    #[test]
    fn the_same_events_come_out_however_the_stream_is_cut() {
        let stream = "\u{feff}data: one\n\n: a comment\r\nevent: x\r\ndata: two\r\ndata:three\r\n\r\n\
                      data\rdata:  four\r\rid: 7\n\ndata: é\n\ndata: cut off";
        for piece_bytes in 1..=stream.len() {
            assert_eq!(
                events(stream.as_bytes(), piece_bytes),
                ["one", "two\nthree", "\n four", "é"],
                "in pieces of {piece_bytes}"
            );
        }
    }

    #[test]
    fn an_event_without_its_blank_line_is_not_reported() {
        assert_eq!(events(b"data: one\n", 3), [""; 0]);
    }

    #[test]
    fn a_line_or_an_event_over_the_limit_is_too_large() {
        for stream in [vec![b'x'; 65], b"data: 0123456789\n".repeat(6)] {
            let read = SseReader::new(64).feed(&stream, |_| Ok(Step::Progress));
            assert!(matches!(read, Err(CompleteError::TooLarge)));
        }
    }

    #[test]
    fn nothing_is_read_after_the_end() {
        let mut seen = 0;
        let step = SseReader::new(64).feed(b"data: a\n\ndata: b\n\n", |_| {
            seen += 1;
            Ok(Step::Done)
        });
        assert_eq!((step.unwrap(), seen), (Step::Done, 1));
    }
}
