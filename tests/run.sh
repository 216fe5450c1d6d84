#!/usr/bin/env bash
# All tests of the workspace: format, lints, documentation, every package's tests, every feature of the core, the firmware
# on every board under QEMU (with LGL2O_BOARDS=all in the environment, every program on every board).
# Needs Rust with rustfmt and clippy, a C compiler for the TLS library of `lgl2o data fetch`, for the tests of several
# ranks Open MPI and libclang, and for the firmware QEMU and a compiler for the boards (see firmware/build); installs what
# is missing, but for Rust, where apt or rustup is at hand and may be used.
set -euo pipefail
cd "$(dirname "$0")/.."

# One build from start to end has nothing to gain from incremental compilation, which fills gigabytes.
export CARGO_INCREMENTAL=0

say() { printf '\n== %s\n' "$*"; }

# Installs packages by apt; fails where that is not possible.
apt_install() {
    say "installing $*"
    command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ] || return 1
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

if ! command -v cc >/dev/null 2>&1 && ! apt_install gcc libc6-dev; then
    echo "tests need a C compiler: install gcc or clang, then run this again" >&2
    exit 1
fi

have_mpi() {
    command -v mpicc >/dev/null 2>&1 && mpirun --version 2>/dev/null | grep "Open MPI" >/dev/null || return 1
    [ -n "${LIBCLANG_PATH:-}" ] || compgen -G "/usr/lib/llvm*/lib/libclang*.so*" >/dev/null ||
        ldconfig -p 2>/dev/null | grep libclang >/dev/null
}
mpi=yes
have_mpi || apt_install openmpi-bin libopenmpi-dev libclang-dev || mpi=no
for tool in fmt clippy; do
    cargo "$tool" --version >/dev/null 2>&1 || { echo "tests need it: rustup component add rustfmt clippy" >&2; exit 1; }
done

say "format"
cargo fmt --all --check

say "lints"
cargo clippy --workspace --all-targets -- -D warnings
cargo clippy -p lgl2o --all-targets --all-features -- -D warnings
cargo clippy -p lgl2o-tests --no-default-features --all-targets -- -D warnings
# The benchmark of instructions is for those who have its runner.
if command -v gungraun-runner >/dev/null 2>&1; then
    cargo clippy -p lgl2o-host --features callgrind --bench instructions -- -D warnings
fi

if cargo deny --version >/dev/null 2>&1; then
    say "licences, sources and versions of dependencies"
    cargo deny check licenses bans sources
    (cd firmware && cargo deny check licenses bans sources)
fi

say "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

say "tests"
cargo test --workspace

say "the benchmark of the parts, each of them once"
cargo test --workspace --bench parts

say "tests of the core with micromath, and with every feature"
cargo test -p lgl2o --features micromath --lib
cargo test -p lgl2o --features serde,twins,fault,nor-flash --lib

if [ $mpi = yes ]; then
    say "several ranks"
    cargo clippy -p lgl2o-host --features mpi --all-targets -- -D warnings
    cargo test -p lgl2o-tests --test ranks -- --ignored
fi

# Installs QEMU and a compiler for the boards where it can; a build for either kind of processor shows whether they work.
firmware=yes lints=yes
say "firmware: compiler and emulator"
for board in mps2-an386 riscv-virt; do
    firmware/build $board --bin empty || firmware=no
done
command -v qemu-system-arm >/dev/null 2>&1 && command -v qemu-system-riscv32 >/dev/null 2>&1 || firmware=no
if [ $firmware = yes ]; then
    say "firmware: format"
    cargo fmt --manifest-path firmware/Cargo.toml --check
    # A board for each driver of the firmware.
    for board in mps2-an386 microbit lm3s6965evb netduinoplus2 riscv-virt nrf52840-dk; do
        say "firmware: lints, $board"
        status=0
        firmware/build $board clippy -- -D warnings || status=$?
        [ $status != 3 ] || lints=no status=0
        [ $status = 0 ] || exit $status
    done
    say "firmware on every board"
    cargo test -p lgl2o-tests --test device -- --ignored --test-threads 1
fi

say "the main job, short"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cargo run --release --quiet -- compare --quick --out "$out"

skipped=
[ $mpi = yes ] || skipped+="; several ranks: they need Open MPI (mpicc, mpirun) and libclang"
[ $lints = yes ] || skipped+="; lints of the firmware: they need rust-web-clippy (apt)"
[ $firmware = yes ] || skipped+="; the firmware: it needs QEMU for Arm and RISC-V, and a compiler for the boards (firmware/build)"
if [ -z "$skipped" ]; then
    say "all passed"
else
    say "all passed, but SKIPPED${skipped/;/:}"
fi
