//! What the hall remembers of people: facts, and long conversations in few tokens.

use end_to_end::{BEN, STRANGER, Stage};
use rehearsal::models::SettingsChange;

/// What the newest request to a model held.
fn newest_prompt(stage: &Stage) -> String {
    stage.rehearsal.models().requests().pop().map(|it| it.body).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fact_that_a_person_told_reaches_the_prompt_after_a_restart_until_it_is_forgotten() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.exchange(BEN, "Remember that I sail a red boat.", "I will remember").await;
    stage.exchange(BEN, "/remember that is known", "I will remember").await;
    hall.kill().await;

    let hall = stage.open().await;
    stage.exchange(BEN, "What do I sail? [ask:u1002n0]", "[answer:u1002n0]").await;
    let prompt = newest_prompt(&stage);
    assert!(prompt.contains("(told by a person) I sail a red boat."), "{prompt}");
    assert!(prompt.contains("<remembered>"), "it is labelled as material: {prompt}");
    stage.exchange(BEN, "/ask poet And you? [ask:u1002n1]", "There is no agent").await;
    stage.exchange(BEN, "/ask scribe And you? [ask:u1002n2]", "[answer:u1002n2]").await;
    assert!(!newest_prompt(&stage).contains("red boat"), "another agent does not see it");
    stage.exchange(STRANGER, "What do I sail? [ask:u1003n0]", "[answer:u1003n0]").await;
    assert!(!newest_prompt(&stage).contains("red boat"), "another person's agent does not see it");

    let list = stage.exchange(BEN, "/memory", "What I remember here").await;
    assert!(list.text.contains("1. I sail a red boat. (sage)"), "{}", list.text);
    // Numbers of facts and people, as the buttons carry them; the second press finds nothing.
    for fits in ["Forgotten: “I sail a red boat.”", "forgotten already"] {
        let before = stage.sent_to(BEN).len();
        stage.press(BEN, list.message_id, "mf:0:1002");
        stage.heard(BEN, before, fits).await;
    }
    assert_eq!(hall.stop().await.0, 0);

    let hall = stage.open().await;
    stage.exchange(BEN, "What do I sail? [ask:u1002n3]", "[answer:u1002n3]").await;
    let prompt = newest_prompt(&stage);
    assert!(!prompt.contains("red boat") && prompt.contains("that is known"), "{prompt}");
    assert_eq!(hall.stop().await.0, 0);
}

/// Tokens that a hall sent for a conversation of so many messages, and the longest request in bytes.
async fn tokens_of(messages: u64, everything: bool) -> (u64, usize) {
    let mut stage = Stage::set().await;
    if everything {
        let url = format!("{}/v1", stage.rehearsal.url());
        stage.set_env([
            ("GUILDHALL__SESSION__HISTORY_EXCHANGES_MAX", "1000"),
            ("GUILDHALL__SESSION__HISTORY_CHARS_MAX", "2000000"),
            ("GUILDHALL__MODELS__0__NAME", "roomy"),
            ("GUILDHALL__MODELS__0__BASE_URL", url.as_str()),
            ("GUILDHALL__MODELS__0__ALLOW_PRIVATE", "true"),
            ("GUILDHALL__MODELS__0__MODEL", "rehearsal-1"),
            ("GUILDHALL__MODELS__0__API_KEY_ENV", "OPENAI_API_KEY"),
            ("GUILDHALL__MODELS__0__CONTEXT_TOKENS_MAX", "4000000"),
            ("GUILDHALL__BROKER__CHAIN", "roomy"),
        ]);
    }
    let hall = stage.open().await;
    let words =
        SettingsChange { filler_words: Some(70), record_max: Some(1), ..SettingsChange::default() };
    stage.rehearsal.models().configure(words);
    for sequence in 0..messages {
        let question = format!(
            "This is message {sequence} about the harbour, its tides, its boats and its people; \
             please tell me in a few sentences what you think of them. [ask:u1002n{sequence}]"
        );
        stage.exchange(BEN, &question, &format!("[answer:u1002n{sequence}]")).await;
    }
    let metrics = stage.get("/metrics").await.1;
    let input = metrics
        .lines()
        .find_map(|it| it.strip_prefix("guildhall_llm_tokens_total{type=\"input\"} "))
        .and_then(|it| it.parse().ok())
        .unwrap_or_else(|| panic!("no count of tokens: {metrics}"));
    let left_out = metrics.lines().filter(|it| it.starts_with("guildhall_context_left_out"));
    assert_eq!(left_out.count(), 0, "nothing was left out of a prompt: {metrics}");
    let stats = stage.rehearsal.models().stats();
    assert_eq!((stats.leaks, stats.context_gaps, stats.context_disorder), (0, 0, 0));
    assert_eq!(hall.stop().await.0, 0);
    (input, stats.bytes_most)
}

