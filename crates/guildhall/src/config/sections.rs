//! Every key of the configuration: its type, its default, its range and what it does.
//!
//! These declarations are the only place where a key is named. The commented file in
//! `config/guildhall.toml` and the JSON Schema are made from them, and a test holds them together.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use protocol::AgentName;

use super::{
    section::{choice, section},
    settings::{Allow, Hidden, Limit, Size},
};

const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

const fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

const fn hours(count: u64) -> Duration {
    Duration::from_secs(3_600 * count)
}

const fn kib(count: u64) -> Size {
    Size(count << 10)
}

const fn mib(count: u64) -> Size {
    Size(count << 20)
}

/// A name of ours that is known to be good.
fn agent(name: &str) -> AgentName {
    name.parse().expect("the names given here keep to the pattern; a test builds all defaults")
}

choice! {
    /// How a bot receives its updates.
    Mode {
        /// The hall asks Telegram.
        Poll = "poll",
        /// Telegram calls the hall.
        Webhook = "webhook",
    }
}

choice! {
    /// How a model is spoken to.
    Protocol {
        /// Chat completions over HTTP.
        OpenAi = "openai",
        /// Messages over HTTP.
        Anthropic = "anthropic",
        /// A model file, run in this process.
        Embedded = "embedded",
    }
}

choice! {
    /// How strict the guard is.
    GuardLevel {
        /// Refuses what is plainly an attack.
        Low = "low",
        /// The default.
        Medium = "medium",
        /// Refuses what might be one.
        High = "high",
    }
}

choice! {
    /// What happens to personal data of one type.
    PersonalAction {
        /// It is not looked for.
        Off = "off",
        /// It is noted and passes.
        Flag = "flag",
        /// A placeholder takes its place; the answer to its owner shows it again.
        Redact = "redact",
        /// The message is refused.
        Refuse = "refuse",
    }
}

choice! {
    /// How much is taken out of a text before it passes.
    Sanitising {
        /// What nobody can see.
        Normal = "normal",
        /// Look-alike letters, padding and hidden comments as well.
        Strict = "strict",
    }
}

choice! {
    /// A kind of attack.
    Attack {
        /// Text that tries to command the model.
        PromptInjection = "prompt_injection",
        /// Text that tries to talk the model out of its rules.
        Jailbreak = "jailbreak",
        /// Questions for the instructions.
        PromptLeak = "prompt_leak",
        /// Attempts to carry data out.
        DataExfiltration = "data_exfiltration",
        /// Requests for serious harm.
        Dangerous = "dangerous",
    }
}

choice! {
    /// Who writes the summaries of long conversations.
    Summaries {
        /// The agent's model, while nobody waits for it.
        Model = "model",
        /// Nobody: they are made of the first words of each exchange.
        Extract = "extract",
    }
}

