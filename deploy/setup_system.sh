#!/usr/bin/env bash
# Installs the Debian packages that some tests need: an RTSP server (GStreamer), ffmpeg, a browser and PostgreSQL.
# Where it can't, it says what is left out and succeeds; the tests that need it then skip. With CI=true it fails.
set -euo pipefail

packages=(
    gir1.2-gst-rtsp-server-1.0 python3-gi
    gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly
    gstreamer1.0-libav gstreamer1.0-rtsp gstreamer1.0-tools
    ffmpeg chromium postgresql
)

leave_out() {
    printf 'setup-system: %s\n' "$@" >&2
    if [ "${CI:-}" = true ]; then exit 1; fi
    exit 0
}

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

if ! command -v apt-get >/dev/null; then
    leave_out "no apt-get here, so nothing was installed; tests of RTSP, of the pages and of PostgreSQL need GStreamer's RTSP server, Chromium and PostgreSQL"
fi

missing=()
for package in "${packages[@]}"; do
    is_installed "$package" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

if [ "$(id -u)" -ne 0 ]; then
    leave_out "left out, as only root can install: ${missing[*]}" "as root: apt-get install --no-install-recommends ${missing[*]}"
fi

echo "setup-system: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
"${apt[@]}" update </dev/null || true # an old list may do; if not, the next step says so
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null >/dev/null \
    || leave_out "apt-get could not install: ${missing[*]}"
