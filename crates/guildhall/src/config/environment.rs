//! The environment variables: the short ones everybody knows, and `GUILDHALL__SECTION__KEY` for
//! any key of the file. They win over the file.

use std::collections::BTreeMap;

use super::source::{Node, Notes, Origin, Value, nearest};

/// The variables that stand for one key of the file.
const KEYS: [(&str, &[&str]); 9] = [
    ("GUILDHALL_DATA_DIR", &["hall", "data_dir"]),
    ("GUILDHALL_KEY_FILE", &["hall", "key_file"]),
    ("GUILDHALL_ADMINS", &["access", "admins"]),
    ("GUILDHALL_ALLOW", &["access", "allow"]),
    ("GUILDHALL_HTTP_ADDR", &["http", "addr"]),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", &["telemetry", "otlp_endpoint"]),
    ("TELEGRAM_API_URL", &["telegram", "api_url"]),
    ("TELEGRAM_WEBHOOK_URL", &["telegram", "webhook_url"]),
    ("TELEGRAM_WEBHOOK_ADDR", &["telegram", "webhook_addr"]),
];

/// The variable that holds the token of the bot that needs no table.
pub(crate) const BOT_TOKEN: &str = "TELEGRAM_BOT_TOKEN";

/// A model that needs no table.
struct EnvModel {
    name: &'static str,
    key: &'static str,
    base_url: &'static str,
    model: &'static str,
    /// What is asked for where only the key or the address is given.
    usual: &'static str,
}

const MODELS: [EnvModel; 2] = [
    EnvModel {
        name: "openai",
        key: "OPENAI_API_KEY",
        base_url: "OPENAI_BASE_URL",
        model: "OPENAI_MODEL",
        usual: "gpt-4o-mini",
    },
    EnvModel {
        name: "anthropic",
        key: "ANTHROPIC_API_KEY",
        base_url: "ANTHROPIC_BASE_URL",
        model: "ANTHROPIC_MODEL",
        usual: "claude-haiku-4-5",
    },
];

type Env = BTreeMap<String, String>;

/// Lays the variables over the tree of the file. Returns warnings about names that look mistyped.
pub(crate) fn overlay(root: &mut Node, env: &Env, notes: &mut Notes) -> Vec<String> {
    let mut warnings = Vec::new();
    for (variable, text) in env.iter().filter(|(name, _)| name.starts_with("GUILDHALL_")) {
        match variable.strip_prefix("GUILDHALL__") {
            Some(path) => {
                let path = path.to_lowercase();
                set(root, &path.split("__").collect::<Vec<_>>(), variable, text, notes);
            }
            None => warnings.extend(mistyped(variable)),
        }
    }
    for (variable, path) in KEYS {
        let Some(text) = env.get(variable) else { continue };
        // An empty list is a list; any other empty variable counts as unset.
        if !text.is_empty() || path.first() == Some(&"access") {
            set(root, path, variable, text, notes);
        }
    }
    settle_bots(root, env, notes);
    let first: Vec<&str> =
        MODELS.iter().filter(|model| add_model(root, env, model, notes)).map(|m| m.name).collect();
    put_first(root, &first);
    warnings
}

fn set(root: &mut Node, path: &[&str], variable: &str, text: &str, notes: &mut Notes) {
    if let Err(problem) = root.set(path, variable, text) {
        notes.note(&Origin::Variable(variable.to_owned()), "", problem);
    }
}

/// A warning about a variable that is nearly one of ours. Others are not ours to judge:
/// Kubernetes, for one, sets `GUILDHALL_PORT` beside a service of that name.
fn mistyped(variable: &str) -> Option<String> {
    let known = KEYS.iter().map(|(name, _)| *name).chain(["GUILDHALL_CONFIG"]);
    let near = nearest(variable, known.filter(|name| name.starts_with("GUILDHALL_")))?;
    let distance = strsim::levenshtein(variable, near);
    (1..=2)
        .contains(&distance)
        .then(|| format!("{variable} means nothing to the hall; did you mean {near}?"))
}

/// Whether a secret is given in any of its forms.
fn is_given(secret: &str, env: &Env) -> bool {
    let credential = env
        .get("CREDENTIALS_DIRECTORY")
        .is_some_and(|folder| std::path::Path::new(folder).join(secret.to_lowercase()).exists());
    credential || env.contains_key(secret) || env.contains_key(&format!("{secret}_FILE"))
}