choice! {
    /// The least important line that is logged.
    LogLevel {
        /// Something failed and somebody should look.
        Error = "error",
        /// Something failed and was made good.
        Warn = "warn",
        /// What happened.
        Info = "info",
        /// Why it happened.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}

choice! {
    /// What lines of the log look like.
    LogForm {
        /// JSON in Elastic's Common Schema.
        Ecs = "ecs",
        /// ArcSight's Common Event Format.
        Cef = "cef",
        /// JSON in the Open Cybersecurity Schema Framework.
        Ocsf = "ocsf",
    }
}

section! {
    /// The whole configuration, checked.
    Config {
        /// The house itself.
        hall: Hall = Hall::default();
        /// Where secrets are looked for besides credentials, files and variables.
        secrets: SecretsConfig = SecretsConfig::default();
        /// Who may talk, by numeric Telegram ids; names can change hands.
        access: Access = Access::default();
        /// The bots. With TELEGRAM_BOT_TOKEN set, one named `main` is there without a table.
        bots: Vec<BotConfig> = Vec::new();
        /// How the hall talks to Telegram.
        telegram: TelegramConfig = TelegramConfig::default();
        /// The models. OPENAI_* and ANTHROPIC_* make `openai` and `anthropic` without a table.
        models: Vec<ModelConfig> = Vec::new();
        /// Who turns voice messages and recordings into text: a server that speaks OpenAI's protocol.
        transcription: TranscriptionConfig = TranscriptionConfig::default();
        /// Who speaks the answers to voice messages: a server that speaks OpenAI's protocol.
        speech: SpeechConfig = SpeechConfig::default();
        /// How questions reach the models.
        broker: BrokerConfig = BrokerConfig::default();
        /// One conversation.
        session: SessionConfig = SessionConfig::default();
        /// How agents work with tools and with each other.
        tools: ToolsConfig = ToolsConfig::default();
        /// What is remembered of people.
        memory: MemoryConfig = MemoryConfig::default();
        /// How much people may ask.
        limits: LimitsConfig = LimitsConfig::default();
        /// Reminders, and what agents are asked at set times.
        schedules: SchedulesConfig = SchedulesConfig::default();
        /// How much may be used of models. Nothing is capped unless it stands here or an admin sets it.
        budgets: BudgetsConfig = BudgetsConfig::default();
        /// What may pass.
        guard: GuardConfig = GuardConfig::default();
        /// The ledger on disk.
        store: StoreConfig = StoreConfig::default();
        /// Backups of the ledger, made while the hall runs. The master key is never in them.
        backup: BackupConfig = BackupConfig::default();
        /// The console: health, metrics, dashboard.
        http: HttpConfig = HttpConfig::default();
        /// What is logged, and where. Never the text of a message.
        logs: LogsConfig = LogsConfig::default();
        /// Figures for those who do not fetch them from the console.
        telemetry: TelemetryConfig = TelemetryConfig::default();
        /// How operators learn that something is wrong.
        alerts: AlertsConfig = AlertsConfig::default();
        /// What the hall does by itself about incidents.
        playbooks: PlaybooksConfig = PlaybooksConfig::default();
        /// Servers of the Model Context Protocol, whose tools agents may use.
        tool_servers: Vec<ToolServerConfig> = Vec::new();
    }
}

section! {
    /// Reminders, and what agents are asked at set times.
    SchedulesConfig {
        /// Reminders that one person may have; 0 for none at all.
        reminders_max: usize = 20, within 0..=1_000;
        /// The longest reminder, in characters.
        reminder_chars_max: usize = 500, within 1..=3_000;
        /// Prompts for agents at set times, in the whole hall.
        prompts_max: usize = 50, within 0..=1_000;
        /// The least time between two runs of what comes again and again.
        interval_min: Duration = secs(60), within secs(1)..=hours(24);
        /// What comes later than this, because the hall was away, says so; agents are not asked any more.
        late_max: Duration = secs(600), within secs(1)..=hours(24);
    }
}

section! {
    /// The house itself.
    Hall {
        /// Everything the hall writes while it runs.
        data_dir: PathBuf = "data".into();
        /// The master key; by default what systemd hands in as the credential `master_key`, or
        /// secrets/master.key beside the data folder.
        key_file: Option<PathBuf> = None, example "secrets/master.key";
        /// The keyring: a data key for each person, wrapped by the master key; by default beside it.
        /// It must be writable, outside the data folder, and in no backup of the data.
        keyring_file: Option<PathBuf> = None, example "secrets/master.keyring";
        /// One file for each agent.
        agents_dir: PathBuf = "config/agents".into();
        /// Who answers where nobody has chosen an agent.
        default_agent: AgentName = agent("sage");
        /// Where its days begin and end, for what people may use: a name such as "Europe/Berlin".
        time_zone: String = "UTC".to_owned();
        /// The languages the hall speaks; the first is used where a person's is not among them.
        languages: Vec<String> =
            protocol::Language::ALL.map(|it| it.code().to_owned()).to_vec();
    }
}

section! {
    /// Where secrets are looked for besides credentials, files and variables.
    SecretsConfig {
        /// The AWS Secrets Manager Agent on this machine. It is asked last, for every secret that is
        /// not given otherwise.
        aws_agent: Option<String> = None, example "http://localhost:2773";
        /// What stands before the names: TELEGRAM_BOT_TOKEN is asked for as
        /// guildhall/telegram_bot_token.
        aws_prefix: String = "guildhall/".to_owned();
        /// The file with the token that the agent wants to see.
        aws_token_file: PathBuf = "/var/run/awssmatoken".into();
        /// The master key is there, too, as guildhall/master_key (64 hexadecimal digits), and in no
        /// file. After it was rotated there, `guildhall key rotate` or the next start takes the new
        /// one over.
        aws_master_key: bool = false;
    }
}

section! {
    /// Who may talk.
    Access {
        /// The people who may change the hall, by numeric id.
        admins: Vec<i64> = Vec::new();
        /// Those who may besides give and take roles with /role.
        owners: Vec<i64> = Vec::new();
        /// Those who may pause and wake agents, and read the state and the audit log.
        operators: Vec<i64> = Vec::new();
        /// Those who may read the state and the audit log, and nothing of people.
        auditors: Vec<i64> = Vec::new();
        /// Who may talk besides the admins: ids of people and groups, or ["*"] for everyone.
        allow: Allow = Allow::Only(std::collections::BTreeSet::new());
        /// People must press a button under the privacy notice before a model sees what they write.
        accept_notice: bool = false;
        /// Other bots are answered, too, where they mention or answer one of ours in a group that may talk: at
        /// most 5 times in a row without a person in between, and 20 times a minute.
        answer_bots: bool = false;
    }
}

section! {
    /// One bot.
    BotConfig {
        /// What logs and metrics call it.
        name: String = String::new(), example "main";
        /// The variable that holds its token. The token itself never stands in this file.
        token_env: Option<String> = None, example "TELEGRAM_BOT_TOKEN";
        /// Or the file that holds its token.
        token_file: Option<PathBuf> = None, example "secrets/bot_token";
        /// The agent whose own bot it is: it alone answers, and the bot has its name and description.
        agent: Option<AgentName> = None, example "coder";
        /// Who answers in this bot's chats where it is no agent's own; by default the hall's default agent.
        default_agent: Option<AgentName> = None, example "sage";
        /// A Bot API server of its own; by default `telegram.api_url`.
        api_url: Option<String> = None, example "https://api.telegram.org";
        /// "poll" or "webhook"; by default "webhook" where `telegram.webhook_url` is set.
        mode: Option<Mode> = None, example "poll";
    }
}

section! {
    /// How the hall talks to Telegram.
    TelegramConfig {
        /// The Bot API server.
        api_url: String = "https://api.telegram.org".to_owned();
        /// Keep to Telegram's limits by sending slower; false sends at once and only obeys refusals.
        pacing: bool = true;
        /// Messages a second to one chat; 0 for no limit.
        per_chat_per_second: Limit<f64> = Limit(Some(1.0));
        /// Messages to one chat that may go at once after a pause.
        per_chat_burst: u32 = 3, limit 1..=100;
        /// Messages a minute to one group; 0 for no limit.
        group_per_minute: Limit<u32> = Limit(Some(20));
        /// Messages a second to all chats of a bot together; 0 for no limit.
        all_per_second: Limit<u32> = Limit(Some(30));
        /// The public address under which Telegram reaches the hall. It switches webhooks on.
        webhook_url: Option<String> = None, example "https://bot.example.org/telegram";
        /// Where the hall listens for Telegram's calls. The secret is TELEGRAM_WEBHOOK_SECRET.
        webhook_addr: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8443));
        /// How long Telegram may hold a poll that has nothing to tell.
        poll_wait: Duration = secs(25), within secs(0)..=secs(50);
    }
}

