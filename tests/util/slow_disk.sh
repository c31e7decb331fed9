#!/bin/sh
# The end-to-end tests, or those with these names, on a disk that takes as many milliseconds
# for each fsync: slow_disk.sh MILLISECONDS [NAME ...]. Linux alone.
set -eu
cd "$(dirname "$0")/../.."
milliseconds=$1
shift
target=${CARGO_TARGET_DIR:-$PWD/target}
mkdir -p "$target"
"${CC:-cc}" -shared -fPIC -O1 -pthread -o "$target/slow_disk.so" tests/faults/shim.c
printf 'fdatasync delay %s 1 0\nfsync delay %s 1 0\n' "$milliseconds" "$milliseconds" > "$target/slow_disk.rules"
cargo test --test e2e --no-run
# What the tests start has it, too; those with faults of their own have these instead.
export LD_PRELOAD="$target/slow_disk.so" SHIM_DIR=conversation_logs SHIM_CONTROL="$target/slow_disk.rules"
exec cargo test --test e2e -- "$@"
