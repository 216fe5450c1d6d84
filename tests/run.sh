#!/usr/bin/env bash
# The tests of the workspace, in stages; `tests/run.sh --help` lists them.
# Needs Rust with rustfmt and clippy, a C compiler for exported models, curl for downloads, for the tests of several
# ranks Open MPI and libclang, and for the firmware QEMU and a compiler for the boards (see firmware/build); installs what
# is missing, but for Rust, where apt or rustup is at hand and may be used.
set -euo pipefail
cd "$(dirname "$0")/.."

STAGES=(format lint laws host ranks release firmware)

usage() {
    cat <<'END'
usage: tests/run.sh [--all] [STAGE...]

Runs these stages, in this order; without a name all of them, but `ranks` and `release` only with --all:

  format    every file is as rustfmt has it
  lint      clippy, the documentation, and the dependencies where `cargo deny` is installed
  laws      the core's own tests, the examples, and the laws that the core is held to
  host      every package's own tests; the host program as a process
  ranks     training spread over several processes; needs Open MPI and libclang
  release   the packages as they would be published, each built from what was packed
  firmware  programs on boards under QEMU: the same bits as here, and no growth of what they take

If `firmware` is among them, its builds start first and run beside the other stages, at a lower priority.

Without --all, for the time while you work: a tenth of the laws' random draws and of the seeds of means, noise floors for checks of
one batch, power cuts at every seventh byte, examples with the features that the whole workspace has, one board of each instruction
set, figures of the usual board alone, no builds with `micromath` or for real hardware,
no `least`, no `windows`, no template, no flipped bits of `imported` and `stream`, no modelled cycles, no tests of the core without
`std`, no lints or documentation of the core with every feature, no lints of the laws without the host, no short run of the main job.
With --all, as continuous integration does, nothing is left out. What is left out, or has to be skipped for want of a tool, is named
at the end.

In the environment: LGL2O_DRAWS=all for all draws, LGL2O_BOARDS=few for few boards, LGL2O_BOARDS=all for every program on every board,
PROPTEST_RNG_SEED=N for other draws than those that every run makes.
END
}

# One build from start to end has nothing to gain from incremental compilation, which fills gigabytes.
export CARGO_INCREMENTAL=0
# Debug information is a fourth of what it takes to compile the host program. A panic names its line without it; a backtrace does not.
export CARGO_PROFILE_DEV_DEBUG=false

all=no
chosen=()
for argument in "$@"; do
    case $argument in
    --all) all=yes ;;
    -h | --help) usage && exit 0 ;;
    format | lint | laws | host | ranks | release | firmware) chosen+=("$argument") ;;
    *) echo "unknown: \`$argument\`; tests/run.sh --help lists the stages" >&2 && exit 2 ;;
    esac
