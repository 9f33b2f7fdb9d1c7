#!/usr/bin/env bash
# Runs the demo and looks at its page with Chromium: the first classification is
# shown, and the depth changes under the simulated heat. Run make build first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() { echo "page-test: $*" >&2; exit 1; }

[[ -x bin/fathomd ]] || die "bin/fathomd is missing: run  make build"
out=$(mktemp -d)
bin/fathomd --demo --listen 127.0.0.1:0 >"$out/log" 2>&1 &
daemon=$!
trap 'kill $daemon 2>/dev/null || true; rm -rf "$out"' EXIT

# until WHAT SECONDS COMMAND...: waits for the command to succeed.
until_true() {
  local what=$1 deadline=$((SECONDS + $2))
  shift 2
  until "$@"; do
    kill -0 $daemon 2>/dev/null || { cat "$out/log" >&2; die "fathomd ended"; }
    ((SECONDS < deadline)) || { cat "$out/log" >&2; die "no $what in time"; }
    sleep 0.5
  done
}
url() { grep -oE 'http://127\.0\.0\.1:[0-9]+' "$out/log" >"$out/url"; }
state() { curl --silent --fail "$(head -1 "$out/url")/api/state" | grep -qE "$1"; }

until_true "page" 60 url
until_true "classification" 60 state '"frames":[1-9]'
until_true "change of depth under heat" 180 state '"switches":[1-9]'
scripts/screenshot.sh "$(head -1 "$out/url")/" "$out/page.html"

# shows WHAT PATTERN: the page that Chromium built contains it.
shows() { tr '\n' ' ' <"$out/page.html" | grep -qE "$2" || die "the page does not show $1"; }
shows "a label" 'id="label"[^>]*>[0-9A-Z]'
shows "what is simulated" 'Simulated:.*time ×'
shows "the active variant" 'id="ladder".*active'
shows "why" 'id="reason"[^>]*>[^<]+ °C'
shows "that depth changed" 'changes of depth: [1-9]'
kill -TERM $daemon
wait $daemon || die "fathomd did not end cleanly"
trap 'rm -rf "$out"' EXIT
echo "page-test: ok"
