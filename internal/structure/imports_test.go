// Package structure holds the tests that keep the shape of the project: which
// package may import which, and where cgo may be.
package structure

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/fathom-edge/fathom/"

// allowed lists, for each part of the tree, which parts of ours it may import
// and why. The longest matching prefix counts; a part may always import itself.
var allowed = []struct {
	part    string
	imports []string
	reason  string
}{
	{"boards/telemetry", nil, "everybody imports the snapshot types"},
	{"boards/camera/synthetic", []string{"boards/camera", "glyphs"}, "it draws what the demo network knows"},
	{"boards", []string{"boards", "runtime/frame"}, "drivers know hardware, not models"},
	{"cmd/fathom-train", []string{"train", "glyphs", "convert/family", "internal/results"}, "the only binary that links GoMLX"},
	{"cmd", []string{"boards", "convert", "daemon", "glyphs", "governor", "internal/deploy", "internal/results", "internal/version", "runtime"}, "commands wire everything but the trainer"},
	{"convert/evaluate", []string{"convert/graph"}, "what choices are made by knows nothing of how files are written"},
	{"convert/family", []string{"runtime/preprocess", "runtime/profile"}, "train writes families without the converter"},
	{"convert/onnx", nil, "a front door knows nothing of what is behind it"},
	{"convert/quant", []string{"convert/evaluate", "convert/graph"}, "quantizing needs neither ONNX nor files"},
	{"convert/reference", []string{"convert/onnx"}, "what everything is checked against shares no code with it"},
	{"convert", []string{"convert", "runtime/bundle", "runtime/preprocess", "runtime/profile"}, "converting needs no TFLite"},
	{"daemon/events", nil, "what is told is worked out from probabilities alone"},
	{"daemon/journal", nil, "lines on a disk, whatever stands in them"},
	{"daemon/mqtt", nil, "the daemon hands it what to say"},
	{"daemon/scene", nil, "it looks at pictures, wherever they come from"},
	{"daemon/snapshots", nil, "pictures on a disk, whatever they show"},
	{"daemon/webhook", nil, "the daemon hands it what to say"},
	{"daemon", []string{"boards", "governor", "runtime"}, "the daemon neither trains nor converts"},
	{"glyphs", nil, "a data set stands alone"},
	{"governor", []string{"boards/telemetry", "runtime/profile"}, "a policy is pure: no drivers, no engine"},
	{"internal", nil, "helpers of the build"},
	{"runtime/bundle", []string{"runtime/preprocess", "runtime/profile"}, "the format does not know who runs it"},
	{"runtime/engine", []string{"runtime/bundle", "runtime/preprocess", "runtime/profile"}, "the engine takes no decisions"},
	{"runtime/frame", nil, "a camera's picture knows nothing of who looks at it"},
	{"runtime/preprocess", []string{"runtime/frame"}, "shared by train, convert and engine"},
	{"runtime/probe", []string{"runtime/bundle", "runtime/engine"}, "it runs a bundle, and knows nothing of why"},
	{"runtime/profile", nil, "shared by governor, engine and cmd"},
	{"scripts/bench-boards", []string{"boards", "internal"}, "it reads fixture trees"},
	{"scripts/bench-convert", []string{"convert", "internal", "runtime"}, "it converts whole networks and runs them"},
	{"scripts/bench-daemon", []string{"boards", "internal", "runtime"}, "it loads the models and decodes the frames alone, too"},
	{"scripts/bench-engine", []string{"convert", "glyphs", "governor", "internal", "runtime"}, "it makes networks, and runs them against the clock, as a governor spends time on doubt"},
	{"scripts/bench-faults", []string{"boards/boardtest", "internal"}, "it breaks a fixture tree under the daemon"},
	{"scripts/bench-governor", []string{"governor", "internal", "runtime/profile"}, "it runs the governor on simulated boards"},
	{"scripts/bench-outputs", []string{"daemon", "governor", "internal", "runtime/profile"}, "it tells receivers that are away, and fills disks"},
	{"scripts/bench-peers", []string{"convert", "internal", "runtime"}, "it runs what other converters made, too"},
	{"scripts/bench-preprocess", []string{"internal", "runtime/frame", "runtime/preprocess"}, "it turns frames into tensors"},
	{"scripts/bench-soak", []string{"internal", "runtime"}, "it wears an engine out"},
	{"scripts/config-reference", []string{"daemon", "internal"}, "it documents the daemon's configuration"},
	{"scripts", []string{"internal"}, "programs of the build"},
	{"train/arch", nil, "an architecture knows no backend and no format"},
	{"train/dataset", []string{"glyphs", "runtime/preprocess"}, "data knows nothing of nets"},
	{"train/matrix", []string{"train", "internal/results"}, "it compares trainings and keeps the numbers"},
	{"train/report", []string{"train"}, "it draws what a run wrote"},
	{"train", []string{"convert/family", "convert/onnx", "glyphs", "runtime/preprocess", "runtime/profile"}, "training ends at the family"},
}

// everywhere may be imported by any part: whatever is written to disk is written whole.
const everywhere = "internal/atomicfile"

type goPackage struct {
	ImportPath string
	Imports    []string
	CgoFiles   []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Imports,CgoFiles", "./...")
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	if len(list) < 10 {
		t.Fatalf("go list found only %d packages", len(list))
	}
	return list
}

func within(path, part string) bool { return path == part || strings.HasPrefix(path, part+"/") }

func TestImportsPointOneWay(t *testing.T) {
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		rule := -1
		for i, r := range allowed {
			if within(from, r.part) && (rule < 0 || len(r.part) > len(allowed[rule].part)) {
				rule = i
			}
		}
		if rule < 0 {
			t.Errorf("%s: no rule says what it may import: add one to this test", from)
			continue
		}
		for _, imp := range p.Imports {
			to, ours := strings.CutPrefix(imp, module)
			if !ours || to == everywhere || within(to, allowed[rule].part) {
				continue
			}
			ok := false
			for _, a := range allowed[rule].imports {
				ok = ok || within(to, a)
			}
			if !ok || within(to, "cmd") {
				t.Errorf("%s imports %s, which is forbidden: %s", from, to, allowed[rule].reason)
			}
		}
	}
}

func TestOnlyTheTrainerLinksGoMLX(t *testing.T) {
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		for _, imp := range p.Imports {
			if strings.HasPrefix(imp, "github.com/gomlx/") && !within(from, "train") && !within(from, "cmd/fathom-train") {
				t.Errorf("%s imports %s: only train and cmd/fathom-train may", from, imp)
			}
		}
	}
}

func TestCgoSitsInTheEngine(t *testing.T) {
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		if len(p.CgoFiles) > 0 && !within(from, "runtime/engine") && !within(from, "boards/camera/turbo") {
			t.Errorf("%s uses cgo in %v: only runtime/engine and boards/camera/turbo may", from, p.CgoFiles)
		}
	}
}
