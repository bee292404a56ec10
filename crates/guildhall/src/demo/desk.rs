//! The demo's operator's desk: what its buttons stand for, and who runs that.
//!
//! Receives  the name of a button, from the chat page.
//! Sends     commands to this very program, started anew with the demo's environment; and to the hall of
//!           the demo that it is to end for a restore.
//! Owns      nothing on disk: what a command does is the command's own.
//!
//! Nothing of the page but the button's name arrives here, and each name stands for fixed commands.

use std::{
    process::Stdio,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use rehearsal::{Button, Desk, Operator, Ran, Tip};
use tokio::{
    process::Command,
    sync::{oneshot, watch},
};

use super::ensemble;
use crate::config::Env;

/// How long one command may take.
const COMMAND_TIME_MAX: Duration = Duration::from_secs(120);

/// What a button stands for.
enum Deed {
    /// Commands, one after another, until one fails.
    Say(&'static [&'static [&'static str]]),
    /// One command that writes a page of HTML.
    Page(&'static [&'static str]),
    /// The report of the newest incident, a page of HTML.
    NewestIncident,
    /// The hall loses its data and gets it back.
    Restore,
}

impl Deed {
    /// The command, as a person would type it.
    fn command(&self) -> String {
        let typed = |words: &[&str]| format!("guildhall {}", words.join(" "));
        match self {
            Self::Say(commands) => {
                commands.iter().map(|it| typed(it)).collect::<Vec<_>>().join("; ")
            }
            Self::Page(command) => typed(command),
            Self::NewestIncident => typed(&["forensics", "--incident", "…", "--format", "html"]),
            Self::Restore => typed(&["backup", "restore"]),
        }
    }
}

/// A button: its name, what it says, what it shows, and its deed.
type Row = (&'static str, &'static str, &'static str, Deed);

const ROWS: [Row; 9] = [
    (
        "backup",
        "💾 Back up",
        "Makes a sealed backup while the hall runs, and reads it back",
        Deed::Say(&[&["backup", "create"]]),
    ),
    (
        "backups",
        "🗂 Backups",
        "Lists the backups and reads the newest to its end",
        Deed::Say(&[&["backup", "list"], &["backup", "verify"]]),
    ),
    (
        "drill",
        "🧯 Drill",
        "Restores the newest backup beside the hall, opens every record, and removes it",
        Deed::Say(&[&["backup", "drill"]]),
    ),
    (
        "restore",
        "💥 Lose the data, restore",
        "Stops the hall, moves its data away, restores the newest backup, starts the hall",
        Deed::Restore,
    ),
    (
        "incidents",
        "🚨 Incidents",
        "What was refused, denied or failed, put together",
        Deed::Say(&[&["incidents", "list", "--all"]]),
    ),
    (
        "playbooks",
        "📘 Playbooks",
        "What the hall does by itself about incidents, and what it did",
        Deed::Say(&[&["playbooks", "list", "--all"]]),
    ),
    (
        "incident",
        "🔬 Report of the newest incident",
        "Everything that is kept about it, signed, in a new tab",
        Deed::NewestIncident,
    ),
    (
        "owasp",
        "📋 Report: OWASP for LLMs",
        "This hall held against the OWASP Top 10 for LLMs, in a new tab",
        Deed::Page(&["report", "--standard", "owasp-llm", "--format", "html"]),
    ),
    (
        "audit",
        "🔗 Audit: verify",
        "Checks the chain and the signatures of the audit log",
        Deed::Say(&[&["audit", "verify"]]),
    ),
];

/// Things to try, for a newcomer. `is_embedded`: a model inside the process answers.
fn tips(is_embedded: bool) -> Vec<Tip> {
    let tip = |title, text| Tip { title, text };
    let mut tips = ensemble::tips(is_embedded);
    tips.extend([
        tip(
            "An attack.",
            "Choose The guard under Ben’s chat and press 🛡 Attack three times. Ada gets a message: there is \
             an incident, and Ben has to wait. See it with Incidents and its report; Ada’s Undo lets Ben in again.",
        ),
        tip(
            "A disk that is lost.",
            "Ask something, press Back up, then Lose the data, restore. Go on talking: the agent \
             still knows what you said.",
        ),
        tip("What is kept of me?", "Write /export as Ben: the hall sends him all it keeps of him."),
        tip(
            "Forget me.",
            "Write /forget as Ben and say yes: his key is destroyed, in backups too, and he gets a \
             signed receipt.",
        ),
    ]);
    tips
}

/// Runs what the buttons stand for.
#[derive(Debug, Default)]
pub struct Clerk {
    /// The environment of the commands; known once the rehearsal stands.
    env: OnceLock<Env>,
    lives: Mutex<Lives>,
}

/// Where the hall's life can be ended from.
#[derive(Debug, Default)]
struct Lives {
    ends: Option<watch::Sender<bool>>,
    asked: Option<oneshot::Sender<Ran>>,
}

/// The desk of this clerk. `is_embedded`: a model inside the process answers.
pub(super) fn desk(clerk: Arc<Clerk>, is_embedded: bool) -> Desk {
    let button =
        |(name, label, about, deed): &Row| Button { name, label, command: deed.command(), about };
    Desk {
        buttons: ROWS.iter().map(button).collect(),
        tips: tips(is_embedded),
        operator: Arc::new(Door(clerk)),
    }
}

#[derive(Debug)]
struct Door(Arc<Clerk>);

impl Operator for Door {
    fn run(&self, button: &'static str) -> BoxFuture<'static, Ran> {
        let clerk = Arc::clone(&self.0);
        Box::pin(async move {
            let deed = ROWS.iter().find(|(name, ..)| *name == button).map(|(.., deed)| deed);
            match deed {
                Some(Deed::Say(commands)) => clerk.say(commands).await,
                Some(Deed::Page(command)) => paged(clerk.command(command).await),
                Some(Deed::NewestIncident) => clerk.newest_incident().await,
                Some(Deed::Restore) => clerk.restore().await,
                None => bad("there is no such button"),
            }
        })
    }
}

pub(super) fn bad(words: impl ToString) -> Ran {
    Ran { is_good: false, words: words.to_string(), page: None }
}

/// Takes what a command wrote for a page.
fn paged(ran: Ran) -> Ran {
    if !ran.is_good {
        return ran;
    }
    let words = "The report is made; it opens in a new tab.".to_owned();
    Ran { is_good: true, words, page: Some(ran.words) }
}

impl Clerk {
    /// Takes the environment of the commands.
    pub(super) fn know(&self, env: Env) {
        // lost-ok: it is told once.
        self.env.set(env).ok();
    }

    /// A life of the hall begins; gives what ends it.
    pub(super) fn begin(&self) -> watch::Receiver<bool> {
        let (ends, ended) = watch::channel(false);
        self.lives().ends = Some(ends);
        ended
    }

    /// Who asked for the end of the hall's life, if that was why it ended.
    pub(super) fn asked(&self) -> Option<oneshot::Sender<Ran>> {
        let mut lives = self.lives();
        lives.ends = None;
        lives.asked.take()
    }

    fn lives(&self) -> std::sync::MutexGuard<'_, Lives> {
        self.lives.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one command of this program; gives all it said.
    async fn command(&self, arguments: &[&str]) -> Ran {
        let Some(env) = self.env.get() else { return bad("The hall is still being built.") };
        let program = match std::env::current_exe() {
            Ok(program) => program,
            Err(error) => return bad(format!("This program cannot be found: {error}")),
        };
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(env).stdin(Stdio::null()).kill_on_drop(true);
        match tokio::time::timeout(COMMAND_TIME_MAX, command.output()).await {
            Err(_late) => bad(format!("It took more than {} s.", COMMAND_TIME_MAX.as_secs())),
            Ok(Err(error)) => bad(format!("It cannot be started: {error}")),
            Ok(Ok(output)) => said(&output),
        }
    }

    async fn say(&self, commands: &[&[&str]]) -> Ran {
        let mut all = Ran { is_good: true, ..Ran::default() };
        for command in commands {
            let ran = self.command(command).await;
            all.words += &ran.words;
            all.is_good = ran.is_good;
            if !all.is_good {
                break;
            }
        }
        all
    }

    async fn newest_incident(&self) -> Ran {
        let listed = self.command(&["incidents", "list", "--all", "--json"]).await;
        if !listed.is_good {
            return listed;
        }
        let incidents: Vec<serde_json::Value> =
            serde_json::from_str(&listed.words).unwrap_or_default();
        let newest = incidents.first().and_then(|it| it.get("number")?.as_u64());
        let Some(number) = newest else {
            return bad("There is no incident yet. Press 🛡 Attack under a chat, then try again.");
        };
        let number = number.to_string();
        paged(self.command(&["forensics", "--incident", &number, "--format", "html"]).await)
    }

    /// Has the hall end, and waits until it stands again with what the newest backup holds.
    async fn restore(&self) -> Ran {
        // Nothing is taken away that cannot be put back.
        let verified = self.command(&["backup", "verify"]).await;
        if !verified.is_good {
            return bad(format!("Nothing was touched: {}", verified.words));
        }
        let (tell, told) = oneshot::channel();
        {
            let mut lives = self.lives();
            let Some(ends) = lives.ends.clone() else {
                return bad("The hall does not stand at the moment; try again in a second.");
            };
            lives.asked = Some(tell);
            ends.send_replace(true);
        }
        told.await.unwrap_or_else(|_ended| bad("The hall did not come back; see the terminal."))
    }
}

/// What a command said: its answer, or why there is none.
pub(super) fn said(output: &std::process::Output) -> Ran {
    let is_good = output.status.success();
    let mut words = String::from_utf8_lossy(&output.stdout).into_owned();
    if !is_good {
        words += &String::from_utf8_lossy(&output.stderr);
    }
    Ran { is_good, words, page: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_of_the_desk_are_shown_as_a_person_would_type_them() {
        let desk = desk(Arc::new(Clerk::default()), false);
        let lines: Vec<&str> = desk.buttons.iter().map(|it| it.command.as_str()).collect();
        assert_eq!(
            lines,
            [
                "guildhall backup create",
                "guildhall backup list; guildhall backup verify",
                "guildhall backup drill",
                "guildhall backup restore",
                "guildhall incidents list --all",
                "guildhall playbooks list --all",
                "guildhall forensics --incident … --format html",
                "guildhall report --standard owasp-llm --format html",
                "guildhall audit verify",
            ]
        );
    }
}
