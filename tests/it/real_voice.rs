//! A recogniser that nobody here wrote hears speech that a synthesiser made, as Telegram sends it.
//!
//! Needs `GUILDHALL_POCKETSPHINX_PYTHON` (see `scripts/lib/pocketsphinx-venv`) and espeak-ng; without them it
//! says that it was left out.

use std::{path::Path, process::Stdio, time::Duration};

use end_to_end::{BEN, Stage};
use rehearsal::{Form, Say};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

const KEY: &str = "sk-of-the-real-ear";
/// Of what espeak says, the recogniser understands this to the last word.
const SAID: &str = "what is the weather today";

fn script(name: &str) -> std::path::PathBuf {
    let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_unset| ".".to_owned());
    Path::new(&folder).join("pocketsphinx").join(name)
}

/// Starts the recogniser and waits until it listens. It ends when it is dropped.
async fn serve(python: &str, port: u16) -> Child {
    let mut server = Command::new(python)
        .arg(script("serve.py"))
        .args([&port.to_string(), KEY])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(Duration::from_secs(60), lines.next_line()).await;
    assert_eq!(line.unwrap().unwrap().as_deref(), Some("listening"));
    server
}

async fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status().await.unwrap();
    assert!(status.success(), "{program} {arguments:?}: {status}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn speech_of_a_synthesiser_is_heard_by_a_real_recogniser_and_answered() {
    let has_voice = Command::new("espeak-ng").arg("--version").output().await.is_ok();
    let (Ok(python), true) = (std::env::var("GUILDHALL_POCKETSPHINX_PYTHON"), has_voice) else {
        println!("left out: GUILDHALL_POCKETSPHINX_PYTHON is not set, or there is no espeak-ng");
        return;
    };
    let mut stage = Stage::set_alone().await;
    let port = stage.another_port();
    let _server = serve(&python, port).await;
    stage.set_env([
        ("GUILDHALL__TRANSCRIPTION__MODEL", "pocketsphinx"),
        ("GUILDHALL__TRANSCRIPTION__BASE_URL", format!("http://127.0.0.1:{port}/v1").as_str()),
        ("GUILDHALL__TRANSCRIPTION__ALLOW_PRIVATE", "true"),
        ("GUILDHALL__TRANSCRIPTION__API_KEY_ENV", "EAR_KEY"),
        ("EAR_KEY", KEY),
    ]);
    let hall = stage.open().await;
    stage.exchange(BEN, "Hello [ask:u1002n0]", "[answer:u1002n0]").await;
    let [wav, ogg] = ["said.wav", "said.ogg"].map(|it| stage.folder().join(it));
    let [wav, ogg] = [&wav, &ogg].map(|it| it.display().to_string());
    run("espeak-ng", &["-v", "en-us", "-s", "130", "-w", &wav, SAID]).await;
    run(&python, &[&script("opus.py").display().to_string(), &wav, &ogg]).await;
    let before = stage.sent_to(BEN).len();
    let say = Say { person: BEN, ..Say::default() };
    let voice = std::fs::read(&ogg).unwrap();
    println!("a voice message of {} bytes", voice.len());
    let form = Form::Voice { seconds: 2 };
    stage.rehearsal.world().send_as(&say, "voice.oga", voice.into(), form).unwrap();
    let heard = stage.heard(BEN, before, "I heard:").await;
    assert_eq!(heard.text, format!("🎙 I heard: {SAID}"), "{}", hall.log().tail());
    stage.heard(BEN, before, "Reply to").await;

    // A file that says of itself that it is OGG, and is not.
    let before = stage.sent_to(BEN).len();
    let broken = [b"OggS", &[7; 900][..]].concat();
    stage
        .rehearsal
        .world()
        .send_as(&say, "voice.oga", broken.into(), Form::Voice { seconds: 2 })
        .unwrap();
    stage.heard(BEN, before, "could not make anything").await;
    assert_eq!(hall.stop().await.0, 0);
}
