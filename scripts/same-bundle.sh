#!/usr/bin/env bash
# Compares two bundles byte for byte, but for what was measured on either: the
# evidence, and the escalation in the manifest.
#
#   scripts/same-bundle.sh BUNDLE BUNDLE
set -euo pipefail

(($# == 2)) || { echo "usage: same-bundle.sh BUNDLE BUNDLE" >&2; exit 2; }

# The escalation is the last field: without it, the one before ends with no comma.
converted() { sed -e '/^  "escalation": {$/,/^  }$/d' -e 's/^  \],$/  ]/' "$1/manifest.json"; }

diff -r --exclude=evidence.json --exclude=manifest.json "$1" "$2"
diff <(converted "$1") <(converted "$2")
