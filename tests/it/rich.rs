//! Rich messages: tables and the like where the server has them, the same in HTML where it has not.

use std::time::Duration;

use end_to_end::{BEN, GROUP, Stage, shown, wait_until};
use rehearsal::{
    CallRecord, Faults, Say,
    models::{Rule, SettingsChange},
};

const SOON: Duration = Duration::from_secs(20);
const PRICES: &str = "# Prices\n\n| Thing | Price |\n|:--|--:|\n| Tea | 2 |\n| Milk | 1 |\n\n\
                      ![a cup](https://pictures.example/cup.png) and \\![b](https://b.example/)";
/// The same as it may be shown: nothing in it is fetched.
const SENT: &str = "# Prices\n\n| Thing | Price |\n| :-- | --: |\n| Tea | 2 |\n| Milk | 1 |\n\n\
                    [a cup](https://pictures.example/cup.png) and \\![b](https://b.example/)";

fn answer(stage: &Stage, pairs: &[(&str, &str)]) {
    let rule = |(contains, answer): &(&str, &str)| Rule {
        contains: (*contains).to_owned(),
        answer: (*answer).to_owned(),
    };
    let rules = Some(pairs.iter().map(rule).collect());
    stage.rehearsal.models().configure(SettingsChange { rules, ..SettingsChange::default() });
}

fn calls(stage: &Stage, method: &str) -> Vec<CallRecord> {
    let calls = stage.rehearsal.world().history().calls;
    calls.into_iter().filter(|it| it.method == method).collect()
}

fn refused(stage: &Stage, method: &str) -> usize {
    let refused = stage.rehearsal.world().history().refused;
    refused.iter().filter(|it| it.method == method).count()
}