/// Makes the bot of `TELEGRAM_BOT_TOKEN`, and lets the `TELEGRAM_*` variables win over every bot.
fn settle_bots(root: &mut Node, env: &Env, notes: &mut Notes) {
    let has = |name: &str| env.get(name).is_some_and(|text| !text.is_empty());
    for bot in rows(root, "bots") {
        let Some(entries) = bot.entries() else { continue };
        if has("TELEGRAM_API_URL") {
            entries.remove("api_url");
        }
        if has("TELEGRAM_WEBHOOK_URL") {
            entries.remove("mode");
        }
    }
    let uses_token = |row: &Node| field(row, "token_env") == Some(BOT_TOKEN);
    if !is_given(BOT_TOKEN, env) || rows(root, "bots").iter().any(uses_token) {
        return;
    }
    let Some(at) = row_named(root, "bots", "main", BOT_TOKEN, notes) else { return };
    if let Some(entries) = rows(root, "bots").get_mut(at).and_then(Node::entries) {
        entries.remove("token_file");
        entries.insert("token_env".to_owned(), raw(BOT_TOKEN, BOT_TOKEN));
    }
}

/// Makes or changes the model that the variables describe. `false` if they describe none.
fn add_model(root: &mut Node, env: &Env, model: &EnvModel, notes: &mut Notes) -> bool {
    let given = |name: &str| env.get(name).filter(|text| !text.is_empty());
    let (base_url, name) = (given(model.base_url), given(model.model));
    let has_key = is_given(model.key, env);
    let variable = match (base_url, name) {
        (_, Some(_)) => model.model,
        (Some(_), None) => model.base_url,
        (None, None) if has_key => model.key,
        (None, None) => return false,
    };
    let Some(at) = row_named(root, "models", model.name, variable, notes) else { return false };
    let Some(entries) = rows(root, "models").get_mut(at).and_then(Node::entries) else {
        return false;
    };
    entries.entry("protocol".to_owned()).or_insert_with(|| raw(model.name, variable));
    if has_key {
        entries.remove("api_key_file");
        entries.insert("api_key_env".to_owned(), raw(model.key, model.key));
    }
    if let Some(url) = base_url {
        // Whoever sets the environment starts the program: their address may be a private one.
        entries.insert("base_url".to_owned(), raw(url, model.base_url));
        entries.insert("allow_private".to_owned(), raw("true", model.base_url));
    }
    match name {
        Some(name) => {
            entries.insert("model".to_owned(), raw(name, model.model));
        }
        None => {
            entries.entry("model".to_owned()).or_insert_with(|| raw(model.usual, variable));
        }
    }
    true
}

/// Puts models at the head of the chain, if the chain is given at all.
fn put_first(root: &mut Node, names: &[&str]) {
    let chain = root.entries().and_then(|entries| entries.get_mut("broker")?.entries());
    let Some(chain) = chain.and_then(|broker| broker.get_mut("chain")?.rows()) else { return };
    chain.retain(|row| !matches!(&row.value, Value::Text(name) if names.contains(&name.as_str())));
    for name in names.iter().rev() {
        chain.insert(0, raw(name, name));
    }
}

/// The rows of a top-level list; none if it is missing or no list.
fn rows<'n>(root: &'n mut Node, list: &str) -> &'n mut [Node] {
    let node = root.entries().and_then(|entries| entries.get_mut(list));
    node.and_then(Node::rows).map_or(&mut [], Vec::as_mut_slice)
}

/// The place of the row with this name in a top-level list. A row that is missing is put first.
fn row_named(
    root: &mut Node,
    list: &str,
    name: &str,
    variable: &str,
    notes: &mut Notes,
) -> Option<usize> {
    if let Some(at) = rows(root, list).iter().position(|row| field(row, "name") == Some(name)) {
        return Some(at);
    }
    let origin = Origin::Variable(variable.to_owned());
    let entries = root.entries()?;
    let node = entries
        .entry(list.to_owned())
        .or_insert_with(|| Node { value: Value::List(Vec::new()), origin: origin.clone() });
    let node_origin = node.origin.clone();
    let Some(rows) = node.rows() else {
        notes.note(&node_origin, list, "must be a list of tables");
        return None;
    };
    let mut row = Node::table(origin);
    row.entries()?.insert("name".to_owned(), raw(name, variable));
    let at = rows.iter().take_while(|row| is_ours(row)).count();
    rows.insert(at, row);
    Some(at)
}

/// Whether a row was made here: then the next one comes after it.
fn is_ours(row: &Node) -> bool {
    let Value::Table(entries) = &row.value else { return false };
    entries.get("name").is_some_and(|name| matches!(name.origin, Origin::Variable(_)))
}

fn raw(text: &str, variable: &str) -> Node {
    Node { value: Value::Raw(text.to_owned()), origin: Origin::Variable(variable.to_owned()) }
}

/// The text of a row's field.
fn field<'n>(row: &'n Node, name: &str) -> Option<&'n str> {
    let Value::Table(entries) = &row.value else { return None };
    let value = &entries.get(name)?.value;
    if let Value::Text(text) | Value::Raw(text) = value { Some(text) } else { None }
}
