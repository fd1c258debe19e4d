#!/usr/bin/env bash
# Install Debian's Chromium where no browser is found; say what to do where that is not possible.
set -euo pipefail

if [[ -n "${CHROMIUM:-}" ]]; then
    [[ -x "$CHROMIUM" ]] && exit 0
    echo "CHROMIUM=$CHROMIUM is no program: give the path of a Chromium or Chrome, or leave it out" >&2
    exit 1
fi
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" >/dev/null && exit 0
done

as_root=()
if [[ $EUID -ne 0 ]]; then
    as_root=(sudo -n)
fi
if ! command -v apt-get >/dev/null || ! "${as_root[@]}" true 2>/dev/null; then
    cat >&2 <<'SAID'
make e2e needs Chromium, and cannot install it here (no apt-get, or neither root nor sudo without a password).
Install it (Debian: apt-get install chromium fonts-dejavu-core), or set CHROMIUM to the path of a Chromium or Chrome.
SAID
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
wanted=(chromium fonts-dejavu-core)
install=("${as_root[@]}" apt-get install -y -qq --no-install-recommends "${wanted[@]}")
"${install[@]}" >/dev/null 2>&1 || { "${as_root[@]}" apt-get update -qq && "${install[@]}" >/dev/null; }
