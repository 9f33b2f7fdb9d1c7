#!/usr/bin/env bash
# Compares the logits that the amd64 and the arm64 release give for the same
# images, arm64 under qemu, both with XNNPACK:
#
#   scripts/qemu-logits.sh [BUNDLE [COUNT]]
#
# Without a bundle: all of testdata/bundles, and the demo family converted to int8.
# COUNT drawn characters, 48 unless told, are scaled to what the bundle takes; their
# labels do not matter. Prints "BUNDLE VARIANT: same N of M, apart D": images whose
# logits are the same bits, and the largest difference of a logit over the range of
# the variant's logits (largest less smallest, all images, amd64). Fails where an
# int8 bundle differs in a bit or a float one by more than 1e-6. Run make release
# and make train first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

LIMIT=1e-6

die() { echo "qemu-logits: $*" >&2; exit 1; }

count=${2:-48}
amd64=dist/fathom_linux_amd64/bin/fathom arm64=dist/fathom_linux_arm64/bin/fathom
for file in $amd64 $arm64; do
  [[ -x $file ]] || die "$file is missing: run  make release"
done
[[ -x bin/fathom-train ]] || die "bin/fathom-train is missing: run  make train"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# quietly COMMAND...: shows what it said if it fails.
quietly() { "$@" >"$out/log" 2>&1 || { cat "$out/log" >&2; die "failed: $*"; }; }

# manifest BUNDLE EXPRESSION of its manifest m.
manifest() { python3 -c 'import json, sys; m = json.load(open(sys.argv[1] + "/manifest.json")); print(eval(sys.argv[2]))' "$1" "$2"; }

if [[ $# -gt 0 ]]; then
  bundles=("$1")
else
  quietly $amd64 convert testdata/families/demo --precision int8 --calibration glyphs:validation:34 -o "$out/demo-int8"
  bundles=(testdata/bundles/* "$out/demo-int8")
fi
quietly bin/fathom-train glyphs --split test --count "$count" -o "$out/glyphs"

failed=0
for bundle in "${bundles[@]}"; do
  limit=$LIMIT
  [[ $(manifest "$bundle" 'm.get("precision")') != int8 ]] || limit=0
  class=$out/images/$(manifest "$bundle" 'm["labels"][0]')
  rm -rf "$out/images"
  mkdir -p "$class"
  n=0
  while IFS= read -r -d '' image; do
    cp "$image" "$class/$((n += 1)).png"
  done < <(find "$out/glyphs" -name '*.png' -print0 | sort -z)
  quietly $amd64 eval "$bundle" "$out/images" --logits-out "$out/amd64"
  quietly scripts/arm64.sh $arm64 eval "$bundle" "$out/images" --logits-out "$out/arm64"
  # Lines are: variant, tab, logits.
  paste "$out/amd64" "$out/arm64" | awk -F '\t' -v name="$(basename "$bundle")" -v limit="$limit" '
    { n = split($2, a, " "); m = split($4, b, " ") }
    $1 != $3 || n != m || n == 0 { print "qemu-logits: the two lists do not match line by line" > "/dev/stderr"; bad = 1; exit }
    !($1 in total) { names[++k] = $1; lowest[$1] = highest[$1] = a[1]; apart[$1] = 0 }
    {
      total[$1]++
      same[$1] += $2 == $4
      for (i = 1; i <= n; i++) {
        d = a[i] - b[i]
        if (d < 0) d = -d
        if (!(d <= apart[$1])) apart[$1] = d
        if (a[i] < lowest[$1]) lowest[$1] = a[i]
        if (a[i] > highest[$1]) highest[$1] = a[i]
      }
    }
    END {
      if (k == 0) { print "qemu-logits: no logits to compare" > "/dev/stderr"; exit 1 }
      for (i = 1; i <= k; i++) {
        v = names[i]
        range = highest[v] - lowest[v]
        if (range <= 0) { print "qemu-logits: all logits of " v " are the same" > "/dev/stderr"; exit 1 }
        printf "%s %s: same %d of %d, apart %.2g\n", name, v, same[v], total[v], apart[v] / range
        if (!(apart[v] / range <= limit) || limit == 0 && same[v] != total[v]) bad = 1
      }
      exit bad
    }' || failed=1
done
[[ $failed -eq 0 ]] || die "arm64 gives other logits than amd64"
