//! The load generator against the raw pump, over real sockets.

use super::*;
use crate::Config;

async fn rehearsal() -> (Rehearsal, PumpConfig) {
    let config = Config { record: false, ..Config::default() };
    let token = config.bots[0].token.clone();
    let rehearsal = Rehearsal::start(config).await.unwrap();
    let (url, model) = (rehearsal.url(), "rehearsal-1".to_owned());
    let pump = PumpConfig { telegram_url: url.clone(), token, openai_url: url + "/v1", model };
    (rehearsal, pump)
}

#[tokio::test]
async fn a_hundred_people_are_all_answered_once_and_in_order_by_the_pump() {
    let (rehearsal, config) = rehearsal().await;
    let plan = Plan { time: Duration::from_secs(1), ..Plan::default() };
    let report = tokio::select! {
        report = run(&rehearsal, plan) => report,
        stopped = pump(&config) => panic!("the pump stopped: {stopped:?}"),
    };
    println!("{}", serde_json::to_string(&report).unwrap());
    assert!(report.answered >= 100, "{report:?}");
    assert_eq!(report.written, report.answered, "{report:?}");
    let wrong = report.lost + report.duplicates + report.out_of_order + report.cross_talk;
    assert_eq!(wrong + report.leaks + report.unserved, 0, "{report:?}");
    // The pump keeps no history, so every question but the first misses the one before it.
    assert_eq!(report.context_gaps, report.written - 100);
    assert!(rehearsal.world().stats().unknown_params.is_empty());
}

#[tokio::test]
async fn an_open_loop_writes_what_is_due_and_stops_in_time() {
    let (rehearsal, config) = rehearsal().await;
    let time = Duration::from_millis(500);
    let plan = Plan { time, people: 10, rate_per_s: 200.0, ..Plan::default() };
    let report = tokio::select! {
        report = run(&rehearsal, plan) => report,
        stopped = pump(&config) => panic!("the pump stopped: {stopped:?}"),
    };
    assert_eq!((report.written, report.answered), (100, 100), "{report:?}");
}

#[tokio::test]
async fn what_no_bot_fetched_is_unserved_and_not_lost() {
    let (rehearsal, _) = rehearsal().await;
    let short = Duration::from_millis(50);
    let plan = Plan { people: 5, time: short, drain: short, ..Plan::default() };
    let report = run(&rehearsal, plan).await;
    assert_eq!((report.written, report.unserved, report.lost), (5, 5, 0), "{report:?}");
    assert!(!bot_came(rehearsal.world(), short).await);
}
