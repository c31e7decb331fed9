#!/usr/bin/env bash
# Builds the programs for Windows on Linux, and runs them and the tests of their crates
# under wine:
#
#     rustup target add x86_64-pc-windows-gnu
#     apt-get install gcc-mingw-w64-x86-64 wine64 python3-venv
#
# Wine's prefix, and Python's environment, are below target/. With words behind it, only
# the checks of these names are run.
set -euo pipefail
cd "$(dirname "$0")/../.."
windows=x86_64-pc-windows-gnu
target=${CARGO_TARGET_DIR:-target}
# Those of the others need libzmq, or the processes and signals of Linux.
tested=(message journal protocol zmtp query render broker viewer)

for tool in rustup x86_64-w64-mingw32-gcc wine python3; do
    if ! command -v $tool > /dev/null; then
        echo "$tool is missing; what is needed stands at the top of tests/windows/run.sh" >&2
        exit 1
    fi
done
rustup target add $windows

export WINEPREFIX=$PWD/target/wine WINEDEBUG=-all
if [ ! -e "$WINEPREFIX/ready" ]; then
    wineboot -i
    case $(wine --version) in
    wine-[1-8].*)
        x86_64-w64-mingw32-gcc -shared -O2 tests/windows/random.c -ladvapi32 \
            -o "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll"
        ;;
    esac
    touch "$WINEPREFIX/ready"
fi
python=target/windows-venv
if [ ! -e $python/ready ]; then
    python3 -m venv $python
    $python/bin/pip install -q pyzmq
    touch $python/ready
fi

cargo build --target $windows --locked -p broker -p viewer
programs=$target/$windows/debug
$python/bin/python tests/windows/check.py "$programs/broker.exe" "$programs/viewer.exe" target/windows "$@"
if [ $# -gt 0 ]; then
    exit 0
fi
# Wine 8 does not rename onto a file that is open, as Windows 10 does, and takes the time
# of a file's last change for that of its creation.
skipped=(
    follow::tests::a_session_whose_numbers_begin_again
    tailing::tests::a_file_replaced_by_rename
    index::tests::current::a_closed_session_takes_over
    index::tests::current::an_index_is_extended
    index::tests::current::what_the_index_of_the_current
)
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=wine
cargo test --target $windows --locked --lib --bins "${tested[@]/#/-p=}" -- "${skipped[@]/#/--skip=}"
cargo clippy --target $windows --locked -p broker -p viewer -p bridge -p client -- -D warnings