section! {
    /// One model.
    ModelConfig {
        /// What agents, chains and logs call it.
        name: String = String::new(), example "main";
        /// "openai" (chat completions), "anthropic" (messages) or "embedded" (a file, run here).
        protocol: Protocol = Protocol::OpenAi;
        /// Where it is served; by default the provider's own address.
        base_url: Option<String> = None, example "https://api.openai.com/v1";
        /// Allow an address on this machine or in a private network, and plain http to it.
        allow_private: bool = false;
        /// What the provider calls it. An embedded model needs none.
        model: String = String::new(), example "gpt-4o-mini";
        /// The variable that holds the key. The key itself never stands in this file.
        api_key_env: Option<String> = None, example "OPENAI_API_KEY";
        /// Or the file that holds the key.
        api_key_file: Option<PathBuf> = None, example "secrets/openai_key";
        /// Take the answer piece by piece, so that people see it grow. A server that hands all pieces
        /// over at once is asked for whole answers, and once a second for pieces again.
        stream: bool = true;
        /// Offer it tools, where its agent has any. An embedded model is never offered one.
        tools: bool = true;
        /// It can be shown pictures.
        sees: bool = false;
        /// How long until the first piece of an answer; 0 for no limit of its own.
        first_byte_time_max: Duration = secs(30), limit millis(10)..=hours(1);
        /// How long between two pieces; 0 for no limit of its own.
        piece_time_max: Duration = secs(20), limit millis(10)..=hours(1);
        /// The longest answer that is read, in bytes; longer ones are cut.
        answer_bytes_max: Size = kib(256), limit kib(1)..=mib(16);
        /// Tokens of question and answer together, beyond which a conversation is summarised and
        /// shortened; 0 for the usual: 16384, and 2048 for an embedded one.
        context_tokens_max: u32 = 0, within 0..=4_000_000;
        /// What a million tokens of a question cost, in your currency.
        price_input: f64 = 0.0;
        /// What a million tokens of an answer cost.
        price_output: f64 = 0.0;
        /// Embedded only: the model file (GGUF).
        path: Option<PathBuf> = None, example "models/model.gguf";
        /// Embedded only: how many threads it may use; 0 for as many as there are processors.
        threads: u32 = 0, within 0..=256;
        /// Embedded only: the checksum that the file must have.
        sha256: Option<String> = None,
            example "0000000000000000000000000000000000000000000000000000000000000000";
    }
}

choice! {
    /// Where recordings are turned into text.
    TranscriptionEngine {
        /// On a server that speaks OpenAI's protocol.
        Http = "http",
        /// In this process, by a model whose files are here.
        Local = "local",
    }
}

section! {
    /// Who turns voice messages and recordings into text: a server that speaks OpenAI's protocol, or a
    /// model in this process.
    TranscriptionConfig {
        /// "http" for a server, "local" for a model in this process: it takes voice messages only.
        engine: TranscriptionEngine = TranscriptionEngine::Http;
        /// Local only: the folder of a Whisper model in CTranslate2's form, with numbers of 16 or 32 bits.
        /// `scripts/fetch-whisper` fetches one that knows English.
        path: Option<PathBuf> = None, example "data/models/whisper-tiny.en";
        /// What the server calls its model. Nobody listens while this is missing, or the path.
        model: Option<String> = None, example "whisper-1";
        /// Where it is served.
        base_url: String = "https://api.openai.com/v1".to_owned();
        /// Allow an address on this machine or in a private network, and plain http to it.
        allow_private: bool = false;
        /// The variable that holds the key. The key itself never stands in this file.
        api_key_env: Option<String> = None, example "OPENAI_API_KEY";
        /// Or the file that holds the key.
        api_key_file: Option<PathBuf> = None, example "secrets/transcription_key";
        /// The longest recording that is taken; 0 for the most there can be.
        recording_time_max: Duration = secs(300), limit secs(1)..=hours(2);
        /// The largest recording that is taken; Telegram gives bots no more than 20 MB.
        recording_bytes_max: Size = mib(10), within kib(1)..=mib(20);
        /// How long turning one recording into text may take.
        time_max: Duration = secs(60), within millis(100)..=hours(1);
        /// Tell the server which language the sender's app is in. It hears that one better, and others
        /// worse.
        language_hint: bool = true;
        /// What a minute of a recording costs, in your currency.
        price_minute: f64 = 0.0;
    }
}

section! {
    /// Who speaks the answers to voice messages: a server that speaks OpenAI's protocol.
    SpeechConfig {
        /// What the server calls its model. Nothing is spoken while this is missing.
        model: Option<String> = None, example "tts-1";
        /// What the server calls the voice.
        voice: String = "alloy".to_owned();
        /// Where it is served.
        base_url: String = "https://api.openai.com/v1".to_owned();
        /// Allow an address on this machine or in a private network, and plain http to it.
        allow_private: bool = false;
        /// The variable that holds the key. The key itself never stands in this file.
        api_key_env: Option<String> = None, example "OPENAI_API_KEY";
        /// Or the file that holds the key.
        api_key_file: Option<PathBuf> = None, example "secrets/speech_key";
        /// The longest answer that is spoken, in characters; OpenAI takes 4,096.
        answer_chars_max: usize = 1_500, within 1..=4_096;
        /// How long speaking one answer may take.
        time_max: Duration = secs(60), within millis(100)..=hours(1);
        /// What a million characters cost, in your currency.
        price_million_chars: f64 = 0.0;
    }
}

section! {
    /// How questions reach the models.
    BrokerConfig {
        /// Models in the order in which they are tried; by default all, as they stand above.
        chain: Vec<String> = Vec::new();
        /// Questions that are out at the same time; 0 for the most there can be.
        requests_in_flight_max: usize = 512, limit 1..=16_384;
        /// Questions that wait for their turn; when it is full, people are told to come back.
        waiting_max: usize = 4096, limit 1..=65_536;
        /// How many of those one person may have.
        waiting_per_person_max: usize = 4, limit 1..=65_536;
        /// How long one question may take, retries included; 0 for the most there can be.
        request_time_max: Duration = secs(120), limit millis(100)..=hours(1);
        /// How often one question is tried, over all models of the chain.
        attempts_max: u32 = 3, limit 1..=20;
        /// The shortest pause before another try.
        backoff_min: Duration = millis(250), within millis(1)..=hours(1);
        /// The longest pause before another try.
        backoff_max: Duration = secs(10), within millis(1)..=hours(1);
        /// Failures in a row after which a model is left alone for a while; 0 for never.
        breaker_failures: Limit<u32> = Limit(Some(5));
        /// How long it is left alone.
        breaker_open: Duration = secs(30), within millis(1)..=hours(1);
        /// The longest answer that is asked for, in tokens.
        answer_tokens_max: u32 = 1024, limit 1..=131_072;
    }
}

