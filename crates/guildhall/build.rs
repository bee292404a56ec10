//! Linker options that make the program take less memory.

use std::{env, path::Path, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CARGO_ENCODED_RUSTFLAGS");
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    if !links_with_lld() {
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

/// Whether the compiler uses the lld that it brings: on this target it does, if it brings one and is told of no other.
fn links_with_lld() -> bool {
    let target = env::var("TARGET").unwrap_or_default();
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    if target != "x86_64-unknown-linux-gnu"
        || flags.contains("link")
        || env::var_os("RUSTC_LINKER").is_some()
    {
        return false;
    }
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let root = said(Command::new(rustc).args(["--print", "sysroot"]));
    Path::new(root.trim()).join("lib/rustlib").join(target).join("bin/gcc-ld/ld.lld").exists()
}

/// Whether the system's C library reads packed lists: glibc does since 2.36.
fn has_packed_relocations() -> bool {
    let version = said(Command::new("getconf").arg("GNU_LIBC_VERSION"));
    let minor = version.trim().strip_prefix("glibc 2.").and_then(|it| it.parse::<u32>().ok());
    minor.is_some_and(|it| 36 <= it)
}

/// What a command prints; nothing if it cannot be run: then the linker is left as it is.
fn said(command: &mut Command) -> String {
    let output = command.output().map(|it| it.stdout).unwrap_or_default();
    String::from_utf8(output).unwrap_or_default()
}
