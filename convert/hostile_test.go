package convert_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/fathom-edge/fathom/convert"
	"github.com/fathom-edge/fathom/convert/familytest"
	"github.com/fathom-edge/fathom/convert/onnx"
	"github.com/fathom-edge/fathom/runtime/bundle"
)

// The memory that a conversion may take, proof apart, for a model of any
// content: the package comment of convert states it.
const (
	memoryFree   = 192 << 20
	memoryFactor = 64
)

// FuzzConvert feeds damaged models and external data to the whole way from
// family to bundle: a bundle exactly when there is no error, and nothing else.
func FuzzConvert(f *testing.F) {
	for i, c := range familytest.Cases() {
		data, err := proto.Marshal(c.Model)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, []byte{}, i%2 == 0)
	}
	small := familytest.Small()
	small.Widths, small.Size, small.Classes = []int{4, 6}, 8, 4
	dir := f.TempDir()
	if _, err := familytest.Write(dir, small); err != nil {
		f.Fatal(err)
	}
	model, err := os.ReadFile(filepath.Join(dir, "net-A-2-2.onnx"))
	if err != nil {
		f.Fatal(err)
	}
	weights, err := os.ReadFile(filepath.Join(dir, "weights.bin"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(model, weights, false)
	f.Fuzz(func(t *testing.T, model, weights []byte, half bool) {
		dir := t.TempDir()
		fam, err := familytest.Single(dir, onnx.NewModel("", &onnx.GraphProto{}))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "one.onnx"), model)
		write(t, filepath.Join(dir, "weights.bin"), weights)
		parent := t.TempDir()
		opts := convert.Options{Out: filepath.Join(parent, "bundle")}
		if half {
			opts.Numbers.Precision = bundle.Float16
		}
		before := allocated()
		r, err := convert.Convert(fam, dir, opts)
		if made := allocated() - before; made > memoryFree+uint64(memoryFactor*(len(model)+len(weights))) {
			t.Errorf("%d bytes of memory for files of %d and %d", made, len(model), len(weights))
		}
		if (err == nil) != (r != nil) {
			t.Fatalf("result %v with error %v", r, err)
		}
		entries, _ := os.ReadDir(parent)
		if err != nil {
			if len(entries) > 0 {
				t.Fatalf("%v, and yet there is %v", err, entries)
			}
			return
		}
		if len(entries) != 1 {
			t.Fatalf("there is %v, want the bundle alone", entries)
		}
		if _, err := bundle.Open(opts.Out); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzReadEvidence reads damaged evidence.
func FuzzReadEvidence(f *testing.F) {
	f.Add([]byte(`{"max_error":1e-4,"proof":[{"variant":"a","samples":4}],"not_shared":[{}],"quantization":{}}`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		write(t, filepath.Join(dir, convert.EvidenceFile), data)
		if e, err := convert.ReadEvidence(dir); (err == nil) != (e != nil) {
			t.Fatalf("evidence %v with error %v", e, err)
		}
	})
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// allocated is what was ever asked for, which is more than what is held at once.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// TestMemoryIsBounded converts models that are made to take far more memory
// than their files.
func TestMemoryIsBounded(t *testing.T) {
	chain := func(nodes int) *onnx.GraphProto {
		g := &onnx.GraphProto{Input: []*onnx.ValueInfoProto{onnx.FloatValue("x", 1, 3, 8, 8)}}
		at := "x"
		for i := range nodes {
			out := "n" + strconv.FormatInt(int64(i), 36)
			g.Node = append(g.Node, onnx.NewNode("Elu", "", []string{at}, []string{out}))
			at = out
		}
		g.Output = []*onnx.ValueInfoProto{onnx.FloatValue(at)}
		return g
	}
	constants := func(op string, attributes ...*onnx.AttributeProto) *onnx.GraphProto {
		g := chain(1)
		g.Initializer = []*onnx.TensorProto{onnx.Int64Tensor("s", []int64{3}, []int64{64, 1024, 1024}), onnx.FloatTensor("v", []int64{1, 1, 1}, []float32{1})}
		for i := range 200 {
			in := []string{"v", "s"}
			if op == "ConstantOfShape" {
				in = in[1:]
			}
			g.Node = append(g.Node, onnx.NewNode(op, "", in, []string{"k" + strconv.Itoa(i)}, attributes...))
		}
		return g
	}
	reused := func() *onnx.GraphProto {
		g := &onnx.GraphProto{
			Input:       []*onnx.ValueInfoProto{onnx.FloatValue("x", 1, 3, 8, 8)},
			Initializer: []*onnx.TensorProto{onnx.FloatTensor("w", []int64{4096, 3, 3, 3}, make([]float32, 4096*27))},
		}
		for i := range 2000 {
			g.Node = append(g.Node, onnx.NewNode("Conv", "", []string{"x", "w"}, []string{strconv.Itoa(i)}))
		}
		g.Output = []*onnx.ValueInfoProto{onnx.FloatValue("0")}
		return g
	}
	for name, g := range map[string]*onnx.GraphProto{
		"chain of nodes":      chain(20_000),
		"expanded constants":  constants("Expand"),
		"constants of shapes": constants("ConstantOfShape"),
		"tiled constants":     constants("Tile"),
		"weights used often":  reused(),
	} {
		t.Run(name, func(t *testing.T) {
			data, err := proto.Marshal(onnx.NewModel("", g))
			if err != nil {
				t.Fatal(err)
			}
			boundedMemory(t, data)
		})
	}
	t.Run("empty messages", func(t *testing.T) { boundedMemory(t, emptyAttributes(600_000, 2<<20)) })
	t.Run("nested messages", func(t *testing.T) { boundedMemory(t, nested(200_000)) })
}

// emptyAttributes is a model of one node with attributes that take two bytes
// each, and a comment that makes the file larger.
func emptyAttributes(count, comment int) []byte {
	field := func(number byte, content []byte) []byte {
		return append(binary.AppendUvarint([]byte{number<<3 | 2}, uint64(len(content))), content...)
	}
	node := bytes.Repeat([]byte{5<<3 | 2, 0}, count)
	graph := append(field(1, node), field(10, bytes.Repeat([]byte{'x'}, comment))...)
	return append(field(8, []byte{2 << 3, 17}), field(7, graph)...) // opset_import {version: 17}
}

// nested is a model whose graphs stand in attributes of nodes of graphs.
func nested(levels int) []byte {
	var tags []byte // from the innermost outwards, written backwards
	size := 0
	for i := range 3*levels + 1 {
		tag := []byte{1<<3 | 2, 6<<3 | 2, 5<<3 | 2}[i%3] // graph.node, attribute.g, node.attribute
		length := binary.AppendUvarint(nil, uint64(size))
		for k := len(length) - 1; k >= 0; k-- {
			tags = append(tags, length[k])
		}
		tags = append(tags, tag)
		size = len(tags)
	}
	for i, j := 0, len(tags)-1; i < j; i, j = i+1, j-1 {
		tags[i], tags[j] = tags[j], tags[i]
	}
	model := []byte{8<<3 | 2, 2, 2 << 3, 17, 7<<3 | 2}
	return append(binary.AppendUvarint(model, uint64(len(tags))), tags...)
}

// boundedMemory converts a model and watches the heap meanwhile.
func boundedMemory(t *testing.T, model []byte) {
	dir := t.TempDir()
	fam, err := familytest.Single(dir, onnx.NewModel("", &onnx.GraphProto{}))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "one.onnx"), model)
	debug.FreeOSMemory()
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	var stop atomic.Bool
	peak := make(chan uint64)
	var start runtime.MemStats
	runtime.ReadMemStats(&start)
	go func() {
		var most uint64
		for !stop.Load() {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
			time.Sleep(2 * time.Millisecond)
		}
		peak <- most
	}()
	_, err = convert.Convert(fam, dir, convert.Options{Out: filepath.Join(t.TempDir(), "b")})
	stop.Store(true)
	held, limit := max(<-peak, start.HeapAlloc)-start.HeapAlloc, uint64(memoryFree+memoryFactor*len(model))
	t.Logf("%d bytes for a file of %d, limit %d: %.150v", held, len(model), limit, err)
	if err == nil {
		t.Error("it was converted: this is no hostile model")
	}
	if held > limit {
		t.Errorf("%d bytes of memory for a file of %d, want at most %d", held, len(model), limit)
	}
}

// fullDisk names, for the child process of TestDiskFull, its largest file in bytes.
const fullDisk = "FATHOM_TEST_FULL_DISK"

// TestDiskFull converts in child processes whose files the system does not let
// grow past some size.
func TestDiskFull(t *testing.T) {
	if limit := os.Getenv(fullDisk); limit != "" {
		signal.Ignore(syscall.SIGXFSZ) // as on a full disk, writing then fails
		convertOnFullDisk(t, limit)
		return
	}
	for _, limit := range []string{"0", "100", "10000", "60000"} {
		child := exec.Command(os.Args[0], "-test.run=^TestDiskFull$")
		child.Env = append(os.Environ(), fullDisk+"="+limit)
		if out, err := child.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("PASS")) {
			t.Errorf("files up to %s bytes: %v\n%s", limit, err, out)
		}
	}
}

