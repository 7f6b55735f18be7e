#!/usr/bin/env bash
# Makes a virtual environment with the packages of a lock and this checkout's `stopline` command in it.
# Usage: setup_venv.sh PYTHON FOLDER LOCK. Run it again at any time: what is there already is kept.
set -euo pipefail

python=$1 venv=$2 lock=$3
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() { printf 'setup: %s\n' "$@" >&2; exit 1; }

# Passes on what pip says, and tells a person at a terminal how far it is.
show() {
    local line seen=0 total
    total=$(grep -c '^[a-z0-9].*==' "$lock") || total=0
    while IFS= read -r line; do
        printf '%s\n' "$line"
        [ -t 2 ] || continue
        case $line in
            "Collecting "* | "Processing "* | "Requirement already satisfied"*)
                seen=$((seen + 1))
                printf '\r\033[Ksetup: %d of %d packages' "$seen" "$total" >&2 ;;
            "  Downloading "*) printf '\r\033[Ksetup: %d of %d packages, fetching %.60s' "$seen" "$total" "${line#  Downloading }" >&2 ;;
            "Installing collected"*) printf '\r\033[Ksetup: unpacking %d packages' "$total" >&2 ;;
        esac
    done
    if [ -t 2 ]; then printf '\r\033[K' >&2; fi
}

# What went wrong, by pip's own words, and what helps.
explain() {
    case $1 in
        *"No space left on device"* | *"Disk quota exceeded"* | *"File too large"*)
            die "no space left for the packages: make room (about 1 GB) where $venv lies and in the folder for temporary files (${TMPDIR:-/tmp})" "then run the same command again: it goes on" ;;
        *"DO NOT MATCH THE HASHES"*)
            die "a file (above) is not the one that $lock names, also when fetched anew: half downloaded, or another one. Nothing of it was installed" \
                "run the same command again; if that says the same, the package index (or the folder in PIP_FIND_LINKS) has a wrong file" ;;
        *IncompleteRead* | *"Connection broken"* | *"download failed because not enough bytes"* | *"Read timed out"*)
            die "the connection to the package index broke in the middle of a file" "run the same command again: what was fetched before is kept" ;;
        *"Failed to establish a new connection"* | *"Name or service not known"* | *"name resolution"* | *"Max retries exceeded"* | *ConnectTimeout* | *ProxyError* | *SSLError* | *"(from versions: none)"*)
            die "no package index in reach, or none that has the package above. Check the network, the proxy (HTTPS_PROXY) and pip's own settings ('pip config list')" \
                "without a network: fetch the packages elsewhere ('pip download -d FOLDER -r $lock'), bring the folder here, and" \
                "run the same command again with PIP_NO_INDEX=1 PIP_FIND_LINKS=FOLDER before it" ;;
        *"No matching distribution"*)
            die "the package index has no release (above) that fits this machine and $("$python" --version 2>&1); README.md says what is supported" ;;
        *"Permission denied"*)
            die "$venv cannot be written by $(id -un), perhaps since root made it: remove it, or become its owner" ;;
        *) die "pip failed (above). When its cause is gone, run the same command again: it goes on" ;;
    esac
}

try() { said=$("$venv/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off "$@" 2>&1 | show); }

install() {
    local said
    try "$@" && return
    case $said in # half a file may lie in pip's cache, too
        *"DO NOT MATCH THE HASHES"*) try --no-cache-dir "$@" && return ;;
    esac
    grep -E -A4 '^ *(ERROR|error|OSError)' <<<"$said" >&2 || printf '%s\n' "$said" | tail -n 20 >&2
    explain "$said"
}

command -v "$python" >/dev/null \
    || die "there is no '$python' here. Install Python 3.11 or newer, or name one: make setup PYTHON=python3.12"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
    || die "'$python' is $("$python" --version 2>&1); Stopline needs 3.11 or newer. Name one: make setup PYTHON=python3.12"

# No venv, or what an interrupted setup or a removed Python leaves of one: no pip, no Python, no prefix of its own.
if ! "$venv/bin/python" -c 'import sys, pip; sys.exit(sys.prefix == sys.base_prefix)' 2>/dev/null; then
    if ! output=$("$python" -m venv --clear "$venv" 2>&1); then
        printf '%s\n' "$output" >&2
        case $output in *"No space left"* | *"Permission denied"*) explain "$output" ;; esac
        die "'$python -m venv' failed (above). On Debian and Ubuntu it is a package of its own: apt-get install python3-venv"
    fi
fi

echo "setup: putting the packages of $lock into $venv; the first time that takes some minutes" >&2
# What builds packages that are published as source only, from the same lock: then pip fetches nothing unhashed to build them.
builders=$(mktemp)
trap 'rm -f "$builders"' EXIT
awk '/^[a-z0-9]/ { wanted = /^(packaging|setuptools|setuptools-scm|vcs-versioning)==/ } wanted' "$lock" >"$builders"
if [ -s "$builders" ]; then install --require-hashes -r "$builders"; fi
install --require-hashes --no-build-isolation -r "$lock"
install --quiet --no-deps --no-build-isolation -e .
if ! output=$("$venv/bin/python" -c 'import av, cv2, onnxruntime, scipy.optimize' 2>&1); then
    die "${output##*$'\n'}" "so a package is broken, or lacks a library of this system. For a library (lib….so) install the system's package that" \
        "has it, as root; without root, ask who administers this machine. Otherwise remove $venv. Then run the same command again"
fi
echo "setup: $venv is complete; the command is $venv/bin/stopline" >&2
