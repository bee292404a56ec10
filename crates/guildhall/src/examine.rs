//! What `doctor` can only find out by trying: the ledger, the models, Telegram.

use adapters::telegram::{Endpoint, TelegramBot};
use protocol::ledger::Ledger as _;
use secrecy::SecretString;
use store::{OpenError, Store};

use crate::{
    audit, backups,
    build::{self, BuildError},
    config::{Config, Loaded},
    doctor::Finding,
    master, playbooks,
    run::{store_config, store_folder},
    tools,
};

/// What `doctor` can only find out by trying: the ledger, the models, Telegram.
#[must_use]
pub fn all(loaded: &Loaded) -> Vec<Finding> {
    let config = &loaded.config;
    let mut findings = Vec::new();
    if store_folder(config).exists() && master::exists(config) {
        findings.push(examine_ledger(config));
    }
    findings.extend(audit::examine(loaded));
    findings.push(backups::examine(loaded));
    findings.push(match build::models(loaded) {
        Ok(models) => Finding::ok(format!("{} models are ready to be asked", models.len())),
        Err(error) => {
            Finding::bad("a model cannot be used", error.to_string(), "correct its settings")
        }
    });
    findings.push(match build::screen(loaded) {
        Ok(_) => Finding::ok("the guard's rules compile"),
        Err(error) => {
            Finding::bad("the guard's rules do not compile", error.to_string(), "correct the rule")
        }
    });
    findings.push(examine_playbooks(config));
    findings.extend(tools::examine(loaded));
    match build::second_opinion(&loaded.config.guard) {
        Ok(None) => {}
        Ok(Some(_)) => findings.push(Finding::ok("the guard's transformer can be asked")),
        Err(error) => findings.push(Finding::bad(
            "the guard's transformer cannot be asked",
            error.to_string(),
            "run scripts/fetch-guard-model, or correct guard.transformer_path",
        )),
    }
    findings.extend(kit::block_on(examine_bots(loaded)));
    findings
}

fn examine_playbooks(config: &Config) -> Finding {
    match playbooks::load(config) {
        Ok(playbooks) if playbooks.is_empty() => Finding::warn(
            format!("there is no playbook in {}", config.playbooks.dir.display()),
            "nothing is done about incidents before somebody looks",
            "copy config/playbooks of this version there",
        ),
        Ok(playbooks) => Finding::ok(format!("{} playbooks are ready", playbooks.len())),
        Err(error) => {
            Finding::bad("the playbooks cannot be read", error.to_string(), "correct the file")
        }
    }
}

fn examine_ledger(config: &Config) -> Finding {
    let does_not_open = "the ledger does not open";
    let keys = match master::keys(config) {
        Ok(keys) => keys,
        Err(error) => {
            return Finding::bad(
                does_not_open,
                BuildError::of(&error).to_string(),
                "see to the master key",
            );
        }
    };
    match Store::open(store_config(config), keys) {
        Ok(store) => {
            let waiting = store.gauge().waiting;
            match store.close() {
                Ok(()) => Finding::ok(format!("the ledger opens; {waiting} updates wait in it")),
                Err(error) => {
                    Finding::bad("the ledger does not close", error.to_string(), "look at the disk")
                }
            }
        }
        Err(OpenError::Locked) => {
            Finding::ok("the ledger is open in a hall that runs; `guildhall status` asks it")
        }
        Err(error) => {
            let why = BuildError::of(&error).to_string();
            Finding::bad(
                does_not_open,
                why,
                "do what is said there; `guildhall backup verify` looks at the backups",
            )
        }
    }
}

async fn examine_bots(loaded: &Loaded) -> Vec<Finding> {
    let config = &loaded.config;
    let mut findings = Vec::new();
    for bot in &config.bots {
        let token = loaded.secrets.get(&bot.token_name()).cloned();
        let token = token.unwrap_or_else(|| SecretString::from(""));
        let endpoint =
            Endpoint { api_url: config.api_url(bot).to_owned(), token, plain_http_allowed: false };
        findings.push(match TelegramBot::look(&endpoint).await {
            Ok(identity) => Finding::ok(format!(
                "bot {}: Telegram knows it as @{}, {} topics in private chats, {} bots made for agents",
                bot.name,
                identity.username,
                if identity.has_topics { "with" } else { "without" },
                if identity.manages_bots { "with" } else { "without" },
            )),
            Err(error) => Finding::bad(
                format!("bot {} cannot be connected", bot.name),
                BuildError::of(&error).to_string(),
                "check the token, the network and api_url",
            ),
        });
    }
    findings
}
