//! The rules of the configuration, each as a test: a file and an environment in, words out.

use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::{schema::Shown, *};

fn env(pairs: &[(&str, &str)]) -> Env {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn good(text: &str, pairs: &[(&str, &str)]) -> Loaded {
    load_text("c.toml", text, &env(pairs)).unwrap_or_else(|problems| panic!("{problems}"))
}

fn wrong(text: &str, pairs: &[(&str, &str)]) -> Vec<String> {
    let problems = load_text("c.toml", text, &env(pairs)).err().expect("it is wrong");
    problems.0.iter().map(ToString::to_string).collect()
}

/// One problem is expected, that contains these words.
fn wrong_once(text: &str, pairs: &[(&str, &str)], words: &str) {
    let problems = wrong(text, pairs);
    assert!(problems.len() == 1 && problems[0].contains(words), "{problems:#?}");
}

#[test]
fn config_1_an_unknown_key_is_told_with_its_place_and_the_nearest_good_one() {
    let text = "[limits]\nperson_per_minut = 3\n\n[brokr]\nchain = []\n";
    assert_eq!(
        wrong(text, &[("GUILDHALL__STORE__QUEUE_MX", "9"), ("GUILDHALL__STOR__X", "9")]),
        [
            "c.toml:4: brokr: there is no such key; did you mean `broker`?",
            "GUILDHALL__STOR__X: there is no such key; did you mean `store`?",
            "c.toml:2: limits.person_per_minut: there is no such key; did you mean \
             `person_per_minute`?",
            "GUILDHALL__STORE__QUEUE_MX: there is no such key; did you mean `queue_max`?",
        ]
    );
}

#[test]
fn config_2_all_problems_are_told_at_once() {
    let text = r#"
[access]
admins = [-5]
[telegram]
poll_wait = "soon"
[broker]
chain = ["nobody"]
backoff_min = "20s"
requests_in_flight_max = 100000
[[models]]
name = "m"
model = "x"
base_url = "ftp://example.org"
[http]
addr = "0.0.0.0:80"
login = false
"#;
    let problems = wrong(text, &[("GUILDHALL__GUARD__LEVEL", "harsh")]);
    let places = [
        "access.admins",
        "telegram.poll_wait",
        "broker.chain",
        "broker.backoff_max",
        "broker.requests_in_flight_max",
        "models.0.base_url",
        "http.login",
        "GUILDHALL__GUARD__LEVEL",
    ];
    for place in places {
        let hits = problems.iter().filter(|problem| problem.contains(place)).count();
        assert_eq!(hits, 1, "{place}: {problems:#?}");
    }
    assert_eq!(problems.len(), places.len(), "{problems:#?}");
}

#[test]
fn config_3_no_secret_can_be_printed() {
    let text = "[alerts.webhook]\nurl = \"https://example.org/canary-1\"\n";
    let pairs = [("TELEGRAM_BOT_TOKEN", "1:canary-2"), ("OPENAI_API_KEY", "canary-3")];
    let loaded = good(text, &pairs);
    let printed = [
        format!("{:?}", loaded.config),
        schema::show_text(&loaded),
        schema::show_json(&loaded).to_string(),
    ];
    for text in printed {
        assert!(!text.contains("canary"), "{text}");
    }
    let mut all: Vec<_> = loaded.secrets.all().map(|secret| secret.expose_secret()).collect();
    all.sort_unstable();
    assert_eq!(all, ["1:canary-2", "canary-3", "https://example.org/canary-1"]);
    let problems = wrong("[alerts.webhook]\nurl = \"canary\"\n", &[]);
    assert!(!problems[0].contains("canary"), "{problems:?}");
}

#[test]
fn config_4_a_token_and_a_model_in_the_environment_are_enough() {
    let pairs = [("TELEGRAM_BOT_TOKEN", "1:a"), ("OPENAI_API_KEY", "k"), ("OPENAI_MODEL", "gpt")];
    let loaded = good("", &pairs);
    assert!(loaded.ready_to_run().is_ok());
    let bot = &loaded.config.bots[0];
    assert_eq!((bot.name.as_str(), bot.token_name().as_str()), ("main", "TELEGRAM_BOT_TOKEN"));
    assert_eq!(loaded.config.mode(bot), Mode::Poll);
    let chain = loaded.config.chain();
    assert_eq!((chain.len(), chain[0].model.as_str()), (1, "gpt"));
    assert_eq!(chain[0].base_url(), Some("https://api.openai.com/v1"));
    assert!(good("", &[]).ready_to_run().is_err());
}

#[test]
fn variables_win_over_the_file() {
    let text = r#"
[hall]
data_dir = "elsewhere"
[access]
admins = [1]
[telegram]
api_url = "https://a.example.org"
[[bots]]
name = "side"
token_env = "SIDE"
api_url = "https://b.example.org"
mode = "poll"
[[models]]
name = "openai"
model = "old"
price_input = 2.5
[[models]]
name = "other"
model = "x"
[broker]
chain = ["other"]
"#;
    let secret = "s".repeat(32);
    let loaded = good(
        text,
        &[
            ("GUILDHALL_DATA_DIR", "/srv/data"),
            ("GUILDHALL_ADMINS", "7, 8"),
            ("GUILDHALL_ALLOW", "*"),
            ("TELEGRAM_API_URL", "http://127.0.0.1:8081"),
            ("TELEGRAM_WEBHOOK_URL", "https://bot.example.org/hook"),
            ("TELEGRAM_WEBHOOK_SECRET", &secret),
            ("TELEGRAM_BOT_TOKEN", "1:a"),
            ("SIDE", "2:b"),
            ("OPENAI_BASE_URL", "http://127.0.0.1:8081/v1"),
            ("OPENAI_MODEL", "new"),
            ("GUILDHALL__TELEGRAM__PACING", "false"),
            ("GUILDHALL__MODELS__1__STREAM", "false"),
            ("GUILDHALL_PORT", "tcp://10.0.0.1:80"),
        ],
    );
    let config = &loaded.config;
    assert_eq!(config.key_file(), Path::new("/srv/secrets/master.key"));
    assert_eq!(config.access.admins, [7, 8]);
    assert_eq!(config.access.allow, Allow::Everyone);
    assert!(!config.telegram.pacing);
    assert_eq!(config.bots.iter().map(|bot| &bot.name).collect::<Vec<_>>(), ["main", "side"]);
    for bot in &config.bots {
        assert_eq!(config.api_url(bot), "http://127.0.0.1:8081");
        assert_eq!(config.mode(bot), Mode::Webhook);
    }
    let names: Vec<_> = config.chain().iter().map(|model| model.name.as_str()).collect();
    assert_eq!(names, ["openai", "other"]);
    assert_eq!((config.chain()[0].model.as_str(), config.chain()[0].price_input), ("new", 2.5));
    assert!(!config.chain()[1].stream);
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
}

#[test]
fn zero_and_false_switch_a_limit_off() {
    for off in ["0", "false"] {
        let text = format!(
            "[limits]\nperson_per_minute = {off}\nflood_ignore = {off}\n\
             [telegram]\nper_chat_per_second = {off}\n\
             [broker]\nrequests_in_flight_max = {off}\n\
             [session]\nturn_time_max = {off}\n"
        );
        let in_file = good(&text, &[]).config;
        let config = good(
            "",
            &[
                ("GUILDHALL__LIMITS__PERSON_PER_MINUTE", off),
                ("GUILDHALL__LIMITS__FLOOD_IGNORE", off),
                ("GUILDHALL__TELEGRAM__PER_CHAT_PER_SECOND", off),
                ("GUILDHALL__BROKER__REQUESTS_IN_FLIGHT_MAX", off),
                ("GUILDHALL__SESSION__TURN_TIME_MAX", off),
            ],
        );
        assert_eq!(in_file, config.config);
        assert_eq!(in_file.limits.person_per_minute, Limit(None));
        assert_eq!(in_file.limits.flood_ignore, Limit(None));
        assert_eq!(in_file.telegram.per_chat_per_second, Limit(None));
        assert_eq!(in_file.broker.requests_in_flight_max, 16_384, "no queue is endless");
        assert_eq!(in_file.session.turn_time_max, Duration::from_secs(7_200));
    }
}

#[test]
fn durations_and_sizes_are_read_in_words_or_numbers() {
    let cases = [
        ("\"90s\"", Duration::from_secs(90)),
        ("\"1m30s\"", Duration::from_secs(90)),
        ("90", Duration::from_secs(90)),
        ("\"1500ms\"", Duration::from_millis(1_500)),
        ("\"2h\"", Duration::from_secs(7_200)),
    ];
    for (text, expected) in cases {
        let text = format!("[session]\nrest_after = {text}");
        assert_eq!(good(&text, &[]).config.session.rest_after, expected, "{text}");
    }
    for bad in ["\"5\"", "\"s\"", "\"\"", "\"5 parsecs\"", "-1", "1.5", "true"] {
        wrong_once(&format!("[session]\nrest_after = {bad}"), &[], "must be a duration");
    }
    for (text, bytes) in [("\"2MiB\"", 2 << 20), ("3000000", 3_000_000), ("\"5MB\"", 5_000_000)] {
        let text = format!("[store]\ncache_bytes = {text}");
        assert_eq!(good(&text, &[]).config.store.cache_bytes, Size(bytes), "{text}");
    }
    wrong_once("[store]\ncache_bytes = \"2 furlongs\"", &[], "must be a size");
    wrong_once("[store]\ncache_bytes = \"1KiB\"", &[], "must be from \"1MiB\" to \"64GiB\"");
}

#[test]
fn a_secret_in_the_file_is_refused_with_what_to_do_instead() {
    let bot = "[[bots]]\nname = \"a\"\ntoken = \"1:canary\"\ntoken_env = \"T\"\n";
    wrong_once(bot, &[("T", "1:a")], "c.toml:3: bots.0.token: a token must not stand in the file");
    assert!(!wrong(bot, &[("T", "1:a")])[0].contains("canary"));
    let model = "[[models]]\nname = \"a\"\nmodel = \"x\"\napi_key = \"k\"\n";
    wrong_once(model, &[], "a key must not stand in the file");
    wrong_once("[[bots]]\nname = \"a\"\n", &[], "the bot has no token");
    wrong_once("[[bots]]\nname = \"a\"\ntoken_env = \"T\"\n", &[], "the secret `T` is not set");
}

#[test]
fn a_secret_set_twice_or_empty_is_an_error() {
    let twice = [("TELEGRAM_BOT_TOKEN", "1:a"), ("TELEGRAM_BOT_TOKEN_FILE", "/nowhere")];
    wrong_once("", &twice, "both `TELEGRAM_BOT_TOKEN` and `TELEGRAM_BOT_TOKEN_FILE` are set");
    wrong_once("", &[("TELEGRAM_BOT_TOKEN", "")], "is empty");
    wrong_once("", &[("OPENAI_API_KEY_FILE", "/nowhere")], "/nowhere cannot be read");
}

#[test]
fn two_bots_with_one_token_are_refused() {
    let text =
        "[[bots]]\nname = \"a\"\ntoken_env = \"T\"\n[[bots]]\nname = \"b\"\ntoken_env = \"U\"\n";
    wrong_once(text, &[("T", "1:a"), ("U", "1:a")], "bots.1.name: has the token of bot `a`");
    assert_eq!(good(text, &[("T", "1:a"), ("U", "1:b")]).config.bots.len(), 2);
}

#[test]
fn webhook_mode_does_not_start_without_a_good_secret() {
    let url = ("TELEGRAM_WEBHOOK_URL", "https://bot.example.org/hook");
    wrong_once("", &[url], "does not start without this secret");
    for secret in ["short", &"é".repeat(40), &"s".repeat(257)] {
        wrong_once("", &[url, ("TELEGRAM_WEBHOOK_SECRET", secret)], "must have 32 to 256");
    }
    let text = "[[bots]]\nname = \"a\"\ntoken_env = \"T\"\nmode = \"webhook\"\n";
    let secret = "s".repeat(32);
    let same =
        [url, ("TELEGRAM_WEBHOOK_SECRET", &secret), ("TELEGRAM_WEBHOOK_ADDR", "127.0.0.1:8088")];
    wrong_once("", &same, "the console listens there");
    let pairs = [("T", "1:a"), ("TELEGRAM_WEBHOOK_SECRET", secret.as_str())];
    wrong_once(text, &pairs, "needs the public address");
}

#[test]
fn a_turn_shorter_than_its_question_is_a_warning_and_not_an_error() {
    let loaded = good("[broker]\nrequest_time_max = 0", &[]);
    assert_eq!(loaded.config.broker.request_time_max, Duration::from_secs(3_600));
    assert!(loaded.warnings[0].starts_with("session.turn_time_max"), "{:?}", loaded.warnings);
    assert!(good("", &[]).warnings.is_empty());
}

#[test]
fn a_file_that_is_too_long_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    fs::write(&path, "x".repeat(11)).unwrap();
    assert!(read_file(&path, 10).is_err());
    assert_eq!(read_file(&path, 11).unwrap().len(), 11);
}

