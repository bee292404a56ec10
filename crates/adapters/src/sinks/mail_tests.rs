//! Mail in front of real mail servers: those of the Python package `aiosmtpd`.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use protocol::{
    Timestamp,
    alert::{Fingerprint, Notification, Severity, Sink as _, ToldAlert},
};
use serde_json::Value;

use super::mail::{Mail, MailConfig, MailTls};

/// Three servers. They end with the test.
struct Servers {
    child: Child,
    lines: BufReader<ChildStdout>,
    ports: Value,
    folder: tempfile::TempDir,
}

impl Servers {
    fn start() -> Self {
        let python = std::env::var("GUILDHALL_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let folder = tempfile::tempdir().unwrap();
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/lib/smtp_receiver.py");
        let mut child = Command::new(python)
            .arg(script)
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut it = Self { child, lines, ports: Value::Null, folder };
        it.ports = it.line()["ports"].clone();
        it
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn config(&self, server: &str, tls: MailTls) -> MailConfig {
        MailConfig {
            host: "localhost".to_owned(),
            port: u16::try_from(self.ports[server].as_u64().unwrap()).unwrap(),
            tls,
            user: Some("hall".to_owned()),
            from: "hall@example.org".to_owned(),
            to: vec!["ops@example.org".to_owned(), "more@example.org".to_owned()],
            ca_file: Some(self.folder.path().join("ca.pem")),
        }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn firing() -> Notification {
    let labels = BTreeMap::from([("bot".to_owned(), "main".to_owned())]);
    let alert = ToldAlert {
        fingerprint: Fingerprint::of("poll", &labels),
        labels,
        severity: Severity::Critical,
        summary: "Updates cannot be fetched: ü.".to_owned(),
        count: 1,
        since: Timestamp(1_764_115_200_000),
        ended: None,
    };
    Notification {
        kind: "poll".to_owned(),
        version: 1,
        alerts: vec![alert],
        left_out: 0,
        is_acknowledged: false,
        is_escalated: true,
        is_lapsed: false,
        is_trial: false,
        runbook: Some("https://ops.example.org/alert-poll.md".to_owned()),
    }
}

fn mail(config: &MailConfig, password: &str) -> Mail {
    Mail::new(config, Some(password.into())).unwrap()
}

/// What a server does wrong, in the words of the sink.
async fn refused(config: &MailConfig, password: &str) -> String {
    mail(config, password).tell(&firing()).await.unwrap_err().why
}

#[tokio::test]
#[ignore = "needs Python's aiosmtpd; scripts/test installs it and runs this"]
async fn mail_goes_with_tls_or_not_at_all_and_a_repeat_can_be_told() {
    let mut servers = Servers::start();
    for (server, tls) in [("starttls", MailTls::StartTls), ("tls", MailTls::Wrapped)] {
        let sink = mail(&servers.config(server, tls), "hunter2");
        let mut ids = Vec::new();
        for _ in 0..2 {
            sink.tell(&firing()).await.unwrap();
            let it = servers.line();
            assert_eq!((&it["server"], &it["user"]), (&server.into(), &"hall".into()));
            assert_eq!(it["sender"], "hall@example.org");
            assert_eq!(it["receivers"].to_string(), r#"["ops@example.org","more@example.org"]"#);
            let letter = it["letter"].as_str().unwrap().to_owned();
            for line in [
                "From: Guildhall <hall@example.org>",
                "Subject: [guildhall] critical: poll: Updates cannot be fetched:",
                "2025-11-26T00:00:00Z, not over",
                "Others were told first",
            ] {
                assert!(letter.contains(line), "{line} is not in {letter}");
            }
            let id = letter.lines().find(|it| it.starts_with("Message-ID: <")).unwrap().to_owned();
            assert!(letter.contains("\nDate: "), "{letter}");
            ids.push(id);
        }
        assert_eq!(ids[0], ids[1], "the same message has the same name");
        let next = Notification { version: 2, ..firing() };
        sink.tell(&next).await.unwrap();
        assert!(!servers.line()["letter"].as_str().unwrap().contains(&ids[0]));
    }
}

#[tokio::test]
#[ignore = "needs Python's aiosmtpd; scripts/test installs it and runs this"]
async fn what_a_mail_server_does_wrong_is_told_without_its_words() {
    let servers = Servers::start();
    let starttls = || servers.config("starttls", MailTls::StartTls);
    let to = |to: &str| MailConfig { to: vec![format!("{to}@example.org")], ..starttls() };
    let no_tls = "the mail server cannot be reached, or offers no TLS";
    assert_eq!(refused(&servers.config("plain", MailTls::StartTls), "hunter2").await, no_tls);
    let unknown = MailConfig { ca_file: None, ..starttls() };
    let stranger = refused(&unknown, "hunter2").await;
    assert!(stranger.contains("TLS") || stranger.contains("cannot be reached"), "{stranger}");
    let signed_in = refused(&starttls(), "wrong").await;
    assert_eq!(signed_in, "the mail server refuses (code 535)");
    assert_eq!(refused(&to("refused"), "hunter2").await, "the mail server refuses (code 550)");
    assert_eq!(refused(&to("busy"), "hunter2").await, "the mail server refuses (code 451)");
    let begun = tokio::time::Instant::now();
    let slow = refused(&to("slow"), "hunter2").await;
    assert_eq!(slow, "the mail server does not answer in time");
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
    let gone = MailConfig { port: 1, ..starttls() };
    assert_eq!(refused(&gone, "hunter2").await, no_tls);
}