done
whole=no
[ ${#chosen[@]} -gt 0 ] || { whole=yes && chosen=("${STAGES[@]}"); }
# Further builds of the host program, with MPI and from its package.
if [ $whole$all = yesno ]; then
    chosen=("${chosen[@]/ranks/}")
    chosen=("${chosen[@]/release/}")
fi
if [ $all = yes ]; then
    export LGL2O_DRAWS=all
else
    export LGL2O_BOARDS=${LGL2O_BOARDS:-few}
fi

# Removes what is left, whatever ends the script: a folder, the firmware's builds, and what shows their log.
out= building= shown=
clean_up() {
    [ -z "$out" ] || rm -rf "$out"
    [ -z "$building" ] || kill -- -$building 2>/dev/null || true
    [ -z "$shown" ] || kill $shown 2>/dev/null || true
}
trap clean_up EXIT

say() { printf '\n== %s\n' "$*"; }
skipped=
skip() { skipped+="; $*" && say "SKIPPED: $*"; }

# Installs packages by apt; fails where that is not possible.
apt_install() {
    command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ] || return 1
    say "installing $*"
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q -o DPkg::Lock::Timeout=600 --no-install-recommends "$@"
}

need_rust_with() {
    cargo "$1" --version >/dev/null 2>&1 && return
    echo "tests need it: rustup component add rustfmt clippy" >&2
    exit 1
}

need_c() {
    command -v cc >/dev/null 2>&1 || apt_install gcc libc6-dev && return
    echo "tests need a C compiler: install gcc or clang, then run this again" >&2
    exit 1
}

need_curl() {
    command -v curl >/dev/null 2>&1 || apt_install curl ca-certificates && return
    echo "tests need curl: install it, then run this again" >&2
    exit 1
}

# The test programs that need the host program, one a line: those for which Cargo needs the feature `host`, and those of which
# some tests do. All others are laws.
host_tests() {
    sed -n '/^\[\[test\]\]/{n;s/^name = "\(.*\)"/\1/p}' tests/Cargo.toml
    grep -rl '^#\[cfg(feature = "host")\]' tests/tests | sed 's|^tests/tests/||; s|/.*||; s|\.rs$||' | sort -u
}

# The test programs of the laws, one a line: all files and folders that `host_tests` does not name.
law_tests() {
    local path name others
    others=$(host_tests)
    for path in tests/tests/*.rs tests/tests/*/main.rs; do
        name=${path#tests/tests/} name=${name%/main.rs} name=${name%.rs}
        grep -qx "$name" <<<"$others" || echo "$name"
    done
}

# `cargo test` with features as the whole workspace has them, so that no stage compiles a second time what another has.
workspace_test() {
    local names=() name
    while read -r name; do names+=(--test "$name"); done <<<"$1"
    cargo test --workspace "${names[@]}" "${@:2}"
}

# Laws that run for longer than they take to optimize; they are compiled at opt-level 2, all others without optimization.
LONG_LAWS='anomaly|convergence|pump|ruin'

stage_format() {
    need_rust_with fmt
    cargo fmt --all --check
    cargo fmt --manifest-path firmware/Cargo.toml --check
    cargo fmt --manifest-path firmware/template/Cargo.toml --check
    # The build script names one of them; rustfmt does not see that.
    rustfmt --edition 2024 --check firmware/src/board/*.rs firmware/template/src/board/*.rs
}

stage_lint() {
    need_rust_with clippy && need_c
    cargo clippy --workspace --all-targets -- -D warnings
    if [ $all = yes ]; then
        cargo clippy -p lgl2o --all-targets --all-features -- -D warnings
        cargo clippy -p lgl2o-tests --no-default-features --all-targets -- -D warnings
    fi
    # The benchmark of instructions is for those who have its runner.
    if command -v gungraun-runner >/dev/null 2>&1; then
        cargo clippy -p lgl2o-host --features callgrind --bench instructions -- -D warnings
    fi
    if [ -d "$(rustc --print sysroot)/lib/rustlib/x86_64-pc-windows-gnu" ]; then
        say "the host program on Windows"
        cargo check --target x86_64-pc-windows-gnu -p lgl2o-host
    else
        skip "the host program on Windows: rustup target add x86_64-pc-windows-gnu"
    fi
    say "documentation"
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps
    # As somebody has it who is in `core/`; every feature, which needs those of development, with --all.
    RUSTDOCFLAGS="-D warnings" cargo doc -p lgl2o --no-deps
    [ $all = no ] || RUSTDOCFLAGS="-D warnings" cargo doc -p lgl2o --no-deps --all-features
    if cargo deny --version >/dev/null 2>&1; then
        say "licences, sources and versions of dependencies"
        cargo deny check licenses bans sources
        (cd firmware && cargo deny check licenses bans sources)
    fi
}

stage_laws() {
    need_c
    # Without the host program, which is not optimized: rustc would reuse its copies of the core's generic functions here.
    workspace_test "$(law_tests | grep -vxE "$LONG_LAWS")" --no-default-features
    workspace_test "$(law_tests | grep -xE "$LONG_LAWS")" --no-default-features --config profile.dev.package.lgl2o-tests.opt-level=2
    cargo test --workspace --doc
    # With `std`, which the host program has, they run in the stage `host`.
    if [ $all = yes ]; then
        # They run for a second; the full optimization that the core has elsewhere takes longer.
        local lightly=profile.dev.package.lgl2o.opt-level=1
        say "tests of the core with serde, twins, fault and nor-flash"
        cargo test -p lgl2o --features serde,twins,fault,nor-flash --lib --config $lightly
        say "tests of the core with micromath and small kernels"
        cargo test -p lgl2o --features micromath,small,twins --lib --config $lightly
    fi
}

stage_host() {
    need_c && need_curl
    # With the parts' benchmark, each part once.
    workspace_test "$(host_tests)" --lib --bins --bench parts
    if [ $all = yes ]; then
        # What trains is not optimized here: that would take a minute of the processor more, and changes no bit.
        say "the main job, short, by the profile of releases"
        out=$(mktemp -d)
        cargo run --release --quiet --config profile.release.package.lgl2o-training.opt-level=0 -- compare --quick --out "$out"
    fi
}

have_mpi() {
    command -v mpicc >/dev/null 2>&1 && mpirun --version 2>/dev/null | grep "Open MPI" >/dev/null || return 1
    [ -n "${LIBCLANG_PATH:-}" ] || compgen -G "/usr/lib/llvm*/lib/libclang*.so*" >/dev/null ||
        ldconfig -p 2>/dev/null | grep libclang >/dev/null
}

stage_ranks() {
    need_c
    if ! have_mpi && ! apt_install openmpi-bin libopenmpi-dev libclang-dev; then
        skip "several ranks: they need Open MPI (mpicc, mpirun) and libclang"
        return
    fi
    [ $all = no ] || cargo clippy -p lgl2o-training -p lgl2o-host --features mpi --all-targets -- -D warnings
    workspace_test ranks -- --ignored
}

# The core's interface against the newest version that has a tag.
semver() {
    local tag
    if ! cargo semver-checks --version >/dev/null 2>&1; then
        skip "the core's interface against the version before: cargo install cargo-semver-checks --locked"
    elif ! tag=$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null); then
        skip "the core's interface: there is no tag v* of a version before"
    else
        say "the core's interface against $tag"
        cargo semver-checks -p lgl2o --baseline-rev "$tag"
    fi
}

stage_release() {
    need_c
    say "packages"
    # What is not committed yet is packed, too. Each package is built from what was packed; dependencies are those of the other stages,
    # which have no debug information either.
    # Cargo takes a package of the same version and the same folder for the same package, unpacked and built before: it would build the
    # host program with an older core. So the folder has a new name at each run.
    local link
    link=$PWD/target/packed-$(date +%s)-$$
    mkdir -p target && rm -f target/packed-*
    ln -s . "$link"
    CARGO_TARGET_DIR=$link cargo package --allow-dirty --config profile.dev.debug=false -p lgl2o-vfp -p lgl2o -p lgl2o-device -p lgl2o-vectors -p lgl2o-training -p lgl2o-host
    rm -rf "$link" "${CARGO_HOME:-$HOME/.cargo}"/registry/src/-*/lgl2o-*
    semver
    local oldest version folder
    oldest=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' core/Cargo.toml)
    version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
    folder=$PWD/target/package/lgl2o-$version
    if ! rustup run "$oldest" cargo --version >/dev/null 2>&1; then
        skip "the oldest Rust: rustup toolchain install $oldest --profile minimal"
        return
    fi
    say "the packed core with Rust $oldest"
    # Not `--locked`: the lock file names `lgl2o-vfp` of a registry, and here it is the one beside. Without a feature, too: `small` takes some
    # code away.
    local features
    for features in '' --all-features; do
        (cd "$folder" && cargo "+$oldest" check $features --examples --target-dir ../msrv \
            --config "patch.crates-io.lgl2o-vfp.path='../lgl2o-vfp-$version'")
    done
}

# Builds the programs that the tests run, two at a time, where one test after the other would build one at a time.
prebuild() {
    local board=$1 program bins=()
    shift
    for program in "$@"; do bins+=(--bin "$program"); done
    CARGO_TARGET_DIR=$PWD/firmware/target firmware/build "$board" "${bins[@]}"
}

prebuild_all() {
    local board usual
    if [ $all = yes ]; then
        for board in $(firmware/boards); do prebuild "$board" $(firmware/boards "$board" tried); done
        return
    fi
    usual=$(firmware/boards | head -n 1)
    prebuild "$usual" $(firmware/boards "$usual" tried | tr ' ' '\n' | grep -vx least)
    for board in $(firmware/boards --each isa | grep -xF "$(firmware/boards --with emulator)" | grep -vxF "$usual"); do
        prebuild "$board" spirals
    done
}

# Compiler, emulators, programs and lints of the firmware. Runs in a process of its own, and leaves files in $programs for the stage:
# `compiler` names the compiler to take, `skipped` what has to be skipped, `missing` why nothing can be tested.
firmware_programs() {
    # The compiler of the figures in firmware/counts.json, where it can be had; else any. A build shows whether it works.
    say "firmware: compiler and emulator"
    local board usual status
    usual=$(firmware/boards | head -n 1)
    if LGL2O_COMPILER=debian firmware/build "$usual" --bin empty; then
        export LGL2O_COMPILER=debian
        echo debian >"$programs/compiler"
    elif ! firmware/build "$usual" --bin empty; then
        echo "the firmware: it needs a compiler for the boards (firmware/build)" >"$programs/missing"
        return
    fi
    # A build installs the board's emulator where it can.
    for board in $(firmware/boards --each emulator); do
        firmware/build "$board" --bin empty
        if ! command -v "$(firmware/boards "$board" emulator)" >/dev/null 2>&1; then
            echo "the firmware: it needs $(firmware/boards "$board" emulator)" >"$programs/missing"
            return
        fi
    done
    say "firmware: programs"
    prebuild_all
    # After the programs, whose HALs and core library they take. With --all a board for each file of the firmware's boards.
    for board in $([ $all = no ] && echo "$usual" || firmware/boards --each code); do
        say "firmware: lints, $board"
        status=0
        firmware/build "$board" clippy -- -D warnings || status=$?
        [ $status != 3 ] || { echo "lints of the firmware: they need rust-web-clippy (apt)" >"$programs/skipped" && break; }
        [ $status = 0 ] || exit $status
    done
}

# Most of these builds use one core. Beside the stages before, they take the time that those leave idle.
begin_firmware() {
    programs=$PWD/target/firmware-programs
    rm -rf "$programs" && mkdir -p "$programs"
    # With job control it is a group of processes, which `clean_up` ends together.
    set -m
    firmware_programs >"$programs/log" 2>&1 </dev/null &
    building=$!
    set +m
    renice -n 5 -g $building >/dev/null 2>&1 || true
}

stage_firmware() {
    need_rust_with clippy && need_c
    [ -n "$building" ] || begin_firmware
    local status=0
    tail -n +1 -f "$programs/log" &
    shown=$!
    wait $building || status=$?
    building=
    # `tail` looks once a second.
    sleep 2 && kill $shown
    shown=
    [ $status = 0 ] || exit $status
    [ ! -s "$programs/missing" ] || { skip "$(cat "$programs/missing")" && return; }
    [ ! -s "$programs/skipped" ] || skip "$(cat "$programs/skipped")"
    if [ -s "$programs/compiler" ]; then
        LGL2O_COMPILER=$(cat "$programs/compiler")
        export LGL2O_COMPILER
    fi
    say "firmware on boards"
    local words=target/figures-skipped
    rm -f $words
    # One at a time builds; so two are left that run boards.
    LGL2O_SKIPPED=$PWD/$words workspace_test device -- --ignored --test-threads 3
    [ ! -s $words ] || skip "figures: $(sort -u $words | tr '\n' ';')"
    browser
}

# The browser as one more board. Chromium is installed where it can be, as QEMU is.
browser() {
    say "firmware in the browser"
    local words=target/browser-skipped
    rm -f $words
    command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || apt_install chromium || true
    LGL2O_SKIPPED=$PWD/$words workspace_test playground -- --ignored --test-threads 1
    LGL2O_SKIPPED=$PWD/$words workspace_test pages -- --ignored --test-threads 1
    [ ! -s $words ] || skip "$(sort -u $words | tr '\n' ';')"
}

# Sets `used` to the seconds of the processor that everything started from here has taken; a subshell would know of itself alone.
processor() {
    mkdir -p target
    times >target/times
    used=$(awk -F'[ms ]+' 'NR == 2 { print int($1 * 60 + $2 + $3 * 60 + $4) }' target/times)
}

[[ " ${chosen[*]} " != *" firmware "* ]] || begin_firmware
took="stage        seconds  of the processor"
for stage in "${STAGES[@]}"; do
    [[ " ${chosen[*]} " == *" $stage "* ]] || continue
    say "stage: $stage"
    began=$SECONDS
    processor && before=$used
    "stage_$stage"
    processor
    took+=$(printf '\n%-8s %11d %17d' "$stage" $((SECONDS - began)) $((used - before)))
done
say "what the stages took"
printf '%s\n' "$took"
[ $all = yes ] || say "left out without --all: most draws and boards, and more; tests/run.sh --help lists it"
if [ -z "$skipped" ]; then
    say "all passed: ${chosen[*]}"
else
    say "all passed: ${chosen[*]}; but SKIPPED${skipped/;/:}"
fi
