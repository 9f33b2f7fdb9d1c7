# Fathom. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO ?= go
# The cgo environment that links TensorFlow Lite (scripts/native.sh fetched it).
ENV = eval "$$(scripts/env.sh)";
# GoMLX's AVX kernels sit behind an experiment of the toolchain.
TRAIN_ENV = CGO_ENABLED=0 $(if $(filter amd64,$(shell $(GO) env GOARCH)),GOEXPERIMENT=simd,)
# Packages with goroutines are tested under the race detector.
RACE = ./boards/... ./daemon/... ./governor/... ./runtime/... ./train/dataset/... ./cmd/fathomd/...
PLAIN = $(shell $(GO) list ./... | grep -Ev '/fathom/(boards|daemon|governor|runtime|cmd/fathomd|train|cmd/fathom-train)(/|$$)')

.PHONY: help deps native build train demo demo-bundle demo-convert test e2e arm64-test check generate bench peers-convert peers-latency recipes arm64-bytes emulate results release dist package-test arm32-test dist-twice clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

deps: ## install what the targets need from the distribution (apt, as root)
	scripts/deps.sh

native: ## get the TensorFlow Lite C library for this machine and for arm64
	@scripts/native.sh

build: native ## build fathom and fathomd into bin/
	$(ENV) $(GO) build -trimpath -o bin/ ./cmd/fathom ./cmd/fathomd

train: ## build fathom-train into bin/
	$(TRAIN_ENV) $(GO) build -trimpath -o bin/ ./cmd/fathom-train

demo: build ## run the daemon with camera, board, broker and webhook of its own: http://127.0.0.1:8080
	$(GO) run ./scripts/demo

demo-bundle: train build ## reproduce the demo family and bundle, from training on (about 45 minutes on 2 free cores)
	mkdir -p .cache
	rm -rf .cache/demo-checkpoints
	bin/fathom-train run train/demo.yaml -o .cache/demo-trained --checkpoint .cache/demo-checkpoints --metrics .cache/demo-metrics.jsonl
	bin/fathom-train search train/demo.yaml --checkpoint .cache/demo-checkpoints --rungs 5 --samples 5000 --plot docs/training-front.png -o .cache/demo-family
	rm -rf testdata/families/demo
	cp -R .cache/demo-family testdata/families/demo
	$(MAKE) demo-convert

demo-convert: build ## convert the committed demo family again, and calibrate when to look at a frame twice
	bin/fathom convert testdata/families/demo -o testdata/bundles/demo
	bin/fathom eval testdata/bundles/demo glyphs:validation:6800 --escalation --write

test: native ## run all tests
	$(ENV) $(GO) test -race -timeout 9m $(RACE)
	$(ENV) $(GO) test -timeout 9m $(PLAIN)
	$(TRAIN_ENV) $(GO) test -timeout 9m ./train/... ./cmd/fathom-train/...

e2e: build train release ## the page in Chromium; the arm64 release under qemu: same bytes, labels, logits
	scripts/page-test.sh
	$(GO) run ./scripts/demo -check -- --listen 127.0.0.1:0
	scripts/qemu-convert.sh
	scripts/qemu-labels.sh
	scripts/qemu-logits.sh
	scripts/qemu-networks.sh

arm64-test: native ## the tests of engine, bundle, boards and convert as arm64 programs, under qemu
	scripts/arm64-test.sh

arm64-bytes: ## every network and operator of the tests converts to the same bytes on arm64, under qemu (minutes)
	scripts/qemu-networks.sh

emulate: native ## boot an arm64 board in an emulator and test the package there (the first time as root)
	scripts/emulate.sh

check: native ## formatting, vet, staticcheck, import rules, generated code unchanged
	scripts/check.sh

generate: ## make the generated code anew (protobuf, flatbuffers, outlines of glyphs, reference of the configuration)
	scripts/generate-onnx.sh
	scripts/generate-tflite.sh
	$(GO) generate ./glyphs
	$(GO) run ./scripts/config-reference docs/configuration.md

bench: build train release ## measure everything that docs/results states (minutes)
	$(GO) run ./scripts/bench-train
	$(GO) run ./scripts/bench-road
	$(GO) run ./scripts/bench-quantize
	$(GO) run ./scripts/bench-boards
	$(GO) run ./scripts/bench-preprocess
	$(ENV) $(GO) run ./scripts/bench-engine
	$(GO) run ./scripts/bench-governor
	$(GO) run ./scripts/bench-resume
	$(ENV) $(GO) run ./scripts/bench-daemon

peers-convert: native ## compare fathom convert with onnx2tf and litert-torch (Python 3.11 or newer, PyPI, 8 GB, hours)
	scripts/peers.sh

peers-latency: native ## the latencies of that comparison again, of what it converted (up to 8 minutes, on a quiet machine)
	scripts/peers.sh latency

recipes: ## run the recipes for PyTorch in docs/ as they stand there (after make peers-convert)
	scripts/recipes.sh .cache/peers/torch/bin/python

results: ## render docs/results/*.json to tables and plots
	$(GO) run ./scripts/results docs/results

release: native ## release folders for linux/amd64 and linux/arm64 in dist/
	scripts/dist.sh

dist: release build ## packages, checksums and lists of contents in dist/packages/
	scripts/dist.sh static
	scripts/package.sh

package-test: ## lintian, and dpkg in a Debian of its own, on the packages that make dist made (as root)
	scripts/deps.sh package
	scripts/lintian.sh
	scripts/deb-test.sh dist/packages/fathom_*_$$(dpkg --print-architecture).deb

arm32-test: ## what can be tried for 32-bit ARM without a TensorFlow Lite library, after make dist
	scripts/arm32.sh

dist-twice: native ## build the release and its packages twice and compare the bytes
	scripts/dist-twice.sh

clean: ## remove what was built; fetched libraries stay
	rm -rf bin dist
