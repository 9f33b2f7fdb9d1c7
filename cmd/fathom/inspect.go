package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/fathom-edge/fathom/convert"
	"github.com/fathom-edge/fathom/convert/quant"
	"github.com/fathom-edge/fathom/runtime/bundle"
	"github.com/fathom-edge/fathom/runtime/preprocess"
)

type inspectCommand struct {
	Bundle string `arg:"" help:"Folder of the bundle."`
	JSON   bool   `name:"json" help:"Print as JSON."`
}

// inspection is what inspect prints.
type inspection struct {
	Name string `json:"name"`
	// Precision of weights and activations: float32, float16 or int8.
	Precision string           `json:"precision"`
	Classes   int              `json:"classes"`
	Variants  []inspectVariant `json:"variants"`
	Segments  []inspectSegment `json:"segments"`
	// TotalBytes is the size of all segments.
	TotalBytes int64 `json:"total_bytes"`
	// DeepestBytes is the sum, over nets, of the bytes on the dearest variant's path.
	DeepestBytes int64               `json:"deepest_bytes"`
	Ratio        float64             `json:"ratio"`
	NotShared    []convert.NotShared `json:"not_shared,omitempty"`
	Proof        []convert.Proof     `json:"proof,omitempty"`
	Quantization *quant.Report       `json:"quantization,omitempty"`
}

type inspectVariant struct {
	bundle.Variant
	Bytes int64 `json:"bytes"`
	// SharedBytes is the part of Bytes that other variants use, too.
	SharedBytes int64 `json:"shared_bytes"`
}

type inspectSegment struct {
	bundle.Segment
	UsedBy []string `json:"used_by"`
}

// Run opens and verifies the bundle and reports on it.
func (c *inspectCommand) Run(out *output) error {
	b, err := bundle.Open(c.Bundle)
	if err != nil {
		return err
	}
	evidence, err := convert.ReadEvidence(c.Bundle)
	if err != nil {
		return err
	}
	i := inspect(b.Manifest)
	if evidence != nil {
		i.NotShared, i.Proof, i.Quantization = evidence.NotShared, evidence.Proof, evidence.Quantization
	}
	if c.JSON {
		return writeJSON(out, i)
	}
	fmt.Fprintf(out, "%s: %s, %d classes, %d variants, %d segments\n\n", i.Name, i.Precision, i.Classes, len(i.Variants), len(i.Segments))
	printLadder(out, b.Manifest)
	printSegments(out, i)
	printNotShared(out, i.NotShared)
	printQuantization(out, i.Quantization)
	return nil
}

func inspect(m *bundle.Manifest) *inspection {
	i := &inspection{Name: m.Name, Precision: m.Precision.String(), Classes: len(m.Labels)}
	bytes := map[string]int64{}
	users := map[string][]string{}
	for _, v := range m.Variants {
		for _, id := range v.Path {
			if !slices.Contains(users[id], v.Name) {
				users[id] = append(users[id], v.Name)
			}
		}
	}
	for _, s := range m.Segments {
		bytes[s.ID] = s.Bytes
		i.TotalBytes += s.Bytes
		i.Segments = append(i.Segments, inspectSegment{s, users[s.ID]})
	}
	deepest := map[string]int64{} // variants stand from cheap to dear: the last one stays
	for _, v := range m.Variants {
		iv := inspectVariant{Variant: v}
		ids := slices.Clone(v.Path)
		slices.Sort(ids)
		for _, id := range slices.Compact(ids) {
			iv.Bytes += bytes[id]
			if len(users[id]) > 1 {
				iv.SharedBytes += bytes[id]
			}
		}
		deepest[v.Net] = iv.Bytes
		i.Variants = append(i.Variants, iv)
	}
	for _, b := range deepest {
		i.DeepestBytes += b
	}
	i.Ratio = float64(i.TotalBytes) / float64(i.DeepestBytes)
	return i
}

// printLadder shows the variants from the cheapest to the dearest.
func printLadder(w io.Writer, m *bundle.Manifest) {
	i := inspect(m)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "VARIANT\tNET\tDEPTH\tMMACS\tACCURACY\tKIB\tSHARED KIB\tPATH")
	for _, v := range i.Variants {
		fmt.Fprintf(t, "%s\t%s\t%s\t%.2f\t%s\t%.1f\t%.1f\t%s\n", v.Name, v.Net, depth(v.Depth), float64(v.MACs)/1e6,
			accuracy(v), kib(v.Bytes), kib(v.SharedBytes), strings.Join(v.Path, " "))
	}
	t.Flush()
	fmt.Fprintf(w, "\nAll variants take %.1f KiB, %.2f times the %.1f KiB of each net's deepest alone.\n",
		kib(i.TotalBytes), i.Ratio, kib(i.DeepestBytes))
}

func printSegments(w io.Writer, i *inspection) {
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SEGMENT\tKIB\tMMACS\tINPUT\tOUTPUT\tUSED BY")
	for _, s := range i.Segments {
		fmt.Fprintf(t, "%s\t%.1f\t%.2f\t%v%s\t%v%s\t%s\n", s.ID, kib(s.Bytes), float64(s.MACs)/1e6,
			s.Input, numberKind(s.InputQuantization), s.Output, numberKind(s.OutputQuantization), strings.Join(s.UsedBy, " "))
	}
	t.Flush()
}

// numberKind marks tensors that are not float32.
func numberKind(q *preprocess.Quantization) string {
	if q == nil {
		return ""
	}
	return " int8"
}

func printNotShared(w io.Writer, notes []convert.NotShared) {
	if len(notes) == 0 {
		return
	}
	fmt.Fprintln(w, "\nNot shared:")
	for _, n := range notes {
		layers := n.First
		if n.Layers > 1 {
			layers = fmt.Sprintf("%d layers from %s to %s", n.Layers, n.First, n.Last)
		}
		fmt.Fprintf(w, "  %s of %s (%.1f KiB more): %s\n", layers, strings.Join(n.Variants, ", "), kib(n.Bytes), n.Reason)
	}
}

func depth(blocks []int) string {
	if len(blocks) == 0 {
		return "-"
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(blocks), " ", "-"), "[]")
}

func accuracy(v inspectVariant) string {
	if len(v.Accuracy) == 0 {
		return "-"
	}
	var parts []string
	for _, a := range v.Accuracy {
		parts = append(parts, fmt.Sprintf("%s %.1f %%", a.Split, 100*a.Top1))
	}
	return strings.Join(parts, ", ")
}

func kib(bytes int64) float64 { return float64(bytes) / 1024 }