#[test]
fn a_private_address_of_a_model_needs_a_word_from_the_operator() {
    let hosts = [
        "127.0.0.1",
        "localhost",
        "a.localhost",
        "10.0.0.1",
        "169.254.169.254",
        "2130706433",
        "0x7f.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[fd00::1]",
        "metadata.google.internal",
    ];
    for host in hosts {
        let text =
            format!("[[models]]\nname = \"m\"\nmodel = \"x\"\nbase_url = \"https://{host}\"");
        wrong_once(&text, &[], "allow_private");
        good(&format!("{text}\nallow_private = true"), &[]);
        good("", &[("OPENAI_BASE_URL", &format!("http://{host}/v1"))]);
    }
    let plain = "[[models]]\nname = \"m\"\nmodel = \"x\"\nbase_url = \"http://example.org\"";
    wrong_once(plain, &[], "in the clear");
    let password = "[telegram]\napi_url = \"https://user:pass@example.org\"";
    wrong_once(password, &[], "must not hold a name or a password");
}

#[test]
fn a_named_file_must_be_there_and_the_default_one_need_not() {
    let (_, problems) = inspect(&env(&[("GUILDHALL_CONFIG", "/nowhere/c.toml")]));
    assert!(problems[0].to_string().starts_with("/nowhere/c.toml: the file cannot be read"));
    assert!(load(&Env::new()).is_ok(), "tests run in a folder without config/guildhall.toml");
}