section! {
    /// One conversation.
    SessionConfig {
        /// Exchanges (a question and its answer) that are sent along word for word; what is older is
        /// summarised.
        history_exchanges_max: usize = 20, limit 1..=1_000;
        /// Characters of history that are sent along word for word.
        history_chars_max: usize = 24_000, limit 1_000..=2_000_000;
        /// Messages of one conversation that wait while it answers another.
        backlog_max: usize = 32, limit 1..=10_000;
        /// Conversations that are held in memory; the others rest on disk. Those that are silent for a
        /// moment are held only up to a quarter of that.
        live_max: usize = 1024, limit 1..=1_000_000;
        /// How long a conversation is held in memory after its last message.
        rest_after: Duration = secs(60), within millis(100)..=hours(24);
        /// How long one answer may take from beginning to end; 0 for the most there can be.
        turn_time_max: Duration = secs(150), limit millis(100)..=hours(2);
        /// How often a message is tried before it is put aside and its sender told.
        attempts_max: u32 = 3, limit 1..=20;
        /// Messages that a person sends within this time of one another are one question; 0s for never.
        gather_time: Duration = secs(1), within secs(0)..=secs(10);
        /// Messages that an answer may take. A longer one comes as its beginning and a file.
        messages_max: usize = 3, within 1..=20;
        /// Show long answers in groups, too, while they are written.
        streams_in_groups: bool = true;
        /// Send tables, headings, formulas and the like as rich messages, where Telegram's server has them.
        rich_messages: bool = true;
        /// In groups, put 👀 on a question while an agent works on it.
        marks_seen: bool = true;
        /// Of several bots that one message calls, each waits for those called before it, but no longer than
        /// this; 0s for not at all.
        turns_wait: Duration = secs(60), within secs(0)..=secs(600);
    }
}

section! {
    /// How agents work with tools and with each other; see docs/tools.md and docs/tool-servers.md. Which
    /// agent may use which tool stands in its file.
    ToolsConfig {
        /// How often a model may call tools before it must answer.
        rounds_max: u32 = 8, within 1..=100;
        /// Calls of tools for one question, those of agents that are asked included.
        calls_max: u32 = 16, within 1..=1_000;
        /// How often each tool may be called within a minute.
        calls_per_minute_max: u32 = 30, within 1..=10_000;
        /// How long one call of a tool of the hall's own may take.
        call_time_max: Duration = secs(30), within millis(100)..=secs(600);
        /// The longest result that a model is told; longer ones are cut, and so is what is longer than a
        /// message may be (`limits.message_chars_max`).
        result_bytes_max: Size = kib(16), within kib(1)..=mib(1);
        /// How long a person may take to allow a call.
        approval_time_max: Duration = secs(600), within secs(10)..=hours(24);
        /// How deep agents may ask agents; 0 for not at all.
        depth_max: u32 = 3, within 0..=5;
        /// Whom /panel asks; nobody here: everybody who is awake, up to four.
        panel: Vec<AgentName> = Vec::new();
        /// Reading pages of the web.
        fetch: FetchSection = FetchSection::default();
    }
}

section! {
    /// What is remembered of people.
    MemoryConfig {
        /// Facts ("remember that …") of one person or group, for each agent; 0 for none.
        facts_max: usize = 50, within 0..=1_000;
        /// The longest fact, in characters.
        fact_chars_max: usize = 300, within 20..=2_000;
        /// Who summarises long conversations: "model" or "extract".
        summaries: Summaries = Summaries::Model;
        /// The folder of the embedding model, which finds again what was said long ago. Nothing is
        /// looked for without it. `scripts/fetch-embeddings` fetches it.
        embeddings_path: Option<PathBuf> = None, example "data/models/all-MiniLM-L6-v2";
        /// How long a question waits for what is found.
        recall_time_max: Duration = millis(250), within millis(1)..=secs(10);
        /// How much is found for one question.
        recall_results_max: usize = 3, within 1..=20;
        /// How close it must be, from 0 to 1.
        recall_score_min: f64 = 0.35;
        /// Exchanges of one conversation that can be found; the oldest give way.
        recall_memories_max: usize = 2_000, within 10..=20_000;
    }
}

section! {
    /// How much people may ask.
    LimitsConfig {
        /// The largest file of plain text that is read with the question that it comes with; 0 for none.
        text_file_bytes_max: Limit<Size> = Limit(Some(kib(512)));
        /// The largest document (PDF, office) that is read with the question that it comes with; 0 for none.
        document_bytes_max: Limit<Size> = Limit(Some(mib(10)));
        /// Characters of a document or file that are read and kept.
        document_chars_max: usize = 200_000, within 1_000..=1_000_000;
        /// Files of one person whose text is kept in one conversation, to be searched; 0 for none.
        kept_files_max: usize = 50, within 0..=1_000;
        /// Text of them, all together.
        kept_files_bytes_max: Size = mib(4), within kib(64)..=mib(32);
        /// The largest picture that is taken, where a model sees; Telegram gives bots no more than 20 MB.
        picture_bytes_max: Size = mib(10), within kib(1)..=mib(20);
        /// Messages a minute of one person; 0 for no limit.
        person_per_minute: Limit<u32> = Limit(Some(20));
        /// Messages one person may send at once after a pause; 0 for no limit.
        person_burst: Limit<u32> = Limit(Some(10));
        /// Messages a minute of one chat; 0 for no limit.
        chat_per_minute: Limit<u32> = Limit(Some(60));
        /// How long somebody who keeps on flooding is ignored; 0 for not at all.
        flood_ignore: Limit<Duration> = Limit(Some(secs(600)));
        /// The longest message that is taken, in characters; 0 for no limit.
        message_chars_max: Limit<u32> = Limit(Some(8_000));
        /// The longest message that is taken, in tokens as a model is likely to count them; 0 for no
        /// limit.
        message_tokens_max: Limit<u32> = Limit(Some(8_000));
        /// Updates that wait on disk before the hall stops fetching more.
        waiting_updates_max: usize = 20_000, limit 100..=10_000_000;
    }
}

