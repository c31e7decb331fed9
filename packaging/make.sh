#!/usr/bin/env bash
# Makes what this machine can make of the packages, in target/package: a wheel, an
# archive with the programs, and on Debian a .deb. Says what it leaves out, and why.
set -euo pipefail
cd "$(dirname "$0")/.."
out=target/package
target="${CARGO_TARGET_DIR:-target}/dist"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
triple=$(rustc -vV | sed -n 's/^host: //p')
suffix=
case $triple in *windows*) suffix=.exe ;; esac

programs() {
    cargo build --profile dist -p zmq-recorder -p bridge --features zmq-recorder/programs
    broker=$target/zmq-broker$suffix
    viewer=$target/zmq-viewer$suffix
    bridge=$target/bridge$suffix
    mkdir -p "$out/man" "$out/completions"
    "$broker" man --out "$out/man"
    "$viewer" man > "$out/man/zmq-viewer.1"
    cp packaging/man/zmq-bridge.1 "$out/man"
    for program in broker viewer; do
        for shell in bash zsh fish; do
            "$target/zmq-$program$suffix" completions $shell > "$out/completions/zmq-$program.$shell"
        done
    done
}

# Programs, manual, completions, licences, and what starts it as a service.
archive() {
    local name=zmq-recorder-$version-$triple
    local folder=$out/$name
    rm -rf "$folder"
    mkdir -p "$folder"
    cp "$broker" "$viewer" "$folder"
    cp "$bridge" "$folder/zmq-bridge$suffix"
    cp README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE "$folder"
    cp -r docs examples/python packaging/prometheus "$folder"
    case $triple in
    *windows*)
        python -m zipfile -c "$out/$name.zip" "$folder"
        ;;
    *)
        cp -r "$out/man" "$out/completions" "$folder"
        case $triple in
        *apple*) cp packaging/launchd/*.plist "$folder" ;;
        *linux*) cp packaging/systemd/user/zmq-broker.service "$folder" ;;
        esac
        tar -C "$out" -czf "$out/$name.tar.gz" "$name"
        ;;
    esac
    rm -rf "$folder"
}

deb() {
    if ! command -v dpkg > /dev/null; then
        echo "no .deb: this is no Debian"
    elif ! cargo deb --version > /dev/null 2>&1; then
        echo "no .deb: cargo-deb is missing (cargo install cargo-deb)"
    else
        cargo deb --no-build --no-strip --profile dist -p zmq-recorder --output "$out/"
    fi
}

wheel() {
    local python
    # Of itself it says which systems the wheel is for; by pip it says only "this one".
    if command -v maturin > /dev/null; then
        maturin build --quiet -m python/Cargo.toml -o "$out"
        return
    fi
    python=$(command -v python3 || command -v python)
    if ! "$python" -m pip --version > /dev/null 2>&1; then
        echo "no wheel: python3 with pip is missing"
    else
        "$python" -m pip wheel --quiet --disable-pip-version-check --no-deps -w "$out" ./python
    fi
}

case "${1:-all}" in
all)
    programs
    archive
    deb
    wheel
    ;;
deb)
    programs
    deb
    ;;
wheel)
    mkdir -p "$out"
    wheel
    ;;
*)
    echo "usage: $0 [all|deb|wheel]" >&2
    exit 2
    ;;
esac
ls -l "$out"/*.* 2> /dev/null || true
