# What the scripts here share. Sourced, never run. Needs bash; leaves the shell in the root of the
# checkout, with cargo on the path.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
cd "$root"
target="${CARGO_TARGET_DIR:-$root/target}"
export CARGO_TARGET_DIR="$target"
# Services and containers often start without a home; cargo and git want one.
if [ -z "${HOME:-}" ]; then
    HOME="$(getent passwd "$(id -u)" | cut -d: -f6)"
    export HOME
fi
script="$(basename "$0")"
# Where scripts/fetch-model puts the embedded model.
weights="${GUILDHALL_DATA_DIR:-$root/data}/models/SmolLM2-135M-Instruct.Q4_1.gguf"
embeddings="${GUILDHALL_DATA_DIR:-$root/data}/models/all-MiniLM-L6-v2"
whisper="${GUILDHALL_DATA_DIR:-$root/data}/models/whisper-tiny.en"

# What tests build, always in the same words: other packages or features would have other features of their dependencies,
# and all of those built once more. The programs that train and measure the guard are built by a feature.
features=(--features screening/figures,guildhall/faults)
everything=(--locked --workspace --profile quick "${features[@]}")

# Says something to whoever watches.
say() { printf '%s: %s\n' "$script" "$*" >&2; }

# Ends the script with a reason. The code is EX_UNAVAILABLE of sysexits.
die() {
    say "$*"
    exit 69
}

# Cargo with the toolchain that rust-toolchain.toml names, or a reason why not.
need_cargo() {
    if ! command -v cargo >/dev/null && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
        PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    fi
    command -v cargo >/dev/null || die "cargo is needed; install Rust from https://rustup.rs"
    if command -v rustup >/dev/null && ! rustc --version >/dev/null 2>&1; then
        say "installing the toolchain that rust-toolchain.toml names"
        rustup toolchain install >&2 || die "rustup could not install the toolchain"
    fi
}

# Makes sure that a command is there: need COMMAND PACKAGE. Installs Debian's package if it is not.
need() {
    local command="$1" package="$2" as_root=()
    command -v "$command" >/dev/null && return
    command -v apt-get >/dev/null || die "'$command' is needed; install it and try again"
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "'$command' is needed; as root: apt-get install $package"
        as_root=(sudo --non-interactive)
    fi
    say "installing $package"
    "${as_root[@]}" apt-get update --quiet=2 </dev/null >&2 || say "apt-get update failed; trying all the same"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --quiet=2 --no-install-recommends "$package" </dev/null >&2 ||
        die "$package could not be installed; as root: apt-get install $package"
}

# What fetch-model needs: Python with pip.
need_pip() {
    need python3 python3
    python3 -m pip --version >/dev/null 2>&1 || need pip3 python3-pip
}

# How many threads the embedded model may use: one. More wait for each other by spinning, and on a
# busy machine that makes it crawl.
model_threads() { echo 1; }

# Where tools that are written in Rust are, and a tool from its sources: cargo_tool NAME VERSION. cargo knows whether that
# version is there.
tools="$target/tools"
cargo_tool() {
    say "$1 $2 in $tools"
    # Unoptimised and without what debuggers need: it is built more slowly than it runs.
    CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR="$tools/build" cargo install --locked --quiet --debug \
        --root "$tools" --version "$2" "$1"
    rm -rf "$tools/build"
}
