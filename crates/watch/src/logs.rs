//! Starts and ends the process's log.

use std::{any::Any, io::Write, path::PathBuf, sync::Arc};

use protocol::{Clock, frames::FrameSeal};
use secrecy::SecretString;
use tracing::{Subscriber, level_filters::LevelFilter, subscriber::set_global_default};
use tracing_subscriber::{EnvFilter, Registry, layer::SubscriberExt, registry, reload};

use crate::{
    Redactor, RedactorError,
    ecs::{EcsLayer, Style},
    emf::EmfFile,
    files::{Keep, SealedFiles, Sealing},
    form::{Form, Formed},
    sink::{self, Gauge, Inlet},
    syslog::{self, LastWords, SyslogConfig},
};

/// Dependencies that say too much below `warn`, unless the filter names them.
const NOISY: [&str; 9] =
    ["actix", "h2", "hyper", "hyper_util", "mio", "reqwest", "rustls", "sled", "tower"];

/// What is logged, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// The folder for log files, created with mode 0700 if missing. `None`: no files. They are sealed,
    /// and begin once the key is given, see [`Logs::seal_with`].
    pub dir: Option<PathBuf>,
    /// True to write to the standard output.
    pub stdout: bool,
    /// True if the standard output is a terminal with a person before it: words, not JSON.
    pub pretty: bool,
    /// What lines on the standard output look like otherwise.
    pub form: Form,
    /// A collector that gets every line as well.
    pub syslog: Option<SyslogConfig>,
    /// A level, then exceptions by target: `info`, or `info,flow=debug`.
    pub filter: String,
    /// Files of more than so many days ago are deleted, at the start and with each new file.
    pub keep_days: u16,
    /// A file that would grow beyond this is followed by another.
    pub file_bytes_max: u64,
    /// The oldest files are deleted while all but the newest are larger together.
    pub total_bytes_max: u64,
}

impl Default for LogConfig {
    /// JSON at `info` on the standard output; where files are wanted, 14 days and at most 1 GiB.
    fn default() -> Self {
        Self {
            dir: None,
            stdout: true,
            pretty: false,
            form: Form::Ecs,
            syslog: None,
            filter: "info".to_owned(),
            keep_days: 14,
            file_bytes_max: 64 << 20,
            total_bytes_max: 1 << 30,
        }
    }
}

