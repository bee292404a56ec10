//! An answer while it is being written: its text, and what its provider says about it.

use protocol::model::{CompleteError, Completion, Finish, ModelRequest, ToolCall, Usage};

use super::HttpModelConfig;

/// The longest model name that we take from a provider; a longer one is replaced by our own.
const MODEL_NAME_BYTES_MAX: usize = 200;
/// The most tools that one answer may call.
const CALLS_MAX: usize = 32;

/// The answer so far. Hands each piece of text on as it comes.
pub(super) struct Draft<'a> {
    text: String,
    /// In how many pieces the text came.
    pieces: usize,
    text_bytes_max: usize,
    calls: Vec<Called>,
    /// Bytes of what is in `calls`.
    calls_bytes: usize,
    on_text: &'a mut (dyn FnMut(&str) + Send),
    model: Option<String>,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    finish: Option<Finish>,
}

/// A tool that the answer calls, and the place that its provider gives it.
struct Called {
    place: u32,
    call: ToolCall,
}

impl<'a> Draft<'a> {
    pub(super) fn new(text_bytes_max: usize, on_text: &'a mut (dyn FnMut(&str) + Send)) -> Self {
        Self {
            text: String::new(),
            pieces: 0,
            text_bytes_max,
            calls: Vec::new(),
            calls_bytes: 0,
            on_text,
            model: None,
            input_tokens: None,
            output_tokens: None,
            finish: None,
        }
    }

    /// Takes a piece of the answer's text.
    pub(super) fn write(&mut self, piece: &str) -> Result<(), CompleteError> {
        if piece.is_empty() {
            return Ok(());
        }
        self.make_room_for(piece.len())?;
        self.text.push_str(piece);
        self.pieces += 1;
        (self.on_text)(piece);
        Ok(())
    }

    /// In how many pieces the text came.
    pub(super) fn pieces(&self) -> usize {
        self.pieces
    }

    fn make_room_for(&self, more: usize) -> Result<(), CompleteError> {
        let left = self.text_bytes_max - self.text.len();
        match left.checked_sub(self.calls_bytes) {
            Some(left) if more <= left => Ok(()),
            Some(_) | None => Err(CompleteError::TooLarge),
        }
    }

    /// Takes what there is of a call: its id and its tool come with its first piece, or never.
    pub(super) fn call(
        &mut self,
        place: u32,
        id: &str,
        name: &str,
        arguments: &str,
    ) -> Result<(), CompleteError> {
        let bytes = id.len() + name.len() + arguments.len();
        self.make_room_for(bytes)?;
        self.calls_bytes += bytes;
        // Some servers give every call the same place, and tell them apart by their ids.
        let goes_on = |it: &&mut Called| it.place == place && (id.is_empty() || it.call.id == id);
        if let Some(known) = self.calls.iter_mut().rev().find(goes_on) {
            if known.call.name.is_empty() {
                known.call.name.push_str(name);
            }
            known.call.arguments.push_str(arguments);
            return Ok(());
        }
        if self.calls.len() == CALLS_MAX {
            return Err(CompleteError::TooLarge);
        }
        let (id, name, arguments) = (id.to_owned(), name.to_owned(), arguments.to_owned());
        self.calls.push(Called { place, call: ToolCall { id, name, arguments } });
        Ok(())
    }

    /// Takes the provider's name of the model; the first one counts.
    pub(super) fn written_by(&mut self, model: &str) {
        if self.model.is_none() && !model.is_empty() && model.len() <= MODEL_NAME_BYTES_MAX {
            self.model = Some(model.to_owned());
        }
    }

    /// Takes the provider's count of tokens; what it leaves out stays as it was.
    pub(super) fn counted(&mut self, input_tokens: Option<u64>, output_tokens: Option<u64>) {
        self.input_tokens = input_tokens.or(self.input_tokens);
        self.output_tokens = output_tokens.or(self.output_tokens);
    }

