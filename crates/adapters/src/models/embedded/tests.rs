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
    let jobs = start(queue_max, VecDeque::new(), write).unwrap();
    EmbeddedModel { jobs, tokenizer: None, config }
}

fn says(text: &str) -> ModelRequest {
    let ada = "You are Ada, a friendly librarian. Answer in one or two sentences.";
    ModelRequest::new(turns(Some(ada), text), 80)
}

fn turns(instructions: Option<&str>, text: &str) -> Vec<Turn> {
    let turn = |role, content: &str| Turn::new(role, content);
    let instructions = instructions.map(|content| turn(Role::System, content));
    instructions.into_iter().chain([turn(Role::User, text)]).collect()
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
    assert_eq!(completion.usage, Usage { input_tokens: 3, output_tokens: 2, ..Usage::default() });
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
        let said = order.turns.last().unwrap().content.to_string();
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
        let short = &*order.turns.last().unwrap().content == "short";
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

#[tokio::test]
async fn instructions_are_read_while_nobody_asks_and_a_panic_in_one_loses_no_other() {
    let (read, mut reads) = mpsc::channel(3);
    let write = move |order: &Order<'_>, on_text: &mut dyn FnMut(String) -> bool| {
        let said = order.turns.last().unwrap().content.to_string();
        read.try_send((said.clone(), order.answer_tokens_max)).unwrap();
        assert_ne!(said, "panic", "as the test wants");
        Ok(on_text("x".to_owned()).then_some(DONE))
    };
    let unread = ["panic".to_owned(), "be kind".to_owned()].into();
    let config = EmbeddedConfig::new("toy", "none");
    let toy = EmbeddedModel { jobs: start(1, unread, write).unwrap(), tokenizer: None, config };
    assert_eq!(reads.recv().await.unwrap(), ("panic".to_owned(), 0));
    assert_eq!(reads.recv().await.unwrap(), ("be kind".to_owned(), 0));
    assert_eq!(ask(&toy, "hi").await.unwrap().text, "x");
    assert_eq!(reads.recv().await.unwrap(), ("hi".to_owned(), 80));
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
fn smollm() -> Option<EmbeddedConfig> {
    let Some(path) = std::env::var_os("GUILDHALL_TEST_MODEL") else {
        println!("not tested: GUILDHALL_TEST_MODEL does not say where the weights are");
        return None;
    };
    Some(EmbeddedConfig::new("smollm2", path))
}

/// The expected tokens are those of llama.cpp's `/tokenize` for the same file, with marks parsed.
#[test]
fn the_real_model_reads_a_conversation_as_the_tokens_that_it_was_trained_on() {
    let Some(config) = smollm() else { return };
    let text = "What is the capital of France? It's 14:05,\n\n  isn't it, Jörg? 😀";
    let prompt = Engine::load(&config).unwrap().prompt(&turns(Some("You are Sage."), text), 100);
    let expected = [
        1, 9690, 198, 2683, 359, 33322, 30, 2, 198, 1, 4093, 198, 1780, 314, 260, 3575, 282, 4649,
        47, 657, 506, 216, 33, 36, 42, 32, 37, 28, 8866, 3247, 982, 357, 28, 530, 29989, 87, 47,
        40303, 218, 2, 198, 1, 520, 9531, 198,
    ];
    let prompt = prompt.unwrap().unwrap();
    assert_eq!((prompt.tokens.as_slice(), prompt.instructions), (expected.as_slice(), 9));
}

/// The expected beginnings are those of llama.cpp for the same file.
#[tokio::test]
async fn the_real_model_takes_the_likeliest_words_that_others_find() {
    let Some(config) = smollm() else { return };
    let config = EmbeddedConfig { temperature: 0.0, repeat_penalty: 1.0, ..config };
    let smollm = EmbeddedModel::load(config).unwrap();
    let france = "What is the capital of France?";
    let nobody = ModelRequest::new(turns(None, france), 40);
    for (request, beginnings) in [
        (nobody, &["The capital of France is Paris."][..]),
        (says(france), &["Bonjour, mon amour. Paris, la femme de la France, la femme"]),
        (
            says("Write a haiku about rain."),
            &["In the heart of the night, a gentle rain,\nA gentle"],
        ),
        // Seen on different processors, which round differently.
        (
            says("How many days are in 2 weeks? 14 or 15?"),
            &["2 weeks is 14 days.", "2 weeks is 2 * 7 = 14 days."],
        ),
        (says("Ich heiße Jörg. Wie geht's dir?"), &["Ich heiße Jörg. Wie geht's dir?"]),
    ] {
        let answer = smollm.complete(&request, &mut |_| {}).await.unwrap().text;
        assert!(beginnings.iter().any(|it| answer.starts_with(it)), "{answer}");
    }
}

#[tokio::test]
async fn the_real_model_answers_in_words_and_can_be_cancelled() {
    let Some(mut config) = smollm() else { return };
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
