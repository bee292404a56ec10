//! Links that let one person in, once.

use end_to_end::{ADMIN, BEN, GROUP, STRANGER, Stage};
use rehearsal::Press;

const UNKNOWN: &str = "I do not know that command. /help shows what I understand.";

async fn stage() -> Stage {
    let mut stage = Stage::set().await;
    stage.set_env([("GUILDHALL_ALLOW", "1002")]);
    stage
}

/// A new link: what stands behind `/start`, and the number.
async fn invite(stage: &Stage, command: &str) -> (String, String) {
    let made = stage.exchange(ADMIN, command, "Whoever opens this link first").await;
    let begin = "https://t.me/guildhall_bot?start=";
    let payload = made.text.split(begin).nth(1).unwrap().split_whitespace().next().unwrap();
    let number = made.text.split("It is number ").nth(1).unwrap().split(';').next().unwrap();
    (payload.to_owned(), number.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_lets_in_whoever_opens_it_first_and_nobody_else_also_after_a_kill() {
    let stage = stage().await;
    let hall = stage.open().await;
    let (payload, _) = invite(&stage, "/invite 2").await;
    hall.kill().await;
    let hall = stage.open().await;
    // Somebody who may talk already does not use it up.
    stage.exchange(BEN, &format!("/start {payload}"), "Ben").await;
    stage.exchange(STRANGER, &format!("/start {payload}"), "You were invited").await;
    stage.exchange(STRANGER, "Hello [ask:u1003n0]", "[answer:u1003n0]").await;
    stage.add_people(2_000, 2);
    stage.exchange(2_000, &format!("/start {payload}"), "This link was used already").await;
    stage.exchange(2_001, "/start inv_AAAAAAAAAAAAAAAAAAAAAA", "I do not know this link").await;
    let before = stage.sent_to(2_000).len();
    stage.say(2_000, "Hello? [ask:u2000n0]");
    hall.kill().await;
    let hall = stage.open().await;
    stage.exchange(STRANGER, "And now? [ask:u1003n1]", "[answer:u1003n1]").await;
    let told = stage.sent_to(2_000).split_off(before);
    assert!(
        told.iter().all(|it| it.text.contains("private")),
        "who was not let in is not answered"
    );
    let audit = stage.exchange(ADMIN, "/audit", "invite.used").await;
    assert!(audit.text.contains("invite.made invite-1"), "{}", audit.text);
    assert!(!audit.text.contains(&payload), "{}", audit.text);
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_is_listed_withdrawn_and_made_by_admins_alone() {
    let stage = stage().await;
    let hall = stage.open().await;
    for command in ["/invite", "/invite 5", "/invites"] {
        let denied = stage.exchange(BEN, command, "").await;
        assert_eq!(denied.text, UNKNOWN);
    }
    stage.exchange(ADMIN, "/invites", "No link is open").await;
    let (first, one) = invite(&stage, "/invite").await;
    let (second, two) = invite(&stage, "/invite 1").await;
    let list = stage.exchange(ADMIN, "/invites", "These links are open").await;
    assert!(
        list.text.contains(&format!("Number {one}"))
            && list.text.contains(&format!("Number {two}"))
    );
    let buttons = stage.rehearsal.world().buttons(ADMIN, list.message_id);
    let before = stage.sent_to(ADMIN).len();
    stage.press(ADMIN, list.message_id, &buttons[0]);
    stage.heard(ADMIN, before, &format!("Link number {one} lets nobody in any more")).await;
    stage.exchange(STRANGER, &format!("/start {first}"), "This link is not open any more").await;
    // The button of another person's list does nothing in their hands.
    let before = stage.sent_to(BEN).len();
    let usage = stage.exchange(BEN, "/help", "").await;
    stage.press(BEN, usage.message_id, &buttons[1]);
    stage.exchange(BEN, "/help", "Just write").await;
    assert_eq!(stage.sent_to(BEN).len(), before + 2);
    stage.exchange(STRANGER, &format!("/start {second}"), "You were invited").await;
    stage.exchange(ADMIN, "/invites", "No link is open").await;
    stage.exchange(ADMIN, "/invite 1000", "Use it like this").await;
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_group_buttons_that_choose_are_for_whom_they_were_shown_to() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.say_in(Some(GROUP), None, BEN, "/agents@guildhall_bot", None);
    let shown = stage.heard(GROUP, 0, "coder").await;
    let press = |person: i64, of: i64| {
        let data = format!("ag:coder@{of}");
        let press = Press { person, chat: Some(GROUP), message_id: shown.message_id, data };
        stage.rehearsal.world().press(&press).unwrap();
    };
    // Ben's own press is answered after Ada's, which changes nothing and is told her alone.
    press(ADMIN, BEN);
    press(BEN, BEN);
    stage.heard(GROUP, 1, "You are now talking to coder").await;
    let calls = stage.rehearsal.world().history().calls;
    let told = |it: &&rehearsal::CallRecord| it.method == "answerCallbackQuery";
    let texts: Vec<&str> = calls.iter().filter(told).map(|it| it.text.as_str()).collect();
    let of_another = texts.iter().filter(|it| it.contains("shown to somebody else")).count();
    assert_eq!(of_another, 1, "{texts:?}");
    assert_eq!(stage.sent_to(GROUP).len(), 2);
    assert_eq!(hall.stop().await.0, 0);
}
