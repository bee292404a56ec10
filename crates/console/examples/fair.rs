//! A console of an invented hall, to look at the pages in a browser.
//!
//! `cargo run -p console --example fair -- [well|unwell] [login]` listens on 127.0.0.1:8099. With
//! `login` the token is `a-token-for-the-fair`.

use std::sync::Arc;

use console::{
    Check, ConsoleConfig, Source, Status,
    status::{AgentStatus, BotStatus, BreakerState, BreakerStatus, HallState},
};
use kit::{ActorHealth, ActorState};
use protocol::{ledger::LedgerGauge, tool::ServerHealth};
use tokio::{net::TcpListener, time::Instant};

struct Fair {
    well: bool,
    began: Instant,
}

fn actor(id: &str, kind: &'static str) -> ActorHealth {
    ActorHealth {
        id: id.to_owned(),
        kind,
        state: ActorState::Running,
        healthy: true,
        restarts: 0,
        mailbox: 0,
        last_progress_s: 1,
        last_fault: None,
    }
}

impl Fair {
    fn actors(&self) -> Vec<ActorHealth> {
        let single = ["alerter", "broker", "console", "memory", "roster", "watch"];
        let mut all: Vec<_> = single.into_iter().map(|kind| actor(kind, kind)).collect();
        all.extend((0..3).map(|n| actor(&format!("guard/{n}"), "guard")));
        all.extend((0..14).map(|n| actor(&format!("session/{n:02}"), "session")));
        all.extend([actor("ingress/hall_bot", "ingress"), actor("outbox/hall_bot", "outbox")]);
        all.sort_by(|a, b| a.id.cmp(&b.id));
        let broker = all.iter_mut().find(|actor| actor.id == "broker");
        broker.into_iter().for_each(|broker| {
            broker.restarts = 2;
            broker.mailbox = 3;
            broker.last_fault = Some("panicked at crates/flow/src/broker.rs:217".to_owned());
            if !self.well {
                broker.state = ActorState::Restarting;
                broker.healthy = false;
            }
        });
        if !self.well {
            let ingress = all.iter_mut().find(|actor| actor.kind == "ingress");
            ingress.into_iter().for_each(|ingress| {
                ingress.healthy = false;
                ingress.last_progress_s = 95;
            });
        }
        all
    }
}

impl Source for Fair {
    fn note_login(&self, _: console::Signed) -> console::Answer {
        Box::pin(async { Ok(String::new()) })
    }
    fn try_rules(&self, _: console::Bearer, _: bytes::Bytes) -> console::Answer {
        Box::pin(async { Err("there is no ledger at a fair".to_owned()) })
    }

    fn usage(&self, _: console::Bearer) -> console::Answer {
        Box::pin(async { Err("nobody counts at a fair".to_owned()) })
    }

    fn make_backup(&self, _: console::Bearer) -> console::Answer {
        Box::pin(async { Err("there is nothing to keep at a fair".to_owned()) })
    }

    fn alerts(&self, _: console::Bearer, _: bytes::Bytes) -> console::Answer {
        Box::pin(async { Err("nothing is ever wrong at a fair".to_owned()) })
    }

    fn evidence(&self, _: console::Bearer, _: bytes::Bytes) -> console::Answer {
        Box::pin(async { Err("nothing ever happens at a fair".to_owned()) })
    }

    fn ledger(&self, _: console::Bearer, _: bytes::Bytes) -> console::Answer {
        Box::pin(async { Err("there is no ledger at a fair".to_owned()) })
    }

    fn agents(&self, _: console::Bearer, _: bytes::Bytes) -> console::Answer {
        Box::pin(async { Err("nobody is made at a fair".to_owned()) })
    }

    fn read_rules(&self, _: console::Bearer) -> console::Answer {
        Box::pin(async { Err("there are no rules at a fair".to_owned()) })
    }

    fn person(&self, _: console::Bearer, _: bytes::Bytes) -> console::Answer {
        Box::pin(async { Err("nobody is kept here".to_owned()) })
    }

    fn incident(&self, _: console::Bearer, _: bytes::Bytes) -> console::Answer {
        Box::pin(async { Ok(String::new()) })
    }

    fn playbooks(&self, _: console::Bearer) -> console::Answer {
        Box::pin(async { Ok(String::new()) })
    }
    fn rotate_key(&self, _: console::Bearer) -> console::Answer {
        Box::pin(async { Err("there is no key here".to_owned()) })
    }

    fn ready(&self) -> Vec<Check> {
        let why = (!self.well).then(|| "no completed poll for 95 s".to_owned());
        vec![
            Check { name: "store", ok: true, why: None },
            Check { name: "poll", ok: self.well, why },
        ]
    }

    fn status(&self) -> Status {
        let breaker = |model: &str, state| BreakerStatus { model: model.to_owned(), state };
        let agent = |name: &str, paused| AgentStatus { name: name.to_owned(), paused };
        Status {
            state: if self.well { HallState::Running } else { HallState::Degraded },
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_s: 93_784 + self.began.elapsed().as_secs(),
            actors: self.actors(),
            bots: vec![BotStatus {
                username: "hall_bot".to_owned(),
                mode: "polling",
                last_poll_s: Some(if self.well { 4 } else { 95 }),
                healthy: self.well,
            }],
            ledger: LedgerGauge {
                waiting: 3,
                queue: 1,
                disk_bytes: 48_300_000,
                quarantined: u64::from(!self.well),
                commits: 18_204,
                records: 91_377,
                commit_us: 1_840,
            },
            breakers: vec![
                breaker("smollm2", BreakerState::Closed),
                breaker(
                    "cloud-large",
                    if self.well { BreakerState::Closed } else { BreakerState::Open },
                ),
            ],
            agents: vec![agent("clerk", false), agent("poet", false), agent("scout", !self.well)],
            tool_servers: vec![ServerHealth {
                name: "files".to_owned(),
                up: self.well,
                problem: if self.well { "" } else { "it ended before it was ready" }.to_owned(),
                tools: 3,
                ..ServerHealth::default()
            }],
        }
    }

    fn metrics(&self) -> String {
        "# TYPE guildhall_fair gauge\nguildhall_fair 1\n# EOF\n".to_owned()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let asked = |word: &str| std::env::args().any(|arg| arg == word);
    let listener = TcpListener::bind("127.0.0.1:8099").await?;
    let config = ConsoleConfig {
        loopback_demo: !asked("login"),
        login_token: Some("a-token-for-the-fair".into()),
        ..ConsoleConfig::default()
    };
    let fair = Fair { well: !asked("unwell"), began: Instant::now() };
    let console = console::serve(listener, Arc::new(fair), config)?;
    tokio::signal::ctrl_c().await?;
    console.stop().await;
    Ok(())
}
