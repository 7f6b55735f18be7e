#!/usr/bin/env bash
# Makes a virtual environment with the locked packages and this checkout's `stopline` command in it.
# Usage: setup_venv.sh PYTHON FOLDER. Run it again at any time: what is there already is kept.
set -euo pipefail

python=$1 venv=$2
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() { printf 'setup: %s\n' "$@" >&2; exit 1; }

command -v "$python" >/dev/null \
    || die "there is no '$python' here. Install Python 3.11 or newer, or name one: make setup PYTHON=python3.12"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
    || die "'$python' is $("$python" --version 2>&1); Stopline needs 3.11 or newer. Name one: make setup PYTHON=python3.12"

# No venv, or what an interrupted setup or a removed Python leaves of one: no pip, no Python, no prefix of its own.
if ! "$venv/bin/python" -c 'import sys, pip; sys.exit(sys.prefix == sys.base_prefix)' 2>/dev/null; then
    if ! output=$("$python" -m venv --clear "$venv" 2>&1); then
        printf '%s\n' "$output" >&2
        die "'$python -m venv' failed (above). On Debian and Ubuntu it is a package of its own: apt-get install python3-venv"
    fi
fi

"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
echo "setup: $venv is complete; the command is $venv/bin/stopline"