section! {
    /// What may pass.
    GuardConfig {
        /// How strict: "low", "medium" or "high".
        level: GuardLevel = GuardLevel::Medium;
        /// Your own rules, in files. `guildhall rules check` tries them.
        rules_dir: PathBuf = "config/rules".into();
        /// Public keys of those whose signed rule packs are installed and used: "ed25519:…".
        pack_keys: Vec<String> = Vec::new();
        /// How much is taken out of a text before it passes: "normal" or "strict".
        sanitising: Sanitising = Sanitising::Normal;
        /// Kinds of attack that are not looked for, by built-in rules and trained model: "jailbreak", …
        attacks_off: Vec<Attack> = Vec::new();
        /// The folder of a small transformer that is asked about doubtful messages; scripts/fetch-guard-model
        /// makes one. By default nobody is asked.
        transformer_path: Option<PathBuf> = None, example "data/models/guard-minilm";
        /// The least score, 0 to 1, of a message that the transformer is asked about.
        transformer_from: f64 = 0.1, within 0.0..=1.0;
        /// The score from which it is not asked any more.
        transformer_to: f64 = 0.9, within 0.0..=1.0;
        /// How long its answer is waited for; without one the trained model's score stands.
        transformer_time_max: Duration = millis(250), within millis(1)..=secs(10);
        /// Personal data, by type.
        personal: PersonalConfig = PersonalConfig::default();
    }
}

section! {
    /// Personal data in messages and answers: "off", "flag", "redact" or "refuse".
    PersonalConfig {
        /// Payment cards.
        credit_card: PersonalAction = PersonalAction::Redact;
        /// Bank accounts.
        iban: PersonalAction = PersonalAction::Redact;
        /// Social security numbers of the USA.
        ssn: PersonalAction = PersonalAction::Redact;
        /// Passports.
        passport: PersonalAction = PersonalAction::Redact;
        /// Identity and tax numbers of European countries.
        national_id: PersonalAction = PersonalAction::Redact;
        /// E-mail addresses.
        email: PersonalAction = PersonalAction::Flag;
        /// Telephone numbers.
        phone: PersonalAction = PersonalAction::Flag;
        /// Internet addresses.
        ip: PersonalAction = PersonalAction::Flag;
        /// Addresses of crypto currencies.
        crypto_address: PersonalAction = PersonalAction::Flag;
        /// Dates of birth.
        date_of_birth: PersonalAction = PersonalAction::Flag;
        /// Names that somebody gives as theirs.
        person_name: PersonalAction = PersonalAction::Flag;
    }
}

choice! {
    /// The database under the ledger.
    StoreEngine {
        /// A log of changed pages: the fastest under load.
        Sled = "sled",
        /// A tree that is copied where it changes: opens after torn pages, gives space back.
        Redb = "redb",
    }
}

section! {
    /// The ledger on disk.
    StoreConfig {
        /// The database: "sled" or "redb". `guildhall store migrate` moves from one to the other.
        engine: StoreEngine = StoreEngine::Sled;
        /// Memory for what was read lately.
        cache_bytes: Size = mib(1), within mib(1)..=Size(64 << 30);
        /// Writes that wait for the disk.
        queue_max: usize = 4096, limit 16..=1_000_000;
        /// Disk space kept back, so that a full disk can still be put right; 0 for none.
        reserve_bytes: Size = mib(8), within Size(0)..=Size(16 << 30);
        /// Disk space for the log that backups have not taken over; the oldest goes when it is full.
        log_bytes_max: Size = mib(128), within mib(32)..=Size(1 << 40);
        /// How long an update is remembered, so that it is never answered twice.
        dedupe_window: Duration = hours(72), within hours(24)..=hours(24 * 90);
        /// The place where the data may live, by a name of yours. It is kept with the data, and data that
        /// names another place is not opened.
        region: Option<String> = None, example "eu-central";
        /// How long things are kept.
        retention: RetentionConfig = RetentionConfig::default();
    }
}

section! {
    /// How long things are kept; 0 for ever. After the clock has jumped, or the hall was away,
    /// nothing expires for six hours.
    RetentionConfig {
        /// Conversations: questions, answers, verdicts, and what a silent one has at hand.
        conversations: Limit<Duration> = Limit(None);
        /// Updates that could not be read.
        quarantine: Limit<Duration> = Limit(Some(hours(24 * 30)));
        /// Updates as Telegram sent them, once they are answered.
        raw_updates: Limit<Duration> = Limit(Some(hours(24 * 30)));
    }
}

section! {
    /// How much may be used of models.
    BudgetsConfig {
        /// What the currency of `price_input` and `price_output` is called.
        currency: String = String::new(), example "EUR";
        /// Each person, wherever they ask.
        person: AllowanceConfig = AllowanceConfig::default();
        /// Each group.
        chat: AllowanceConfig = AllowanceConfig::default();
        /// Each agent.
        agent: AllowanceConfig = AllowanceConfig::default();
        /// Everybody together.
        hall: AllowanceConfig = AllowanceConfig::default();
        /// At how many hundredths of a cap a person, or for agents and the hall the admins, are told;
        /// 0 for never.
        warn_percent: u32 = 80, within 0..=100;
        /// At how many hundredths of a cap the model below is asked first; 0 for never.
        step_down_percent: u32 = 0, within 0..=100;
        /// The name of a cheaper model.
        step_down_to: Option<String> = None, example "main";
        /// More than so many times what a person or an agent usually uses at this hour is unusual, and
        /// opens an incident; 0: nothing is.
        unusual_times: u32 = 5, within 0..=1_000;
        /// Fewer tokens than this within an hour never are.
        unusual_tokens_min: usize = 50_000, limit 1..=1_000_000_000;
    }
}

section! {
    /// The most that may be used.
    AllowanceConfig {
        /// Tokens of questions and answers a day; 0 for no cap.
        tokens_day: Limit<usize> = Limit(None);
        /// Tokens a month.
        tokens_month: Limit<usize> = Limit(None);
        /// Money a day, in your currency.
        money_day: Limit<f64> = Limit(None);
        /// Money a month.
        money_month: Limit<f64> = Limit(None);
    }
}

section! {
    /// Backups of the ledger, made while the hall runs. The master key is never in them.
    BackupConfig {
        /// Where they are kept, best on another disk; by default `backups` in the data folder.
        dir: Option<PathBuf> = None, example "/mnt/backups/guildhall";
        /// Or a bucket of an S3-compatible store. Its key is AWS_ACCESS_KEY_ID with
        /// AWS_SECRET_ACCESS_KEY, or the machine's own role.
        url: Option<String> = None, example "s3://my-bucket/guildhall";
        /// The store's address, where it is not Amazon's.
        endpoint: Option<String> = None, example "https://s3.example.org";
        /// The store's region.
        region: String = "us-east-1".to_owned();
        /// How often one is made; sooner if much is written. 0 for never.
        every: Limit<Duration> = Limit(Some(hours(24)));
        /// How old a full backup may be; until then only what is new is added to it.
        full_every: Duration = hours(24 * 7), within hours(1)..=hours(24 * 365);
        /// The newest so many are kept,
        keep_last: u32 = 3, within 1..=10_000;
        /// and the newest of so many days,
        keep_daily: u32 = 7, within 0..=10_000;
        /// and the newest of so many weeks, each with all that is needed to restore it.
        keep_weekly: u32 = 4, within 0..=10_000;
    }
}

