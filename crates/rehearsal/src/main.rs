//! The rehearsal as a program: serves until it is stopped, runs a load, or pumps.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use rehearsal::load::{self, Plan, PumpConfig};
use rehearsal::models::SettingsChange;
use rehearsal::{BotSeed, Config, Rehearsal};

/// Messages that each chat remembers under load, so that memory holds many people.
const LOAD_MESSAGES_PER_CHAT_MAX: usize = 20;

/// A Telegram Bot API server and a model server on this machine, to rehearse a bot in front of them.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until stopped; this is also what happens without a command.
    Serve(ServeArgs),
    /// Serve, let virtual people write to the bot, and print what came of it as one line of JSON.
    Load(LoadArgs),
    /// Be the least a bot can be: reads TELEGRAM_API_URL, TELEGRAM_BOT_TOKEN and OPENAI_BASE_URL.
    Pump {
        /// Threads to work on.
        #[arg(long, default_value_t = 1)]
        threads: usize,
    },
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// Where to listen; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:8081")]
    addr: SocketAddr,
    /// Token of a bot; may be given several times. Without one there is a bot with a token of its own.
    #[arg(long)]
    token: Vec<String>,
    /// Wait before the second retry of a webhook delivery, in milliseconds; it doubles from there.
    #[arg(long, default_value_t = 2000)]
    webhook_retry_ms: u64,
    /// Seed of the faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep no history, for the highest speed.
    #[arg(long)]
    no_record: bool,
}

#[derive(Debug, Args)]
struct LoadArgs {
    #[command(flatten)]
    serve: ServeArgs,
    /// How many people write.
    #[arg(long, default_value_t = 100)]
    people: usize,
    /// How long they write.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Messages each of them writes at most; 0 is no limit.
    #[arg(long, default_value_t = 0)]
    messages: u64,
    /// Messages a second in all, whether answered or not; 0: each writes again when answered.
    #[arg(long, default_value_t = 0.0)]
    rate: f64,
    /// Pause of a person between an answer and their next message, in milliseconds.
    #[arg(long, default_value_t = 0)]
    think_ms: u64,
    /// Give a message up after so many seconds without an answer.
    #[arg(long, default_value_t = 60.0)]
    patience: f64,
    /// Wait so many seconds for the last answers.
    #[arg(long, default_value_t = 10.0)]
    drain: f64,
    /// Length of a message in bytes.
    #[arg(long, default_value_t = 100)]
    text_bytes: usize,
    /// What each says before the clock starts, for bots that greet first, such as "/start".
    #[arg(long)]
    greeting: Option<String>,
    /// Wait so many seconds for the bot to come.
    #[arg(long, default_value_t = 60.0)]
    wait: f64,
    /// Milliseconds the model thinks.
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// Milliseconds between two tokens of the model's streams.
    #[arg(long, default_value_t = 0)]
    token_ms: u64,
}

impl ServeArgs {
    fn config(&self) -> Config {
        let mut config = Config {
            addr: self.addr,
            webhook_retry: Duration::from_millis(self.webhook_retry_ms),
            seed: self.seed,
            record: !self.no_record,
            ..Config::default()
        };
        if !self.token.is_empty() {
            let seeds = self.token.iter().enumerate().map(|(at, token)| {
                let bot = BotSeed { token: token.clone(), ..BotSeed::default() };
                match at {
                    0 => bot,
                    at => BotSeed { username: format!("guildhall{at}_bot"), ..bot },
                }
            });
            config.bots = seeds.collect();
        }
        config
    }
}

impl LoadArgs {
    fn plan(&self) -> Result<Plan, Box<dyn std::error::Error>> {
        Ok(Plan {
            people: self.people,
            time: Duration::try_from_secs_f64(self.seconds)?,
            messages_max: self.messages,
            rate_per_s: self.rate,
            think: Duration::from_millis(self.think_ms),
            patience: Duration::try_from_secs_f64(self.patience)?,
            drain: Duration::try_from_secs_f64(self.drain)?,
            text_bytes: self.text_bytes,
            greeting: self.greeting.clone(),
            ..Plan::default()
        })
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(args) => on_threads(1, serve(args.config())),
        Command::Load(args) => on_threads(1, run_load(&args)),
        Command::Pump { threads } => on_threads(threads, pump()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if writeln!(io::stderr(), "rehearsal: {error}").is_err() {
                // lost-ok: nobody is left to tell.
            }
            // EX_UNAVAILABLE of sysexits.
            ExitCode::from(69)
        }
    }
}

type Done = Result<(), Box<dyn std::error::Error>>;

/// Runs on so many threads; on one, that bot and server can have a core each.
fn on_threads(threads: usize, work: impl Future<Output = Done>) -> Done {
    let mut runtime = match threads {
        0 | 1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    runtime.worker_threads(threads.max(1)).enable_all().build()?.block_on(work)
}

async fn serve(config: Config) -> Done {
    let rehearsal = Rehearsal::start(config).await?;
    writeln!(io::stdout(), "{}", rehearsal.url())?;
    Ok(tokio::signal::ctrl_c().await?)
}

async fn run_load(args: &LoadArgs) -> Done {
    let plan = args.plan()?;
    let config = Config {
        record: false,
        messages_per_chat_max: LOAD_MESSAGES_PER_CHAT_MAX,
        ..args.serve.config()
    };
    let rehearsal = Rehearsal::start(config).await?;
    rehearsal.models().configure(SettingsChange {
        latency_ms: Some(args.latency_ms),
        token_ms: Some(args.token_ms),
        record_max: Some(0),
        ..SettingsChange::default()
    });
    writeln!(io::stderr(), "{}", rehearsal.url())?;
    let wait = Duration::try_from_secs_f64(args.wait)?;
    if !load::bot_came(rehearsal.world(), wait).await {
        return Err("no bot came".into());
    }
    let report = load::run(&rehearsal, plan).await;
    Ok(writeln!(io::stdout(), "{}", serde_json::to_string(&report)?)?)
}

async fn pump() -> Done {
    let never = load::pump(&PumpConfig::from_env()?).await?;
    match never {}
}