    /// Takes the reason why the answer has ended.
    pub(super) fn ended(&mut self, finish: Finish) {
        self.finish = Some(finish);
    }

    /// Whether the provider has said that the answer is complete.
    pub(super) fn has_ended(&self) -> bool {
        self.finish.is_some()
    }

    /// The answer, if it is one: it has ended and it has text.
    pub(super) fn complete(
        self,
        config: &HttpModelConfig,
        request: &ModelRequest,
    ) -> Result<Completion, CompleteError> {
        let Some(finish) = self.finish else {
            return Err(CompleteError::Garbled { what: "it stops before its end" });
        };
        let finish = self.checked_finish(finish, request)?;
        if self.text.trim().is_empty() && self.calls.is_empty() {
            return Err(CompleteError::Empty);
        }
        let input_tokens = self.input_tokens.unwrap_or_else(|| {
            request.turns.iter().map(|turn| estimated_tokens(&turn.content)).sum()
        });
        let output_tokens = self.output_tokens.unwrap_or_else(|| {
            let called = self.calls.iter().map(|it| estimated_tokens(&it.call.arguments));
            called.fold(estimated_tokens(&self.text), u64::saturating_add)
        });
        Ok(Completion {
            model: self.model.unwrap_or_else(|| config.model.clone()),
            usage: Usage {
                input_tokens,
                output_tokens,
                cost_micros: cost_micros(config, input_tokens, output_tokens),
                ..Usage::default()
            },
            finish,
            text: self.text,
            calls: self.calls.into_iter().zip(1..).map(with_id).collect(),
        })
    }

    /// Why it ended. What is called counts, whatever its provider says: some say `stop` then.
    fn checked_finish(
        &self,
        finish: Finish,
        request: &ModelRequest,
    ) -> Result<Finish, CompleteError> {
        let what = match finish {
            Finish::Stop | Finish::Filtered if self.calls.is_empty() => return Ok(finish),
            Finish::Length if self.calls.is_empty() => return Ok(finish),
            Finish::Stop | Finish::Tools | Finish::Length | Finish::Filtered
                if request.tools.is_empty() =>
            {
                "it calls a tool that was not offered"
            }
            Finish::Stop | Finish::Tools if !self.calls.is_empty() => return Ok(Finish::Tools),
            Finish::Stop | Finish::Tools => "it says that it calls a tool and names none",
            Finish::Length | Finish::Filtered => "its call of a tool is cut",
        };
        Err(CompleteError::Garbled { what })
    }
}

/// Every call has an id of its own: some servers give none.
fn with_id((called, number): (Called, u32)) -> ToolCall {
    let mut call = called.call;
    if call.id.is_empty() {
        call.id = format!("call_{number}");
    }
    call
}

/// A fourth of the characters, rounded up: near enough to charge an answer whose provider does not
/// count.
fn estimated_tokens(text: &str) -> u64 {
    u64::try_from(text.chars().count().div_ceil(4)).unwrap_or(u64::MAX)
}

/// The price of an answer, rounded up.
fn cost_micros(config: &HttpModelConfig, input_tokens: u64, output_tokens: u64) -> u64 {
    config.price().of(input_tokens, output_tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_counts_both_directions_and_rounds_up() {
        let mut config = HttpModelConfig::new("a", "https://example.org", "", "m");
        config.price_input_micros_per_mtok = 2_500_000;
        config.price_output_micros_per_mtok = 10_000_000;
        assert_eq!(cost_micros(&config, 1_000, 100), 3_500);
        assert_eq!(cost_micros(&config, 1, 0), 3);
        assert_eq!(cost_micros(&config, u64::MAX, u64::MAX), u64::MAX);
    }

    #[test]
    fn a_text_is_estimated_by_its_characters_rounded_up() {
        assert_eq!(estimated_tokens(""), 0);
        assert_eq!(estimated_tokens("äöüßé"), 2);
    }
}
