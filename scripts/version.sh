#!/usr/bin/env bash
# Prints what a release is called:
#
#   scripts/version.sh           the version: that of the tag vX.Y.Z, or the next one with date and commit
#   scripts/version.sh commit    the commit, marked if the tree differs from it
#   scripts/version.sh time      when the commit was made, RFC 3339, UTC: the date of every file in a package
#
# Without a repository, FATHOM_VERSION, FATHOM_COMMIT and SOURCE_DATE_EPOCH must say it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

NEXT=0.1.0

epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
case ${1:-version} in
  version)
    if [[ -n ${FATHOM_VERSION:-} ]]; then
      echo "$FATHOM_VERSION"
    elif tag=$(git describe --exact-match --tags --match 'v[0-9]*' 2>/dev/null); then
      echo "${tag#v}"
    else
      echo "$NEXT~git$(date -u -d "@$epoch" +%Y%m%d%H%M%S).$(git rev-parse --short=7 HEAD)"
    fi
    ;;
  commit)
    if [[ -n ${FATHOM_COMMIT:-} ]]; then
      echo "$FATHOM_COMMIT"
    else
      changed=
      git diff --quiet HEAD -- || changed=-changed
      echo "$(git rev-parse --short=12 HEAD)$changed"
    fi
    ;;
  time) date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ ;;
  *) echo "version: '$1' is none of version, commit, time" >&2; exit 2 ;;
esac
