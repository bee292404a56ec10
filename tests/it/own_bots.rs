//! Agents that get a bot of their own from Telegram, while the hall stands.

use std::time::Duration;

use end_to_end::{ADMIN, BEN, Stage, shown};

const MANAGER: i64 = 123_456;

/// Says something to a bot in private and waits for what that bot says.
async fn exchange(stage: &Stage, bot: i64, person: i64, text: &str, fits: &str) -> String {
    let before = stage.sent_to(person).len();
    stage.say_in(Some(bot), None, person, text, None);
    let begun = tokio::time::Instant::now();
    loop {
        let sent = stage.sent_to(person).split_off(before);
        if let Some(it) = sent.iter().find(|it| it.bot == bot && it.text.contains(fits)) {
            return it.text.clone();
        }
        let log = stage.newest_log();
        assert!(begun.elapsed() < Duration::from_secs(30), "{}\n{}", shown(&sent), log.tail());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// An admin wants a bot for an agent and confirms it in Telegram; gives the bot.
async fn spawn_as_bot(stage: &Stage) -> i64 {
    let spawn = "/spawn bard You sing. The word is nightingale. as bot";
    let asked = stage.exchange(ADMIN, spawn, "shall have a bot of its own").await;
    let link = "https://t.me/newbot/guildhall_bot/bard_guildhall_bot?name=bard";
    assert!(asked.text.contains(link), "{}", asked.text);
    let before = stage.sent_to(ADMIN).len();
    let made = stage.rehearsal.world().make_bot(ADMIN, MANAGER, "bard", "bard_guildhall_bot");
    stage
        .heard(ADMIN, before, "bard has a bot of its own now: https://t.me/bard_guildhall_bot")
        .await;
    made.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_gets_a_bot_of_its_own_which_answers_at_once_and_after_a_kill() {
    let stage = Stage::set_with_manager().await;
    let hall = stage.open().await;
    let bard = spawn_as_bot(&stage).await;
    exchange(&stage, bard, BEN, "/start", "You are talking to bard").await;
    exchange(&stage, bard, BEN, "Sing. [ask:u1002n0]", "[answer:u1002n0]").await;
    let asked = stage.rehearsal.models().requests();
    assert!(asked.last().unwrap().body.contains("nightingale"), "it is bard who answers");
    exchange(&stage, bard, BEN, "/agent sage", "nobody else answers here").await;
    hall.kill().await;
    let hall = stage.open().await;
    exchange(&stage, bard, BEN, "And now? [ask:u1002n1]", "[answer:u1002n1]").await;

    // Another token, made by its owner: it goes on with that one.
    let world = stage.rehearsal.world();
    let first = world.token_of(bard).unwrap();
    let before = stage.sent_to(ADMIN).len();
    world.renew_bot(ADMIN, bard).unwrap();
    stage.heard(ADMIN, before, "bard has a bot of its own now").await;
    exchange(&stage, bard, BEN, "Still there? [ask:u1002n2]", "[answer:u1002n2]").await;
    let second = world.token_of(bard).unwrap();
    assert_ne!(first, second);
    // Tokens are in no log, and are shown to nobody.
    let log = hall.log().clone();
    assert_eq!(hall.stop().await.0, 0);
    for token in [&first, &second] {
        let secret = token.split(':').nth(1).unwrap();
        assert!(!log.stdout().contains(secret) && !log.stderr().contains(secret));
        let (_, shown, _) =
            stage.command(&["ledger", "show", "--texts", "--newest", "200", "--json"]).await;
        assert!(!shown.contains(secret), "{shown}");
        assert!(shown.contains("(sealed)"), "it is there: {shown}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_is_let_go_leaves_its_bot_to_its_owner_and_the_kept_token_is_void() {
    let stage = Stage::set_with_manager().await;
    let hall = stage.open().await;
    let bard = spawn_as_bot(&stage).await;
    exchange(&stage, bard, BEN, "Sing. [ask:u1002n0]", "[answer:u1002n0]").await;
    let kept = stage.rehearsal.world().token_of(bard).unwrap();
    stage.exchange(ADMIN, "/spawn bard as bot", "has a bot of its own already").await;
    let left = stage.exchange(ADMIN, "/retire bard", "bard has left").await;
    assert!(left.text.contains("@bard_guildhall_bot is not connected any more"), "{}", left.text);
    let log = hall.log();
    log.wait_for("token_voided").await;
    assert_ne!(stage.rehearsal.world().token_of(bard).unwrap(), kept);
    let before = stage.sent_to(BEN).len();
    stage.say_in(Some(bard), None, BEN, "Are you there? [ask:u1002n1]", None);
    exchange(&stage, MANAGER, BEN, "And you? [ask:u1002n2]", "[answer:u1002n2]").await;
    let said = stage.sent_to(BEN).split_off(before);
    assert!(said.iter().all(|it| it.bot != bard), "{}", shown(&said));
    hall.kill().await;
    let hall = stage.open().await;
    exchange(&stage, MANAGER, BEN, "Again? [ask:u1002n3]", "[answer:u1002n3]").await;
    let said = stage.sent_to(BEN).split_off(before);
    assert!(said.iter().all(|it| it.bot != bard), "nor after a kill: {}", shown(&said));
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_bots_cannot_be_made_that_is_said_and_nothing_is_changed() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.exchange(ADMIN, "/spawn bard Sing. as bot", "may not have bots made").await;
    stage.exchange(BEN, "/agent bard", "There is no agent called").await;
    // Nobody but an admin, and nobody in a group.
    stage.exchange(BEN, "/spawn bard Sing. as bot", "I do not know that command").await;
    assert_eq!(hall.stop().await.0, 0);
    drop(stage);

    let stage = Stage::set_with_manager().await;
    let hall = stage.open().await;
    // A bot that somebody had made, and no admin wanted, is nobody's.
    stage.exchange(ADMIN, "/help", "/spawn").await;
    let world = stage.rehearsal.world();
    world.make_bot(BEN, MANAGER, "rogue", "rogue_bot").unwrap();
    let before = stage.sent_to(ADMIN).len();
    world.make_bot(ADMIN, MANAGER, "early", "early_bot").unwrap();
    stage.heard(ADMIN, before, "no agent waits for a bot").await;
    // One whose token is refused is an alert and holds up no other.
    stage.exchange(ADMIN, "/spawn bard Sing. as bot", "shall have a bot of its own").await;
    world.set_older(true);
    let before = stage.sent_to(ADMIN).len();
    let bard = world.make_bot(ADMIN, MANAGER, "bard", "bard_bot").unwrap();
    stage.heard(ADMIN, before, "does not give me the token of @bard_bot").await;
    world.set_older(false);
    let before = stage.sent_to(ADMIN).len();
    world.renew_bot(ADMIN, bard).unwrap();
    stage.heard(ADMIN, before, "bard has a bot of its own now").await;
    exchange(&stage, bard, BEN, "Sing. [ask:u1002n0]", "[answer:u1002n0]").await;
    assert_eq!(hall.stop().await.0, 0);
}
