//! `guildhall ledger …`: verify, show, trace.

use std::process::ExitCode;

use clap::Subcommand;
use flow::trace::ReadOut;
use guildhall::{
    config::{self, Env},
    ledger_book::{self, LookError, Question, Showing},
    run::EXIT_UNAVAILABLE,
};
use serde_json::Value;

use crate::{Done, Failure, print, print_json};

/// Exit code of data that is not as it should be (`EX_DATAERR`).
const EXIT_DATA: u8 = 65;
/// Exit code of a search that found nothing.
const EXIT_NOTHING: u8 = 1;

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Open every record of the whole log; check order, chains, checksums and closes; say what is damaged, and where.
    Verify {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show the newest records: kinds, times, sizes, outcomes.
    Show {
        /// Only of a conversation: the numeric id of its chat.
        #[arg(long, allow_negative_numbers = true)]
        chat: Option<i64>,
        /// Only of this topic of the chat.
        #[arg(long, requires = "chat")]
        topic: Option<i64>,
        /// How many.
        #[arg(long, short = 'n', default_value_t = 50)]
        newest: usize,
        /// With what people wrote and were answered. Whose that is, is noted in the audit log.
        #[arg(long)]
        texts: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say how an answer came about, by the reference that its person reads out.
    Trace {
        /// The reference, or the first four digits of it at least: 7F3A0001.
        reference: ReadOut,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Does what the command says.
pub(crate) fn run(env: &Env, what: LedgerCommand) -> Done {
    let loaded = config::load(env)?;
    let (question, json) = match what {
        LedgerCommand::Verify { json } => (Question::Verify, json),
        LedgerCommand::Show { chat, topic, newest, texts, json } => {
            (Question::Show(Showing { chat, topic, newest, texts }), json)
        }
        LedgerCommand::Trace { reference, json } => (Question::Trace { reference }, json),
    };
    let say = match question {
        Question::Verify => verified,
        Question::Show(_) => shown,
        Question::Trace { .. } => traced,
    };
    let found = ledger_book::ask(&loaded, question).map_err(|error| match error {
        LookError::Unavailable(why) => Failure::new(EXIT_UNAVAILABLE, why),
        LookError::Damaged(why) => Failure::new(EXIT_DATA, why),
    })?;
    let (words, code) = say(&found);
    if json {
        print_json(&found)?;
    } else {
        print(&words)?;
    }
    Ok(code)
}

fn number(of: &Value, name: &str) -> u64 {
    of.get(name).and_then(Value::as_u64).unwrap_or_default()
}

fn text<'v>(of: &'v Value, name: &str) -> &'v str {
    of.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list<'v>(of: &'v Value, name: &str) -> &'v [Value] {
    of.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn joined(of: &Value, name: &str) -> String {
    list(of, name).iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

fn verified(found: &Value) -> (String, ExitCode) {
    let n = |name: &str| number(found, name);
    let mut words = format!(
        "{} rows with {} records: {} updates arrived ({} of people who were forgotten), {} appends \
         to {} streams, {} dropped, {} set aside unread, {} rests; {} snapshots.\n{} updates were \
         closed, {} wait. It took {} ms.\n",
        n("rows"),
        n("records"),
        n("arrived") + n("erased"),
        n("erased"),
        n("appended"),
        n("streams"),
        n("dropped"),
        n("quarantined"),
        n("rested"),
        n("snapshots"),
        n("closed"),
        n("waiting"),
        n("took_ms")
    );
    let damages = list(found, "damages");
    for damage in damages {
        let (row, record) = (number(damage, "row"), number(damage, "record"));
        words += &match row {
            0 => format!("damaged: {}\n", text(damage, "what")),
            _ => format!("damaged: row {row}, record {record}: {}\n", text(damage, "what")),
        };
    }
    let more = n("damaged").saturating_sub(damages.len() as u64);
    if 0 < more {
        words += &format!("damaged: {more} more places\n");
    }
    if n("damaged") == 0 {
        words += "Every record opens, and everything is in its order.\n";
        return (words, ExitCode::SUCCESS);
    }
    words += "Keep a copy of the data folder; `guildhall store repair` builds the ledger anew.\n";
    (words, ExitCode::from(EXIT_DATA))
}

fn time(of: &Value, name: &str) -> String {
    let millis = of.get(name).and_then(Value::as_i64);
    let time = millis.and_then(|it| jiff::Timestamp::from_millisecond(it).ok());
    time.map_or_else(|| "-".to_owned(), |it| format!("{it:.0}"))
}

fn shown(found: &Value) -> (String, ExitCode) {
    let mut words = String::new();
    for it in found.as_array().map_or(&[][..], Vec::as_slice) {
        let of = match text(it, "chat") {
            "" => text(it, "stream").to_owned(),
            chat => format!("{} {chat}", text(it, "stream")),
        };
        let more = [joined(it, "events"), joined(it, "outcomes"), joined(it, "references")];
        let more: Vec<String> = more.into_iter().filter(|it| !it.is_empty()).collect();
        words += format!(
            "{:>7}.{:<3} {:<20} {:<11} {:>7} B  {of}  {}",
            number(it, "row"),
            number(it, "record"),
            time(it, "at_ms"),
            text(it, "kind"),
            number(it, "bytes"),
            more.join("; ")
        )
        .trim_end();
        words += "\n";
        for text in list(it, "texts").iter().filter_map(Value::as_str) {
            // What people wrote must not move a terminal's cursor.
            words += &format!("            {}\n", text.replace(char::is_control, " "));
        }
    }
    if words.is_empty() {
        words += "There is no such record.\n";
    }
    (words, ExitCode::SUCCESS)
}

fn traced(found: &Value) -> (String, ExitCode) {
    let turns = found.as_array().map_or(&[][..], Vec::as_slice);
    let mut words = String::new();
    for it in turns {
        words += &format!(
            "{}\nArrived: {}, in {}. Outcome: {}.\n\n",
            text(it, "words"),
            time(it, "arrived_ms"),
            text(it, "chat"),
            it.get("outcome").and_then(Value::as_str).unwrap_or("it has not ended")
        );
    }
    if turns.is_empty() {
        words += "No turn with that reference is in the ledger: it expired, or its person was forgotten.\n";
        return (words, ExitCode::from(EXIT_NOTHING));
    }
    (words, ExitCode::SUCCESS)
}