#[test]
fn show_tells_every_value_with_its_origin_and_secrets_only_as_set() {
    let text = "[limits]\nperson_per_minute = 3\n";
    let pairs = [("GUILDHALL__HTTP__LOGIN", "true"), ("OPENAI_API_KEY", "k")];
    let loaded = good(text, &pairs);
    let row = |key: &str| {
        let rows = schema::shown(&loaded);
        let Shown { value, origin, .. } = rows.into_iter().find(|row| row.key == key).unwrap();
        format!("{value} {origin}")
    };
    assert_eq!(row("limits.person_per_minute"), "3 file, line 2");
    assert_eq!(row("limits.person_burst"), "10 default");
    assert_eq!(row("http.login"), "true GUILDHALL__HTTP__LOGIN");
    assert_eq!(row("models.0.api_key_env"), "\"OPENAI_API_KEY\" OPENAI_API_KEY");
    assert_eq!(row("hall.key_file"), "\"secrets/master.key\" default");
    let text = schema::show_text(&loaded);
    assert!(text.contains("secret OPENAI_API_KEY is set (sha256 8254…)"), "{text}");
    assert!(text.contains("secret TELEGRAM_BOT_TOKEN is not set"), "{text}");
}

#[test]
fn a_master_key_that_systemd_hands_in_is_used_where_no_other_is_named() {
    let home = tempfile::tempdir().unwrap();
    let key = home.path().join("master_key");
    std::fs::write(&key, "00").unwrap();
    let folder = home.path().to_str().unwrap();
    let credential = ("CREDENTIALS_DIRECTORY", folder);
    let config = good("", &[credential]).config;
    assert_eq!(config.key_file(), key);
    assert_eq!(config.keyring_file(), Path::new("secrets/master.keyring"), "it must be writable");
    let config = good("", &[credential, ("GUILDHALL_KEY_FILE", "/srv/own.key")]).config;
    assert_eq!(config.key_file(), Path::new("/srv/own.key"));
    assert_eq!(config.keyring_file(), Path::new("/srv/own.keyring"));
}

