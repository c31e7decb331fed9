# Each recipe is one line of plain cargo: copy it where there is no just.

# Lists the recipes.
default:
    @just --list

# Starts the broker, for example `just run --dir logs`.
run *options:
    cargo run -p broker -- {{options}}

# Starts the viewer, for example `just viewer --stats`.
viewer *options:
    cargo run -p viewer -- {{options}}

# All tests, the end-to-end tests among them.
test:
    cargo test --workspace

# The end-to-end tests alone, or some of them: `just e2e replay`. They need python3.
e2e *names:
    cargo test --test e2e -- {{names}}

# Kills the broker at a hundred random instants under load, and while it starts.
crash rounds="100":
    CRASH_ROUNDS={{rounds}} cargo test --test e2e -- crash:: --nocapture

# Copies the journal while broker and backup are killed, and restores and verifies each copy.
backup-crash rounds="40":
    BACKUP_ROUNDS={{rounds}} cargo test --test e2e -- backup::a_copy_made --nocapture

# The end-to-end tests, or some of them, on a disk that takes this long for each fsync.
slow-disk milliseconds="100" *names:
    tests/util/slow_disk.sh {{milliseconds}} {{names}}

# Kills bridges, brokers and servers of NATS under load: this many times, and half as
# often servers of a cluster, which the other times are cut off.
bridge-crash rounds="70":
    BRIDGE_ROUNDS={{rounds}} cargo test --test e2e -- bridge:: --nocapture

# Speed of the bridge, beside a program that only publishes to NATS; and its latency.
bench-bridge records="200000":
    cargo build --release -p broker -p bridge -p bridge-core --example ship_rate --bins && tests/util/bench_bridge.sh {{records}}

# Tries the broker with other implementations of ZeroMQ, as far as they can be had.
interop:
    cargo build -p broker && python3 tests/interop/run.py target/debug/broker target/interop docs/interop.md

# Faults made by the kernel itself. Needs Linux, strace and root.
faults:
    cargo test --test faults --features strace

# Simulates brokers for this many seconds; a seed that fails is told step by step by `SIMULATE_SEED=...`.
simulate seconds="60" from="0":
    SIMULATE_SECONDS={{seconds}} SIMULATE_FROM={{from}} cargo test --release -p transport --lib simulation::promises -- --nocapture

# Tries who sleeps and who wakes whom under four times as many schedules for each scenario.
schedules iterations="100000":
    SCHEDULES={{iterations}} cargo test --release -p schedules -- --nocapture

# Breaks the ways in which threads wake each other in a scratch copy, one by one: is each noticed?
schedules-without iterations="1000" *names:
    tests/util/take_out_wakes.py {{iterations}} {{names}}

# Lets a year pass: each day has messages, a crash, a rotation, compression, retention and a backup.
year days="365":
    YEAR_DAYS={{days}} cargo test --test e2e -- year:: --nocapture

# Checks alerts and dashboard with promtool, and lets a real Prometheus scrape a broker. Needs Debian's package prometheus.
prometheus:
    cargo build -p broker && python3 packaging/prometheus/check.py target/debug/broker

# Takes safeguards out of a scratch copy, one by one: does the simulation notice each within this many seconds?
simulate-without seconds="60" *names:
    tests/util/take_out.py {{seconds}} {{names}}

# Opens the page made of a hostile journal in a browser without a screen: nothing of it may run.
page browser='chromium':
    cargo build -p viewer && tests/util/page.sh {{browser}} target/debug/viewer

# Opens the page of `viewer serve` in a browser without a screen, or some of its checks; pictures are in target/browser.
browser *names:
    cargo build -p viewer && tests/browser/run.sh {{names}}

# Makes the pictures of docs/page.md anew.
browser-pictures:
    cargo build -p viewer && tests/browser/run.sh --pictures

# Measures the page with a million messages, and what `-o html` writes beside other programs' pages.
browser-figures:
    cargo build --release -p viewer && tests/browser/run.sh --figures

# Builds the programs for Windows, and runs them and the tests of their crates under wine.
windows *checks:
    tests/windows/run.sh {{checks}}

# Measures beside `zmq_proxy` and the disk, for example `just bench throughput --rounds 5`.
bench *case:
    cargo run --release -p bench -- {{case}}

# The same beside Redis, NATS and a broker in Python, as far as they are installed.
bench-peers *options:
    cargo run --release -p bench -- peers {{options}}

# Speed of single functions: encode, decode, append, commit, scan.
bench-micro:
    cargo bench -p message -p journal --bench lines --bench records

# Instructions a message takes. Needs valgrind.
bench-instructions *options:
    cargo run --release -p bench -- instructions {{options}}

# Puts the newest results into docs/performance.md and its pictures.
bench-docs:
    cargo run --release -p bench -- report --into docs/performance.md
    cargo run --release -p bench -- plot --to docs

# Formats everything.
fmt:
    cargo fmt --all

# All lints, as strict as CI.
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# The documentation of all crates.
doc:
    cargo doc --workspace --no-deps --document-private-items

# Fuzzes each target for this many seconds. Needs a nightly compiler and cargo-fuzz.
fuzz seconds='60':
    for target in session frames line rendering filters wire curve; do mkdir -p fuzz/corpus/$target && cargo +nightly fuzz run $target fuzz/corpus/$target fuzz/seeds/$target -- -max_total_time={{seconds}} || exit 1; done

# Writes the seeds anew, after a change of what a line looks like.
fuzz-seeds:
    WRITE_SEEDS=1 cargo test -p fuzz-targets seeds

# Compares the viewer with cat, ripgrep, jq, DuckDB and hl, as far as they are
# installed, on a journal of this many MiB that is made in target/bench on first use.
bench-query mib="1024" rounds="5":
    cargo build --release -p viewer
    test -d target/bench/{{mib}} || cargo run --release -p query --example generate -- target/bench/{{mib}} {{mib}} 64 1
    target/release/viewer --dir target/bench/{{mib}} index
    cargo run --release -p query --example bench_query -- target/release/viewer target/bench/{{mib}} {{rounds}}

# What pip installs, in target/package: the client for Python and both programs.
wheel:
    packaging/make.sh wheel

# Every package that this machine can make, in target/package.
package:
    packaging/make.sh

# Makes examples/python/recorder_client.py of the package's modules.
single-file:
    python3 python/single_file.py > examples/python/recorder_client.py

# What CI runs.
ci:
    .ci/run
