//! Works out expressions with numbers and units: `5 feet 11 inches to cm`, `2^64 - 1`, `19% of 84`.
//!
//! Promises  an answer within a second or none; no network, no file, no chance; a text that breaks it
//!           breaks nothing else.

use std::time::Duration;

use fend_core::{Context, Interrupt};
use protocol::tool::{Taint, ToolError, ToolOutput};
use serde_json::{Value, json};
use tokio::{
    sync::{Semaphore, oneshot},
    time::Instant,
};

use std::sync::Arc;

/// How long one expression may take.
const TIME_MAX: Duration = Duration::from_secs(1);
/// How many are worked out at the same time.
const AT_ONCE_MAX: usize = 2;
/// The longest expression, in characters.
const EXPRESSION_CHARS_MAX: usize = 500;
/// The stack of an expression: its parser goes down for each parenthesis and each sign, and 500 of them fit.
const STACK_BYTES: usize = 64 << 20;
/// What would make functions and statements, which could call themselves for ever.
const FORBIDDEN: [char; 8] = ['\\', ':', '=', ';', '@', '{', '}', '\n'];
/// The longest result, in characters.
const RESULT_CHARS_MAX: usize = 2_000;

pub(super) const DESCRIPTION: &str = "Works out an expression exactly, with units if there are any: \
    `2^64 - 1`, `19% of 84`, `5 feet 11 inches to cm`, `sqrt(2) to 20 dp`, `100 km/h to m/s`, `0xff to decimal`. \
    It knows no exchange rates.";

pub(super) fn parameters() -> Value {
    json!({
        "type": "object",
        "properties": {
            "expression": { "type": "string", "minLength": 1, "maxLength": EXPRESSION_CHARS_MAX,
                "description": "The expression. Ask for a unit with `to`." },
        },
        "required": ["expression"],
        "additionalProperties": false,
    })
}

/// Works expressions out, a few at a time.
#[derive(Clone)]
pub(super) struct Calculator {
    room: Arc<Semaphore>,
}

struct Deadline(Instant);

impl Interrupt for Deadline {
    fn should_interrupt(&self) -> bool {
        self.0 <= Instant::now()
    }
}

impl Calculator {
    pub(super) fn new() -> Self {
        Self { room: Arc::new(Semaphore::new(AT_ONCE_MAX)) }
    }

    pub(super) async fn call(&self, arguments: &Value) -> Result<ToolOutput, ToolError> {
        let expression = arguments.get("expression").and_then(Value::as_str).unwrap_or_default();
        if expression.contains(FORBIDDEN) {
            return Ok(says(
                "only numbers, units, functions such as sqrt, and signs can be worked out",
                true,
            ));
        }
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_full| ToolError::Busy)?;
        let expression = expression.to_owned();
        let (tell, told) = oneshot::channel();
        let work = move || {
            let output = work_out(&expression);
            // Held to the end, also when nobody waits any more.
            drop(room);
            // lost-ok: nobody waits any more.
            tell.send(output).ok();
        };
        let thread =
            std::thread::Builder::new().name("calculator".to_owned()).stack_size(STACK_BYTES);
        thread.spawn(work).map_err(|error| ToolError::Unavailable(Box::new(error)))?;
        match tokio::time::timeout(TIME_MAX * 2, told).await {
            Ok(Ok(output)) => Ok(output),
            // The text broke it; that is logged by the panic's hook.
            Ok(Err(_panicked)) => Ok(says("it cannot be worked out", true)),
            Err(_elapsed) => Err(ToolError::TimedOut),
        }
    }
}

fn work_out(expression: &str) -> ToolOutput {
    let mut context = Context::new();
    context.disable_rng();
    let deadline = Deadline(Instant::now() + TIME_MAX);
    match fend_core::evaluate_with_interrupt(expression, &mut context, &deadline) {
        Ok(result) if result.output_is_empty() => says("there is nothing to work out", true),
        Ok(result) => says(result.get_main_result(), false),
        Err(text) => says(&text, true),
    }
}

fn says(text: &str, is_error: bool) -> ToolOutput {
    let text = text.chars().take(RESULT_CHARS_MAX).collect();
    ToolOutput { text, taint: Taint::Hall, is_error }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn result(expression: &str) -> ToolOutput {
        let arguments = json!({ "expression": expression });
        Calculator::new().call(&arguments).await.unwrap()
    }

    #[tokio::test]
    async fn numbers_and_units_are_worked_out() {
        let cases = [
            ("2^64 - 1", "18446744073709551615"),
            ("19% of 84", "15.96"),
            ("100 km/h to m/s", "approx. 27.7777777778 m / s"),
            ("5 feet 11 inches to cm", "180.34 cm"),
            ("32 °F to °C", "0 °C"),
            ("0xff to decimal", "255"),
            ("1 day to minutes", "1440 minutes"),
        ];
        for (expression, expected) in cases {
            let output = result(expression).await;
            assert_eq!((output.text.as_str(), output.is_error), (expected, false), "{expression}");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_worked_out_is_said_and_ends_in_time() {
        for expression in [
            "1 / 0",
            "9^9^9^9",
            "(10^9)!",
            "1e999999999",
            "2^(2^100)",
            "1 USD to EUR",
            "roll d6",
            "",
            "@noapprox",
            &"(".repeat(500),
            &format!("{}1{}", "(".repeat(249), ")".repeat(249)),
            &"-".repeat(500),
            &format!("1{}", "^1".repeat(249)),
            &format!("1{}", "+1".repeat(249)),
            &format!("2{}", "^2".repeat(200)),
            &"sqrt ".repeat(100),
            &format!("1 {}", "to m ".repeat(90)),
            &format!("9{}", "!".repeat(100)),
            "((\\x. x x) (\\x. x x))",
            "f = x: f x; f 1",
            "(x => x x) (x => x x)",
        ] {
            let began = Instant::now();
            let output = result(expression).await;
            assert!(began.elapsed() < TIME_MAX * 2, "{expression}");
            // Long sums and chains of powers are fine; the rest has no result.
            assert!(output.is_error || expression.len() > 90, "{expression}: {}", output.text);
        }
    }
}
