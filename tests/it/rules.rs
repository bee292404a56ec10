//! The life of a rule: noted, tried on the past, in shadow, enforced, kept over a kill, removed; and
//! packs that are signed, newer and whole, or not used.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use end_to_end::{ADMIN, BEN, Stage};
use serde_json::Value;

const REFUSED: &str = "I would rather not answer this one";
const UNKNOWN: &str = "I do not know that command. /help shows what I understand.";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_is_noted_tried_put_in_shadow_enforced_kept_and_removed() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.exchange(BEN, "Tell me of the wombat. [ask:u1002n0]", "[answer:u1002n0]").await;
    stage.exchange(BEN, "And of the owl. [ask:u1002n1]", "[answer:u1002n1]").await;
    for command in ["/rule", "/rule add wombat refuse wombat", "/rule enforce wombat"] {
        assert_eq!(stage.exchange(BEN, command, "").await.text, UNKNOWN, "{command}");
    }
    stage.exchange(ADMIN, "/rule add wombat refuse (wombat", "nothing was changed").await;
    stage.exchange(ADMIN, "/rule add wombat refuse (?i)wombat", "not applied yet").await;
    let tried = stage.exchange(ADMIN, "/rule test wombat", "would have been stopped").await.text;
    assert!(tried.starts_with("wombat, over the last 7 days: of 4 texts"), "{tried}");
    assert!(tried.contains("questions to sage: 1 of 2 (1 refused"), "{tried}");
    assert!(!tried.contains("Tell me"), "no text of anybody is shown: {tried}");
    stage.exchange(BEN, "A wombat again. [ask:u1002n2]", "[answer:u1002n2]").await;
    stage.exchange(ADMIN, "/rule shadow wombat", "in shadow").await;
    stage.exchange(BEN, "A third wombat. [ask:u1002n3]", "[answer:u1002n3]").await;
    let metrics = stage.get("/metrics").await.1;
    let counted = "guildhall_guard_shadow_findings_total{direction=\"in\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
    stage.exchange(ADMIN, "/rule enforce wombat", "enforced").await;
    stage.exchange(BEN, "A fourth wombat.", REFUSED).await;

    hall.kill().await;
    let hall = stage.open().await;
    let heard = stage.sent_to(BEN).len();
    stage.say(BEN, "A fifth wombat.");
    stage.heard(BEN, heard, REFUSED).await;
    stage.exchange(ADMIN, "/rule", "• wombat (enforce, refuse): (?i)wombat").await;
    stage.exchange(ADMIN, "/rule remove wombat", "wombat is gone").await;
    stage.exchange(BEN, "A sixth wombat. [ask:u1002n4]", "[answer:u1002n4]").await;
    assert_eq!(hall.stop().await.0, 0);
    let hall = stage.open().await;
    stage.exchange(BEN, "A last wombat. [ask:u1002n5]", "[answer:u1002n5]").await;
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_says_the_same_whether_the_hall_runs_or_not_and_texts_only_if_it_does_not() {
    let stage = Stage::set().await;
    let (code, _, error) =
        stage.command(&["rules", "replay", "--rule", "example_project_name"]).await;
    assert!(code == 69 && error.contains("there is no ledger"), "{code}: {error}");
    let hall = stage.open().await;
    stage.exchange(BEN, "Tell me of the wombat. [ask:u1002n0]", "[answer:u1002n0]").await;
    stage.exchange(BEN, "And of the owl. [ask:u1002n1]", "[answer:u1002n1]").await;
    stage.exchange(ADMIN, "/rule add owls flag (?i)\\bowl\\b", "not applied yet").await;
    let file = write(&stage, "wombat.toml", &rules("", "wombat"));
    let replay = ["rules", "replay", file.to_str().unwrap(), "--json"];
    let (code, running, error) = stage.command(&replay).await;
    assert_eq!(code, 0, "{error}");
    let report: Value = serde_json::from_str(&running).unwrap();
    assert_eq!((&report["texts"], &report["stopped"]), (&4.into(), &1.into()), "{running}");
    assert_eq!(report["rows"][0]["rule"], "pack_wombat", "{running}");
    assert!(!running.contains("Tell me"), "{running}");
    let own = ["rules", "replay", "--rule", "owls", "--days", "30"];
    let (code, owls, error) = stage.command(&own).await;
    assert!(code == 0 && owls.contains("owls"), "{code}: {error}{owls}");
    let texts = ["rules", "replay", file.to_str().unwrap(), "--texts"];
    let (code, output, error) = stage.command(&texts).await;
    assert!(code == 69 && error.contains("stop it first") && output.is_empty(), "{code}: {error}");
    let (code, _, error) = stage.command(&["rules", "replay", "--rule", "nobody"]).await;
    assert!(code == 69 && error.contains("no rule called nobody"), "{code}: {error}");
    assert_eq!(hall.stop().await.0, 0);

    assert_eq!(stage.command(&replay).await.1, running, "a stopped hall tells the same");
    assert_eq!(stage.command(&own).await.1, owls, "of an admin's rule, too");
    let (code, output, error) = stage.command(&texts).await;
    assert!(code == 0 && output.contains("Tell me of the wombat."), "{code}: {error}{output}");
    let (code, _, error) = stage.command(&["rules", "replay"]).await;
    assert_eq!(code, 64, "{error}");
    let broken = write(&stage, "broken.toml", &rules("", "wombat").replace("'(?i)", "'("));
    let (code, _, error) = stage.command(&["rules", "replay", broken.to_str().unwrap()]).await;
    assert!(code != 0 && error.contains("rule pack_wombat"), "file and rule are named: {error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pack_is_used_if_it_is_signed_newer_and_whole_and_at_once() {
    let mut stage = Stage::set().await;
    let key = stage.folder().join("pack.key");
    let (code, output, error) = stage.command(&["rules", "keygen", key.to_str().unwrap()]).await;
    assert_eq!(code, 0, "{error}");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let public = output.split('"').find(|it| it.starts_with("ed25519:")).unwrap().to_owned();
    let seed = fs::read_to_string(&key).unwrap();
    assert!(!output.contains(seed.split(' ').next_back().unwrap().trim()), "{output}");
    let one = signed(&stage, "one.toml", &rules("pack = \"beasts\"\nversion = 1", "wombat")).await;
    let two = signed(&stage, "two.toml", &rules("pack = \"beasts\"\nversion = 2", "quokka")).await;
    // No key is trusted yet.
    refused(&stage, &two, "none of the 0 keys").await;
    stage.set_env([("GUILDHALL__GUARD__PACK_KEYS", public.as_str())]);
    let (code, output, error) = stage.command(&["rules", "update", one.to_str().unwrap()]).await;
    assert!(code == 0 && output.contains("the next start uses it"), "{code}: {error}{output}");
    let hall = stage.open().await;
    stage.exchange(BEN, "A wombat.", REFUSED).await;
    stage.exchange(BEN, "A quokka. [ask:u1002n0]", "[answer:u1002n0]").await;

    let tampered = fs::read_to_string(&two).unwrap().replace("quokka", "quolls");
    refused(&stage, &write(&stage, "tampered.toml", &tampered), "was changed").await;
    let unsigned = rules("pack = \"beasts\"\nversion = 3", "quokka");
    refused(&stage, &write(&stage, "unsigned.toml", &unsigned), "not signed").await;
    stage.exchange(BEN, "Another quokka. [ask:u1002n1]", "[answer:u1002n1]").await;
    let (code, output, error) = stage.command(&["rules", "update", two.to_str().unwrap()]).await;
    assert!(code == 0 && output.contains("in place of 1"), "{code}: {error}{output}");
    assert!(output.contains("running hall uses it from the next message"), "{output}");
    let heard = stage.sent_to(BEN).len();
    stage.say(BEN, "A third quokka.");
    stage.heard(BEN, heard, REFUSED).await;
    stage.exchange(BEN, "A free wombat. [ask:u1002n2]", "[answer:u1002n2]").await;
    refused(&stage, &one, "is older").await;
    assert_eq!(hall.stop().await.0, 0);

    // What lies in the data folder is checked again.
    let installed = stage.data().join("rules/beasts.toml");
    let good = fs::read_to_string(&installed).unwrap();
    fs::write(&installed, good.replace("refuse", "flag")).unwrap();
    let (code, _, error) = stage.command(&["run"]).await;
    assert!(code == 78 && error.contains("beasts.toml"), "{code}: {error}");
    fs::write(&installed, good).unwrap();
    let hall = stage.open().await;
    let heard = stage.sent_to(BEN).len();
    stage.say(BEN, "A fourth quokka.");
    stage.heard(BEN, heard, REFUSED).await;
    assert_eq!(hall.stop().await.0, 0);
    let (code, output, error) = stage.command(&["rules", "check"]).await;
    assert_eq!((code, output.starts_with("Every rule compiles")), (0, true), "{error}");
}

/// A rule for one word, after what a pack begins with.
fn rules(head: &str, word: &str) -> String {
    format!(
        "{head}\n\n[[rule]]\nname = \"pack_{word}\"\npattern = '(?i)\\b{word}\\b'\n\
         kind = \"custom\"\naction = \"refuse\"\nseverity = \"medium\"\ndirection = \"in\"\n\
         keywords = [\"{word}\"]\nmatches = [\"a {word}\"]\npasses = [\"nothing of the kind\"]\n"
    )
}

fn write(stage: &Stage, name: &str, text: &str) -> PathBuf {
    let path = stage.folder().join(name);
    fs::write(&path, text).unwrap();
    path
}

async fn signed(stage: &Stage, name: &str, text: &str) -> PathBuf {
    let path = write(stage, name, text);
    let key = stage.folder().join("pack.key");
    let arguments = ["rules", "sign", path.to_str().unwrap(), "--key", key.to_str().unwrap()];
    let (code, output, error) = stage.command(&arguments).await;
    assert!(code == 0 && output.contains("is signed"), "{code}: {error}{output}");
    path
}

async fn refused(stage: &Stage, pack: &std::path::Path, why: &str) {
    let (code, output, error) = stage.command(&["rules", "update", pack.to_str().unwrap()]).await;
    assert!(code == 65 && error.contains(why) && output.is_empty(), "{code}: {error}{output}");
}
