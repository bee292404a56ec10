//! Hands the hall's figures to those who do not fetch them from the console.
//!
//! Beside the tree, at intervals; nothing here holds up a turn. What cannot be written is counted and told.

use std::{
    io::{self, Write},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use adapters::sinks::{
    SinkError,
    sentry::{Reporter, Trouble},
};
use console::Source as _;
use protocol::Clock as _;
use serde_json::Value;
use tracing::warn;
use watch::{Emf, FigureLines, Logs, Tap, figures};

use crate::{
    alert_sinks,
    build::BuildError,
    config::{Loaded, TelemetryConfig},
    run::SystemClock,
    source::HallSource,
};

/// Who reports errors and panics, if anybody is to.
///
/// # Errors
/// If the reports cannot be sent from this machine.
pub(crate) fn error_tap(loaded: &Loaded) -> Result<Vec<Tap>, SinkError> {
    if !loaded.config.alerts.sentry.errors {
        return Ok(Vec::new());
    }
    let Some(sentry) = alert_sinks::sentry(loaded)? else { return Ok(Vec::new()) };
    let (reporter, last) = Reporter::start(sentry)?;
    Ok(vec![Tap { to: Box::new(ErrorLines(reporter)), last: Box::new(last) }])
}

/// Reports what lines of the log say about errors.
struct ErrorLines(Reporter);

impl Write for ErrorLines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(trouble) = trouble_of(line) {
            // The log counts what it could not hand on.
            self.0.report(trouble).map_err(io::Error::other)?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What of a line may leave: nothing that is a value of the moment.
fn trouble_of(line: &[u8]) -> Option<Trouble> {
    let line: Value = serde_json::from_slice(line).ok()?;
    let text = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let action = text("event.action");
    // An alert is told by itself.
    if text("log.level") != "error" || action == "alert" {
        return None;
    }
    let is_fatal = action == "panic";
    let place = if is_fatal { text("labels.place") } else { String::new() };
    Some(Trouble { message: text("message"), action, logger: text("log.logger"), place, is_fatal })
}

/// Where lines of figures go, as the configuration says.
///
/// # Errors
/// If the file cannot be opened, or there is no standard output to write to.
pub(crate) fn figure_lines(
    config: &TelemetryConfig,
    logs: &Logs,
) -> Result<Vec<FigureLines>, BuildError> {
    let mut places = Vec::new();
    if config.emf_stdout {
        let stdout = logs.figures_on_stdout().ok_or_else(|| {
            BuildError::in_words("telemetry.emf_stdout needs logs.stdout".to_owned())
        })?;
        places.push(stdout);
    }
    if let Some(path) = &config.emf_file {
        let file = FigureLines::to_file(path.clone()).map_err(|error| {
            let path = path.display();
            BuildError::in_words(format!("telemetry.emf_file: {path} cannot be written: {error}"))
        })?;
        places.push(file);
    }
    Ok(places)
}

/// Writes the figures again and again. Runs until it is dropped.
pub(crate) async fn write_figures(
    source: Arc<HallSource>,
    places: Vec<FigureLines>,
    (namespace, every): (String, Duration),
) {
    let (mut emf, mut told) = (Emf::new(&namespace), 0);
    while !places.is_empty() {
        tokio::time::sleep(every).await;
        let families = figures::read(&source.metrics());
        for line in emf.lines(&families, SystemClock.now()) {
            places.iter().for_each(|it| it.put(&line));
        }
        let lost: u64 = places.iter().map(FigureLines::lost_lines).sum();
        let [_, counted] = &source.untold;
        counted.store(lost, Relaxed);
        if told < lost {
            warn!(
                labels.lines = lost - told,
                event.action = "figures_lost",
                event.outcome = "failure",
                "lines of figures could not be written"
            );
            told = lost;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_error_only_the_sentence_the_word_and_the_place_in_the_source_leave() {
        let line = br#"{"log.level":"error","message":"code panicked","event.action":"panic","log.logger":"kit::panics","labels.place":"crates/a.rs:1","labels.person":"0123456789ab","error.message":"CANARY"}"#;
        let trouble = trouble_of(line).unwrap();
        let whole = Trouble {
            message: "code panicked".to_owned(),
            action: "panic".to_owned(),
            logger: "kit::panics".to_owned(),
            place: "crates/a.rs:1".to_owned(),
            is_fatal: true,
        };
        assert_eq!(trouble, whole);
        for line in [
            r#"{"log.level":"warn","message":"x"}"#,
            r#"{"log.level":"error","message":"alert raised","event.action":"alert"}"#,
            "words",
        ] {
            assert_eq!(trouble_of(line.as_bytes()), None);
        }
    }
}
