#!/usr/bin/env bash
# Runs the demo and looks at its page with Chromium: what it shows and loads, its
# accessibility with axe-core on desktop and phone, light and dark, and every
# control by keyboard. Run make build first.
#
#   scripts/page-test.sh [FOLDER-FOR-PICTURES]
#
# Prints what it found as JSON. FATHOMD names another binary than bin/fathomd.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PACKAGES=(puppeteer-core@24.43.1 axe-core@4.14.1)

die() { echo "page-test: $*" >&2; exit 1; }

daemon=${FATHOMD:-bin/fathomd} pictures=${1:-}
[[ -x $daemon ]] || die "$daemon is missing: run  make build"
[[ -z $pictures ]] || mkdir -p "$pictures"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
  die "no Chromium: run  sudo apt-get install --no-install-recommends chromium"

modules=.cache/page-test
if [[ $(cat $modules/versions 2>/dev/null) != "${PACKAGES[*]}" ]]; then
  command -v npm >/dev/null || die "npm is not installed: run  sudo apt-get install --no-install-recommends npm"
  mkdir -p $modules
  echo '{"private": true}' >$modules/package.json
  (cd $modules && npm install --silent --no-audit --no-fund --ignore-scripts "${PACKAGES[@]}" >&2) ||
    die "npm could not fetch ${PACKAGES[*]}: check the network"
  echo "${PACKAGES[*]}" >$modules/versions
fi

out=$(mktemp -d)
export FATHOM_TOKEN=a-token-for-the-tests
"$daemon" --demo --listen 127.0.0.1:0 >"$out/log" 2>&1 &
child=$!
trap 'kill $child 2>/dev/null || true; rm -rf "$out"' EXIT

# until WHAT SECONDS COMMAND...: waits for the command to succeed.
until_true() {
  local what=$1 deadline=$((SECONDS + $2))
  shift 2
  until "$@"; do
    kill -0 $child 2>/dev/null || { cat "$out/log" >&2; die "fathomd ended"; }
    ((SECONDS < deadline)) || { cat "$out/log" >&2; die "no $what in time"; }
    sleep 0.5
  done
}
url() { grep -oE 'http://127\.0\.0\.1:[0-9]+' "$out/log" >"$out/url"; }
state() { curl --silent --fail "$(head -1 "$out/url")/api/state" | grep -qE "$1"; }

until_true "page" 60 url
until_true "classification" 60 state '"frames":[1-9]'
until_true "change of depth under heat" 180 state '"switches":[1-9]'
NODE_PATH=$modules/node_modules timeout 300 node scripts/page-test.mjs "$(head -1 "$out/url")" "$FATHOM_TOKEN" "$browser" "$pictures" ||
  die "the page is not as it should be"
kill -TERM $child
wait $child || die "fathomd did not end cleanly"
trap 'rm -rf "$out"' EXIT
echo "page-test: ok" >&2
