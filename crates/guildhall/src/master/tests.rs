//! Secrets and the master key from the AWS Secrets Manager Agent, played by a server that answers as
//! the agent's own source does.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex},
    thread,
};

use protocol::{
    PersonId,
    ledger::{Append, Ledger as _, Owned, Seq, Stream},
};
use secrecy::ExposeSecret as _;
use store::Store;
use url::Url;

use super::{keys, open, rotate, take_over};
use crate::{
    config::{Env, Loaded, load_text, schema},
    run::store_config,
};

const TOKEN: &str = "a-token-of-the-agent";
const BOT_TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0";

/// The agent: secrets by name, the newest version last.
#[derive(Clone)]
struct Agent {
    secrets: Arc<Mutex<BTreeMap<String, Vec<String>>>>,
    port: u16,
}

impl Agent {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let agent = Self { secrets: Arc::default(), port };
        let serving = agent.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                serving.serve(stream.unwrap());
            }
        });
        agent
    }

    fn put(&self, id: &str, text: &str) {
        let mut secrets = self.secrets.lock().unwrap();
        secrets.entry(id.to_owned()).or_default().push(text.to_owned());
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
        let request = lines.next().unwrap();
        let headers: Vec<_> = lines.take_while(|it| !it.is_empty()).collect();
        let (status, body) = self.answer(&request, &headers);
        let length = body.len();
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n");
        write!(stream, "{head}connection: close\r\n\r\n{body}").unwrap();
    }

    fn answer(&self, request: &str, headers: &[String]) -> (u16, String) {
        let header = |name: &str| {
            let line = headers.iter().find(|it| it.to_lowercase().starts_with(name));
            line.and_then(|it| it.split_once(": ")).map(|(_, value)| value)
        };
        if header("x-forwarded-for").is_some() {
            return (400, "Forwarded".to_owned());
        }
        if header("x-aws-parameters-secrets-token") != Some(TOKEN) {
            return (403, "Bad Token".to_owned());
        }
        let [method, path, _] = request.split(' ').collect::<Vec<_>>().try_into().unwrap();
        if method != "GET" {
            return (405, "Not allowed".to_owned());
        }
        let url = Url::parse(&format!("http://localhost{path}")).unwrap();
        if url.path() != "/secretsmanager/get" {
            return (404, "Not found".to_owned());
        }
        let (mut id, mut stage) = (String::new(), "AWSCURRENT".to_owned());
        for (key, value) in url.query_pairs() {
            match (&*key, &*value) {
                ("secretId", value) => id = value.to_owned(),
                ("versionStage", value) => stage = value.to_owned(),
                ("refreshNow", "true" | "false" | "1" | "0") => {}
                ("refreshNow", _) => return (400, "invalid refreshNow value".to_owned()),
                (key, _) => return (400, format!("unknown parameter: {key}")),
            }
        }
        self.version(&id, &stage)
    }

    fn version(&self, id: &str, stage: &str) -> (u16, String) {
        if id == "guildhall/forbidden" {
            let body = r#"{"__type":"AccessDeniedException","message":"not authorized"}"#;
            return (400, body.to_owned());
        }
        let secrets = self.secrets.lock().unwrap();
        let versions = secrets.get(id).map(Vec::as_slice).unwrap_or_default();
        let text = match stage {
            "AWSCURRENT" => versions.last(),
            "AWSPREVIOUS" => versions.iter().rev().nth(1),
            _ => None,
        };
        let Some(text) = text else {
            let message = "Secrets Manager can't find the specified secret.";
            let body = serde_json::json!({
                "__type": "ResourceNotFoundException", "message": message
            });
            return (400, body.to_string());
        };
        let body = serde_json::json!({
            "ARN": format!("arn:aws:secretsmanager:us-west-2:123456789012:secret:{id}-NhBWsc"),
            "Name": id,
            "VersionId": "5767290c-d089-49ed-b97c-17086f8c9d79",
            "SecretString": text,
            "VersionStages": [stage],
            "CreatedDate": "1569534789.046",
        });
        (200, body.to_string())
    }
}

/// A home with the agent's token and a configuration that names the agent.
fn home(agent: &Agent, more: &str) -> (tempfile::TempDir, String) {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name).display().to_string();
    fs::write(home.path().join("token"), format!("{TOKEN}\n")).unwrap();
    let text = format!(
        "[hall]\ndata_dir = \"{}\"\n[secrets]\naws_agent = \"http://localhost:{}\"\n\
         aws_token_file = \"{}\"\n{more}\n[[bots]]\nname = \"main\"\n\
         token_env = \"TELEGRAM_BOT_TOKEN\"\n",
        at("data"),
        agent.port,
        at("token")
    );
    (home, text)
}

fn load(text: &str, env: &[(&str, &str)]) -> Result<Loaded, String> {
    let env: Env = env.iter().map(|(name, it)| ((*name).to_owned(), (*it).to_owned())).collect();
    load_text("c.toml", text, &env).map_err(|problems| problems.to_string())
}

fn hex(digit: &str) -> String {
    digit.repeat(64)
}

