#!/usr/bin/env bash
# Takes a picture of a page with headless Chromium:
#
#   scripts/screenshot.sh URL OUT.png [WIDTH [HEIGHT [light|dark]]]
set -euo pipefail

die() { echo "screenshot: $*" >&2; exit 1; }

[[ $# -ge 2 ]] || die "call it with URL OUT.png [WIDTH [HEIGHT [light|dark]]]"
url=$1 out=$2 width=${3:-1180} height=${4:-1240} scheme=${5:-light}
case $scheme in dark) preferred=0 ;; light) preferred=1 ;; *) die "$scheme is neither light nor dark" ;; esac

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
  die "no Chromium: run  sudo apt-get install --no-install-recommends chromium"

profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
rm -f "$out"
# The page's own clock runs ahead while nothing is loading, so that it has polled several times.
timeout 180 "$browser" --headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run \
  --hide-scrollbars --user-data-dir="$profile" --window-size="$width,$height" \
  --blink-settings=preferredColorScheme=$preferred --virtual-time-budget=1500 --screenshot="$out" "$url" \
  >"$profile/log" 2>&1 || { cat "$profile/log" >&2; die "Chromium failed"; }
[[ -s $out ]] || die "Chromium wrote no picture"