#[test]
fn the_file_that_we_ship_holds_every_key_and_changes_nothing() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/guildhall.toml");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, schema::template()).unwrap();
    }
    let shipped = fs::read_to_string(path).unwrap();
    let hint = "run this test with BLESS=1 to write config/guildhall.toml anew, and review it";
    assert!(shipped == schema::template(), "{hint}");
    assert_eq!(good(&shipped, &[]).config, Config::default());
}

#[test]
fn every_default_in_the_shipped_file_is_the_default() {
    let uncomment = |line: &str| match line.strip_prefix('#') {
        Some(rest) if !rest.is_empty() && !rest.starts_with(' ') => rest.to_owned(),
        Some(_) | None => line.to_owned(),
    };
    let lines: Vec<_> = schema::template().lines().map(uncomment).collect();
    // The examples name one secret in two ways, which is refused: keep the first.
    let keep = |line: &&String| {
        let second = [
            "token_file",
            "api_key_file",
            "url = \"s3:",
            "aws_agent",
            "url = \"https://tools",
            "header_secret",
        ];
        !second.iter().any(|it| line.starts_with(it))
    };
    let text: Vec<_> = lines.iter().filter(keep).map(String::as_str).collect();
    let secret = "s".repeat(32);
    let pairs = [
        ("TELEGRAM_BOT_TOKEN", "1:a"),
        ("OPENAI_API_KEY", "k"),
        ("TELEGRAM_WEBHOOK_SECRET", secret.as_str()),
    ];
    let loaded = good(&text.join("\n"), &pairs);
    let mut examples = loaded.config.clone();
    assert_eq!(examples.bots.len(), 1);
    assert_eq!((examples.models[0].name.as_str(), examples.models.len()), ("openai", 2));
    examples.bots.clear();
    examples.models.clear();
    examples.hall.key_file = None;
    examples.hall.keyring_file = None;
    examples.store.region = None;
    examples.guard.transformer_path = None;
    examples.telegram.webhook_url = None;
    examples.logs.dir = None;
    examples.logs.syslog = Default::default();
    examples.telemetry.emf_file = None;
    examples.telemetry.otlp_endpoint = None;
    examples.budgets.step_down_to = None;
    examples.backup.dir = None;
    examples.backup.url = None;
    examples.backup.endpoint = None;
    examples.memory.embeddings_path = None;
    (examples.transcription.model, examples.transcription.api_key_env) = (None, None);
    examples.transcription.path = None;
    (examples.speech.model, examples.speech.api_key_env) = (None, None);
    examples.alerts.webhook.url = None;
    examples.alerts.rule.clear();
    examples.alerts.runbooks = None;
    let smtp = &mut examples.alerts.smtp;
    (smtp.host, smtp.user, smtp.ca_file) = (None, None, None);
    examples.broker.chain.clear();
    examples.tool_servers.clear();
    assert_eq!(examples, Config::default());
}

