//! The panel of `/status`: one pinned message of an officer's, edited in place by its buttons.

use std::time::Duration;

use end_to_end::{ADMIN, BEN, Stage, wait_until};
use rehearsal::CallRecord;
use serde_json::Value;

const SOON: Duration = Duration::from_secs(20);

/// The calls of one method to the admin's chat, oldest first.
fn calls(stage: &Stage, method: &str) -> Vec<CallRecord> {
    let all = stage.rehearsal.world().history().calls.into_iter();
    all.filter(|it| it.chat == ADMIN && it.method == method).collect()
}

/// Asks for a panel; gives its message once it is pinned.
async fn panel(stage: &Stage) -> i64 {
    let message = stage.exchange(ADMIN, "/status", "As of").await.message_id;
    let pinned = || calls(stage, "pinChatMessage").iter().any(|it| it.message_id == message);
    wait_until("the panel is pinned", SOON, pinned).await;
    message
}

/// Presses a button that the panel shows, and waits until the panel says so; nothing new is sent.
async fn press(stage: &Stage, message: i64, begins: &str, says: &str) {
    let shown = stage.rehearsal.world().buttons(ADMIN, message);
    let data = shown.iter().find(|it| it.starts_with(begins));
    let data = data.unwrap_or_else(|| panic!("no {begins} among {shown:?}"));
    let panels = || stage.sent_to(ADMIN).iter().filter(|it| it.text.contains("As of")).count();
    let (sent, edited) = (panels(), calls(stage, "editMessageText").len());
    stage.press(ADMIN, message, data);
    let is_edited = || {
        let edits = calls(stage, "editMessageText").split_off(edited);
        edits.iter().any(|it| it.message_id == message && it.text.contains(says))
    };
    wait_until(says, SOON, is_edited).await;
    assert_eq!(panels(), sent, "the panel is edited in place");
}

async fn records(stage: &Stage, action: &str) -> usize {
    let (code, text, problem) = stage.command(&["audit", "list", "--json"]).await;
    assert_eq!(code, 0, "{text}{problem}");
    let lines = text.lines().map(|it| serde_json::from_str::<Value>(it).unwrap());
    lines.filter(|it| it["action"] == action).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admins_panel_is_pinned_does_what_is_pressed_and_its_buttons_outlive_a_kill() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.exchange(BEN, "Hello. [ask:u1002n0]", "[answer:u1002n0]").await;
    let message = panel(&stage).await;
    press(&stage, message, "st:mute", "Nobody is told of alerts until").await;
    press(&stage, message, "st:agents", "As of").await;
    press(&stage, message, "st:pause:scribe", "Shall scribe rest?").await;
    press(&stage, message, "st:pause!:", "scribe rests").await;
    stage.exchange(BEN, "/ask scribe Write.", "scribe is resting").await;
    // Somebody else's press, under a message of theirs, does nothing, and nothing is said of it.
    let agents = stage.exchange(BEN, "/agents", "Who is here").await.message_id;
    let heard = stage.sent_to(BEN).len();
    for data in ["st:refresh", "st:unmute", "st:resume:scribe", "st:restart!:0:guard"] {
        stage.press(BEN, agents, data);
    }
    stage.exchange(BEN, "Hello. [ask:u1002n1]", "[answer:u1002n1]").await;
    assert_eq!(stage.sent_to(BEN).len(), heard + 1);
    let log = hall.log();
    let denied = || log.actions("admin_command_denied").len() == 4;
    wait_until("all presses are logged", SOON, denied).await;

    hall.kill().await;
    let hall = stage.open().await;
    press(&stage, message, "st:unmute", "told of alerts again").await;
    press(&stage, message, "st:agents", "As of").await;
    press(&stage, message, "st:resume:scribe", "scribe is awake").await;
    press(&stage, message, "st:refresh", "As of").await;
    // A second panel takes the first one's place.
    let second = panel(&stage).await;
    let unpinned: Vec<i64> =
        calls(&stage, "unpinChatMessage").iter().map(|it| it.message_id).collect();
    assert_eq!(unpinned, [message]);
    press(&stage, second, "st:refresh", "As of").await;
    assert_eq!(hall.stop().await.0, 0);
    for (action, count) in
        [("alert.silenced", 2), ("agent.paused", 1), ("agent.resumed", 1), ("press.denied", 4)]
    {
        assert_eq!(records(&stage, action).await, count, "{action}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hall_that_an_admin_drains_turns_questions_away_until_they_fill_it_or_it_starts_anew() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.exchange(BEN, "Hello. [ask:u1002n0]", "[answer:u1002n0]").await;
    let message = panel(&stage).await;
    let drain = async || {
        press(&stage, message, "st:drain", "Shall new questions be turned away").await;
        press(&stage, message, "st:drain!:", "New questions are turned away").await;
        stage.exchange(BEN, "Are you there?", "no new questions").await;
    };
    drain().await;
    press(&stage, message, "st:fill", "Questions are taken again").await;
    stage.exchange(BEN, "Hello. [ask:u1002n1]", "[answer:u1002n1]").await;
    drain().await;
    hall.kill().await;
    let hall = stage.open().await;
    stage.exchange(BEN, "Hello. [ask:u1002n2]", "[answer:u1002n2]").await;
    assert_eq!(hall.stop().await.0, 0);
    assert_eq!(records(&stage, "hall.drained").await, 2);
    assert_eq!(records(&stage, "hall.filled").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_that_an_admin_restarts_is_there_again_and_every_question_is_answered_once() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    let message = panel(&stage).await;
    let parts = ["guard", "broker", "memory", "roster", "alerter"];
    for (sequence, part) in (0..).zip(parts) {
        press(&stage, message, "st:actors", "As of").await;
        press(&stage, message, &format!("st:restart:{part}"), "be made anew?").await;
        stage.ask(BEN, sequence);
        let says = format!("{part} is being made anew");
        press(&stage, message, "st:restart!:", &says).await;
        press(&stage, message, "st:refresh", "As of").await;
    }
    stage.all_answered(SOON).await;
    end_to_end::judge(&stage.rehearsal.world().history()).check(0);
    assert_eq!(hall.log().actions("actor_restart_asked").len(), parts.len());
    assert_eq!(hall.stop().await.0, 0);
    assert_eq!(records(&stage, "actor.restarted").await, parts.len());
    assert_eq!(records(&stage, "actor.failed").await, 0, "a restart that was asked for is none");
}