section! {
    /// The console.
    HttpConfig {
        /// Where it listens. Anything but this machine itself needs the login.
        addr: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8088));
        /// Ask for a login before showing more than health and metrics.
        login: bool = true;
    }
}

section! {
    /// What is logged.
    LogsConfig {
        /// The least important line: "error", "warn", "info", "debug" or "trace".
        level: LogLevel = LogLevel::Info;
        /// Also write sealed files into this folder; `guildhall logs` opens them.
        dir: Option<PathBuf> = None, example "data/logs";
        /// How many days they are kept; 0 for ever.
        keep_days: Limit<u32> = Limit(Some(14));
        /// How large they may be together; the oldest give way.
        bytes_max: Size = mib(1024), within mib(1)..=mib(1 << 20);
        /// Write to standard output.
        stdout: bool = true;
        /// What lines look like there: "ecs", or "cef" or "ocsf" for those who watch for attacks.
        format: LogForm = LogForm::Ecs;
        /// A syslog collector that gets every line as well.
        syslog: SyslogSection = SyslogSection::default();
    }
}

section! {
    /// A syslog collector: RFC 5424 over TLS.
    SyslogSection {
        /// Where it listens, by the name that its certificate is for; the usual port is 6514.
        addr: Option<String> = None, example "syslog.example.org:6514";
        /// Certificates of those who may vouch for it, as PEM; by default those that the system trusts.
        ca_file: Option<PathBuf> = None, example "secrets/syslog-ca.pem";
        /// What the messages are: "ecs", "cef" or "ocsf".
        format: LogForm = LogForm::Ecs;
    }
}

section! {
    /// Figures for those who do not fetch them from the console.
    TelemetryConfig {
        /// Write them to standard output, as lines of CloudWatch's Embedded Metric Format.
        emf_stdout: bool = false;
        /// Or to a file that CloudWatch's agent reads. It grows to 16 MiB, and one before it is kept.
        emf_file: Option<PathBuf> = None, example "data/emf.ndjson";
        /// The namespace in CloudWatch.
        emf_namespace: String = "Guildhall".to_owned();
        /// How often.
        emf_every: Duration = secs(60), within secs(1)..=hours(1);
        /// A collector of OpenTelemetry that is told how turns went, and the figures: OTLP over HTTP, in
        /// protobuf. It may be on this machine or in your network. Headers for it are the secret
        /// OTEL_EXPORTER_OTLP_HEADERS.
        otlp_endpoint: Option<String> = None, example "http://127.0.0.1:4318";
        /// Tell it how turns went: a span for each, with a child for each stage. Never a text or an id.
        otlp_traces: bool = true;
        /// Tell it the figures.
        otlp_metrics: bool = true;
        /// How often it is told the figures.
        otlp_every: Duration = secs(60), within secs(1)..=hours(1);
    }
}

choice! {
    /// How bad something is.
    AlertSeverity {
        /// Someone should look at it today.
        Warning = "warning",
        /// Someone should look at it now.
        Critical = "critical",
    }
}

choice! {
    /// When TLS begins. Without it nothing is sent.
    AlertTls {
        /// After the greeting, usually on port 587.
        StartTls = "starttls",
        /// At once, usually on port 465.
        Tls = "tls",
    }
}

choice! {
    /// A figure that a rule is about.
    AlertSignal {
        /// Seconds since updates were last received or asked for with success.
        PollAge = "poll_age_seconds",
        /// The part of the calls to models that failed within the window.
        LlmErrors = "llm_error_ratio",
        /// What 95 of 100 replies took less than within the window.
        ReplyP95 = "reply_p95_seconds",
        /// Restarts of actors within the window.
        Restarts = "actor_restarts",
        /// Updates set aside within the window.
        Quarantined = "quarantined",
        /// The free part of the disk with the data.
        DiskFree = "disk_free_ratio",
        /// Texts that the guard stopped within the window.
        GuardBlocks = "guard_blocks",
        /// Seconds since the last good backup.
        BackupAge = "backup_age_seconds",
        /// Updates that came within the window.
        Updates = "updates",
        /// Tokens used within the window.
        Tokens = "tokens",
        /// Log lines lost within the window.
        LogLines = "log_lines_dropped",
        /// What answers cost within the window.
        Cost = "cost",
        /// Tool servers that are not as they should be.
        ToolServers = "tool_servers_ill",
    }
}

choice! {
    /// What is out of bounds.
    AlertBound {
        /// More than the limit.
        Above = "above",
        /// Less than the limit.
        Below = "below",
        /// More than so many times what is usual at this hour of the day.
        TimesUsual = "times_usual",
    }
}

section! {
    /// What the hall does by itself about incidents; see docs/playbooks.md.
    PlaybooksConfig {
        /// One file for each playbook. `guildhall playbooks check` tries them.
        dir: PathBuf = "config/playbooks".into();
        /// Names of playbooks that are not used.
        off: Vec<String> = Vec::new();
    }
}

choice! {
    /// What a call of a tool may change.
    ToolEffects {
        /// Nothing: it may be called again.
        ReadOnly = "read_only",
        /// Something, but the same call twice changes no more than once.
        Idempotent = "idempotent",
        /// Something: after a crash a person is asked.
        Once = "once",
    }
}

choice! {
    /// Whether a person must agree to calls of a tool.
    ToolApproval {
        /// To those that change something.
        Usual = "usual",
        /// To each.
        Always = "always",
        /// To none.
        Never = "never",
    }
}

