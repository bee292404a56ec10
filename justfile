# The doors of this repository. The logic is in scripts/ and xtask/; this only names it.
# `cargo install just`, or read the line and type it.

# What scripts/test builds.
features := "--features screening/figures,guildhall/faults"
everything := "--workspace --profile quick " + features

# What there is.
default:
    @just --list --unsorted

# Quick look while writing.
check:
    cargo clippy --workspace {{features}} --all-targets -- -D warnings

# Unit tests of all crates, without the end-to-end tests.
unit:
    cargo test {{everything}} --exclude end-to-end

# Everything, as continuous integration runs it.
test *args:
    scripts/test {{args}}

# End-to-end tests of the real program, or those whose name holds WHAT.
e2e what="":
    cargo build {{everything}} --bin guildhall --test e2e
    GUILDHALL_BIN="{{justfile_directory()}}/target/quick/guildhall" cargo test {{everything}} --test e2e -- {{what}}

# The rules of this repository about itself: architecture, invariants, documents.
tidy:
    cargo test -p xtask

# The hall in front of a rehearsal of Telegram: no token, no account.
demo *args:
    scripts/demo {{args}}

# What the hall costs, beside the least that a bot can do.
bench *args:
    scripts/bench {{args}}

# The profile that releases are built with, anew.
profile:
    scripts/profile

# The guard beside guards in Python, on the same texts.
bench-guard *args:
    scripts/bench guard {{args}}

# A figure of the guard: attacks, linear, obfuscations, personal, secrets or speed. Some need --data DIR.
guard-figures topic *args:
    cargo run --release -p screening --features figures --bin guard-figures -- {{topic}} {{args}}

# Random texts for the guard, half an hour unless said.
fuzz seconds="1800":
    scripts/fuzz {{seconds}}

# One session under 2,000 seeds of crashes and lost answers.
sim:
    cargo test -p flow session_3 -- --nocapture

# The documentation of our crates, in target/doc.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Licences, bans and sources of what we depend on.
deny:
    cargo deny check

# Write config/guildhall.toml anew from its declarations, for review.
bless:
    BLESS=1 cargo test -p guildhall the_file_that_we_ship

# Format everything.
fmt:
    cargo fmt --all
