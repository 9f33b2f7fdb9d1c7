package tflite_test

import (
	"bytes"
	"encoding/binary"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/convert/familytest"
	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
	"github.com/fathom-edge/fathom/convert/tflite/tflitetest"
)

var update = flag.Bool("update", false, "write testdata anew")

func write(t *testing.T, c familytest.Case) []byte {
	t.Helper()
	g, err := graph.Import(c.Model)
	if err != nil {
		t.Fatal(err)
	}
	if g, err = graph.Lower(g); err != nil {
		t.Fatal(err)
	}
	data, err := tflite.Write(g)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestOperators compares every supported operator with a golden. That TFLite
// reads the files and computes the right thing is tested in cmd/fathom.
func TestOperators(t *testing.T) {
	const file = "testdata/operators.txt"
	var got strings.Builder
	for _, c := range familytest.Cases() {
		data := write(t, c)
		if !bytes.Equal(data, write(t, c)) {
			t.Errorf("%s: writing twice gives different bytes", c.Name)
		}
		got.WriteString(c.Name + ": " + tflitetest.Dump(data))
	}
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s (run the test with -update if this is meant): -want +got:\n%s", file, diff)
	}
}

// TestWeightsAreAligned looks for the data of every buffer in the file.
func TestWeightsAreAligned(t *testing.T) {
	for _, c := range familytest.Cases() {
		data := write(t, c)
		if got := string(data[4:8]); got != "TFL3" {
			t.Fatalf("%s: file identifier is %q", c.Name, got)
		}
		model := schema.GetRootAsModel(data, 0)
		for i := range model.BuffersLength() {
			var b schema.Buffer
			model.Buffers(&b, i)
			if (i == 0) != (b.DataLength() == 0) {
				t.Errorf("%s: buffer %d has %d bytes; the first and only the first is empty", c.Name, i, b.DataLength())
			}
			if b.DataLength() == 0 {
				continue
			}
			// The slice that the reader returns lies within data.
			at := len(data) - cap(b.DataBytes())
			if at%16 != 0 {
				t.Errorf("%s: buffer %d lies at %d, not a multiple of 16", c.Name, i, at)
			}
			if n := binary.LittleEndian.Uint32(data[at-4:]); int(n) != b.DataLength() {
				t.Fatalf("%s: the length before buffer %d is %d, want %d: the test looks at the wrong place", c.Name, i, n, b.DataLength())
			}
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	g, err := graph.Import(familytest.Cases()[0].Model)
	if err != nil {
		t.Fatal(err)
	}
	data, err := tflite.Write(g)
	if data != nil || err == nil || !strings.Contains(err.Error(), "run graph.Lower first") {
		t.Errorf("a graph that is not lowered: got %d bytes, error %v", len(data), err)
	}
	g.Layout = graph.NHWC
	g.Nodes[1].Op = graph.OpBatchNorm
	data, err = tflite.Write(g)
	if data != nil || err == nil || !strings.Contains(err.Error(), "(BatchNorm): cannot be written") {
		t.Errorf("an operator that TFLite has not: got %d bytes, error %v", len(data), err)
	}
}
