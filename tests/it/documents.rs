//! Documents of people: read apart from everything else, kept for their person, found again, and refused where
//! they are made to do harm.

use std::{io::Write as _, process::Stdio, time::Duration};

use bytes::Bytes;
use end_to_end::{ADMIN, BEN, Stage, program, scan, wait_until};
use flate2::{Compression, Crc, write::DeflateEncoder};
use rehearsal::{Form, Say, models::Script};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, process::Command, time::Instant};

use crate::tools::{grant, play};

/// An archive of these parts, as office programs make them.
fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut bytes, mut listed) = (Vec::new(), Vec::new());
    for (name, part) in parts {
        let mut crc = Crc::new();
        crc.update(part);
        let mut folded = DeflateEncoder::new(Vec::new(), Compression::best());
        folded.write_all(part).unwrap();
        let folded = folded.finish().unwrap();
        let size = |it: usize| u32::try_from(it).unwrap().to_le_bytes();
        let name_bytes = u16::try_from(name.len()).unwrap().to_le_bytes();
        let mut about = vec![20, 0, 0, 0, 8, 0, 0, 0, 0x21, 0];
        about.extend(crc.sum().to_le_bytes());
        about.extend(size(folded.len()));
        about.extend(size(part.len()));
        about.extend(name_bytes);
        about.extend([0, 0]);
        let begin = size(bytes.len());
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&about);
        bytes.extend(name.as_bytes());
        bytes.extend(folded);
        listed.extend(b"PK\x01\x02\x14\x00");
        listed.extend(&about);
        listed.extend([0; 10]);
        listed.extend(begin);
        listed.extend(name.as_bytes());
    }
    let count = u16::try_from(parts.len()).unwrap().to_le_bytes();
    let (begin, size) = (bytes.len(), listed.len());
    bytes.extend(listed);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([count, count].concat());
    bytes.extend(u32::try_from(size).unwrap().to_le_bytes());
    bytes.extend(u32::try_from(begin).unwrap().to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

fn docx(words: &str) -> Vec<u8> {
    let body = format!(
        "<w:document><w:body><w:p><w:r><w:t>{words}</w:t></w:r></w:p></w:body></w:document>"
    );
    archive(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", body.as_bytes())])
}

/// A page with these words; `trailer` is what else its end says.
fn pdf(words: &str, trailer: &str, more: &str) -> Vec<u8> {
    let content = format!("BT /F1 12 Tf 72 720 Td ({words}) Tj ET");
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>".to_owned(),
        format!("<</Length {}>>\nstream\n{content}\nendstream", content.len()),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_owned(),
    ];
    objects.extend((!more.is_empty()).then(|| more.to_owned()));
    let mut text = "%PDF-1.5\n".to_owned();
    let mut places = Vec::new();
    for (number, object) in (1..).zip(&objects) {
        places.push(text.len());
        text.push_str(&format!("{number} 0 obj\n{object}\nendobj\n"));
    }
    let table = text.len();
    text.push_str(&format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1));
    places.iter().for_each(|it| text.push_str(&format!("{it:010} 00000 n \n")));
    let size = objects.len() + 1;
    text.push_str(&format!(
        "trailer\n<</Size {size}/Root 1 0 R{trailer}>>\nstartxref\n{table}\n%%EOF\n"
    ));
    text.into_bytes()
}

fn locked_pdf() -> Vec<u8> {
    let key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    let lock = format!("<</Filter/Standard/V 2/R 3/Length 128/P -4/O<{key}>/U<{key}>>>");
    pdf("secret words", "/Encrypt 6 0 R/ID[<00112233><00112233>]", &lock)
}

fn send(stage: &Stage, person: i64, caption: &str, name: &str, bytes: Vec<u8>) {
    let say = Say { person, text: caption.to_owned(), ..Say::default() };
    let sent = stage.rehearsal.world().send_as(&say, name, Bytes::from(bytes), Form::Document);
    sent.unwrap_or_else(|error| panic!("{error}"));
}

