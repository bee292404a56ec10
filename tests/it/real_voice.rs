//! A recogniser that nobody here wrote hears speech that a synthesiser made, as Telegram sends it.
//!
//! Needs `GUILDHALL_POCKETSPHINX_PYTHON` (see `scripts/lib/pocketsphinx-venv`) and espeak-ng; without them it
//! says that it was left out.

use std::{path::Path, process::Stdio, time::Duration};

use end_to_end::{BEN, Stage};
use opus_pure::{Application, MAX_PACKET_BYTES, OggOpusWriter, OpusEncoder, OpusHead};
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

/// What a synthesiser says, as Telegram sends it, made by another hand than the one that reads it.
async fn voice_message(words: &str) -> Vec<u8> {
    let mut said = Command::new("espeak-ng");
    let said = said.args(["-v", "en-us", "-s", "140", "--stdout", words]).output().await;
    let wav = said.unwrap().stdout;
    let rate = u32::from_le_bytes(wav[24..28].try_into().unwrap());
    let samples: Vec<f32> = wav[44..]
        .chunks_exact(2)
        .map(|it| f32::from(i16::from_le_bytes([it[0], it[1]])) / 32_768.0)
        .collect();
    let step = f64::from(rate) / 16_000.0;
    let count = (samples.len() as f64 / step) as usize;
    let between = |it: usize| {
        let place = it as f64 * step;
        let (at, part) = (place as usize, place.fract() as f32);
        samples[at] * (1.0 - part) + samples.get(at + 1).copied().unwrap_or_default() * part
    };
    let samples: Vec<f32> = (0..count).map(between).collect();
    let mut encoder = OpusEncoder::new(16_000, 1, Application::Voip).unwrap();
    let head = OpusHead::for_encoder(&encoder, 16_000);
    let mut writer = OggOpusWriter::new(Vec::new(), head).unwrap();
    let mut packet = vec![0; MAX_PACKET_BYTES];
    for block in samples.chunks_exact(320) {
        let length = encoder.encode(block, 320, &mut packet).unwrap();
        writer.write_packet(&packet[..length]).unwrap();
    }
    writer.finish().unwrap()
}

/// Needs `GUILDHALL_TEST_WHISPER` (see `scripts/fetch-whisper`) and espeak-ng; without them it says that it
/// was left out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_voice_message_is_heard_in_the_process_by_nobody_else_and_costs_its_length() {
    let has_voice = Command::new("espeak-ng").arg("--version").output().await.is_ok();
    let (Ok(folder), true) = (std::env::var("GUILDHALL_TEST_WHISPER"), has_voice) else {
        println!("left out: GUILDHALL_TEST_WHISPER is not set, or there is no espeak-ng");
        return;
    };
    let mut stage = Stage::set_alone().await;
    stage.set_env([
        ("GUILDHALL__TRANSCRIPTION__ENGINE", "local"),
        ("GUILDHALL__TRANSCRIPTION__PATH", folder.as_str()),
        ("CANDLE_NUM_THREADS", "1"),
        ("RAYON_NUM_THREADS", "1"),
    ]);
    let hall = stage.open().await;
    stage.exchange(BEN, "Hello [ask:u1002n0]", "[answer:u1002n0]").await;
    let voice = voice_message(SAID).await;
    let before = stage.sent_to(BEN).len();
    let say = Say { person: BEN, ..Say::default() };
    // Its sender says that it is shorter than it is.
    let form = Form::Voice { seconds: 1 };
    stage.rehearsal.world().send_as(&say, "voice.oga", voice.into(), form).unwrap();
    let heard = stage.heard(BEN, before, "I heard:").await;
    assert!(heard.text.to_lowercase().contains(SAID), "{}", heard.text);
    stage.heard(BEN, before, "Reply to").await;
    let requests = stage.rehearsal.models().requests();
    assert!(requests.iter().all(|it| it.protocol != "transcription"), "it left the process");
    let told = crate::money::usage(&stage).await;
    let seconds = told["accounts"][0]["month"]["heard_seconds"].as_u64().unwrap();
    assert!((2..=3).contains(&seconds), "{told}");

    // What is no voice message is said to be none, and the recogniser goes on.
    let before = stage.sent_to(BEN).len();
    let broken = [b"OggS", &[7; 900][..]].concat();
    let sent = stage.rehearsal.world().send_as(
        &say,
        "voice.oga",
        broken.into(),
        Form::Voice { seconds: 1 },
    );
    sent.unwrap();
    stage.heard(BEN, before, "could not make anything").await;
    assert_eq!(hall.stop().await.0, 0);
}
