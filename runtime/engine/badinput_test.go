//go:build cgo

package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	flatbuffers "github.com/google/flatbuffers/go"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/fathom-edge/fathom/convert/tflite/schema"
	"github.com/fathom-edge/fathom/runtime/bundle"
)

// damage rewrites the first segment of a bundle in place.
func damage(t *testing.T, b *bundle.Bundle, change func([]byte) []byte) {
	t.Helper()
	file := b.SegmentPath(b.Manifest.Segments[0].ID)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, change(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

func cut(data []byte) []byte { return data[:len(data)/2] }

func flip(data []byte) []byte {
	data[len(data)/2] ^= 1
	return data
}

// A damaged segment is refused by its checksum, so TFLite never sees it: when
// the bundle is opened, and when it changed between that and the engine.
func TestDamagedSegment(t *testing.T) {
	for name, tc := range map[string]struct {
		damage func(data []byte) []byte
		want   string
	}{
		"one bit":   {flip, "sha256 differs from the manifest (file damaged? copy the bundle again)"},
		"truncated": {cut, "(file truncated? copy the bundle again)"},
	} {
		b := rewrite(t, func(*bundle.Manifest, map[string][]byte) {})
		damage(t, b, tc.damage)
		e, err := Open(b, Options{})
		wantError(t, err, tc.want)
		damaged, err := bundle.Open(b.Dir)
		wantError(t, err, tc.want)
		if e != nil || damaged != nil {
			t.Errorf("%s: something came with the error", name)
		}
	}
}

func TestSegmentMissing(t *testing.T) {
	b := rewrite(t, func(*bundle.Manifest, map[string][]byte) {})
	if err := os.Remove(b.SegmentPath(b.Manifest.Segments[1].ID)); err != nil {
		t.Fatal(err)
	}
	e, err := Open(b, Options{})
	wantError(t, err, b.Manifest.Segments[1].File+" is missing from "+b.Dir)
	if e != nil {
		t.Error("an engine came with the error")
	}
}

// Whatever happens to the files of a loaded bundle, it goes on: a mapped file
// that is shortened would end the process, and one that is overwritten would
// change the answers.
func TestBundleChangedWhileLoaded(t *testing.T) {
	for name, change := range map[string]func(b *bundle.Bundle) error{
		"truncated": func(b *bundle.Bundle) error { return os.Truncate(b.SegmentPath(b.Manifest.Segments[0].ID), 0) },
		"overwritten": func(b *bundle.Bundle) error {
			damage(t, b, func(d []byte) []byte { return make([]byte, len(d)) })
			return nil
		},
		"deleted": func(b *bundle.Bundle) error { return os.RemoveAll(b.Dir) },
	} {
		b := rewrite(t, func(*bundle.Manifest, map[string][]byte) {})
		img := picture(1, 20, 20)
		want := alone(t, b, tensorOf(t, b.Manifest.Preprocess, img))
		e, err := Open(b, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := change(b); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			for _, v := range e.Variants() {
				activate(t, e, v)
				if _, err := e.Infer(img); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want[v], e.Logits()); diff != "" {
					t.Errorf("%s, %s (-before +after):\n%s", name, v, diff)
				}
			}
			if err := e.SetThreads(2); err == nil { // which reads the files again
				t.Errorf("%s: loaded anew", name)
			}
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// oneTensor is a model of no operators whose only tensor is input and output.
func oneTensor(kind schema.TensorType, shape ...int32) []byte {
	b := flatbuffers.NewBuilder(256)
	ints := func(values ...int32) flatbuffers.UOffsetT {
		b.StartVector(4, len(values), 4)
		for i := len(values) - 1; i >= 0; i-- {
			b.PrependInt32(values[i])
		}
		return b.EndVector(len(values))
	}
	tables := func(tables ...flatbuffers.UOffsetT) flatbuffers.UOffsetT {
		b.StartVector(4, len(tables), 4)
		for i := len(tables) - 1; i >= 0; i-- {
			b.PrependUOffsetT(tables[i])
		}
		return b.EndVector(len(tables))
	}
	schema.BufferStart(b)
	buffer := schema.BufferEnd(b)
	name, dims := b.CreateString("x"), ints(shape...)
	schema.TensorStart(b)
	schema.TensorAddShape(b, dims)
	schema.TensorAddType(b, kind)
	schema.TensorAddName(b, name)
	tensor := schema.TensorEnd(b)
	tensors, inputs, outputs, operators := tables(tensor), ints(0), ints(0), tables()
	schema.SubGraphStart(b)
	schema.SubGraphAddTensors(b, tensors)
	schema.SubGraphAddInputs(b, inputs)
	schema.SubGraphAddOutputs(b, outputs)
	schema.SubGraphAddOperators(b, operators)
	subgraph := schema.SubGraphEnd(b)
	subgraphs, buffers, codes := tables(subgraph), tables(buffer), tables()
	schema.ModelStart(b)
	schema.ModelAddVersion(b, 3)
	schema.ModelAddOperatorCodes(b, codes)
	schema.ModelAddSubgraphs(b, subgraphs)
	schema.ModelAddBuffers(b, buffers)
	b.FinishWithFileIdentifier(schema.ModelEnd(b), []byte("TFL3"))
	return b.FinishedBytes()
}

func TestUnknownTensorTypes(t *testing.T) {
	for kind, want := range map[schema.TensorType]string{
		schema.TensorTypeINT32:   "a tensor of type Int32: only float32 and int8 are run",
		schema.TensorTypeFLOAT16: "only float32 and int8 are run",
		schema.TensorType(3):     "a tensor of type UInt8: only float32 and int8 are run",
		schema.TensorType(5):     "TensorFlow Lite cannot run it", // strings
		schema.TensorTypeINT8:    "scale is 0",
	} {
		b := rewrite(t, func(m *bundle.Manifest, segments map[string][]byte) {
			data := oneTensor(kind, 1, 8, 8, 3)
			sum := sha256.Sum256(data)
			digits := hex.EncodeToString(sum[:])
			s := &m.Segments[0]
			old := s.ID
			delete(segments, old)
			s.ID, s.SHA256, s.Bytes = digits[:12], digits, int64(len(data))
			s.File = "segments/" + s.ID + ".tflite"
			segments[s.ID] = data
			for _, v := range m.Variants {
				for i := range v.Path {
					if v.Path[i] == old {
						v.Path[i] = s.ID
					}
				}
			}
		})
		e, err := Open(b, Options{})
		wantError(t, err, want)
		wantError(t, err, b.Manifest.Segments[0].File)
		if e != nil {
			t.Error("an engine came with the error")
		}
	}
}

func TestTensorsThatAreNotFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for _, f := range []form{{}, {bundle.Int8, false}} { // int8 would take NaN for the zero point, and ReLU for 0
		e, err := Open(openForm(t, f), Options{})
		if err != nil {
			t.Fatal(err)
		}
		in := make([]float32, 8*8*3)
		for i, v := range map[int]float32{0: nan, 17: inf, len(in) - 1: nan} {
			in[i] = v
			res, err := e.InferTensor(in)
			if err == nil || !strings.Contains(err.Error(), "a frame has finite values") || res.Scores != nil {
				t.Errorf("%s, %v at %d: %+v, %v", f, v, i, res, err)
			}
			in[i] = 0
		}
		if _, err := e.InferTensor(in); err != nil {
			t.Errorf("%s: after refusals: %v", f, err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A bundle that is too large for what is left is refused before TFLite, which
// would end the process, is asked for memory.
func TestTooLittleMemory(t *testing.T) {
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_DATA, &old); err != nil {
		t.Fatal(err)
	}
	b := openForm(t, form{})
	used := fields(read("/", "proc/self/status"))["VmData"]
	if used == 0 {
		t.Skip("the kernel tells no VmData")
	}
	lowered := old
	lowered.Cur = uint64(used + reserve) // not a byte for the bundle
	if err := unix.Setrlimit(unix.RLIMIT_DATA, &lowered); err != nil {
		t.Fatal(err)
	}
	var kept unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_DATA, &kept); err != nil {
		t.Fatal(err)
	}
	if kept.Cur != lowered.Cur {
		t.Skip("the limit is not kept: qemu-user has none")
	}
	err := enoughMemory(b.Manifest, len(b.Manifest.Segments)-1)
	if err2 := unix.Setrlimit(unix.RLIMIT_DATA, &old); err2 != nil {
		t.Fatal(err2)
	}
	wantError(t, err, "the limit of its data (ulimit -d) leaves")
	if !errors.Is(err, ErrMemory) {
		t.Errorf("%v is no ErrMemory", err)
	}
	if _, err := Open(b, Options{}); err != nil {
		t.Errorf("with the limit lifted: %v", err)
	}
}

func TestMemoryLeft(t *testing.T) {
	const mib = 1 << 20
	files := map[string]string{
		"proc/meminfo":                          "MemTotal: 1000 kB\nMemAvailable: 409600 kB\nSwapFree: 102400 kB\n",
		"proc/self/cgroup":                      "0::/system.slice/fathomd.service\n",
		"proc/self/status":                      "Name:\tfathomd\nVmSize:\t  204800 kB\nVmData:\t 102400 kB\n",
		"sys/fs/cgroup/system.slice/memory.max": "314572800\n", "sys/fs/cgroup/system.slice/memory.current": "209715200\n",
		"sys/fs/cgroup/system.slice/memory.stat":                    "anon 1\ninactive_file 52428800\n",
		"sys/fs/cgroup/system.slice/fathomd.service/memory.max":     "max\n",
		"sys/fs/cgroup/system.slice/fathomd.service/memory.current": "1048576\n",
	}
	for _, tc := range []struct {
		name   string
		drop   []string // prefixes of files that are not there
		limits []limit
		left   int64 // MiB
		whose  string
	}{
		{"group", nil, nil, 150, "the control group /system.slice"},
		{"system", []string{"sys/"}, nil, 500, "the system"},
		{"address space", nil, []limit{{"v", "VmSize", 300 * mib}, {"d", "VmData", 300 * mib}}, 100, "v"},
		{"used up", nil, []limit{{"v", "VmSize", 100 * mib}}, 0, "v"},
		{"no limit", nil, []limit{{"v", "VmSize", math.MaxInt64}}, 150, "the control group /system.slice"},
		{"nothing is told", []string{"sys/", "proc/"}, []limit{{"v", "VmSize", 1}}, math.MaxInt64 / mib, ""},
	} {
		root := t.TempDir()
		for name, content := range files {
			file := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			dropped := false
			for _, d := range tc.drop {
				dropped = dropped || strings.HasPrefix(name, d)
			}
			if dropped {
				continue
			}
			if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		left, whose := memoryLeft(root, tc.limits)
		if left/mib != tc.left || whose != tc.whose {
			t.Errorf("%s: %d MiB by %q, want %d by %q", tc.name, left/mib, whose, tc.left, tc.whose)
		}
	}
}