fn searches(contains: &str, query: &str) -> Script {
    Script::new(contains, "It says: {result}").calling("search_files", json!({ "query": query }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pdf_and_an_office_document_are_read_kept_found_again_and_deleted() {
    let stage = Stage::set().await;
    grant(&stage, "sage", "tools = [\"search_files\"]");
    let scripts = vec![searches("look it up", "lease kettle"), searches("whose", "lease kettle")];
    play(&stage, scripts, &[]);
    let hall = stage.open().await;
    let notice = stage.exchange(BEN, "Hello [ask:u1002n0]", "is kept encrypted").await;
    assert!(notice.text.contains("/files shows and deletes it"), "{}", notice.text);
    stage.heard(BEN, 0, "[answer:u1002n0]").await;

    let before = stage.sent_to(BEN).len();
    send(&stage, BEN, "When does it end?", "lease.pdf", pdf("The lease ends in May.", "", ""));
    stage.heard(BEN, before, "I keep the text of “lease.pdf”").await;
    let asked = stage.rehearsal.models().requests().pop().unwrap().body;
    assert!(asked.contains("<file>") && asked.contains("The lease ends in May."), "{asked}");
    let before = stage.sent_to(BEN).len();
    send(&stage, BEN, "", "kettle.docx", docx("The kettle is &lt;blue&gt;."));
    stage.heard(BEN, before, "I keep the text of “kettle.docx”").await;

    // Across a restart; and nobody else finds anything.
    hall.kill().await;
    let hall = stage.open().await;
    let found = stage.exchange(BEN, "Please look it up.", "It says").await.text;
    assert!(found.contains("The lease ends in May.") && found.contains("The kettle is"), "{found}");
    let other = stage.exchange(ADMIN, "And whose is it?", "It says").await.text;
    assert!(other.contains("has brought no files") && !other.contains("May"), "{other}");

    let list = stage.exchange(BEN, "/files", "Your files in this chat").await;
    assert!(
        list.text.contains("1. kettle.docx (1 KB") && list.text.contains("2. lease.pdf"),
        "{}",
        list.text
    );
    let buttons = stage.rehearsal.world().buttons(BEN, list.message_id);
    let before = stage.sent_to(BEN).len();
    stage.press(BEN, list.message_id, &buttons[1]);
    stage.heard(BEN, before, "“lease.pdf” is deleted").await;
    let found = stage.exchange(BEN, "Please look it up.", "It says").await.text;
    assert!(!found.contains("lease") && found.contains("The kettle is"), "{found}");
    let log = hall.log().stdout();
    assert_eq!(hall.stop().await.0, 0);
    let marks = ["lease ends", "kettle is", "lease.pdf", "kettle.docx"];
    for mark in marks {
        assert!(!log.contains(mark), "{mark} is in the log");
    }
    let marks = marks.map(|it| (it, it.as_bytes()));
    let found = scan(&stage.data(), &marks).unwrap();
    assert!(found.is_empty(), "in the clear: {found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_keeping_and_answering_it_keeps_once_and_answers_once() {
    let mut stage = Stage::set().await;
    let hall = stage.open().await;
    stage.exchange(BEN, "Hello [ask:u1002n0]", "[answer:u1002n0]").await;
    assert_eq!(hall.stop().await.0, 0);
    // The actor dies the moment the paper is durable; then the process, while a model is asked.
    stage.set_env([("FAILPOINTS", "session_paper_written=1*panic->off")]);
    let hall = stage.open().await;
    let before = stage.sent_to(BEN).len();
    send(&stage, BEN, "When? [ask:u1002n1]", "lease.pdf", pdf("The lease ends in May.", "", ""));
    stage.heard(BEN, before, "[answer:u1002n1]").await;
    stage.heard(BEN, before, "I keep the text of “lease.pdf”").await;
    hall.kill().await;
    stage.unset_env("FAILPOINTS");
    let hall = stage.open().await;
    let list = stage.exchange(BEN, "/files", "Your files in this chat").await;
    assert!(list.text.contains("1. lease.pdf") && !list.text.contains("2. "), "{}", list.text);
    let answers = stage.sent_to(BEN).split_off(before);
    let answers = answers.iter().filter(|it| it.text.contains("[answer:u1002n1]")).count();
    assert_eq!(answers, 1);
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_that_are_made_to_do_harm_are_refused_in_words_and_the_hall_goes_on() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.exchange(BEN, "Hello [ask:u1002n0]", "[answer:u1002n0]").await;
    let spaces = vec![b' '; 80 << 20];
    let bomb = archive(&[("word/document.xml", &spaces)]);
    let office = docx("words");
    let grows = b"<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><x><w:t>&b;</w:t></x>";
    let cases = [
        ("bomb.docx", bomb, "unfolds to more"),
        ("half.docx", office[..office.len() / 2].to_vec(), "could not make anything"),
        ("grows.docx", archive(&[("word/document.xml", grows)]), "could not make anything"),
        (
            "paths.docx",
            archive(&[("../../../etc/cron.d/x", b"* * * * *")]),
            "could not make anything",
        ),
        ("locked.pdf", locked_pdf(), "locked with a password"),
        ("cut.pdf", pdf("words", "", "")[..120].to_vec(), "could not make anything"),
        ("empty.pdf", pdf("", "", ""), "no words"),
        ("false.pdf", b"\x7fELF\x02\x01\x01\0".to_vec(), "could not make anything"),
    ];
    for (name, bytes, words) in cases {
        let (before, began) = (stage.sent_to(BEN).len(), Instant::now());
        send(&stage, BEN, "What is it?", name, bytes);
        let said = stage.heard(BEN, before, words).await.text;
        assert!(said.contains("not kept"), "{name}: {said}");
        assert!(began.elapsed() < Duration::from_secs(20), "{name} took {:?}", began.elapsed());
    }
    stage.exchange(BEN, "/files", "I keep none of your files").await;
    stage.exchange(BEN, "Are you well? [ask:u1002n1]", "[answer:u1002n1]").await;
    assert_eq!(hall.log().actions("actor_restarting").len(), 0);
    assert_eq!(hall.stop().await.0, 0);
}

/// What the process says that reads a document, and how it ended.
async fn read_apart(document: &[u8]) -> (Option<i32>, Value) {
    let mut child = Command::new(program())
        .args(["read-document", "--chars-max", "1000"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A process that has had enough does not read on.
    stdin.write_all(document).await.ok();
    drop(stdin);
    let ended = child.wait_with_output().await.unwrap();
    (ended.status.code(), serde_json::from_slice(&ended.stdout).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_that_reads_documents_is_confined_before_it_reads_a_byte() {
    let (code, said) = read_apart(&pdf("The lease ends in May.", "", "")).await;
    assert_eq!(code, Some(0));
    assert_eq!(said["Ok"]["text"], "The lease ends in May.", "{said}");
    let mut child = Command::new(program())
        .arg("read-document")
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id().unwrap());
    let waits = || {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let has = |it: &str| text.lines().any(|line| line == it);
        has("Seccomp:\t2") && has("NoNewPrivs:\t1") && has("Threads:\t1")
    };
    wait_until("it is confined", Duration::from_secs(10), waits).await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id().unwrap())).unwrap();
    let limit = |name: &str| {
        let line = limits.lines().find(|it| it.starts_with(name)).unwrap_or_default();
        line[name.len()..].split_whitespace().next().unwrap_or_default().to_owned()
    };
    assert_eq!(limit("Max data size"), (256 << 20).to_string());
    assert_eq!((limit("Max cpu time").as_str(), limit("Max file size").as_str()), ("10", "0"));
    child.kill().await.unwrap();
}