#[test]
fn the_schema_describes_every_key_and_refuses_others() {
    let schema = schema::schema();
    let key = &schema["properties"]["broker"]["properties"]["requests_in_flight_max"];
    assert_eq!((&key["default"], &key["minimum"]), (&512.into(), &0.into()));
    assert_eq!(schema["properties"]["bots"]["items"]["additionalProperties"], false);
    assert_eq!(schema["properties"]["guard"]["properties"]["level"]["enum"][1], "medium");
    for Shown { key, .. } in schema::shown(&good("", &[])) {
        let pointer = format!("/properties/{}", key.replace('.', "/properties/"));
        let found = schema.pointer(&pointer).unwrap_or_else(|| panic!("{key} is missing"));
        assert!(found["description"].as_str().is_some_and(|words| !words.is_empty()), "{key}");
    }
}

#[test]
fn budgets_are_checked_against_the_models_and_the_calendar() {
    let text = r#"
        [hall]
        time_zone = "Middle/Earth"
        [budgets]
        step_down_percent = 90
        step_down_to = "tiny"
        [budgets.agent]
        money_day = 2.5
        [[models]]
        name = "big"
        model = "m"
        api_key_env = "OPENAI_API_KEY"
    "#;
    let problems = wrong(text, &[("OPENAI_API_KEY", "k")]).join("\n");
    for part in [
        "hall.time_zone: `Middle/Earth` is no time zone",
        "budgets.step_down_to: there is no model called `tiny`",
        "budgets.agent: caps in money need the price of every model",
    ] {
        assert!(problems.contains(part), "{part} in {problems}");
    }
    let text =
        "[budgets]\ncurrency = \"EUR\"\n[budgets.person]\ntokens_day = 200_000\nmoney_month = 0";
    let it = good(text, &[]).config.budgets;
    assert_eq!((it.person.tokens_day.0, it.person.money_month.0), (Some(200_000), None));
}

