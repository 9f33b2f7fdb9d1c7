#!/usr/bin/env bash
# Takes a picture of a page with headless Chromium, or writes what its script
# made of the page:
#
#   scripts/screenshot.sh URL OUT.png [WIDTH [HEIGHT [light|dark]]]
#   scripts/screenshot.sh URL OUT.html
set -euo pipefail

die() { echo "screenshot: $*" >&2; exit 1; }

[[ $# -ge 2 ]] || die "call it with URL and OUT.png [WIDTH [HEIGHT [light|dark]]] or OUT.html"
url=$1 out=$2 width=${3:-1180} height=${4:-1240} scheme=${5:-light}
case $scheme in dark) preferred=0 ;; light) preferred=1 ;; *) die "$scheme is neither light nor dark" ;; esac

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
  die "no Chromium: run  sudo apt-get install --no-install-recommends chromium"

profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
rm -f "$out"
case $out in *.html) want=(--dump-dom) ;; *) want=("--screenshot=$out") ;; esac
# The page's own clock runs ahead while nothing is loading, so that it has polled several times.
timeout 180 "$browser" --headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run \
  --hide-scrollbars --user-data-dir="$profile" --window-size="$width,$height" \
  --blink-settings=preferredColorScheme=$preferred --virtual-time-budget=1500 "${want[@]}" "$url" \
  >"$profile/dom" 2>"$profile/log" || { cat "$profile/log" >&2; die "Chromium failed"; }
[[ $out != *.html ]] || cp "$profile/dom" "$out"
[[ -s $out ]] || die "Chromium wrote nothing"
