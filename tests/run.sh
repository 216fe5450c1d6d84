#!/usr/bin/env bash
# All tests of the workspace: format, lints, documentation, every package's tests, every feature of the core.
# Needs Rust with rustfmt and clippy, and a C compiler for the TLS library of `lgl2o data fetch`; installs that one where
# it is missing and apt is at hand.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*"; }

if ! command -v cc >/dev/null 2>&1; then
    say "installing a C compiler"
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        apt-get update -q && apt-get install -y -q --no-install-recommends gcc libc6-dev
    else
        echo "tests need a C compiler: install gcc or clang, then run this again" >&2
        exit 1
    fi
fi
for tool in fmt clippy; do
    cargo "$tool" --version >/dev/null 2>&1 || { echo "tests need it: rustup component add rustfmt clippy" >&2; exit 1; }
done

say "format"
cargo fmt --all --check

say "lints"
cargo clippy --workspace --all-targets -- -D warnings
cargo clippy -p lgl2o --all-targets --all-features -- -D warnings

say "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

say "tests"
cargo test --workspace

say "tests of the core with micromath, and with every feature"
cargo test -p lgl2o --features micromath --lib
cargo test -p lgl2o --features serde,twins --lib

say "the main job, short"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cargo run --release --quiet -- compare --quick --out "$out"

say "all passed"