func convertOnFullDisk(t *testing.T, limit string) {
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "b")
	fam, err := familytest.Write(dir, familytest.Small())
	if err != nil {
		t.Fatal(err)
	}
	mustConvert(t, fam, dir, out, convert.Options{})
	old := files(t, out)
	bytes, err := strconv.ParseUint(limit, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: bytes}); err != nil {
		t.Fatal(err)
	}
	refused(t, fam, dir, convert.Options{}, "file too large")
	refused(t, fam, dir, convert.Options{Runner: wrong(0), MaxError: 1e6}, "file too large")
	r, err := convert.Convert(fam, dir, convert.Options{Out: out, Numbers: convert.Numbers{Precision: bundle.Float16}})
	if r != nil || err == nil {
		t.Error("a full disk took a bundle")
	}
	if diff := cmp.Diff(old, files(t, out)); diff != "" {
		t.Errorf("the old bundle changed:\n%s", diff)
	}
}

func TestOutputNotWritable(t *testing.T) {
	f, dir := makeFamily(t, familytest.Small())
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, []byte("keep"))
	for out, want := range map[string]string{
		filepath.Join(file, "bundle"):      "not a directory",
		file:                               "not a directory",
		"/proc/self/fathom/bundle":         "/proc/self/fathom",
		strings.Repeat("long", 100) + "/b": "file name too long",
	} {
		r, err := convert.Convert(f, dir, convert.Options{Out: out})
		if r != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: got %v, %v; want an error with %q", out, r, err, want)
		}
	}
	if got := files(t, filepath.Dir(file)); len(got) != 1 || got["/file"] != "keep" {
		t.Errorf("beside the file there is now %d files", len(got))
	}
}
