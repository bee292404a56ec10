//! How releases are compiled: what `.cargo/rustc` makes of what cargo says.

use std::process::Command;

use xtask::root;

/// What the compiler would be told. In its place stands `echo`, which is of no version.
fn told(arguments: &[&str]) -> String {
    let output = Command::new(root().join(".cargo/rustc"))
        .arg("echo")
        .args(arguments)
        .envs([("CARGO_PKG_NAME", "flow"), ("CARGO_PKG_VERSION", "0.1.0")])
        .output()
        .expect("the wrapper runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn symbols_of_a_release_depend_on_name_and_version_alone() {
    let release = ["--cfg", "a b", "-C", "lto=thin", "-C", "metadata=12ab", "x.rs"];
    assert_eq!(told(&release), "--cfg a b -C lto=thin -C metadata=flow-0.1.0 x.rs\n");
    // The profile is made of the same symbols.
    let counts = ["-C", "linker-plugin-lto", "-Cprofile-generate=c", "-C", "metadata=12ab"];
    let theirs = "-C linker-plugin-lto -Cprofile-generate=c -C metadata=flow-0.1.0\n";
    assert_eq!(told(&counts), theirs);
}

#[test]
fn what_is_no_release_is_built_as_cargo_says() {
    let debug = ["-C", "debuginfo=2", "-C", "metadata=12ab"];
    assert_eq!(told(&debug), "-C debuginfo=2 -C metadata=12ab\n");
}

#[test]
fn cargo_sees_the_profile_as_part_of_the_compiler() {
    let path = root().join(".cargo/release.profdata");
    let output = Command::new("sha256sum").arg(path).output().expect("sha256sum runs");
    let line = String::from_utf8(output.stdout).expect("text");
    let sum = line.split(' ').next().unwrap_or_default();
    assert_eq!(sum.len(), 64);
    // Else a new profile would leave what was built with the old one: let scripts/profile write it.
    assert_eq!(told(&["-vV"]), format!("-vV\nprofile: {sum}\n"));
}
