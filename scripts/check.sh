#!/usr/bin/env bash
# The checks before every commit: formatting, vet, staticcheck, the import rules,
# and that generated code is what the generators write.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
eval "$(scripts/env.sh)"

die() { echo "check: $*" >&2; exit 1; }

unformatted=$(git ls-files --cached --others --exclude-standard '*.go' | xargs gofmt -l)
[[ -z $unformatted ]] || die "not formatted, run gofmt -w: $unformatted"

go mod verify >/dev/null || die "modules differ from go.sum"
go mod tidy -diff >/dev/null || die "go.mod is not tidy: run go mod tidy"
go vet ./...
go tool staticcheck ./...
CGO_ENABLED=1 go vet -tags xla ./cmd/fathom-train
CGO_ENABLED=0 go build ./... || die "the project must build without cgo (the engine is a stub there)"
go test -count=1 ./internal/structure/ # a cached result does not see new packages

for generator in onnx tflite; do
  scripts/generate-$generator.sh
done
go run ./scripts/config-reference docs/configuration.md
git diff --exit-code --stat -- '*.pb.go' convert/tflite docs/configuration.md || die "generated code differs from its schema: commit what make generate writes"
echo "check: ok"