#[test]
fn a_secret_that_is_given_nowhere_else_comes_from_the_agent_and_is_shown_to_nobody() {
    let agent = Agent::start();
    agent.put("guildhall/telegram_bot_token", BOT_TOKEN);
    let (_home, text) = home(&agent, "");
    let loaded = load(&text, &[]).unwrap();
    let value = loaded.secrets.get("TELEGRAM_BOT_TOKEN").unwrap();
    assert_eq!(value.expose_secret(), BOT_TOKEN);
    let shown = schema::show_json(&loaded).to_string();
    assert!(shown.contains("AWS secret guildhall/telegram_bot_token"), "{shown}");
    assert!(!shown.contains(BOT_TOKEN));

    let other = BOT_TOKEN.replace("Saw0", "Saw1");
    let loaded = load(&text, &[("TELEGRAM_BOT_TOKEN", &other)]).unwrap();
    let value = loaded.secrets.get("TELEGRAM_BOT_TOKEN").unwrap();
    assert_eq!(value.expose_secret(), other, "what is given here comes first");
}

#[test]
fn an_agent_that_does_not_help_is_told_once_and_in_words() {
    let agent = Agent::start();
    let (home, text) = home(&agent, "");
    let refusal = |text: &str| load(text, &[]).err().unwrap();
    assert!(refusal(&text).contains("the secret `TELEGRAM_BOT_TOKEN` is not set"));

    let told = |text: &str, words: &str| {
        let problems = refusal(text);
        assert_eq!(problems.matches("AWS Secrets Manager Agent was asked").count(), 1);
        assert!(problems.contains(words), "{problems}");
    };
    let forbidden = text.replace("TELEGRAM_BOT_TOKEN", "FORBIDDEN");
    told(&forbidden, "the agent may not read it");
    fs::write(home.path().join("token"), "another").unwrap();
    told(&text, "status 403: the token is not the agent's");
    fs::remove_file(home.path().join("token")).unwrap();
    told(&text, "cannot be read");
    fs::write(home.path().join("token"), TOKEN).unwrap();
    told(&text.replace(&format!(":{}", agent.port), ":1"), "it does not answer");
    let elsewhere = refusal(&text.replace("localhost", "192.168.1.7"));
    assert!(elsewhere.contains("must be on this machine"), "{elsewhere}");
}

fn store(loaded: &Loaded) -> Store {
    Store::open(store_config(&loaded.config), keys(&loaded.config).unwrap()).unwrap()
}

fn append(expected: u64) -> Append {
    let events = vec![Owned::by(PersonId(7), "[]")];
    Append { stream: Stream::Hall, expected: Seq(expected), events, closes: Vec::new() }
}

#[test]
fn a_master_key_that_secrets_manager_changed_is_taken_over_and_the_old_one_opens_nothing() {
    let agent = Agent::start();
    agent.put("guildhall/telegram_bot_token", BOT_TOKEN);
    let (home, text) = home(&agent, "aws_master_key = true");
    let loaded = load(&text, &[]).unwrap();
    let refusal = open(&loaded.config).err().unwrap().to_string();
    assert!(refusal.contains("`guildhall/master_key` does not exist"), "{refusal}");
    agent.put("guildhall/master_key", "no key");
    let refusal = open(&loaded.config).err().unwrap().to_string();
    assert!(refusal.contains("does not hold 64 hexadecimal digits"), "{refusal}");

    agent.put("guildhall/master_key", &hex("a"));
    let first = store(&loaded);
    let own = first.own_key("label").unwrap();
    kit::block_on(first.append(append(0))).unwrap();
    let unchanged = kit::block_on(rotate(&first, &loaded.config)).unwrap_err();
    assert!(unchanged.contains("change it there first"), "{unchanged}");
    agent.put("guildhall/master_key", &hex("b"));
    kit::block_on(rotate(&first, &loaded.config)).unwrap();
    first.close().unwrap();

    // Changed once more while nobody looked: the start takes it over.
    agent.put("guildhall/master_key", &hex("c"));
    let (previous, next) = open(&loaded.config).unwrap().take_next();
    let second = Store::open(store_config(&loaded.config), previous).unwrap();
    kit::block_on(take_over(&second, next)).unwrap();
    assert_eq!(second.own_key("label").unwrap(), own, "the hall's own keys are the same");
    second.close().unwrap();
    let (keys, next) = open(&loaded.config).unwrap().take_next();
    assert!(next.is_none());
    let third = Store::open(store_config(&loaded.config), keys).unwrap();
    assert_eq!(kit::block_on(third.load(Stream::Hall)).unwrap().events.len(), 1);
    third.close().unwrap();
    for old in ["a", "b"] {
        let old = store::Keys::of_text(&hex(old)).unwrap();
        assert!(Store::open(store_config(&loaded.config), old).is_err(), "an old key is refused");
    }
    assert!(!holds(home.path(), &hex("c")), "the key is in no file");
}

fn holds(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, text);
        }
        fs::read(&path).unwrap().windows(text.len()).any(|it| it == text.as_bytes())
    })
}
