//! What must hold of tools and of the servers that have them.

use std::collections::BTreeSet;

use protocol::Language;

use super::{Check, is_private};
use crate::config::sections::{ToolRow, ToolServerConfig};

/// The longest words about what a call does, in characters.
const DOES_CHARS_MAX: usize = 120;

impl Check<'_> {
    pub(super) fn tools(&mut self) {
        let is_host = |host: &String| {
            let may_stand =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-:".contains(c);
            !host.is_empty() && host.chars().all(may_stand)
        };
        if !self.config.tools.fetch.private_hosts.iter().all(is_host) {
            let text = "must name hosts, in small letters: `wiki.example.org`";
            self.note("tools.fetch.private_hosts", text);
        }
        let mut names = BTreeSet::new();
        for (at, server) in self.config.tool_servers.iter().enumerate() {
            let key = |field: &str| format!("tool_servers.{at}.{field}");
            self.tool_server_name(&key("name"), &server.name, &mut names);
            match (&server.command, &server.url) {
                (Some(_), None) => self.tool_program(&key, server),
                (None, Some(url)) => self.tool_service(&key, server, url),
                (Some(_), Some(_)) => self.note(&key("url"), "give `command` or `url`, not both"),
                (None, None) => self.note(&key("command"), "give `command` or `url`"),
            }
            self.tool_rows(&key, server);
        }
    }

    fn tool_server_name(&mut self, key: &str, name: &str, names: &mut BTreeSet<String>) {
        let may_stand = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-');
        if !(1..=32).contains(&name.len()) || !name.chars().all(may_stand) {
            self.note(key, "must have 1 to 32 of a-z, 0-9, `_` and `-`");
        } else if !names.insert(name.to_owned()) {
            self.note(key, format!("`{name}` is there twice"));
        }
    }

    fn tool_program(&mut self, key: &dyn Fn(&str) -> String, server: &ToolServerConfig) {
        if server.command.as_ref().is_some_and(String::is_empty) {
            self.note(&key("command"), "must name a program");
        }
        for variable in &server.env {
            let name = variable.split_once('=').map(|(name, _)| name);
            if !name.is_some_and(is_variable) {
                self.note(&key("env"), "must hold variables as NAME=value");
            }
        }
        for name in &server.env_secrets {
            if is_variable(name) {
                self.secret(&key("env_secrets"), name, None);
            } else {
                self.note(&key("env_secrets"), "must hold names of variables");
            }
        }
        for (field, paths) in [("read", &server.read), ("write", &server.write)] {
            if let Some(path) = paths.iter().find(|it| !it.is_absolute()) {
                let text = format!("`{}` must be a whole path, beginning with `/`", path.display());
                self.note(&key(field), text);
            }
        }
        if server.header_secret.is_some() {
            self.note(&key("header_secret"), "only a service with `url` has headers");
        }
    }

    fn tool_service(&mut self, key: &dyn Fn(&str) -> String, server: &ToolServerConfig, url: &str) {
        if let Some(url) = self.server(&key("url"), url)
            && !server.allow_private
        {
            if is_private(&url) {
                let text = "is on this machine or in a private network: set `allow_private = true` \
                            on this server if that is meant";
                self.note(&key("url"), text);
            } else if url.scheme() == "http" {
                self.note(&key("url"), "would send calls and the key in the clear: use https");
            }
        }
        if let Some(name) = &server.header_secret {
            self.secret(&key("header_secret"), name, None);
        }
        let is_header = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if server.header.is_empty() || !server.header.chars().all(is_header) {
            self.note(&key("header"), "must be the name of a header");
        }
        let of_programs =
            [server.env.is_empty(), server.env_secrets.is_empty(), server.args.is_empty()];
        if of_programs.contains(&false) || !server.read.is_empty() || !server.write.is_empty() {
            let text = "a service has no arguments, variables or paths: they are for `command`";
            self.note(&key("url"), text);
        }
    }

    fn tool_rows(&mut self, key_of: &dyn Fn(&str) -> String, server: &ToolServerConfig) {
        let mut names = BTreeSet::new();
        for (at, row) in server.tool.iter().enumerate() {
            let key = key_of(&format!("tool.{at}.name"));
            let may_stand = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            if !(1..=64).contains(&row.name.len()) || !row.name.chars().all(may_stand) {
                self.note(&key, "must have 1 to 64 letters, digits, `_` and `-`");
            } else if !names.insert(&row.name) {
                self.note(&key, format!("`{}` is there twice", row.name));
            }
            self.tool_words(key_of, at, row);
        }
        if server.tool.is_empty() {
            let name = &server.name;
            let text = format!(
                "no tool of the tool server `{name}` is named, so none is offered; `guildhall tools list` \
                 says what it has"
            );
            self.warnings.push(text);
        }
    }
}

impl Check<'_> {
    fn tool_words(&mut self, key: &dyn Fn(&str) -> String, at: usize, row: &ToolRow) {
        let too_long = format!("must be one line of at most {DOES_CHARS_MAX} characters");
        if row.does.as_deref().is_some_and(|it| !is_said_shortly(it)) {
            self.note(&key(&format!("tool.{at}.does")), too_long.as_str());
        }
        let key = key(&format!("tool.{at}.does_in"));
        if !row.does_in.is_empty() && row.does.is_none() {
            self.note(&key, "needs `does`: what is said in every other language");
        }
        let mut languages = BTreeSet::new();
        for text in &row.does_in {
            match does_in(text) {
                None => {
                    let known = Language::ALL.map(Language::code).join(", ");
                    let text = format!("must hold code=text, with a language of ours: {known}");
                    self.note(&key, text);
                }
                Some((_, does)) if !is_said_shortly(&does) => {
                    self.note(&key, too_long.as_str());
                }
                Some((language, _)) if !languages.insert(language) => {
                    self.note(&key, format!("`{}` is there twice", language.code()));
                }
                Some(_) => (),
            }
        }
    }
}

/// A language and what is said in it, of `code=text`.
pub(crate) fn does_in(text: &str) -> Option<(Language, String)> {
    let (code, does) = text.split_once('=')?;
    let language = Language::ALL.into_iter().find(|it| it.code() == code.trim())?;
    Some((language, does.trim().to_owned()))
}

fn is_said_shortly(text: &str) -> bool {
    let is_one = !text.trim().is_empty() && !text.chars().any(char::is_control);
    is_one && text.chars().count() <= DOES_CHARS_MAX
}

fn is_variable(name: &str) -> bool {
    let may_stand = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(may_stand)
}
