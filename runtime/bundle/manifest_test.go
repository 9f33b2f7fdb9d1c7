package bundle

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fathom-edge/fathom/runtime/preprocess"
)

func TestValidateRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(m *Manifest)
		want   string
	}{
		"format":           {func(m *Manifest) { m.Format = 2 }, "this fathom writes 1"},
		"no name":          {func(m *Manifest) { m.Name = "" }, "name must have 1 to 200 bytes"},
		"control name":     {func(m *Manifest) { m.Name = "a\x1b[2J" }, "control characters"},
		"no labels":        {func(m *Manifest) { m.Labels = nil }, "lists no labels"},
		"label twice":      {func(m *Manifest) { m.Labels[1] = "cat" }, `label "cat" twice`},
		"empty label":      {func(m *Manifest) { m.Labels[1] = "" }, "label 1 must have"},
		"label count":      {func(m *Manifest) { m.Labels = append(m.Labels, "cow") }, "a-1 has 2 outputs but the manifest lists 3 labels"},
		"preprocess":       {func(m *Manifest) { m.Preprocess.Std[1] = 0 }, "std of channel 1"},
		"frame shape":      {func(m *Manifest) { m.Preprocess.Width = 7 }, "preprocessing gives [1 4 7 3]"},
		"sha256":           {func(m *Manifest) { m.Segments[0].SHA256 = "xyz" }, "not 64 lower-case"},
		"upper-case":       {func(m *Manifest) { m.Segments[0].SHA256 = strings.ToUpper(m.Segments[0].SHA256) }, "not 64 lower-case"},
		"id":               {func(m *Manifest) { m.Segments[0].ID = "0123456789ab" }, "must be the first 12 digits"},
		"file upwards":     {func(m *Manifest) { m.Segments[0].File = "../../etc/passwd" }, "must be \"segments/"},
		"file absolute":    {func(m *Manifest) { m.Segments[0].File = "/etc/passwd" }, "must be \"segments/"},
		"no bytes":         {func(m *Manifest) { m.Segments[0].Bytes = 0 }, "cannot be"},
		"negative MACs":    {func(m *Manifest) { m.Segments[0].MACs = -1 }, "cannot be"},
		"no shape":         {func(m *Manifest) { m.Segments[0].Output = nil }, "0 dimensions"},
		"zero dimension":   {func(m *Manifest) { m.Segments[0].Output = []int{1, 0} }, "at least 1"},
		"overflow":         {func(m *Manifest) { m.Segments[0].Output = []int{1 << 40, 1 << 40} }, "the product at most"},
		"segment twice":    {func(m *Manifest) { m.Segments = append(m.Segments, m.Segments[0]) }, "twice"},
		"unused segment":   {func(m *Manifest) { m.Variants = m.Variants[:1] }, "on no variant's path"},
		"no variants":      {func(m *Manifest) { m.Variants = nil }, "lists no variants"},
		"variant name":     {func(m *Manifest) { m.Variants[0].Name = "../a" }, "letters, digits"},
		"variant twice":    {func(m *Manifest) { m.Variants[1].Name = "a-1" }, "variant a-1 twice"},
		"no net":           {func(m *Manifest) { m.Variants[0].Net = "" }, "the net of variant a-1"},
		"depth":            {func(m *Manifest) { m.Variants[0].Depth = []int{-1} }, "depth of -1"},
		"variant MACs":     {func(m *Manifest) { m.Variants[0].MACs = -1 }, "-1 MACs"},
		"order":            {func(m *Manifest) { m.Variants[0].MACs = 31 }, "a-2 is cheaper than a-1"},
		"accuracy":         {func(m *Manifest) { m.Variants[0].Accuracy[0].Top1 = 90 }, "accuracy 90"},
		"samples":          {func(m *Manifest) { m.Variants[0].Accuracy[0].Samples = 0 }, "0 samples"},
		"empty path":       {func(m *Manifest) { m.Variants[0].Path = nil }, "empty path"},
		"unknown segment":  {func(m *Manifest) { m.Variants[0].Path[0] = "0123456789ab" }, "not listed"},
		"broken chain":     {func(m *Manifest) { m.Segments[1].Input = []int{1, 4, 6, 9} }, "gives [1 4 6 8] but segment"},
		"output not 2-D":   {func(m *Manifest) { m.Variants[0].Path = m.Variants[0].Path[:1] }, "must be [1 classes]"},
		"precision":        {func(m *Manifest) { m.Precision = "int4" }, `precision "int4"`},
		"no scale":         {func(m *Manifest) { m.Segments[0].InputQuantization = &preprocess.Quantization{} }, "scale is 0"},
		"zero point":       {func(m *Manifest) { m.Segments[0].InputQuantization = scale(1, 128) }, "zero point is 128"},
		"scale not met":    {func(m *Manifest) { m.Segments[0].OutputQuantization = scale(1, 3) }, "gives int8 with scale 1 and zero point 3 but segment"},
		"float layers":     {func(m *Manifest) { m.Segments[0].FloatLayers = -1 }, "-1 float layers"},
		"batch of outputs": {func(m *Manifest) { m.Segments[2].Output = []int{2, 2} }, "must be [1 classes]"},
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := sample()
			tc.change(m)
			wantError(t, m.Validate(), tc.want)
		})
	}
	m, _ := sample()
	if err := m.Validate(); err != nil {
		t.Errorf("the unchanged sample: %v", err)
	}
}

func scale(s float32, zero int) *preprocess.Quantization {
	return &preprocess.Quantization{Scale: s, ZeroPoint: zero}
}

func TestDecodeManifestRefuses(t *testing.T) {
	m, _ := sample()
	valid, err := EncodeManifest(m)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ data, want string }{
		"empty":            {"", "file damaged?"},
		"not an object":    {"[]", "file damaged?"},
		"no format":        {"{}", "not a fathom bundle"},
		"newer":            {`{"format": 2, "future": true}`, "manifest format 2 is newer than this fathom reads (1): update fathom"},
		"older than first": {`{"format": 0}`, "format 0 does not exist"},
		"unknown field":    {strings.Replace(string(valid), `"name"`, `"nome"`, 1), `unknown field "nome"`},
		"trailing":         {string(valid) + "{}", "file damaged?"},
		"truncated":        {string(valid[:len(valid)/2]), "file damaged?"},
		"wrong type":       {strings.Replace(string(valid), `"macs": 10`, `"macs": "10"`, 1), "cannot unmarshal"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := DecodeManifest([]byte(tc.data))
			wantError(t, err, tc.want)
			if m != nil {
				t.Error("an error came with a manifest")
			}
		})
	}
}

func FuzzDecodeManifest(f *testing.F) {
	m, _ := sample()
	valid, err := EncodeManifest(m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(valid)
	m.Escalation = escalation()
	escalating, err := EncodeManifest(m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(escalating)
	f.Add([]byte(`{"format":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := DecodeManifest(data)
		if (err == nil) != (m != nil) {
			t.Fatalf("manifest %v with error %v", m, err)
		}
		if err != nil {
			return
		}
		again, err := EncodeManifest(m)
		if err != nil {
			t.Fatal(err)
		}
		back, err := DecodeManifest(again)
		if err != nil {
			t.Fatalf("what was read cannot be written and read again: %v", err)
		}
		if diff := cmp.Diff(m, back, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("manifest changed on the way (-first +second):\n%s", diff)
		}
	})
}