section! {
    /// Reading pages of the web.
    FetchSection {
        /// Agents whose file names `fetch` may read the web.
        enabled: bool = false;
        /// A person must agree to each page: an address can carry out what it was told.
        approval: bool = true;
        /// The longest page that is read.
        page_bytes_max: Size = mib(1), within kib(1)..=mib(16);
        /// Hosts that may be read although they are on this machine or in a private network.
        private_hosts: Vec<String> = Vec::new();
    }
}

section! {
    /// A server of the Model Context Protocol.
    ToolServerConfig {
        /// What stands before the names of its tools: a-z, 0-9, `_` and `-`.
        name: String = String::new(), example "files";
        /// A program that is started here, confined, and spoken to through pipes.
        command: Option<String> = None, example "mcp-server-files";
        /// Its arguments.
        args: Vec<String> = Vec::new();
        /// Its variables, as NAME=value. It inherits none.
        env: Vec<String> = Vec::new();
        /// Names of secrets that it is given as variables of the same names.
        env_secrets: Vec<String> = Vec::new();
        /// Or a service over HTTP.
        url: Option<String> = None, example "https://tools.example.org/mcp";
        /// Allow an address on this machine or in a private network, and plain http to it.
        allow_private: bool = false;
        /// The header that carries its key.
        header: String = "Authorization".to_owned();
        /// The secret that is that header's whole value, such as `Bearer …`.
        header_secret: Option<String> = None, example "FILES_AUTHORIZATION";
        /// Folders and files that the program may read.
        read: Vec<PathBuf> = Vec::new();
        /// Folders and files that it may change.
        write: Vec<PathBuf> = Vec::new();
        /// It may use the network, all of it.
        network: bool = false;
        /// Rather not at all than without a sandbox, where the kernel has none.
        require_sandbox: bool = true;
        /// The most memory of its own, for each of its processes.
        memory_max: Size = mib(1024), within mib(16)..=mib(65_536);
        /// The longest file that it may write.
        file_max: Size = mib(64), within kib(1)..=mib(65_536);
        /// The most processor time, for each of its processes; after it, it is started anew.
        cpu_time_max: Duration = hours(1), within secs(1)..=hours(720);
        /// The most files that it may have open.
        files_max: u32 = 256, within 16..=65_536;
        /// The most processes and threads, where it has a user namespace of its own.
        processes_max: u32 = 64, within 1..=4_096;
        /// How long it may take to start.
        start_time_max: Duration = secs(20), within secs(1)..=secs(300);
        /// How long one call may take.
        call_time_max: Duration = secs(30), within millis(100)..=secs(600);
        /// Calls at the same time.
        calls_in_flight_max: usize = 4, within 1..=64;
        /// The longest message of its own that is read.
        message_max: Size = mib(1), within kib(16)..=mib(16);
        /// Take tools that are not what they were when they were first seen as they are now.
        accept_changes: bool = false;
        /// The tools that may be used, and what each may change. No other is offered.
        tool: Vec<ToolRow> = Vec::new();
    }
}

section! {
    /// A tool of a server.
    ToolRow {
        /// What the server calls it.
        name: String = String::new(), example "read_file";
        /// "read_only", "idempotent" (the same call twice changes no more than once) or "once".
        effects: ToolEffects = ToolEffects::Once;
        /// Whether a person must agree to each call: "always", "never", or "usual": to those that
        /// change something.
        approval: ToolApproval = ToolApproval::Usual;
        /// What a call does, for the person who is asked about it: it goes on after "would like to".
        does: Option<String> = None, example "add an entry to your calendar";
        /// The same in other languages, as code=text.
        does_in: Vec<String> = Vec::new();
    }
}

section! {
    /// How operators learn that something is wrong. Several places can be told; see docs/alerts.md.
    AlertsConfig {
        /// Write to the admins in Telegram.
        telegram: bool = true;
        /// Write to them there what the guard refused, with a button to mark a false alarm.
        refusals: bool = true;
        /// What this hall is called where several tell the same people.
        source: String = "guildhall".to_owned();
        /// What nobody has taken into their hands after so long is told on the next step as well.
        climb_after: Duration = secs(900), within secs(10)..=hours(24);
        /// Where the pages are that say what to do about an alert; by default docs/runbooks in the
        /// repository. Your own rules need pages there, too.
        runbooks: Option<String> = None, example "https://ops.example.org/guildhall/runbooks";
        /// Names of shipped rules that are not used.
        rules_off: Vec<String> = Vec::new();
        /// Rules beside those that are shipped, or in the place of those of the same name.
        rule: Vec<AlertRule> = Vec::new();
        /// An address that is called for every alert, in the shape of Alertmanager's webhook. With
        /// ALERT_WEBHOOK_SECRET set, every call is signed.
        webhook: AlertWebhook = AlertWebhook::default();
        /// Mail, never without TLS. The password is ALERT_SMTP_PASSWORD.
        smtp: AlertSmtp = AlertSmtp::default();
        /// A channel of Slack, by an incoming webhook: told where ALERT_SLACK_URL is set, its address.
        slack: AlertSlack = AlertSlack::default();
        /// A service of PagerDuty's: told where ALERT_PAGERDUTY_KEY is set, its routing key.
        pagerduty: AlertPager = AlertPager::default();
        /// Sentry: told where SENTRY_DSN is set.
        sentry: AlertSentry = AlertSentry::default();
        /// Short messages, by an interface such as Twilio's: sent where ALERT_SMS_TOKEN is set.
        sms: AlertSms = AlertSms::default();
    }
}

section! {
    /// Rules beside those that are shipped, or in the place of those of the same name.
    AlertRule {
        /// Its name: a-z, 0-9 and _.
        name: String = String::new(), example "many_tokens";
        /// The figure: "poll_age_seconds", "llm_error_ratio", "reply_p95_seconds", "actor_restarts",
        /// "quarantined", "disk_free_ratio", "guard_blocks", "backup_age_seconds", "updates", "tokens",
        /// "log_lines_dropped", "cost", "tool_servers_ill".
        signal: AlertSignal = AlertSignal::Updates;
        /// "above", "below", or "times_usual": above so many times what is usual at this hour of the day.
        bound: AlertBound = AlertBound::TimesUsual;
        /// The limit.
        limit: f64 = 5.0;
        /// The window, for figures that have one.
        over: Duration = secs(3_600), within secs(15)..=hours(1);
        /// How long it must be out of bounds before anybody is told.
        hold: Duration = secs(0), within secs(0)..=hours(24);
        /// Fewer calls, replies or events than this within the window prove nothing.
        at_least: f64 = 0.0;
        /// "warning" or "critical".
        severity: AlertSeverity = AlertSeverity::Warning;
        /// What is said; {value} stands for the figure. By default the figure and its name.
        summary: Option<String> = None, example "{value} tokens within the hour.";
    }
}