/// `scripts/bench context` runs it with a thousand messages.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_conversation_is_summarised_and_sends_a_fraction_of_its_tokens() {
    let messages = std::env::var("GUILDHALL_CONTEXT_MESSAGES").ok();
    let messages: u64 = messages.and_then(|it| it.parse().ok()).unwrap_or(120);
    let (few, few_bytes) = tokens_of(messages, false).await;
    let (all, all_bytes) = tokens_of(messages, true).await;
    #[expect(clippy::cast_precision_loss, reason = "for people to read")]
    let share = 100.0 * few as f64 / all as f64;
    println!(
        "{messages} messages: {few} tokens sent, summaries included, where everything is {all}: \
         {share:.1} %; the longest request has {few_bytes} bytes instead of {all_bytes}"
    );
    assert!(few < all * 2 / 3, "{few} of {all}");
    assert!(few_bytes < 40_000, "{few_bytes}");
}

/// Needs `GUILDHALL_TEST_EMBEDDINGS`, see `scripts/fetch-embeddings`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_real_embedding_model_what_was_said_long_ago_is_in_the_prompt_again() {
    let Ok(folder) = std::env::var("GUILDHALL_TEST_EMBEDDINGS") else {
        println!("left out: GUILDHALL_TEST_EMBEDDINGS is not set");
        return;
    };
    let mut stage = Stage::set_alone().await;
    stage.set_env([
        ("GUILDHALL__MEMORY__EMBEDDINGS_PATH", folder.as_str()),
        ("GUILDHALL__MEMORY__RECALL_TIME_MAX", "10s"),
        ("GUILDHALL__MEMORY__SUMMARIES", "extract"),
        ("GUILDHALL__SESSION__HISTORY_EXCHANGES_MAX", "2"),
        ("CANDLE_NUM_THREADS", "1"),
        ("RAYON_NUM_THREADS", "1"),
    ]);
    let hall = stage.open().await;
    let talk = [
        "My sister Ingrid keeps bees behind the old mill.",
        "Tell me about the moon.",
        "How do I mend a bicycle tyre?",
        "What is a good name for a ship?",
        "Why is the sea salt?",
    ];
    for (sequence, text) in (0..).zip(talk) {
        let answer = format!("[answer:u1002n{sequence}]");
        stage.exchange(BEN, &format!("{text} [ask:u1002n{sequence}]"), &answer).await;
    }
    assert_eq!(hall.stop().await.0, 0, "what was to be found again is written first");

    let hall = stage.open().await;
    stage.exchange(BEN, "Who in my family has beehives?", "Reply to").await;
    let prompt = newest_prompt(&stage);
    let (_, recalled) = prompt.split_once("<recalled>").unwrap_or_else(|| panic!("{prompt}"));
    assert!(recalled.contains("Ingrid keeps bees"), "{recalled}");
    let metrics = stage.get("/metrics").await.1;
    assert!(metrics.contains("guildhall_recalls_total{kind=\"found\"} 1"), "{metrics}");
    assert_eq!(hall.stop().await.0, 0);
}
