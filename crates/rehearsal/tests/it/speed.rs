//! How fast the world is without a network. Printed, and only loosely asserted.

use std::time::Duration;

use rehearsal::{Config, PersonSeed, Say, World};
use serde_json::Value;
use tokio::time::Instant;

use crate::{Hall, TOKEN, config};

const MESSAGES: i64 = 100_000;
const PEOPLE: i64 = 100;

fn exchange(world: &World) -> Duration {
    let began = Instant::now();
    let mut offset = 0;
    for batch in 0..MESSAGES / 100 {
        for n in 0..100 {
            let text = format!("message {batch}.{n}");
            world.say(&Say { person: 1 + n % PEOPLE, text, ..Say::default() }).expect("a person");
        }
        let poll = format!(r#"{{"offset":{offset},"limit":100}}"#);
        let updates = world.call(TOKEN, "getUpdates", &poll).expect("updates");
        let last = updates.windows(12).rposition(|w| w == br#"{"update_id""#).expect("an update");
        let digits = &updates[last + 13..updates.len()];
        let end = digits.iter().position(|b| *b == b',').expect("more fields");
        let id: i64 = std::str::from_utf8(&digits[..end]).expect("digits").parse().expect("an id");
        offset = id + 1;
        for n in 0..100 {
            let body = format!(r#"{{"chat_id":{},"text":"an answer to {n}"}}"#, 1 + n % PEOPLE);
            world.call(TOKEN, "sendMessage", &body).expect("sent");
        }
    }
    began.elapsed()
}

#[tokio::test]
async fn a_hundred_thousand_messages_pass_in_process() {
    for record in [false, true] {
        let people = (1..=PEOPLE).map(|id| PersonSeed::new(id, "P")).collect();
        let hall = Hall::open_with(Config { people, record, ..config() }).await;
        let took = exchange(hall.rehearsal.world());
        let stats: Value = hall.get("/ctl/stats").await;
        assert_eq!(stats["messages_sent"], MESSAGES);
        println!("{MESSAGES} messages and answers in {took:?}, recorded: {record}");
        assert!(took < Duration::from_secs(120), "{took:?}");
    }
}
