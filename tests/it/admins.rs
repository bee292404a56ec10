//! What admins can do, that it takes effect at once and lasts, and that nobody else can do it.

use end_to_end::{ADMIN, BEN, GROUP, STRANGER, Stage};

const UNKNOWN: &str = "I do not know that command. /help shows what I understand.";
const ADMIN_COMMANDS: [&str; 11] = [
    "/spawn rogue Do as I say.",
    "/edit sage Do as I say.",
    "/model sage openai",
    "/pause sage",
    "/resume sage",
    "/retire sage",
    "/allow 5",
    "/deny 1001",
    "/block 1001",
    "/unblock 1001",
    "/rule add rogue refuse sage",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_admin_orders_holds_at_once_and_after_a_kill() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.exchange(ADMIN, "/spawn bard You sing. The word is nightingale.", "bard is here").await;
    stage.exchange(BEN, "/agent bard", "You are now talking to bard").await;
    stage.exchange(BEN, "Sing. [ask:u1002n0]", "[answer:u1002n0]").await;
    let asked = stage.rehearsal.models().requests();
    assert!(asked.last().unwrap().body.contains("nightingale"), "{asked:?}");
    stage.exchange(ADMIN, "/edit bard You whisper. The word is owl.", "has new instructions").await;
    stage.exchange(BEN, "Sing. [ask:u1002n1]", "[answer:u1002n1]").await;
    let asked = stage.rehearsal.models().requests();
    let newest = &asked.last().unwrap().body;
    assert!(newest.contains("owl") && !newest.contains("nightingale"), "{newest}");
    stage.exchange(ADMIN, "/model bard openai", "asks openai first").await;
    stage.exchange(ADMIN, "/pause scribe", "scribe rests").await;
    stage.exchange(BEN, "/ask scribe Write.", "scribe is resting").await;
    stage.exchange(ADMIN, "/retire coder", "coder has left").await;
    stage.exchange(ADMIN, "/block 1003", "1003 is blocked").await;
    stage.say(STRANGER, "/help");

    hall.kill().await;
    let hall = stage.open().await;
    stage.exchange(BEN, "Sing. [ask:u1002n2]", "[answer:u1002n2]").await;
    let asked = stage.rehearsal.models().requests();
    assert!(asked.last().unwrap().body.contains("owl"), "the agent is as it was");
    stage.exchange(BEN, "/ask scribe Write.", "scribe is resting").await;
    stage.exchange(BEN, "/agent coder", "There is no agent called “coder”").await;
    stage.say(STRANGER, "/help");
    stage.exchange(ADMIN, "/resume scribe", "scribe is awake").await;
    stage.exchange(BEN, "/ask scribe Write. [ask:u1002n3]", "[answer:u1002n3]").await;
    assert!(stage.sent_to(STRANGER).is_empty(), "a blocked person hears nothing");
    stage.exchange(ADMIN, "/unblock 1003", "no longer blocked").await;
    stage.exchange(STRANGER, "/help", "Just write").await;
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_an_allow_list_strangers_hear_once_that_the_bot_is_private() {
    let mut stage = Stage::set().await;
    stage.set_env([("GUILDHALL_ALLOW", "1002")]);
    let _hall = stage.open().await;
    stage.exchange(STRANGER, "Hello?", "This bot is private").await;
    stage.say(STRANGER, "Hello? [ask:u1003n0]");
    stage.exchange(BEN, "Hello. [ask:u1002n0]", "[answer:u1002n0]").await;
    assert_eq!(stage.sent_to(STRANGER).len(), 1);
    stage.exchange(ADMIN, "/allow 1003", "1003 may talk now").await;
    stage.exchange(STRANGER, "Hello? [ask:u1003n0]", "[answer:u1003n0]").await;
    stage.exchange(ADMIN, "/deny 1003", "1003 is off the list").await;
    let heard = stage.sent_to(STRANGER).len();
    stage.say(STRANGER, "Hello? [ask:u1003n1]");
    stage.exchange(BEN, "Hello. [ask:u1002n1]", "[answer:u1002n1]").await;
    assert!(!end_to_end::shown(&stage.sent_to(STRANGER)[heard..]).contains("[answer:"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_command_of_anybody_else_is_an_unknown_command_and_is_logged() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    for command in ADMIN_COMMANDS {
        let answer = stage.exchange(BEN, command, "").await;
        assert_eq!(answer.text, UNKNOWN, "{command}");
    }
    let before = stage.sent_to(GROUP).len();
    stage.say_in(Some(GROUP), None, BEN, "/pause@guildhall_bot sage", None);
    stage.heard(GROUP, before, UNKNOWN).await;
    let denied = hall.log().actions("admin_command_denied").len();
    assert_eq!(denied, ADMIN_COMMANDS.len() + 1, "{}", hall.log().tail());
    // Nothing of it happened.
    stage.exchange(BEN, "Still here? [ask:u1002n0]", "[answer:u1002n0]").await;
    let agents = stage.exchange(ADMIN, "/agents", "Who is here").await;
    assert!(!agents.text.contains("rogue") && !agents.text.contains("resting"), "{}", agents.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admins_status_names_every_actor() {
    let stage = Stage::set().await;
    let _hall = stage.open().await;
    let status = stage.exchange(ADMIN, "/status", "restarts").await.text;
    let actors =
        ["memory", "roster", "alerter", "guard", "broker", "outbox/", "sessions", "ingress/"];
    for actor in actors {
        assert!(status.contains(&format!(" {actor}")), "{actor} is missing:\n{status}");
    }
    assert!(status.contains("Guildhall ") && status.contains("Ledger:"), "{status}");
}
