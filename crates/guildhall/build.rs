//! Linker options that make the program take less memory.

use std::{env, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CARGO_ENCODED_RUSTFLAGS");
    let is_ours = env::var("TARGET").is_ok_and(|it| it == "x86_64-unknown-linux-gnu");
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    // There the compiler brings a linker of its own, lld, unless it is told of another.
    if !is_ours || flags.contains("link") {
        return;
    }
    // Functions that came out the same are one.
    println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
    if has_packed_relocations() {
        // A program that can be loaded anywhere has a list of addresses that are mended when it is. Packed, it takes
        // a twentieth of the room.
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Whether the system's C library reads packed lists: glibc does since 2.36.
fn has_packed_relocations() -> bool {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    // lost-ok: without the command, or with another library, the list stays as it is.
    let said = output.ok().and_then(|it| String::from_utf8(it.stdout).ok()).unwrap_or_default();
    let version = said.trim().strip_prefix("glibc 2.").and_then(|it| it.parse::<u32>().ok());
    version.is_some_and(|it| 36 <= it)
}
