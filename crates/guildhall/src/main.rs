//! The program: one command a line, each a few steps to the part that does the work.

mod agent_command;
mod alerts_command;
mod audit_command;
mod backup_command;
#[cfg(test)]
mod commands_page;
mod forensics_command;
mod incidents_command;
mod ledger_command;
mod logs_command;
mod person_command;
mod playbooks_command;
mod redteam_command;
mod report_command;
mod rules_command;
mod store_command;
mod tools_command;

use std::{
    io::{self, Write as _},
    net::SocketAddr,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use clap::{CommandFactory as _, Parser, Subcommand};
use guildhall::{
    alert_sinks, ask_console, build,
    config::{self, Env, Problems, schema},
    demo::{self, Demo},
    doctor, examine, init,
    run::{self, Door, EXIT_SOFTWARE, EXIT_UNAVAILABLE},
};
use protocol::Clock as _;
use screening::{Direction, Level, Policy, Screen, screen_lines};

/// Turns make and drop thousands of small values a second; this allocator makes that cheap and
/// gives memory back.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// A hall of named agents in Telegram that loses no message and answers none twice.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the data folder, the master key and a configuration file to start from.
    Init,
    /// Run the hall until it is asked to stop (SIGTERM).
    Run,
    /// Run the hall in front of a rehearsal of Telegram: no token, no account.
    Demo {
        /// Where the chat page listens.
        #[arg(long, default_value = "127.0.0.1:8080")]
        chat: SocketAddr,
        /// Where the console listens.
        #[arg(long, default_value = "127.0.0.1:8088")]
        console: SocketAddr,
        /// Where the demo's data is kept.
        #[arg(long, default_value = "data/demo")]
        data: PathBuf,
        /// The embedded model's weights; without them a scripted model answers.
        #[arg(long)]
        weights: Option<PathBuf>,
    },
    /// Say in words what is wrong and how to put it right.
    Doctor {
        /// As JSON.
        #[arg(long)]
        json: bool,
        /// Put file modes and missing folders right.
        #[arg(long)]
        fix: bool,
    },
    /// Ask the running hall how it is.
    Status {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ask the running hall what was used of models, and what is left.
    Usage {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Open the sealed log files. The hall may run meanwhile.
    Logs {
        #[command(subcommand)]
        what: logs_command::LogsCommand,
    },
    /// Check, show or describe the configuration.
    Config {
        #[command(subcommand)]
        what: ConfigCommand,
    },
    /// The agents of the hall.
    Agent {
        #[command(subcommand)]
        what: agent_command::AgentCommand,
    },
    /// Judge texts: JSON Lines in, JSON Lines out. Needs no configuration.
    Screen {
        /// Judge what people write (the default).
        #[arg(long = "in", conflicts_with = "outbound")]
        inbound: bool,
        /// Judge what models write.
        #[arg(long = "out")]
        outbound: bool,
        /// How strict: low, medium or high.
        #[arg(long, default_value = "medium")]
        level: String,
    },
    /// The guard's rules.
    Rules {
        #[command(subcommand)]
        what: rules_command::RulesCommand,
    },
    /// What is kept of one person: export, forget, block, unblock.
    Person {
        #[command(subcommand)]
        what: person_command::PersonCommand,
    },
    /// The master key.
    Key {
        #[command(subcommand)]
        what: person_command::KeyCommand,
    },
    /// What officers, operators and the console did.
    Audit {
        #[command(subcommand)]
        what: audit_command::AuditCommand,
    },
    /// What was denied, refused or broken, put together.
    #[command(alias = "incidents")]
    Incident {
        #[command(subcommand)]
        what: incidents_command::IncidentsCommand,
    },
    /// What the hall does by itself about incidents.
    Playbooks {
        #[command(subcommand)]
        what: playbooks_command::PlaybooksCommand,
    },
    /// Hold this hall against a standard: control by control, with what is missing.
    Report(report_command::ReportCommand),
    /// Report everything that is kept about one incident, signed.
    Forensics(forensics_command::ForensicsCommand),
    /// Attack a hall with the agents, rules and models of this one, which nobody else can reach, and report.
    Redteam(redteam_command::RedteamCommand),
    /// Backups of the ledger.
    Backup {
        #[command(subcommand)]
        what: backup_command::BackupCommand,
    },
    /// What is wrong, who was told of it, and whether everybody can be told.
    Alerts {
        #[command(subcommand)]
        what: alerts_command::AlertsCommand,
    },
    /// The ledger's records: whether all are as they were written, the newest, and a turn by its reference.
    Ledger {
        #[command(subcommand)]
        what: ledger_command::LedgerCommand,
    },
    /// The ledger's database, while the hall is stopped.
    Store {
        #[command(subcommand)]
        what: store_command::StoreCommand,
    },
    /// The tools that agents may use, and the servers that have them.
    Tools {
        #[command(subcommand)]
        what: tools_command::ToolsCommand,
    },
    /// Gives up rights and becomes another program: how the hall starts tool servers.
    #[command(hide = true)]
    SandboxExec(tools_command::SandboxExec),
    /// Gives up every right but to think, reads a document from standard input and writes its words: how
    /// the hall reads documents of strangers.
    #[command(hide = true)]
    ReadDocument {
        /// Characters that are read.
        #[arg(long, default_value_t = 200_000)]
        chars_max: usize,
    },
    /// Write the completions of a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Say whether the configuration is right.
    Check,
    /// Show every setting in force and where it comes from. Secrets are never shown.
    Show {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write the JSON Schema of the configuration file.
    Schema,
}

fn main() -> ExitCode {
    // For end-to-end tests: `FAILPOINTS` names the places where an actor panics.
    #[cfg(feature = "faults")]
    let _scenario = fail::FailScenario::setup();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let env = config::environment();
    let result = match cli.command {
        Command::Init => make(&env),
        Command::Run => stand(&env),
        Command::Demo { chat, console, data, weights } => {
            rehearse(&env, &Demo { chat, console, data, weights })
        }
        Command::Doctor { json, fix } => diagnose(&env, json, fix),
        Command::Status { json } => ask_status(&env, json),
        Command::Usage { json } => ask_usage(&env, json),
        Command::Logs { what } => logs_command::run(&env, what),
        Command::Config { what } => configuration(&env, &what),
        Command::Agent { what } => agent_command::run(&env, what),
        Command::Screen { outbound, level, .. } => judge(outbound, &level),
        Command::Rules { what } => rules_command::run(&env, what),
        Command::Person { what } => person_command::run(&env, what),
        Command::Key { what } => person_command::key(&env, what),
        Command::Audit { what } => audit_command::run(&env, what),
        Command::Incident { what } => incidents_command::run(&env, what),
        Command::Playbooks { what } => playbooks_command::run(&env, &what),
        Command::Report(what) => report_command::run(&env, &what),
        Command::Redteam(what) => redteam_command::run(&env, &what),
        Command::Forensics(what) => forensics_command::run(&env, what),
        Command::Backup { what } => backup_command::run(&env, what),
        Command::Alerts { what } => alerts_command::run(&env, what),
        Command::Ledger { what } => ledger_command::run(&env, what),
        Command::Store { what } => store_command::run(&env, what),
        Command::Tools { what } => tools_command::run(&env, &what),
        Command::SandboxExec(what) => tools_command::become_server(&what),
        Command::ReadDocument { chars_max } => tools_command::read_document(chars_max),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "guildhall", &mut io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    };
    result.unwrap_or_else(|failure| {
        // lost-ok: standard error is closed; the exit code says the same.
        writeln!(io::stderr(), "guildhall: {}", failure.text).ok();
        ExitCode::from(failure.code)
    })
}

/// What ends a command: words and an exit code of sysexits.
struct Failure {
    text: String,
    code: u8,
}

impl Failure {
    fn new(code: u8, text: impl ToString) -> Self {
        Self { text: text.to_string(), code }
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::new(config::EXIT_CONFIG, problems)
    }
}

impl From<build::BuildError> for Failure {
    fn from(error: build::BuildError) -> Self {
        Self::new(config::EXIT_CONFIG, error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(EXIT_UNAVAILABLE, error)
    }
}

type Done = Result<ExitCode, Failure>;

/// Wrong words on the command line: exit code 64 (`EX_USAGE`). Help and version are no failure.
fn usage(error: &clap::Error) -> ExitCode {
    // lost-ok: standard output is closed.
    error.print().ok();
    ExitCode::from(if error.use_stderr() { 64 } else { 0 })
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever read it has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value);
    print(&format!("{}\n", text.map_err(|error| Failure::new(EXIT_SOFTWARE, error))?))
}

fn make(env: &Env) -> Done {
    let (loaded, file) = init::configuration(env)?;
    let data = loaded.config.hall.data_dir.clone();
    let create = |path: &std::path::Path| {
        store::Keys::create(path, store::KeyPlace::OutsideOf(&data))
            .map(drop)
            .map_err(|error| Box::new(error) as Box<dyn std::error::Error + Send + Sync>)
    };
    let steps = init::init(&loaded, &file, &create);
    let steps = steps.map_err(|error| build::BuildError::of(&error))?;
    print(&init::words(&steps, &loaded))?;
    Ok(ExitCode::SUCCESS)
}

fn stand(env: &Env) -> Done {
    // A hall at rest gives memory back, too. Not by the allocator's settings: the process that reads documents has
    // the same, and must have one thread. lost-ok: without it memory is given back when more is asked for.
    tikv_jemalloc_ctl::background_thread::write(true).ok();
    // Found before an upgrade may have put another file in its place.
    let program = std::env::current_exe();
    let loaded = config::load(env)?;
    let logs = run::start_logs(&loaded)?;
    let now = env.clone();
    let may_renew = Arc::new(move || {
        let loaded = config::load(&now).map_err(|problems| problems.to_string())?;
        loaded.ready_to_run().map_err(|problems| problems.to_string())
    });
    let ended = run::run(
        loaded,
        Door::Locked,
        &logs,
        run::Cues { standing: &|| (), may_renew: Some(may_renew), ends: None },
    );
    drop(logs);
    if let Some(code) = ended {
        return Ok(code);
    }
    // The same process goes on as a new program: nobody who watches it sees it end.
    let program = program.map_err(|error| Failure::new(run::EXIT_SOFTWARE, error))?;
    let mut again = std::process::Command::new(program);
    Err(Failure::new(run::EXIT_SOFTWARE, again.args(std::env::args_os().skip(1)).exec()))
}

fn rehearse(env: &Env, demo: &Demo) -> Done {
    let clerk = Arc::new(demo::Clerk::default());
    let rehearsal = demo::start_rehearsal(demo, &clerk).map_err(|error| {
        let text = format!("the chat page cannot listen on {}: {error}; try --chat", demo.chat);
        Failure::new(EXIT_UNAVAILABLE, text)
    })?;
    let mut env = demo::environment(env, demo, rehearsal);
    let house = config::load(&env)?.config.hall.agents_dir;
    demo::put_agents(demo, &mut env, &house).map_err(|error| {
        let text = format!("the demo's agents cannot be put into {}: {error}", demo.data.display());
        Failure::new(EXIT_UNAVAILABLE, text)
    })?;
    demo::recover(demo).map_err(|error| {
        let text = format!("the data that a restore had moved away cannot be put back: {error}");
        Failure::new(EXIT_UNAVAILABLE, text)
    })?;
    let loaded = config::load(&env)?;
    let logs = run::start_logs(&loaded)?;
    let words = demo::words(demo, rehearsal, &loaded.config.hall.default_agent);
    print("\n  The hall is being built: the ledger is opened and the model is loaded…\n")?;
    // lost-ok: whoever started the demo does not read what it says.
    let tell = move || drop(print(&words));
    Ok(demo::live((demo, &env, &clerk), loaded, &logs, &tell))
}

fn diagnose(env: &Env, json: bool, fix: bool) -> Done {
    let (loaded, problems) = config::inspect(env);
    let mut findings = if fix { doctor::repair(&loaded) } else { Vec::new() };
    findings.extend(doctor::examine(&loaded, &problems, run::SystemClock.now()));
    findings.extend(examine::all(&loaded));
    if json {
        print_json(&doctor::json(&findings))?;
    } else {
        print(&doctor::words(&findings))?;
    }
    let is_bad = doctor::worst(&findings) == doctor::Level::Bad;
    Ok(if is_bad { ExitCode::from(config::EXIT_CONFIG) } else { ExitCode::SUCCESS })
}

fn ask_status(env: &Env, json: bool) -> Done {
    let loaded = config::load(env)?;
    let status = ask_console::status(&loaded.config);
    let status = status.map_err(|error| Failure::new(EXIT_UNAVAILABLE, error))?;
    if json {
        print_json(&status)?;
    } else {
        print(&ask_console::words(&status))?;
    }
    let is_well = status.get("state").is_some_and(|it| it == "running");
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::from(EXIT_UNAVAILABLE) })
}

fn ask_usage(env: &Env, json: bool) -> Done {
    let loaded = config::load(env)?;
    let usage = ask_console::usage(&loaded.config);
    let usage = usage.map_err(|error| Failure::new(EXIT_UNAVAILABLE, error))?;
    match json {
        true => print_json(&usage)?,
        false => print(&ask_console::usage_words(&usage))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn configuration(env: &Env, what: &ConfigCommand) -> Done {
    match what {
        ConfigCommand::Check => {
            let loaded = config::load(env)?;
            build::screen(&loaded)?;
            build::founding(&loaded.config, &[])?;
            alert_sinks::sinks(&loaded).map_err(|error| build::BuildError::of(&error))?;
            build::toolbox::settings(&loaded, build::toolbox::Purpose::Use)?;
            for warning in &loaded.warnings {
                print(&format!("warning: {warning}\n"))?;
            }
            print("The configuration is right.\n")?;
        }
        ConfigCommand::Show { json } => {
            let loaded = config::load(env)?;
            match json {
                true => print_json(&schema::show_json(&loaded))?,
                false => print(&schema::show_text(&loaded))?,
            }
        }
        ConfigCommand::Schema => print_json(&schema::schema())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn judge(outbound: bool, level: &str) -> Done {
    let level = level.parse::<Level>().map_err(|error| Failure::new(64, error))?;
    let policy = Policy { level, ..Policy::default() };
    let screen = Screen::new(policy).map_err(|error| build::BuildError::of(&error))?;
    let direction = if outbound { Direction::Out } else { Direction::In };
    match screen_lines(&screen, direction, io::stdin().lock(), io::stdout().lock()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(ExitCode::SUCCESS),
    }
}
