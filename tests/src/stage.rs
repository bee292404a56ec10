//! One data folder in front of one rehearsal, and the halls that are started on it.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use rehearsal::{
    BotSeed, CallRecord, Config, GroupSeed, PersonSeed, Press, Rehearsal, Say, models::marks,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::{Instant, timeout},
};

use crate::{Slots, wait_until};

/// The admin of every stage.
pub const ADMIN: i64 = 1001;
/// A person who may talk.
pub const BEN: i64 = 1002;
/// Somebody who may talk, but is no admin and in no group.
pub const STRANGER: i64 = 1003;
/// A group of [`ADMIN`] and [`BEN`].
pub const GROUP: i64 = -500;
/// A forum of the two, with the topics 7 and 8.
pub const FORUM: i64 = -1_001_000_000_500;
/// The bot's token.
pub const TOKEN: &str = "123456:AAHrehearsalrehearsalrehearsalrehea";
/// How long anything may take that is expected to happen soon.
const SOON: Duration = Duration::from_secs(20);
/// Ports for consoles and webhooks: below those that the system gives to outgoing connections, so
/// that none of these takes the port while the hall is down.
const PORTS: std::ops::Range<u16> = 20_000..30_000;
/// Lines of a log that a failed test shows.
const LOG_LINES_SHOWN: usize = 30;

/// See the file head. Dropping it ends the rehearsal and erases the folder.
#[derive(Debug)]
pub struct Stage {
    /// Telegram and the model server.
    pub rehearsal: Rehearsal,
    /// The environment of the halls to be started, and of nothing else.
    pub env: BTreeMap<String, String>,
    folder: TempDir,
    console: SocketAddr,
    client: reqwest::Client,
    runs: AtomicU32,
    _slots: Slots,
}

/// A hall that runs. Dropping it kills it.
#[derive(Debug)]
pub struct Hall {
    child: Child,
    log: Log,
}

/// What a hall wrote.
#[derive(Clone, Debug)]
pub struct Log {
    stdout: PathBuf,
    stderr: PathBuf,
}

/// The program under test.
///
/// # Panics
/// When it is not there.
#[must_use]
pub fn program() -> PathBuf {
    let usual = || workspace().join("target/quick/guildhall");
    let path = std::env::var_os("GUILDHALL_BIN").map_or_else(usual, PathBuf::from);
    assert!(
        path.is_file(),
        "{} is not there: cargo build --workspace --profile quick --features guildhall/faults --bin guildhall",
        path.display()
    );
    path
}

fn workspace() -> PathBuf {
    let here =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from);
    here.join("..")
}

