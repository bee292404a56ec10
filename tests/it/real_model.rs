//! A model server that nobody here wrote: llama.cpp, over the chat completions protocol.
//!
//! Needs `GUILDHALL_XLLAMACPP_PYTHON` (see `scripts/lib/xllamacpp-venv`) and `GUILDHALL_TEST_MODEL`
//! (see `scripts/fetch-model`); without them it says that it was left out.

use std::{path::Path, process::Stdio, time::Duration};

use end_to_end::{BEN, Stage};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

const KEY: &str = "sk-of-the-real-model";

/// Starts the server and waits until it listens. It ends when it is dropped.
async fn serve(python: &str, model: &str, port: u16) -> Child {
    let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_unset| ".".to_owned());
    let script = Path::new(&folder).join("xllamacpp/serve.py");
    let mut server = Command::new(python)
        .arg(script)
        .args([model, &port.to_string(), KEY])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let listening = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.starts_with("listening") {
                return;
            }
        }
        panic!("the model server ended");
    };
    tokio::time::timeout(Duration::from_secs(120), listening).await.unwrap();
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_model_answers_remembers_and_a_wrong_key_is_an_apology() {
    let variables = ["GUILDHALL_XLLAMACPP_PYTHON", "GUILDHALL_TEST_MODEL"].map(std::env::var);
    let [Ok(python), Ok(model)] = variables else {
        println!("left out: GUILDHALL_XLLAMACPP_PYTHON or GUILDHALL_TEST_MODEL is not set");
        return;
    };
    let mut stage = Stage::set_alone().await;
    let port = stage.another_port();
    let _server = serve(&python, &model, port).await;
    stage.set_env([
        ("OPENAI_BASE_URL", format!("http://127.0.0.1:{port}/v1").as_str()),
        ("OPENAI_API_KEY", KEY),
        ("OPENAI_MODEL", "smollm2"),
        ("GUILDHALL__BROKER__ANSWER_TOKENS_MAX", "24"),
    ]);
    let hall = stage.open().await;
    for question in ["What is the capital of France?", "And of Italy?"] {
        let before = stage.sent_to(BEN).len();
        stage.say(BEN, question);
        let time_max = Duration::from_secs(120);
        let is_answer = |text: &str| !text.contains("stored encrypted") && !text.trim().is_empty();
        end_to_end::wait_until("the model answers", time_max, || {
            stage.sent_to(BEN).iter().skip(before).any(|it| is_answer(&it.text))
        })
        .await;
        let answer = stage.sent_to(BEN).pop().unwrap().text;
        println!("{question} -> {answer}");
        assert!(!answer.contains("(ref "), "an apology: {answer}\n{}", hall.log().tail());
    }
    let metrics = stage.get("/metrics").await.1;
    let tokens = metrics.lines().filter(|it| it.starts_with("guildhall_llm_tokens_total"));
    assert!(
        tokens.clone().count() > 0 && tokens.clone().all(|it| !it.ends_with(" 0")),
        "{metrics}"
    );
    assert_eq!(hall.stop().await.0, 0);

    stage.set_env([("OPENAI_API_KEY", "sk-wrong")]);
    let hall = stage.open().await;
    stage.exchange(BEN, "And of Spain?", "(ref ").await;
    assert_eq!(hall.stop().await.0, 0);
}