#[test]
fn a_tool_server_that_cannot_be_meant_is_refused_in_words() {
    let server = |more: &str| format!("[[tool_servers]]\nname = \"files\"\n{more}\n");
    let cases = [
        ("", "give `command` or `url`"),
        ("command = \"a\"\nurl = \"https://example.org\"", "not both"),
        ("command = \"\"", "must name a program"),
        ("command = \"a\"\nread = [\"docs\"]", "must be a whole path"),
        ("command = \"a\"\nenv = [\"A\"]", "NAME=value"),
        ("command = \"a\"\nenv_secrets = [\"NOT_THERE\"]", "the secret `NOT_THERE` is not set"),
        ("url = \"http://example.org\"", "use https"),
        ("url = \"https://127.0.0.1/mcp\"", "allow_private"),
        ("url = \"https://a:b@example.org/\"", "must not hold a name or a password"),
        ("url = \"https://example.org/\"\nheader_secret = \"NOT_THERE\"", "is not set"),
        ("url = \"https://example.org/\"\nread = [\"/srv\"]", "for `command`"),
        ("command = \"a\"\n[[tool_servers.tool]]\nname = \"a.b\"", "must have 1 to 64 letters"),
        ("command = \"a\"\n[[tool_servers.tool]]\nname = \"a\"\ndoes = \"\"", "must be one line"),
        (
            "command = \"a\"\n[[tool_servers.tool]]\nname = \"a\"\ndoes_in = [\"de=lesen\"]",
            "needs `does`",
        ),
        (
            "command = \"a\"\n[[tool_servers.tool]]\nname = \"a\"\ndoes = \"read\"\ndoes_in = [\"xx=read\"]",
            "a language of ours",
        ),
        (
            "command = \"a\"\n[[tool_servers.tool]]\nname = \"a\"\ndoes = \"read\"\ndoes_in = [\"de=a\", \"de=b\"]",
            "`de` is there twice",
        ),
    ];
    for (more, words) in cases {
        wrong_once(&server(more), &[], words);
    }
    wrong_once(
        "[[tool_servers]]\nname = \"A/b\"\ncommand = \"a\"\n",
        &[],
        "must have 1 to 32 of a-z",
    );
    let twice = format!("{0}{0}", server("command = \"a\""));
    wrong_once(&twice, &[], "`files` is there twice");
    let good = good(&server("command = \"a\"\n[[tool_servers.tool]]\nname = \"read\""), &[]);
    let row = &good.config.tool_servers[0].tool[0];
    assert_eq!((row.effects, row.approval), (ToolEffects::Once, ToolApproval::Usual));
    let silent = good_warnings(&server("command = \"a\""));
    assert!(silent.iter().any(|it| it.contains("so none is offered")), "{silent:?}");
}

fn good_warnings(text: &str) -> Vec<String> {
    good(text, &[]).warnings
}

#[test]
fn where_money_is_capped_listening_and_speaking_have_a_price_and_one_in_the_house_may_be_free() {
    let capped = |ear: &str| {
        format!(
            "[budgets]\ncurrency = \"EUR\"\n[budgets.hall]\nmoney_month = 5\n[transcription]\n{ear}\n"
        )
    };
    let key = [("EAR_KEY", "k")];
    let server = "model = \"whisper-1\"\napi_key_env = \"EAR_KEY\"";
    let problems = wrong(&capped(server), &key).join("\n");
    assert!(problems.contains("set `transcription.price_minute`"), "{problems}");
    let priced = format!("{server}\nprice_minute = 0.006");
    assert_eq!(good(&capped(&priced), &key).config.transcription.price_minute, 0.006);
    let own = "model = \"w\"\nbase_url = \"http://127.0.0.1:9/v1\"\nallow_private = true";
    assert!(good(&capped(own), &[]).config.transcription.listens());
    let here = "engine = \"local\"\npath = \"models/whisper-tiny.en\"";
    let ear = good(&capped(here), &[]).config.transcription;
    assert!(ear.listens() && ear.server().is_none());
    let problems = wrong("[transcription]\nengine = \"local\"", &[]).join("\n");
    assert!(problems.contains("transcription.path: must name the folder"), "{problems}");
}