async fn nothing_waits(stage: &Stage) {
    stage.metrics_with("guildhall_update_queue_depth 0\n").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_comes_as_a_rich_message_and_its_pictures_as_links_also_while_it_is_written() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.exchange(BEN, "Good morning.", "Reply to").await;
    let table = bees();
    answer(&stage, &[("prices", PRICES), ("plain", "Just **words**."), ("bees", &table)]);
    let sent = stage.exchange(BEN, "Show me the prices.", "Tea").await;
    assert_eq!((sent.method.as_str(), sent.markdown.as_deref()), ("sendRichMessage", Some(SENT)));
    let token_ms = Some(12);
    stage.rehearsal.models().configure(SettingsChange { token_ms, ..SettingsChange::default() });
    stage.exchange(BEN, "Where are the bees?", "bee 29").await;
    let drafts = calls(&stage, "sendRichMessageDraft");
    let is_begun = |it: &CallRecord| it.text.contains("bee 01") && !it.text.contains("bee 29");
    assert!(drafts.iter().any(is_begun), "{}", shown(&stage.rehearsal.world().history().calls));
    // What HTML can show goes as before.
    let sent = stage.exchange(BEN, "Something plain.", "Just words.").await;
    assert_eq!((sent.method.as_str(), sent.markdown), ("sendMessage", None));
    nothing_waits(&stage).await;
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_server_is_asked_once_and_gets_html_and_so_does_one_that_refuses() {
    let stage = Stage::set().await;
    stage.rehearsal.world().set_older(true);
    let hall = stage.open().await;
    stage.exchange(BEN, "Good morning.", "Reply to").await;
    answer(&stage, &[("prices", PRICES)]);
    for _ in 0..2 {
        let sent = stage.exchange(BEN, "Show me the prices.", "Tea").await;
        assert_eq!(sent.method, "sendMessage");
        assert!(sent.text.contains("Thing │ Price"), "{}", sent.text);
    }
    nothing_waits(&stage).await;
    let asked = refused(&stage, "sendRichMessage") + refused(&stage, "sendRichMessageDraft");
    assert_eq!(asked, 1, "it is believed for a while");
    assert_eq!(stage.sent_to(BEN).len(), 4, "{}", shown(&stage.sent_to(BEN)));
    assert_eq!(hall.stop().await.0, 0);

    stage.rehearsal.world().set_older(false);
    let hall = stage.open().await;
    let reject_methods = vec!["sendRichMessage".to_owned()];
    let faults = Faults { rejects: 1, reject_methods, ..Faults::default() };
    stage.rehearsal.world().set_faults(faults);
    let before = stage.sent_to(BEN).len();
    stage.say(BEN, "Show me the prices.");
    let sent = stage.heard(BEN, before, "Tea").await;
    assert_eq!(sent.method, "sendMessage");
    nothing_waits(&stage).await;
    // One message is refused, not the server.
    stage.say(BEN, "Show me the prices again.");
    let sent = stage.heard(BEN, before + 1, "Tea").await;
    assert_eq!(sent.method, "sendRichMessage");
    nothing_waits(&stage).await;
    assert_eq!(stage.sent_to(BEN).len(), before + 2, "{}", shown(&stage.sent_to(BEN)));
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_fixed_before_a_crash_comes_as_it_was_meant_and_an_edit_takes_its_place() {
    let mut stage = Stage::set().await;
    let hall = stage.open().await;
    stage.exchange(BEN, "Good morning.", "Reply to").await;
    answer(&stage, &[("prices", PRICES), ("guild", "## Guild\n\n- a\n  - union")]);
    let stall_methods = vec!["sendRichMessage".to_owned()];
    let faults = Faults { stalls: 1, stall_methods, ..Faults::default() };
    stage.rehearsal.world().set_faults(faults);
    let before = stage.sent_to(BEN).len();
    let question = stage.say(BEN, "Show me the prices.");
    let world = stage.rehearsal.world();
    wait_until("it is on its way", SOON, || world.faults().stalls == 0).await;
    let asked = stage.rehearsal.models().requests().len();
    hall.kill().await;
    let hall = stage.open().await;
    let sent = stage.heard(BEN, before, "Tea").await;
    assert_eq!((sent.method.as_str(), sent.markdown.as_deref()), ("sendRichMessage", Some(SENT)));
    nothing_waits(&stage).await;
    assert_eq!(stage.rehearsal.models().requests().len(), asked, "nobody is asked again");

    let say = Say { person: BEN, text: "What is a guild?".to_owned(), ..Say::default() };
    stage.rehearsal.world().edit(&say, question).unwrap();
    let edits = || calls(&stage, "editMessageText");
    wait_until("the answer is edited", SOON, || !edits().is_empty()).await;
    nothing_waits(&stage).await;
    let edit = edits().pop().unwrap();
    assert_eq!(edit.message_id, sent.message_id);
    assert_eq!(edit.markdown.as_deref(), Some("## Guild\n\n- a\n\n  - union"));
    assert_eq!(hall.stop().await.0, 0);

    stage.set_env([("GUILDHALL__SESSION__RICH_MESSAGES", "false")]);
    let hall = stage.open().await;
    let before = stage.sent_to(BEN).len();
    stage.say(BEN, "Show me the prices again.");
    assert_eq!(stage.heard(BEN, before, "Tea").await.method, "sendMessage");
    assert_eq!(hall.stop().await.0, 0);
}

/// A long table.
fn bees() -> String {
    let row = |at| format!("\n| bee {at:02} | a hive in the old garden by the river |");
    let rows: String = (0..30).map(row).collect();
    format!("## Bees\n\n| who | where |\n|---|---|{rows}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_group_a_rich_answer_takes_the_place_of_what_was_shown_while_it_was_written() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.say_in(Some(GROUP), None, BEN, "@guildhall_bot Good morning.", None);
    stage.heard(GROUP, 0, "Reply to").await;
    answer(&stage, &[("bees", &bees())]);
    let token_ms = Some(12);
    stage.rehearsal.models().configure(SettingsChange { token_ms, ..SettingsChange::default() });
    let before = stage.sent_to(GROUP).len();
    stage.say_in(Some(GROUP), None, BEN, "@guildhall_bot Where are the bees?", None);
    let edits = || calls(&stage, "editMessageText");
    let is_whole = || edits().last().is_some_and(|it| it.text.contains("bee 29"));
    wait_until("the answer is whole", SOON, is_whole).await;
    nothing_waits(&stage).await;
    let sent = stage.sent_to(GROUP).split_off(before);
    assert_eq!(sent.len(), 1, "{}", shown(&sent));
    let last = edits().pop().unwrap();
    assert_eq!(last.message_id, sent[0].message_id);
    let markdown = last.markdown.unwrap();
    assert!(markdown.starts_with("## Bees\n\n| who | where |") && !markdown.contains('…'));
    assert_eq!(hall.stop().await.0, 0);
}
