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

# Faults made by the kernel itself. Needs Linux, strace and root.
faults:
    cargo test --test faults --features strace

# Opens the page made of a hostile journal in a browser without a screen: nothing of it may run.
page browser='chromium':
    cargo build -p viewer && tests/util/page.sh {{browser}} target/debug/viewer

# Formats everything.
fmt:
    cargo fmt --all

# All lints, as strict as CI.
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# The documentation of all crates.
doc:
    cargo doc --workspace --no-deps --document-private-items

# Fuzzes each target for so many seconds. Needs a nightly compiler and cargo-fuzz.
fuzz seconds='60':
    for target in session frames line rendering filters; do mkdir -p fuzz/corpus/$target && cargo +nightly fuzz run $target fuzz/corpus/$target fuzz/seeds/$target -- -max_total_time={{seconds}} || exit 1; done

# Writes the seeds anew, after a change of what a line looks like.
fuzz-seeds:
    WRITE_SEEDS=1 cargo test -p fuzz-targets seeds

# What CI runs.
ci:
    .ci/run