/// A port that nobody listens on now and that no outgoing connection will get.
fn free_port() -> u16 {
    // Tests run side by side: each process begins somewhere else.
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(std::process::id() * 37);
        let offset = u16::try_from(step % u32::from(PORTS.end - PORTS.start)).unwrap_or_default();
        let port = PORTS.start + offset;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// The rehearsal that a stage has by default: one bot, three people, a group and a forum.
fn usual_cast() -> Config {
    let group = |id: i64, topics: &[i64]| GroupSeed {
        id,
        title: "Room".to_owned(),
        members: vec![BEN],
        admins: vec![ADMIN],
        topics: topics.iter().map(|id| (*id, format!("Topic {id}"))).collect(),
    };
    Config {
        people: vec![
            PersonSeed::new(ADMIN, "Ada").with_role("admin"),
            PersonSeed::new(BEN, "Ben"),
            PersonSeed::new(STRANGER, "Cleo"),
        ],
        groups: vec![group(GROUP, &[]), group(FORUM, &[7, 8])],
        webhook_retry: Duration::from_millis(50),
        webhook_retry_max: Duration::from_millis(500),
        ..Config::default()
    }
}

impl Stage {
    /// A stage of a test that shares the machine with one other.
    pub async fn set() -> Self {
        Self::with(Slots::one().await.expect("lock files in the temporary folder")).await
    }

    /// A stage of a test that has the machine to itself.
    pub async fn set_alone() -> Self {
        Self::with(Slots::all().await.expect("lock files in the temporary folder")).await
    }

    /// A stage with more bots than the usual one.
    pub async fn set_with_bots(more: impl IntoIterator<Item = BotSeed>) -> Self {
        let mut cast = usual_cast();
        cast.bots.extend(more);
        Self::of(cast, Slots::one().await.expect("lock files in the temporary folder")).await
    }

    /// A stage whose own bot may have others made, which it manages.
    pub async fn set_with_manager() -> Self {
        let mut cast = usual_cast();
        cast.bots.iter_mut().for_each(|it| it.manages_bots = true);
        Self::of(cast, Slots::one().await.expect("lock files in the temporary folder")).await
    }

    async fn with(slots: Slots) -> Self {
        Self::of(usual_cast(), slots).await
    }

    async fn of(cast: Config, slots: Slots) -> Self {
        let rehearsal = Rehearsal::start(cast).await.expect("a free port on loopback");
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        let from = workspace().join("config");
        copy_folder(&from, &folder.path().join("config")).expect("config of the workspace");
        let console = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let client = reqwest::Client::builder().no_proxy().timeout(SOON);
        let client = client.build().expect("a client without certificates");
        let mut stage = Self {
            env: BTreeMap::new(),
            folder,
            console,
            client,
            runs: AtomicU32::new(0),
            _slots: slots,
            rehearsal,
        };
        stage.usual_env();
        stage
    }

    fn usual_env(&mut self) {
        let url = self.rehearsal.url();
        let key_file = self.folder.path().join("secrets/master.key").display().to_string();
        self.set_env([
            ("TELEGRAM_BOT_TOKEN", TOKEN),
            ("TELEGRAM_API_URL", url.as_str()),
            ("OPENAI_BASE_URL", format!("{url}/v1").as_str()),
            ("OPENAI_API_KEY", "sk-rehearsal-only-no-secret"),
            ("OPENAI_MODEL", "rehearsal-1"),
            ("GUILDHALL_ADMINS", ADMIN.to_string().as_str()),
            ("GUILDHALL_ALLOW", "*"),
            ("GUILDHALL_DATA_DIR", self.data().display().to_string().as_str()),
            ("GUILDHALL_KEY_FILE", key_file.as_str()),
            ("GUILDHALL_HTTP_ADDR", self.console.to_string().as_str()),
            ("GUILDHALL__TELEGRAM__PACING", "false"),
            ("GUILDHALL__TELEGRAM__POLL_WAIT", "2s"),
            ("GUILDHALL__LIMITS__PERSON_PER_MINUTE", "0"),
            ("GUILDHALL__LIMITS__CHAT_PER_MINUTE", "0"),
            // Tests ask fast, and each of their questions wants an answer of its own.
            ("GUILDHALL__SESSION__GATHER_TIME", "0s"),
            ("GUILDHALL__STORE__RESERVE_BYTES", "0"),
            // How full the disk of this machine is has nothing to do with what is tested.
            ("GUILDHALL__ALERTS__RULES_OFF", "disk_full"),
            // What tests try in a row would block those who try it; see [`Self::use_playbooks`].
            ("GUILDHALL__PLAYBOOKS__OFF", "data_exfiltration,prompt_injection,unusual_usage"),
        ]);
    }

    /// Sets variables for the halls to be started.
    pub fn set_env<'v>(&mut self, variables: impl IntoIterator<Item = (&'v str, &'v str)>) {
        let pairs = variables.into_iter();
        self.env.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    /// In the halls to be started, what a person sends within a second is one question.
    pub fn gather_messages(&mut self) {
        self.unset_env("GUILDHALL__SESSION__GATHER_TIME");
    }

    /// The halls to be started use the playbooks that are shipped.
    pub fn use_playbooks(&mut self) {
        self.unset_env("GUILDHALL__PLAYBOOKS__OFF");
    }

    /// Takes a variable away from the halls to be started.
    pub fn unset_env(&mut self, name: &str) {
        self.env.remove(name);
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder that everything is in: data, secrets, configuration, output.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the halls' console listens.
    #[must_use]
    pub fn console(&self) -> SocketAddr {
        self.console
    }

    /// A port for something else that the hall or a test shall listen on.
    #[must_use]
    pub fn another_port(&self) -> u16 {
        free_port()
    }

    // === Halls ===

    /// Starts a hall, and does not wait for it.
    #[must_use]
    pub fn start(&self) -> Hall {
        self.start_as(&["run"])
    }

    /// Starts the program with these arguments, and does not wait for it.
    #[must_use]
    pub fn start_as(&self, arguments: &[&str]) -> Hall {
        let run = self.runs.fetch_add(1, Ordering::Relaxed);
        let output = self.folder.path().join("output");
        fs::create_dir_all(&output).expect("the folder is ours");
        let log = Log {
            stdout: output.join(format!("{run:04}.stdout")),
            stderr: output.join(format!("{run:04}.stderr")),
        };
        let file = |path: &Path| Stdio::from(File::create(path).expect("the folder is ours"));
        let child = Command::new(program())
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(&self.env)
            .stdin(Stdio::null())
            .stdout(file(&log.stdout))
            .stderr(file(&log.stderr))
            .kill_on_drop(true)
            .spawn()
            .expect("the program can be started");
        Hall { child, log }
    }

    /// Starts a hall and waits until it is ready.
    pub async fn open(&self) -> Hall {
        let mut hall = self.start();
        self.ready(&mut hall).await;
        hall
    }

    /// Waits until the hall says that it is ready.
    ///
    /// # Panics
    /// When it ends or is not ready soon.
    pub async fn ready(&self, hall: &mut Hall) {
        let begun = Instant::now();
        while self.get("/readyz").await.0 != 200 {
            let ended = hall.child.try_wait().expect("it is our child");
            assert!(ended.is_none(), "the hall ended with {ended:?}\n{}", hall.log.tail());
            assert!(begun.elapsed() < SOON, "the hall is not ready\n{}", hall.log.tail());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Runs a command of the program to its end: exit code, standard output, standard error.
    ///
    /// # Panics
    /// When it does not end soon.
    pub async fn command(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut hall = self.start_as(arguments);
        let code = hall.ended(SOON).await;
        (code, hall.log.stdout(), hall.log.stderr())
    }

    // === People ===

    /// Lets more people in, with ids from `first` on.
    pub fn add_people(&self, first: i64, count: i64) {
        for id in first..first + count {
            self.rehearsal.world().add_person(PersonSeed::new(id, format!("P{id}")));
        }
    }

    /// A person writes to the bot; gives the id of the message.
    pub fn say(&self, person: i64, text: &str) -> i64 {
        self.say_in(None, None, person, text, None)
    }

    /// A person writes somewhere.
    ///
    /// # Panics
    /// When there is no such person, chat or topic.
    pub fn say_in(
        &self,
        chat: Option<i64>,
        topic: Option<i64>,
        person: i64,
        text: &str,
        reply_to: Option<i64>,
    ) -> i64 {
        let say = Say { person, chat, topic, text: text.to_owned(), reply_to };
        let said = self.rehearsal.world().say(&say);
        said.unwrap_or_else(|error| panic!("{error}")).message_id
    }

    /// A person asks a question with a mark, in their private chat.
    pub fn ask(&self, person: i64, sequence: u64) {
        let person_number = person.unsigned_abs();
        let mark = marks::Asked { person: person_number, sequence }.mark();
        self.say(person, &format!("Please say what you think of it. {mark}"));
    }

    /// A person presses a button under a message of their private chat.
    ///
    /// # Panics
    /// When there is no such person or message.
    pub fn press(&self, person: i64, message_id: i64, data: &str) {
        let press = Press { person, chat: None, message_id, data: data.to_owned() };
        let pressed = self.rehearsal.world().press(&press);
        pressed.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Writes, and waits until the bot has sent something that fits; gives that message.
    ///
    /// # Panics
    /// When nothing that fits comes soon; the message shows what came instead.
    pub async fn exchange(&self, person: i64, text: &str, fits: &str) -> CallRecord {
        let before = self.sent_to(person).len();
        self.say(person, text);
        self.heard(person, before, fits).await
    }

    /// Waits until the bot has sent to a chat, after the first `before` messages, a text with
    /// `fits` in it; gives that message.
    ///
    /// # Panics
    /// As [`Stage::exchange`].
    pub async fn heard(&self, chat: i64, before: usize, fits: &str) -> CallRecord {
        let begun = Instant::now();
        loop {
            let sent = self.sent_to(chat).split_off(before);
            if let Some(found) = sent.iter().find(|it| it.text.contains(fits)) {
                return found.clone();
            }
            let texts: Vec<_> = sent.iter().map(|it| &it.text).collect();
            assert!(
                begun.elapsed() < SOON,
                "nothing with {fits:?} came to {chat}: {texts:#?}\n{}",
                self.newest_log().tail()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The messages that the bot has sent to a chat.
    #[must_use]
    pub fn sent_to(&self, chat: i64) -> Vec<CallRecord> {
        self.rehearsal.world().sent_to(chat)
    }

    /// Waits until every marked question is answered.
    ///
    /// # Panics
    /// When some are not within `time_max`; the message names them.
    pub async fn all_answered(&self, time_max: Duration) {
        let begun = Instant::now();
        loop {
            let verdict = crate::judge(&self.rehearsal.world().history());
            if verdict.unanswered.is_empty() {
                return;
            }
            assert!(
                begun.elapsed() < time_max,
                "not answered within {time_max:?}: {verdict:?}\n{}",
                self.newest_log().tail()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    // === The console ===

    /// Fetches a page of the console without a login: status code and body; 0 where nobody answers.
    pub async fn get(&self, path: &str) -> (u16, String) {
        self.fetch(path, None).await
    }

    /// Fetches the status with the token of the data folder.
    ///
    /// # Panics
    /// When the console does not give it.
    pub async fn status(&self) -> Value {
        let token = fs::read_to_string(self.data().join("console.token")).unwrap_or_default();
        let (code, body) = self.fetch("/status", Some(token.trim())).await;
        assert_eq!(code, 200, "{body}");
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"))
    }

    /// The metrics, once they say something.
    ///
    /// # Panics
    /// When they do not soon.
    pub async fn metrics_with(&self, what: &str) -> String {
        let begun = Instant::now();
        loop {
            let (code, metrics) = self.get("/metrics").await;
            assert_eq!(code, 200, "{metrics}");
            if metrics.contains(what) {
                return metrics;
            }
            assert!(begun.elapsed() < SOON, "no {what} in the metrics: {metrics}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The restarts of all actors of a kind, as the status tells them.
    pub async fn restarts(&self, kind: &str) -> u64 {
        let status = self.status().await;
        let actors = status.get("actors").and_then(Value::as_array).cloned().unwrap_or_default();
        let of_kind = actors.iter().filter(|it| it.get("kind") == Some(&Value::from(kind)));
        of_kind.filter_map(|it| it.get("restarts").and_then(Value::as_u64)).sum()
    }

    async fn fetch(&self, path: &str, token: Option<&str>) -> (u16, String) {
        let mut request = self.client.get(format!("http://{}{path}", self.console));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        match request.send().await {
            Ok(answer) => {
                let code = answer.status().as_u16();
                (code, answer.text().await.unwrap_or_default())
            }
            Err(_nobody) => (0, String::new()),
        }
    }

    /// What the hall that was started last has written.
    #[must_use]
    pub fn newest_log(&self) -> Log {
        let run = self.runs.load(Ordering::Relaxed).saturating_sub(1);
        let output = self.folder.path().join("output");
        Log {
            stdout: output.join(format!("{run:04}.stdout")),
            stderr: output.join(format!("{run:04}.stderr")),
        }
    }
}

/// Whatever a test is about: no call of the hall's may be other than the Bot API documents.
impl Drop for Stage {
    fn drop(&mut self) {
        let stats = self.rehearsal.world().stats();
        if !std::thread::panicking() {
            assert!(stats.unknown_params.is_empty(), "not documented: {:?}", stats.unknown_params);
            assert!(stats.misfits.is_empty(), "not as documented: {:?}", stats.misfits);
            assert_eq!(stats.previews, 0, "a link would be shown with a preview");
        }
    }
}

/// Copies a folder as an operator does: of a stopped hall.
///
/// # Errors
/// A file cannot be read or written.
pub fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match from.is_dir() {
            true => copy_folder(&from, &to)?,
            false => drop(fs::copy(from, to)?),
        }
    }
    Ok(())
}

impl Hall {
    /// What it writes.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Ends it as a power cut would, and waits until it is gone.
    ///
    /// # Panics
    /// When it ended by itself before.
    pub async fn kill(mut self) {
        let ended = self.child.try_wait().expect("it is our child");
        assert!(ended.is_none(), "the hall ended by itself: {ended:?}\n{}", self.log.tail());
        self.child.kill().await.expect("it is our child");
    }

    /// Asks it to stop.
    ///
    /// # Panics
    /// When it is gone.
    pub fn ask_to_stop(&self) {
        self.signal(Signal::TERM);
    }

    /// Asks it to start anew.
    ///
    /// # Panics
    /// When it is gone.
    pub fn ask_to_renew(&self) {
        self.signal(Signal::HUP);
    }

    fn signal(&self, signal: Signal) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        kill_process(id.expect("the hall runs"), signal).expect("it is our child");
    }

    /// Asks it to stop and waits until it has; gives the exit code and how long it took.
    ///
    /// # Panics
    /// When it has not within 20 seconds.
    pub async fn stop(mut self) -> (i32, Duration) {
        let begun = Instant::now();
        self.ask_to_stop();
        (self.ended(SOON).await, begun.elapsed())
    }

    /// Waits until it has ended; gives the exit code, or -1 after a signal.
    ///
    /// # Panics
    /// When it has not within `time_max`.
    pub async fn ended(&mut self, time_max: Duration) -> i32 {
        let Ok(ended) = timeout(time_max, self.child.wait()).await else {
            panic!("the hall did not end within {time_max:?}\n{}", self.log.tail());
        };
        ended.expect("it is our child").code().unwrap_or(-1)
    }
}

impl Log {
    /// Its standard output so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        fs::read_to_string(&self.stdout).unwrap_or_default()
    }

    /// Its standard error so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    /// The lines of the log with this `event.action`.
    #[must_use]
    pub fn actions(&self, action: &str) -> Vec<Value> {
        let text = self.stdout();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|it| it.get("event.action").is_some_and(|it| it == action)).collect()
    }

    /// The last lines, for a failed test.
    #[must_use]
    pub fn tail(&self) -> String {
        let (stdout, stderr) = (self.stdout(), self.stderr());
        let lines: Vec<_> = stdout.lines().chain(stderr.lines()).collect();
        let from = lines.len().saturating_sub(LOG_LINES_SHOWN);
        lines.get(from..).unwrap_or_default().join("\n")
    }

    /// Waits until a line with this `event.action` was written.
    ///
    /// # Panics
    /// When there is none soon.
    pub async fn wait_for(&self, action: &str) {
        self.wait_for_times(action, 1).await;
    }

    /// Waits until so many of them were written.
    ///
    /// # Panics
    /// When they are not soon.
    pub async fn wait_for_times(&self, action: &str, times: usize) {
        wait_until(action, SOON, || times <= self.actions(action).len()).await;
    }
}

/// The messages as a failed test shows them.
#[must_use]
pub fn shown(messages: &[CallRecord]) -> String {
    let lines = messages.iter().map(|it| format!("{} {}: {}", it.message_id, it.method, it.text));
    lines.collect::<Vec<_>>().join("\n")
}
