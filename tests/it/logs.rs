//! The log as a real collector gets it: Debian's rsyslog, over TLS.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use end_to_end::{BEN, Stage, wait_until};
use serde_json::Value;
use tokio::process::Child;

const SOON: Duration = Duration::from_secs(20);

/// A collector that writes what it understood, one message a line: severity, program, MSGID,
/// structured data, message.
struct Collector {
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
}

fn openssl(folder: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    command.args(arguments.split_whitespace()).current_dir(folder);
    let output = command.output().expect("openssl is installed, see scripts/test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A certificate authority, and a certificate of 127.0.0.1 that it vouches for.
fn certificates(folder: &Path) {
    fs::write(folder.join("server.ext"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    for name in ["ca", "other"] {
        let subject = format!("-subj /CN={name} -keyout {name}.key -out {name}.pem");
        openssl(
            folder,
            &format!(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 {subject}"
            ),
        );
    }
    let subject = "-subj /CN=collector -keyout server.key -out server.csr";
    openssl(folder, &format!("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes {subject}"));
    let signed = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext";
    openssl(folder, &format!("x509 -req -in server.csr {signed} -out server.pem"));
}

impl Collector {
    fn new(folder: PathBuf, port: u16) -> Self {
        fs::create_dir_all(&folder).unwrap();
        certificates(&folder);
        let at = folder.display();
        let config = format!(
            r#"
global(workDirectory="{at}" maxMessageSize="64k" DefaultNetstreamDriver="ossl"
       DefaultNetstreamDriverCAFile="{at}/ca.pem" DefaultNetstreamDriverCertFile="{at}/server.pem"
       DefaultNetstreamDriverKeyFile="{at}/server.key")
module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
template(name="fields" type="string" string="%syslogseverity-text%|%app-name%|%msgid%|%structured-data%|%msg%\n")
action(type="omfile" file="{at}/received" template="fields")
input(type="imtcp" port="{port}" address="127.0.0.1")
"#
        );
        fs::write(folder.join("rsyslog.conf"), config).unwrap();
        Self { folder, port, child: None }
    }

    fn start(&mut self) {
        let errors = fs::File::create(self.folder.join("errors")).unwrap();
        let child = tokio::process::Command::new("/usr/sbin/rsyslogd")
            // Without a file of its number: that would be there after a kill, and whoever has the number then would keep it from starting.
            .args(["-n", "-f", "rsyslog.conf", "-iNONE"])
            .current_dir(&self.folder)
            .stdout(Stdio::null())
            .stderr(errors)
            .kill_on_drop(true)
            .spawn();
        self.child = Some(child.expect("rsyslogd is installed, see scripts/test"));
    }

    async fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.unwrap();
        }
    }

    /// What was received: severity, MSGID, structured data, and the line itself.
    fn received(&self) -> Vec<(String, String, String, Value)> {
        let text = fs::read_to_string(self.folder.join("received")).unwrap_or_default();
        let lines = text.lines().filter_map(|line| {
            let mut parts = line.splitn(5, '|');
            let mut next = || parts.next().map(str::to_owned);
            let (severity, program) = (next()?, next()?);
            assert_eq!(program, "guildhall", "{line}");
            let (action, data) = (next()?, next()?);
            let json = next()?;
            Some((severity, action, data, serde_json::from_str(json.trim()).ok()?))
        });
        lines.collect()
    }

    async fn has(&self, action: &str, count: usize) {
        let errors = self.folder.join("errors");
        wait_until(
            &format!("{count} x {action} at the collector, {}", errors.display()),
            SOON,
            || self.received().iter().filter(|it| it.1 == action).count() >= count,
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_collector_gets_every_line_over_tls_and_what_it_missed_once_it_is_back() {
    let mut stage = Stage::set().await;
    let mut collector = Collector::new(stage.folder().join("collector"), stage.another_port());
    let ca = collector.folder.join("ca.pem");
    stage.set_env([
        ("GUILDHALL__LOGS__SYSLOG__ADDR", format!("127.0.0.1:{}", collector.port).as_str()),
        ("GUILDHALL__LOGS__SYSLOG__CA_FILE", ca.to_str().unwrap()),
    ]);
    collector.start();
    let hall = stage.open().await;
    stage.exchange(BEN, "Hello. [ask:u1002n0]", "[answer:u1002n0]").await;
    collector.has("tree_started", 1).await;
    let received = collector.received();
    let (severity, _, data, line) =
        received.iter().find(|it| it.1 == "tree_started").expect("it is there");
    assert_eq!(severity, "info");
    assert!(data.starts_with("[guildhall@32473 action=\"tree_started\""), "{data}");
    assert_eq!(*line, hall.log().actions("tree_started")[0], "the very line");
    // Away, it misses nothing: the lines wait.
    collector.stop().await;
    stage.exchange(BEN, "/export", "everything that is kept").await;
    hall.log().wait_for("person_exported").await;
    assert_eq!(collector.received().iter().filter(|it| it.1 == "person_exported").count(), 0);
    collector.start();
    collector.has("person_exported", 1).await;
    assert_eq!(hall.stop().await.0, 0);
    collector.has("hall_drained", 1).await;
    // Whoever cannot show the right certificate gets nothing.
    let before = collector.received().len();
    let other = collector.folder.join("other.pem");
    stage.set_env([("GUILDHALL__LOGS__SYSLOG__CA_FILE", other.to_str().unwrap())]);
    let hall = stage.open().await;
    hall.log().wait_for("syslog_away").await;
    stage.exchange(BEN, "Hello. [ask:u1002n1]", "[answer:u1002n1]").await;
    assert_eq!(hall.stop().await.0, 0);
    assert_eq!(collector.received().len(), before);
    collector.stop().await;
}
