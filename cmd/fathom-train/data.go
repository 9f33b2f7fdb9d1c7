package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/schollz/progressbar/v3"

	"github.com/fathom-edge/fathom/train"
	"github.com/fathom-edge/fathom/train/dataset"
)

type dataCmd struct {
	Config string `arg:"" type:"existingfile" help:"Configuration (YAML) with a data section."`
	JSON   bool   `name:"json" help:"Print as JSON."`
}

func (c *dataCmd) Help() string {
	return `Decode every image that the configuration would train or be measured on, list those that cannot be read, and count the
images of each class.

Example:

  fathom-train data run.yaml`
}

// content is what data prints. Splits without an end, or that are not there, have no counts.
type content struct {
	Name   string           `json:"name"`
	Labels []string         `json:"labels"`
	Size   int              `json:"size"`
	Counts map[string][]int `json:"counts"` // by split, then in the order of Labels
}

func (c *dataCmd) Run(ctx context.Context) error {
	cfg, err := train.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	data, err := dataset.Open(cfg.Data)
	if err != nil {
		return err
	}
	found := content{Name: data.Name(), Labels: data.Labels(), Size: data.Spec().Width, Counts: map[string][]int{}}
	total := 0
	for _, split := range dataset.Splits() {
		total += max(0, data.Len(split))
	}
	bar := progressbar.NewOptions(total, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription("decoding"),
		progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(progressInterval),
		progressbar.OptionClearOnFinish())
	// The bar only draws; a terminal that refuses must not end the command.
	counts, unreadable := dataset.Census(ctx, data, func() { _ = bar.Add(1) })
	_ = bar.Finish()
	for _, split := range dataset.Splits() {
		if counts[split] != nil {
			found.Counts[split.String()] = counts[split]
		}
	}
	if c.JSON {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(found)
	} else {
		err = found.print(os.Stdout)
	}
	if unreadable != nil {
		return unreadable
	}
	return err
}

func (f content) print(w io.Writer) error {
	fmt.Fprintf(w, "%s: %d classes, %dx%d pixels\n", f.Name, len(f.Labels), f.Size, f.Size)
	if len(f.Counts) == 0 {
		_, err := fmt.Fprintln(w, "images are drawn without end: there is nothing to count")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name string, value func(counts []int) int) {
		fmt.Fprint(table, name)
		for _, split := range dataset.Splits() {
			if counts, ok := f.Counts[split.String()]; ok {
				fmt.Fprintf(table, "\t%d", value(counts))
			}
		}
		fmt.Fprintln(table, "\t")
	}
	fmt.Fprint(table, "class")
	for _, split := range dataset.Splits() {
		if _, ok := f.Counts[split.String()]; ok {
			fmt.Fprintf(table, "\t%s", split)
		}
	}
	fmt.Fprintln(table, "\t")
	for i, label := range f.Labels {
		row(label, func(counts []int) int { return counts[i] })
	}
	row("all", func(counts []int) (sum int) {
		for _, n := range counts {
			sum += n
		}
		return sum
	})
	return table.Flush()
}
