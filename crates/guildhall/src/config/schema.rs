//! The configuration described: as a commented file for people, as a JSON Schema for editors, and
//! as the settings in force with their origins.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{
    Loaded,
    secrets::Place,
    section::{Key, Setting as _, Shape},
    sections::Config,
    source::Origin,
};

const HEAD: &str = "\
# Guildhall: every setting, commented out, with its default.
#
# A line that begins with `#` and a space explains; remove the `#` before a key to change it.
# Any key can be given as a variable instead, GUILDHALL__SECTION__KEY, and the variable wins:
# GUILDHALL__LIMITS__PERSON_PER_MINUTE=0. Rows of a list are counted: GUILDHALL__MODELS__0__NAME.
# Durations are \"90s\", \"5m\", \"250ms\" or whole seconds; sizes are \"64KiB\", \"1MiB\" or whole bytes.
# Zero or false switches a limit off. `guildhall config check` tells what is wrong,
# `guildhall config show` what is in force and why.
";

/// The keys of the whole configuration.
fn keys() -> Vec<Key> {
    match Config::shape() {
        Shape::Table(keys) | Shape::Rows(keys) => keys,
        Shape::Leaf(_) => Vec::new(),
    }
}

/// The text of `config/guildhall.toml`: every key, commented out.
#[must_use]
pub fn template() -> String {
    let mut text = HEAD.to_owned();
    for key in keys() {
        write_section(&mut text, key.name, &key);
    }
    text
}

fn write_section(text: &mut String, path: &str, section: &Key) {
    let (keys, is_row) = match &section.shape {
        Shape::Table(keys) => (keys, false),
        Shape::Rows(keys) => (keys, true),
        Shape::Leaf(_) => return,
    };
    text.push('\n');
    write_about(text, section.about);
    let header = if is_row { format!("#[[{path}]]\n") } else { format!("[{path}]\n") };
    text.push_str(&header);
    for key in keys.iter().filter(|key| matches!(key.shape, Shape::Leaf(_))) {
        write_about(text, key.about);
        let value = match (is_row, key.example) {
            (true, Some(example)) => json!(example),
            (false, Some(example)) if key.default.is_null() => json!(example),
            (true | false, _) => key.default.clone(),
        };
        text.push_str(&format!("#{} = {value}\n", key.name));
    }
    for key in keys {
        write_section(text, &format!("{path}.{}", key.name), key);
    }
}

fn write_about(text: &mut String, about: &[&str]) {
    for line in about {
        text.push_str(&format!("# {}\n", line.trim()));
    }
}

/// The JSON Schema (draft 2020-12) of the configuration file.
#[must_use]
pub fn schema() -> Json {
    let mut schema = table_schema(&keys());
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
        schema.insert("title".into(), json!("Guildhall configuration"));
    }
    schema
}

fn table_schema(keys: &[Key]) -> Json {
    let properties: Map<_, _> =
        keys.iter().map(|key| (key.name.to_owned(), key_schema(key))).collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn key_schema(key: &Key) -> Json {
    let mut schema = match &key.shape {
        Shape::Leaf(schema) => schema.clone(),
        Shape::Table(keys) => table_schema(keys),
        Shape::Rows(keys) => json!({ "type": "array", "items": table_schema(keys) }),
    };
    let Some(about) = schema.as_object_mut() else { return schema };
    let mut words: Vec<String> = key.about.iter().map(|line| line.trim().to_owned()).collect();
    if let Some((least, most)) = &key.range {
        let off = if key.can_be_off { "; 0 or false for the greatest" } else { "" };
        words.push(format!("From {least} to {most}{off}."));
        if let (Json::Number(_), Json::Number(_)) = (least, most) {
            let least = if key.can_be_off { json!(0) } else { least.clone() };
            about.insert("minimum".into(), least);
            about.insert("maximum".into(), most.clone());
        }
    }
    about.insert("description".into(), words.join(" ").into());
    if matches!(key.shape, Shape::Leaf(_)) && !key.default.is_null() {
        about.insert("default".into(), key.default.clone());
    }
    schema
}

/// One setting in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Its dotted path; rows of lists are counted from 0.
    pub key: String,
    /// Its value, as the file takes it; `null` if it is not set.
    pub value: Json,
    /// Where it was given.
    pub origin: Origin,
}