section! {
    /// Sentry.
    AlertSentry {
        /// Report errors and panics of the program as well: a constant sentence and a place in the
        /// source, never a text, an id or a value.
        errors: bool = true;
        /// What this hall is there.
        environment: String = "production".to_owned();
        /// From which step of an escalation on: 0 at once.
        step: u32 = 0, within 0..=9;
        /// Only what is as bad as this, or worse.
        least: AlertSeverity = AlertSeverity::Warning;
    }
}

section! {
    /// An address that is called for every alert.
    AlertWebhook {
        /// Where the alert is sent as JSON. It is kept secret, since such addresses hold passwords.
        url: Option<Hidden> = None, example "https://alerts.example.org/guildhall";
        /// From which step of an escalation on: 0 at once.
        step: u32 = 0, within 0..=9;
        /// Only what is as bad as this, or worse.
        least: AlertSeverity = AlertSeverity::Warning;
    }
}

section! {
    /// Mail.
    AlertSmtp {
        /// The server.
        host: Option<String> = None, example "smtp.example.org";
        /// Its port.
        port: u32 = 587, within 1..=65_535;
        /// "starttls" or "tls" (from the first byte, usually on port 465).
        tls: AlertTls = AlertTls::StartTls;
        /// Who signs in there.
        user: Option<String> = None, example "guildhall@example.org";
        /// The sender.
        from: String = String::new(), example "guildhall@example.org";
        /// The receivers. Mail is sent where there is one.
        to: Vec<String> = Vec::new();
        /// The certificate of the server's authority (PEM), where this machine does not know it.
        ca_file: Option<PathBuf> = None, example "config/mail-ca.pem";
        /// From which step of an escalation on: 0 at once.
        step: u32 = 0, within 0..=9;
        /// Only what is as bad as this, or worse.
        least: AlertSeverity = AlertSeverity::Warning;
    }
}

section! {
    /// A channel of Slack.
    AlertSlack {
        /// From which step of an escalation on: 0 at once.
        step: u32 = 0, within 0..=9;
        /// Only what is as bad as this, or worse.
        least: AlertSeverity = AlertSeverity::Warning;
    }
}

section! {
    /// A service of PagerDuty's.
    AlertPager {
        /// Where events are sent.
        url: String = "https://events.pagerduty.com/v2/enqueue".to_owned();
        /// From which step of an escalation on: 0 at once.
        step: u32 = 1, within 0..=9;
        /// Only what is as bad as this, or worse.
        least: AlertSeverity = AlertSeverity::Critical;
    }
}

section! {
    /// Short messages.
    AlertSms {
        /// The interface, without the path.
        base_url: String = "https://api.twilio.com".to_owned();
        /// The account.
        account: String = String::new(), example "AC00000000000000000000000000000000";
        /// The sender's number.
        from: String = String::new(), example "+15550100";
        /// The receivers' numbers.
        to: Vec<String> = Vec::new();
        /// From which step of an escalation on: 0 at once.
        step: u32 = 2, within 0..=9;
        /// Only what is as bad as this, or worse.
        least: AlertSeverity = AlertSeverity::Critical;
    }
}

impl Config {
    /// Where the master key lies: as configured, else `secrets/master.key` beside the data folder.
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        self.hall.key_file.clone().unwrap_or_else(|| {
            let beside = self.hall.data_dir.parent().unwrap_or(&self.hall.data_dir);
            beside.join("secrets").join("master.key")
        })
    }

    /// Where the keys of people lie: as configured, else beside the master key.
    #[must_use]
    pub fn keyring_file(&self) -> PathBuf {
        let beside = || self.key_file().with_extension("keyring");
        self.hall.keyring_file.clone().unwrap_or_else(beside)
    }

    /// Where backups are kept: as configured, else `backups` in the data folder.
    #[must_use]
    pub fn backup_dir(&self) -> PathBuf {
        self.backup.dir.clone().unwrap_or_else(|| self.hall.data_dir.join("backups"))
    }

    /// The bucket for backups, and what stands before each name in it.
    #[must_use]
    pub fn backup_bucket(&self) -> Option<(&str, &str)> {
        let path = self.backup.url.as_deref()?.strip_prefix("s3://").unwrap_or_default();
        Some(path.split_once('/').unwrap_or((path, "")))
    }

    /// The Bot API server of a bot.
    #[must_use]
    pub fn api_url<'c>(&'c self, bot: &'c BotConfig) -> &'c str {
        bot.api_url.as_deref().unwrap_or(&self.telegram.api_url)
    }

    /// How a bot receives its updates.
    #[must_use]
    pub fn mode(&self, bot: &BotConfig) -> Mode {
        let usual = self.telegram.webhook_url.as_ref().map_or(Mode::Poll, |_url| Mode::Webhook);
        bot.mode.unwrap_or(usual)
    }

    /// Who answers in a bot's chats where nobody has chosen an agent.
    #[must_use]
    pub fn default_agent<'c>(&'c self, bot: &'c BotConfig) -> &'c AgentName {
        let own = bot.agent.as_ref().or(bot.default_agent.as_ref());
        own.unwrap_or(&self.hall.default_agent)
    }

    /// The models in the order in which they are tried.
    #[must_use]
    pub fn chain(&self) -> Vec<&ModelConfig> {
        if self.broker.chain.is_empty() {
            return self.models.iter().collect();
        }
        let named = |name: &String| self.models.iter().find(|model| model.name == *name);
        self.broker.chain.iter().filter_map(named).collect()
    }
}

impl ModelConfig {
    /// Where the model is served; `None` for an embedded one.
    #[must_use]
    pub fn base_url(&self) -> Option<&str> {
        let usual = match self.protocol {
            Protocol::OpenAi => "https://api.openai.com/v1",
            Protocol::Anthropic => "https://api.anthropic.com",
            Protocol::Embedded => return None,
        };
        Some(self.base_url.as_deref().unwrap_or(usual))
    }
}
