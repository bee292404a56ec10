//! Private matters in a group: nobody but the asker sees the answer, whatever the server can.

use end_to_end::{ADMIN, BEN, GROUP, Stage, shown};
use rehearsal::{CallRecord, Faults};

const TOLD: &str = "I have answered you in our private chat";
const OPEN: &str = "https://t.me/guildhall_bot";

fn say(stage: &Stage, person: i64, text: &str) {
    stage.say_in(Some(GROUP), None, person, text, None);
}

/// What everybody in the group sees.
fn public(stage: &Stage) -> Vec<CallRecord> {
    stage.sent_to(GROUP).into_iter().filter(|it| it.only_for.is_none()).collect()
}

async fn nothing_waits(stage: &Stage) {
    stage.metrics_with("guildhall_update_queue_depth 0\n").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_ones_own_is_shown_in_a_group_to_whoever_asks_and_to_nobody_else() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    let own = [
        (BEN, "/usage@guildhall_bot", ""),
        (BEN, "/memory@guildhall_bot", "remember"),
        (BEN, "/privacy@guildhall_bot", "Your privacy"),
        (BEN, "/status@guildhall_bot", "All is well"),
        (BEN, "/reminders@guildhall_bot", "Nothing is set here"),
        (BEN, "/trace@guildhall_bot", ""),
        (BEN, "/export@guildhall_bot", "our private chat"),
        (BEN, "/forget@guildhall_bot yes", "our private chat"),
        (ADMIN, "/pause@guildhall_bot sage", "rest"),
        (ADMIN, "/quota@guildhall_bot", ""),
        (ADMIN, "/help@guildhall_bot", "/spawn"),
    ];
    for (person, command, fits) in own {
        let before = stage.sent_to(GROUP).len();
        say(&stage, person, command);
        let answer = stage.heard(GROUP, before, fits).await;
        assert_eq!(answer.only_for, Some(person), "{command}: {}", answer.text);
        nothing_waits(&stage).await;
        assert_eq!(stage.sent_to(GROUP).len(), before + 1, "{}", shown(&stage.sent_to(GROUP)));
    }
    assert_eq!(shown(&public(&stage)), "", "the others see nothing");
    assert!(stage.sent_to(BEN).is_empty(), "nor is anything said twice");
    // What is the group's stays where everybody sees it, and so does what is nobody's command.
    for command in ["/language@guildhall_bot", "/help@guildhall_bot", "/pause@guildhall_bot sage"] {
        let before = stage.sent_to(GROUP).len();
        say(&stage, BEN, command);
        let answer = stage.heard(GROUP, before, "").await;
        assert_eq!(answer.only_for, None, "{command}: {}", answer.text);
    }
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_server_is_never_trusted_and_the_answer_comes_in_private() {
    let stage = Stage::set().await;
    stage.rehearsal.world().set_older(true);
    let hall = stage.open().await;
    stage.exchange(BEN, "/start", "Hello").await;
    let before = stage.sent_to(BEN).len();
    say(&stage, BEN, "/privacy@guildhall_bot");
    stage.heard(BEN, before, "Your privacy").await;
    stage.heard(GROUP, 0, TOLD).await;
    // It is asked once, and believed for a while.
    say(&stage, BEN, "/usage@guildhall_bot");
    stage.heard(GROUP, 1, TOLD).await;
    nothing_waits(&stage).await;
    assert_eq!(stage.sent_to(BEN).len(), before + 2, "{}", shown(&stage.sent_to(BEN)));
    assert_eq!(stage.sent_to(GROUP).len(), 2, "{}", shown(&stage.sent_to(GROUP)));
    let refused = stage.rehearsal.world().history().refused;
    let asked = refused.iter().filter(|it| it.method == "deleteEphemeralMessage").count();
    assert_eq!(asked, 1);
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_the_answer_and_the_line_in_the_group_at_most_one_of_them_comes_again() {
    for kill_after in [BEN, GROUP] {
        let stage = Stage::set().await;
        stage.rehearsal.world().set_older(true);
        let hall = stage.open().await;
        stage.exchange(BEN, "/start", "Hello").await;
        let before = stage.sent_to(BEN).len();
        // So that the second is not on its way yet when the process dies.
        let methods = vec!["sendMessage".to_owned()];
        let faults = Faults { methods, latency_ms: 700, ..Faults::default() };
        stage.rehearsal.world().set_faults(faults);
        say(&stage, BEN, "/privacy@guildhall_bot");
        match kill_after {
            BEN => stage.heard(BEN, before, "Your privacy").await,
            _ => stage.heard(GROUP, 0, TOLD).await,
        };
        hall.kill().await;
        if kill_after == BEN {
            assert_eq!(shown(&stage.sent_to(GROUP)), "", "the group was told already");
        }
        stage.rehearsal.world().set_faults(Faults::default());
        let hall = stage.open().await;
        stage.heard(GROUP, 0, TOLD).await;
        nothing_waits(&stage).await;
        let (private, group) = (stage.sent_to(BEN).split_off(before), stage.sent_to(GROUP));
        let all = format!("{}\n{}", shown(&private), shown(&group));
        assert!(private.iter().all(|it| it.text.contains("Your privacy")), "{all}");
        assert!(group.iter().all(|it| it.text.contains(TOLD)), "{all}");
        assert!((2..=3).contains(&(private.len() + group.len())), "{all}");
        assert_eq!(hall.stop().await.0, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_wrote_to_the_bot_is_asked_to_and_the_group_still_sees_no_answer() {
    let stage = Stage::set().await;
    stage.rehearsal.world().set_older(true);
    let hall = stage.open().await;
    say(&stage, BEN, "/privacy@guildhall_bot");
    stage.heard(GROUP, 0, OPEN).await;
    nothing_waits(&stage).await;
    assert_eq!(stage.sent_to(GROUP).len(), 1, "{}", shown(&stage.sent_to(GROUP)));
    assert!(stage.sent_to(BEN).is_empty());
    // Once they have, it works.
    stage.exchange(BEN, "/start", "Hello").await;
    say(&stage, BEN, "/privacy@guildhall_bot");
    stage.heard(BEN, 1, "Your privacy").await;
    stage.heard(GROUP, 1, TOLD).await;
    assert_eq!(hall.stop().await.0, 0);
}