/// The settings in force, in the order of the file.
#[must_use]
pub fn shown(loaded: &Loaded) -> Vec<Shown> {
    let mut rows = Vec::new();
    let whole = Key {
        name: "",
        about: &[],
        shape: Config::shape(),
        default: Json::Null,
        example: None,
        range: None,
        can_be_off: false,
    };
    let mut config = loaded.config.show();
    if let Some(keyring_file) = config.pointer_mut("/hall/keyring_file") {
        *keyring_file = loaded.config.keyring_file().show();
    }
    if let Some(key_file) = config.pointer_mut("/hall/key_file") {
        *key_file = loaded.config.key_file().show();
    }
    if let Some(dir) = config.pointer_mut("/backup/dir") {
        *dir = loaded.config.backup_dir().show();
    }
    walk("", &whole, &config, &loaded.origins, &mut rows);
    rows
}

fn walk(
    path: &str,
    key: &Key,
    value: &Json,
    origins: &BTreeMap<String, Origin>,
    rows: &mut Vec<Shown>,
) {
    let each = |path: &str, keys: &[Key], value: &Json, rows: &mut Vec<Shown>| {
        for key in keys {
            let path = super::section::join(path, key.name);
            walk(&path, key, value.get(key.name).unwrap_or(&Json::Null), origins, rows);
        }
    };
    match &key.shape {
        Shape::Table(keys) => each(path, keys, value, rows),
        Shape::Rows(keys) => {
            for (at, row) in value.as_array().into_iter().flatten().enumerate() {
                each(&format!("{path}.{at}"), keys, row, rows);
            }
        }
        Shape::Leaf(_) => {
            let origin = origins.get(path).cloned().unwrap_or(Origin::Default);
            rows.push(Shown { key: path.to_owned(), value: value.clone(), origin });
        }
    }
}

/// `config show` for people: each setting with its origin, then the secrets as set or unset.
#[must_use]
pub fn show_text(loaded: &Loaded) -> String {
    let mut text = String::new();
    for Shown { key, value, origin } in shown(loaded) {
        let setting =
            if value.is_null() { format!("{key} is not set") } else { format!("{key} = {value}") };
        text.push_str(&format!("{setting:<60} # {origin}\n"));
    }
    for secret in secrets(loaded) {
        match secret.fingerprint {
            Some((digits, place)) => {
                text.push_str(&format!(
                    "secret {} is set (sha256 {digits}…), {place}\n",
                    secret.name
                ));
            }
            None => text.push_str(&format!("secret {} is not set\n", secret.name)),
        }
    }
    text
}

/// `config show --json`.
#[must_use]
pub fn show_json(loaded: &Loaded) -> Json {
    let row = |Shown { key, value, origin }: Shown| json!({ "key": key, "value": value, "origin": origin.to_string() });
    let settings: Vec<_> = shown(loaded).into_iter().map(row).collect();
    let secret = |secret: ShownSecret| {
        let (sha256, origin) = secret.fingerprint.unzip();
        json!({ "name": secret.name, "set": sha256.is_some(), "sha256": sha256, "origin": origin })
    };
    let secrets: Vec<_> = secrets(loaded).into_iter().map(secret).collect();
    json!({ "settings": settings, "secrets": secrets })
}

struct ShownSecret {
    name: String,
    fingerprint: Option<(String, String)>,
}

/// The secrets that are set, and those that the hall knows and that are not.
fn secrets(loaded: &Loaded) -> Vec<ShownSecret> {
    let known = [
        "TELEGRAM_BOT_TOKEN",
        super::check::WEBHOOK_SECRET,
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        super::check::SENTRY_DSN,
        super::check::OTLP_HEADERS,
        super::check::ALERT_WEBHOOK_SECRET,
        super::check::ALERT_SMTP_PASSWORD,
        super::check::ALERT_SLACK_URL,
        super::check::ALERT_PAGERDUTY_KEY,
        super::check::ALERT_SMS_TOKEN,
    ];
    let mut rows: BTreeMap<String, _> = known.map(|name| (name.to_owned(), None)).into();
    for facts in loaded.secrets.facts() {
        let place = match facts.place {
            Place::File(path) => format!("file {}", path.display()),
            Place::Variable(name) | Place::Key(name) => name,
            Place::AwsAgent(name) => format!("AWS secret {name}"),
        };
        rows.insert(facts.name, Some((facts.fingerprint, place)));
    }
    rows.into_iter().map(|(name, fingerprint)| ShownSecret { name, fingerprint }).collect()
}