/// Why the log cannot start or change.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Neither a folder nor the standard output is asked for.
    #[error("the log has nowhere to go: name a folder or allow the standard output")]
    Nowhere,
    /// The filter cannot be read.
    #[error("the log filter is not a level or a list like info,flow=debug")]
    BadFilter(#[source] tracing_subscriber::filter::ParseError),
    /// The folder or the file of the day cannot be made, opened or cleared of old files.
    #[error("the log folder {dir} cannot be used")]
    Folder {
        /// The folder.
        dir: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The collector cannot be spoken to over TLS, whether it is there or not.
    #[error("the log cannot be sent to the syslog collector")]
    Syslog(#[source] std::io::Error),
    /// The secrets cannot be looked for.
    #[error("the secrets cannot be kept out of the log")]
    Secrets(#[from] RedactorError),
    /// Someone else logs already: this may be called once in a process.
    #[error("the log was started before")]
    AlreadyStarted(#[source] tracing::subscriber::SetGlobalDefaultError),
    /// The log has ended.
    #[error("the log has ended")]
    Ended(#[source] reload::Error),
}

/// Somebody else who gets every line as JSON, one a call, on a thread of its own.
pub struct Tap {
    /// Takes the lines.
    pub to: Box<dyn Write + Send>,
    /// Is dropped when the log ends, after the one above: it may wait a little for what is left.
    pub last: Box<dyn Any + Send>,
}

/// The running log. Dropping it writes out what is queued, for about a second at most, and then
/// loses further lines, so the process keeps it to the end.
#[derive(Debug)]
#[must_use = "dropping it ends the log"]
pub struct Logs {
    /// Before the one below: their threads give the last lines.
    gauges: Vec<Gauge>,
    stdout: Option<Inlet>,
    _last_words: Option<LastWords>,
    _last_of_taps: Vec<Box<dyn Any + Send>>,
    sealing: Sealing,
    filter: reload::Handle<EnvFilter, Registry>,
    redactor: Arc<Redactor>,
}

impl Logs {
    /// Starts the log of this process. Each secret needs at least 6 bytes. None of the secrets will be in a line, in any usual encoding.
    ///
    /// # Errors
    /// If the configuration cannot be used, or the log was started before.
    pub fn start(
        config: LogConfig,
        secrets: &[SecretString],
        clock: Arc<dyn Clock>,
        taps: Vec<Tap>,
    ) -> Result<Self, LogError> {
        let (subscriber, logs) = build(config, secrets, (clock, taps))?;
        set_global_default(subscriber).map_err(LogError::AlreadyStarted)?;
        Ok(logs)
    }

    /// Lines lost since the start, because a disk or a reader was too slow or failed. Exported as
    /// `guildhall_log_dropped_lines_total`.
    #[must_use]
    pub fn dropped_lines(&self) -> u64 {
        self.gauges.iter().map(Gauge::lost_lines).sum()
    }

    /// What tells the number of dropped lines, for metrics.
    pub fn drop_counter(&self) -> impl Fn() -> u64 + Send + Sync + 'static {
        let counters: Vec<_> = self.gauges.iter().map(Gauge::counter).collect();
        move || counters.iter().map(|it| it()).sum()
    }

    /// Gives the key for the log files. What was logged before waits for it; a second one changes nothing.
    pub fn seal_with(&self, seal: Arc<dyn FrameSeal>) {
        // lost-ok: it was given before.
        self.sealing.set(seal).ok();
    }

    /// Changes what is logged from now on.
    ///
    /// # Errors
    /// If the filter cannot be read; then the old one stays.
    pub fn set_filter(&self, filter: &str) -> Result<(), LogError> {
        self.filter.reload(parse(filter)?).map_err(LogError::Ended)
    }

    /// Where lines of figures go between the lines of the log; `None` if nothing is written to the
    /// standard output.
    #[must_use]
    pub fn figures_on_stdout(&self) -> Option<FigureLines> {
        let inlet = self.stdout.clone()?;
        Some(FigureLines { inlet, gauge: None })
    }

    /// What keeps secrets out of the log, for other ways out of the process.
    #[must_use]
    pub fn redactor(&self) -> Arc<Redactor> {
        self.redactor.clone()
    }
}

/// Where lines of figures go, from any thread, without waiting.
#[derive(Debug)]
pub struct FigureLines {
    inlet: Inlet,
    /// Of a file of its own; the standard output's is the log's.
    gauge: Option<Gauge>,
}

impl FigureLines {
    /// A file for an agent that reads it. It grows to 16 MiB, and one before it is kept.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn to_file(path: PathBuf) -> std::io::Result<Self> {
        let (inlet, gauge) = sink::start(EmfFile::open(path)?);
        Ok(Self { inlet, gauge: Some(gauge) })
    }

    /// Takes a line, with its end.
    pub fn put(&self, line: &str) {
        self.inlet.put(line.as_bytes());
    }

    /// Lines that a file refused or was too slow for. Those of the standard output are the log's.
    #[must_use]
    pub fn lost_lines(&self) -> u64 {
        self.gauge.as_ref().map_or(0, Gauge::lost_lines)
    }
}

/// The log without its place as the one of the process.
fn build(
    config: LogConfig,
    secrets: &[SecretString],
    (clock, taps): (Arc<dyn Clock>, Vec<Tap>),
) -> Result<(impl Subscriber + Send + Sync, Logs), LogError> {
    if config.dir.is_none() && !config.stdout && config.syslog.is_none() {
        return Err(LogError::Nowhere);
    }
    let (filter, handle) = reload::Layer::new(parse(&config.filter)?);
    let redactor = Arc::new(Redactor::new(secrets)?);
    let (mut sinks, mut gauges) = (Vec::new(), Vec::new());
    let (sealing, mut last_words, mut stdout) = (Sealing::default(), None, None);
    if let Some(dir) = config.dir {
        let keep = Keep {
            days: config.keep_days,
            file_bytes_max: config.file_bytes_max,
            total_bytes_max: config.total_bytes_max,
        };
        let lost = Arc::default();
        let (own, counted) = (Arc::clone(&sealing), Arc::clone(&lost));
        let opened = SealedFiles::open(dir.clone(), keep, clock.clone(), own, counted);
        let files = opened.map_err(|source| LogError::Folder { dir, source })?;
        let (inlet, gauge) = sink::start_counting(files, lost);
        sinks.push((Style::Json, inlet));
        gauges.push(gauge);
    }
    if let Some(collector) = config.syslog {
        let lost = Arc::default();
        let started = syslog::start(collector, Arc::clone(&lost)).map_err(LogError::Syslog)?;
        let (to, waits) = started;
        last_words = Some(waits);
        let (inlet, gauge) = sink::start_counting(to, lost);
        sinks.push((Style::Json, inlet));
        gauges.push(gauge);
    }
    if config.stdout {
        let form = if config.pretty { Form::Ecs } else { config.form };
        let (inlet, gauge) = sink::start(Formed { to: std::io::stdout(), form });
        stdout = Some(inlet.clone());
        sinks.push((if config.pretty { Style::Pretty } else { Style::Json }, inlet));
        gauges.push(gauge);
    }
    let mut last_of_taps = Vec::new();
    for Tap { to, last } in taps {
        let (inlet, gauge) = sink::start(to);
        sinks.push((Style::Json, inlet));
        gauges.push(gauge);
        last_of_taps.push(last);
    }
    let layer = EcsLayer { sinks, redactor: redactor.clone(), clock };
    let subscriber = registry().with(filter).with(layer);
    let logs = Logs {
        gauges,
        stdout,
        _last_words: last_words,
        _last_of_taps: last_of_taps,
        sealing,
        filter: handle,
        redactor,
    };
    Ok((subscriber, logs))
}

/// The filter as asked, with noisy dependencies at `warn` unless it names them or is stricter.
fn parse(asked: &str) -> Result<EnvFilter, LogError> {
    let filter: EnvFilter = asked.parse().map_err(LogError::BadFilter)?;
    if filter.max_level_hint().is_some_and(|level| level <= LevelFilter::WARN) {
        return Ok(filter);
    }
    // Of two directives for one target the later one counts.
    let quiet: Vec<String> = NOISY.iter().map(|target| format!("{target}=warn")).collect();
    format!("{},{asked}", quiet.join(",")).parse().map_err(LogError::BadFilter)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tracing::{debug, error, info, subscriber::with_default};

    use super::*;
    use crate::{files::tests::Turned, read};

    struct Epoch;

    impl Clock for Epoch {
        fn now(&self) -> protocol::Timestamp {
            protocol::Timestamp(0)
        }
    }

    fn to_folder(dir: &Path, filter: &str) -> LogConfig {
        LogConfig {
            dir: Some(dir.to_owned()),
            stdout: false,
            filter: filter.to_owned(),
            ..LogConfig::default()
        }
    }

    /// The messages in the file after the script ran with this filter.
    fn messages(filter: &str, script: impl FnOnce(&Logs)) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let config = to_folder(dir.path(), filter);
        let (subscriber, logs) = build(config, &[], (Arc::new(Epoch), Vec::new())).unwrap();
        logs.seal_with(Arc::new(Turned));
        with_default(subscriber, || script(&logs));
        drop(logs);
        let mut text = String::new();
        for path in read::files(dir.path()).unwrap() {
            let mut file = read::LogFile::open(&path, Arc::new(Turned)).unwrap();
            let lines = file.read_on(true).unwrap();
            assert_eq!(lines.damage, None);
            text += std::str::from_utf8(&lines.text).unwrap();
        }
        let message = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
        text.lines().map(|line| message(line)["message"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn dropping_the_log_writes_out_what_is_queued() {
        let lines = messages("info", |_| (0..500).for_each(|n| info!("line {n}")));
        assert_eq!(lines.len(), 500);
    }

    #[test]
    fn noisy_dependencies_are_quiet_unless_named() {
        let script = |_: &Logs| {
            debug!(target: "sled::pagecache", "sled debug");
            debug!(target: "hyper::proto", "hyper debug");
            debug!(target: "flow", "flow debug");
            error!(target: "hyper", "hyper error");
        };
        assert_eq!(messages("debug", script), ["flow debug", "hyper error"]);
        let named = messages("debug,sled=debug", script);
        assert_eq!(named, ["sled debug", "flow debug", "hyper error"]);
        assert!(messages("off", script).is_empty());
    }

    #[test]
    fn the_filter_can_change_while_it_runs() {
        let lines = messages("info", |logs| {
            debug!("one");
            logs.set_filter("debug").unwrap();
            debug!("two");
            assert!(logs.set_filter("no,such=level=thing").is_err());
            debug!("three");
        });
        assert_eq!(lines, ["two", "three"]);
    }

    #[test]
    fn a_log_that_cannot_work_is_refused() {
        let start = |config| build(config, &[], (Arc::new(Epoch), Vec::new())).map(|_| ());
        let nowhere = LogConfig { stdout: false, ..LogConfig::default() };
        assert!(matches!(start(nowhere), Err(LogError::Nowhere)));
        let filter = LogConfig { filter: "loud=very".to_owned(), ..LogConfig::default() };
        assert!(matches!(start(filter), Err(LogError::BadFilter(_))));
        let file = tempfile::NamedTempFile::new().unwrap();
        let folder = to_folder(file.path(), "info");
        assert!(matches!(start(folder), Err(LogError::Folder { .. })));
        let short = [SecretString::from("short")];
        let refused =
            build(LogConfig::default(), &short, (Arc::new(Epoch), Vec::new())).map(|_| ());
        assert!(matches!(refused, Err(LogError::Secrets(_))));
    }

    #[test]
    fn a_second_start_in_a_process_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let start = || Logs::start(to_folder(dir.path(), "off"), &[], Arc::new(Epoch), Vec::new());
        let _first = start().unwrap();
        assert!(matches!(start(), Err(LogError::AlreadyStarted(_))));
    }
}
