#!/usr/bin/env bash
# Runs lintian on packages, and fails on any error or warning that
# deploy/fathom.lintian-overrides does not explain:
#
#   scripts/lintian.sh [PACKAGE.deb...]     default: those in dist/packages
#
# Prints "PACKAGE: N not explained, M explained".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() { echo "lintian: $*" >&2; exit 1; }

command -v lintian >/dev/null 2>&1 || die "lintian is not installed: run  scripts/deps.sh package"
shopt -s nullglob
packages=("$@")
[[ $# -gt 0 ]] || packages=(dist/packages/*.deb)
[[ ${#packages[@]} -gt 0 ]] || die "no package in dist/packages: run  make dist"
failed=0
for package in "${packages[@]}"; do
  said=$(lintian --allow-root --show-overrides --tag-display-limit 0 --fail-on none "$package")
  open=$(grep '^[EW]: ' <<<"$said" || true)
  [[ -z $open ]] || { failed=1 && echo "$open" >&2; }
  echo "$(basename "$package"): $(grep -c . <<<"$open" || true) not explained, $(grep -c '^O: ' <<<"$said" || true) explained"
done
exit $failed
