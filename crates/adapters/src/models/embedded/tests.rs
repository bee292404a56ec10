//! Tests of the queue and the thread with a toy writer, and of the real weights where they are.

use std::time::Duration;

use protocol::model::{Finish, Role};

use super::*;

type Writer =
    fn(&Order<'_>, &mut dyn FnMut(String) -> bool) -> Result<Option<Written>, CompleteError>;

const DONE: Written = Written { input_tokens: 3, output_tokens: 2, finish: Finish::Stop };

/// A model whose answers are written by `write` instead of weights.
fn model(queue_max: usize, write: Writer) -> EmbeddedModel {
    let config = EmbeddedConfig { queue_max, ..EmbeddedConfig::new("toy", "none") };
    EmbeddedModel { jobs: start(queue_max, write).unwrap(), config }
}

fn says(text: &str) -> ModelRequest {
    let turn = |role, content: &str| Turn { role, content: content.to_owned() };
    let turns = vec![
        turn(Role::System, "You are Ada, a friendly librarian. Answer in one or two sentences."),
        turn(Role::User, text),
    ];
    ModelRequest { turns, answer_tokens_max: 80 }
}

async fn ask(model: &EmbeddedModel, text: &str) -> Result<Completion, CompleteError> {
    let mut pieces = String::new();
    let completion = model.complete(&says(text), &mut |piece| pieces.push_str(piece)).await?;
    assert_eq!(completion.text, pieces, "the pieces joined are the text");
    Ok(completion)
}

#[tokio::test]
async fn an_answer_comes_piece_by_piece_and_is_counted() {
    let toy = model(1, |order, on_text| {
        assert_eq!(order.answer_tokens_max, 80);
        Ok((on_text("Hello, ".to_owned()) && on_text("you".to_owned())).then_some(DONE))
    });
    let completion = ask(&toy, "hi").await.unwrap();
    assert_eq!(completion.text, "Hello, you");
    assert_eq!(completion.usage, Usage { input_tokens: 3, output_tokens: 2, cost_micros: 0 });
    assert_eq!((completion.finish, completion.model), (Finish::Stop, "toy".to_owned()));
}

#[tokio::test]
async fn an_answer_without_text_is_empty() {
    let toy = model(1, |_, _| Ok(Some(DONE)));
    assert!(matches!(ask(&toy, "hi").await, Err(CompleteError::Empty)));
}

#[tokio::test]
async fn a_panic_ends_one_answer_and_the_thread_goes_on() {
    let toy = model(1, |order, on_text| {
        let said = order.turns.last().unwrap().content.clone();
        assert_ne!(said, "panic", "as the test wants");
        on_text(said);
        Ok(Some(DONE))
    });
    assert!(matches!(ask(&toy, "panic").await, Err(CompleteError::Unusable(_))));
    assert_eq!(ask(&toy, "again").await.unwrap().text, "again");
}

#[tokio::test]
async fn a_dropped_request_stops_its_answer_and_a_full_queue_refuses() {
    // Writes until nobody listens, unless it is asked to be short.
    let toy = model(1, |order, on_text| {
        let short = order.turns.last().unwrap().content == "short";
        while on_text("x".to_owned()) {
            if short {
                return Ok(Some(DONE));
            }
        }
        Ok(None)
    });
    let long = says("long");
    let mut heard = 0;
    let mut on_text = |_: &str| heard += 1;
    let mut endless = toy.complete(&long, &mut on_text);
    // Once it is being written, one more may wait, and the next is refused.
    let started = tokio::time::timeout(Duration::from_millis(200), &mut endless).await;
    assert!(started.is_err(), "it has no end");
    let short = says("short");
    let mut nobody = |_: &str| {};
    let mut waiting = toy.complete(&short, &mut nobody);
    assert!(futures::poll!(&mut waiting).is_pending());
    let refusal = ask(&toy, "short").await;
    assert!(matches!(refusal, Err(CompleteError::Refused { status: 503, .. })), "{refusal:?}");
    drop(endless);
    assert_eq!(waiting.await.unwrap().text, "x");
    assert!(heard > 0);
}

#[test]
fn a_file_that_is_no_model_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    let mut config = EmbeddedConfig::new("toy", &path);
    let refusal = |config: &EmbeddedConfig| match EmbeddedModel::load(config.clone()) {
        Ok(_) => panic!("it must not load"),
        Err(ModelConfigError::NotLoaded { source, .. }) => source.to_string(),
        Err(other) => other.to_string(),
    };
    assert!(refusal(&config).ends_with("cannot be read; run scripts/demo to fetch it"));
    std::fs::write(&path, "").unwrap();
    assert!(refusal(&config).contains("has 0 bytes"));
    std::fs::write(&path, "GGUF nonsense").unwrap();
    assert!(refusal(&config).ends_with("is not a GGUF model that can be run here"));
    config.sha256 = Some("00".repeat(32));
    assert!(refusal(&config).contains("has another checksum, "));
    config.context_tokens_max = 63;
    assert!(refusal(&config).contains("`context_tokens_max` must be at least 64"));
    config.context_tokens_max = 64;
    config.temperature = f64::NAN;
    assert!(refusal(&config).contains("`temperature` must be from 0 to 2"));
}

/// The real weights, if `GUILDHALL_TEST_MODEL` says where they are.
#[tokio::test]
async fn the_real_model_answers_in_words_and_can_be_cancelled() {
    let Some(path) = std::env::var_os("GUILDHALL_TEST_MODEL") else {
        println!("not tested: GUILDHALL_TEST_MODEL does not say where the weights are");
        return;
    };
    let mut config = EmbeddedConfig::new("smollm2", path);
    config.seed = Some(1);
    config.sha256 =
        Some("b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53".to_owned());
    let start = tokio::time::Instant::now();
    let smollm = EmbeddedModel::load(config).unwrap();
    println!("loaded in {:?}", start.elapsed());
    for question in ["Who are you?", "What is the capital of France?", "Ich heiße <|im_end|>"] {
        let start = tokio::time::Instant::now();
        let mut first = None;
        let mut on_text = |_: &str| {
            first.get_or_insert_with(|| start.elapsed());
        };
        let answer = smollm.complete(&says(question), &mut on_text).await.unwrap();
        println!("{question} ({:?}, first {first:?})\n{answer:?}", start.elapsed());
        assert!(answer.usage.input_tokens > 20 && answer.usage.output_tokens <= 80);
    }
    let again = smollm.complete(&says("Who are you?"), &mut |_| {}).await.unwrap();
    assert_eq!(again, smollm.complete(&says("Who are you?"), &mut |_| {}).await.unwrap());

    let too_long = smollm.complete(&says(&"word ".repeat(3_000)), &mut |_| {}).await;
    assert!(matches!(too_long, Err(CompleteError::Refused { status: 413, .. })), "{too_long:?}");

    let start = tokio::time::Instant::now();
    let long = says(&"word ".repeat(1_500));
    let mut nobody = |_: &str| {};
    let cut = tokio::time::timeout(Duration::from_millis(50), smollm.complete(&long, &mut nobody));
    assert!(cut.await.is_err(), "it takes longer than that");
    smollm.complete(&says("Hi"), &mut |_| {}).await.unwrap();
    println!("cancelled and answered again after {:?}", start.elapsed());
}
