// Command bench-peers converts whole classifiers with fathom, onnx2tf and
// litert-torch and compares what each takes and makes. scripts/peers.sh installs
// the peers, exports the networks, and runs it; one part at a time:
//
//	go run ./scripts/bench-peers convert [NETWORK…]    whether it converts, time, memory, size, operators, error against onnxruntime
//	go run ./scripts/bench-peers int8 [NETWORK…]       the same networks in int8: size, and agreement with the float32 network
//	go run ./scripts/bench-peers latency [NETWORK…]    paired runs of what the other parts made, on our TFLite and the newest LiteRT
//	go run ./scripts/bench-peers table                 prints what was measured, a line for each network and tool
//
// Rows go to docs/results/convert-peers.json after each network, and what was made
// stays below .cache/peers/made, so that a part can be taken up where it ended. A
// result that our TFLite does not load is listed as such and not compared on it.
// Flag -tools, before the part, names those that convert, e.g. fathom,onnx2tf.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fathom-edge/fathom/internal/results"
)

const (
	output   = "docs/results/convert-peers.json"
	networks = ".cache/networks" // where scripts/onnx-networks.py --full wrote
	peers    = ".cache/peers"    // the virtual environments that scripts/peers.sh made
)

// part measures one network.
type part struct {
	networks []string // unless named
	measure  func(network) ([]results.Row, error)
}

var parts = map[string]part{
	"convert": {[]string{
		"resnet18", "resnet50", "mobilenet_v2", "efficientnet_b0", "mobilenet_v3_small", "mobilenet_v3_large", "resnext50_32x4d",
		"regnet_x_400mf", "regnet_y_400mf", "googlenet", "inception_v3", "squeezenet1_0", "mnasnet1_0", "densenet121",
		"shufflenet_v2_x1_0", "convnext_tiny", "swin_t", "vit_b_16", "vgg11", "vgg11_bn",
	}, convertAll},
	"int8":    {[]string{"mobilenet_v3_small", "mobilenet_v3_large", "efficientnet_b0", "mobilenet_v2", "resnet50"}, quantizeAll},
	"latency": {[]string{"mobilenet_v2", "resnet50", "mobilenet_v3_small", "efficientnet_b0"}, latencies},
}

var tools = flag.String("tools", ours+",onnx2tf,litert-torch", "the tools that convert")

// chosen are the tools that the flag names.
func chosen(all []tool) []tool {
	return slices.DeleteFunc(all, func(t tool) bool { return !slices.Contains(strings.Split(*tools, ","), t.name) })
}

func main() {
	flag.Parse()
	if flag.Arg(0) == "table" {
		exit(table(os.Stdout))
	}
	if flag.Arg(0) == "measure" { // for this command itself
		exit(measure(flag.Args()[1:]))
	}
	p := parts[flag.Arg(0)]
	if p.measure == nil {
		fmt.Fprintln(os.Stderr, "usage: bench-peers [-tools fathom,onnx2tf,litert-torch] convert|int8|latency [NETWORK…], or bench-peers table")
		os.Exit(2)
	}
	names := p.networks
	if flag.NArg() > 1 {
		names = flag.Args()[1:]
	}
	exit(run(flag.Arg(0), p, names))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-peers:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(name string, p part, names []string) error {
	for _, n := range names {
		fmt.Fprintf(os.Stderr, "%s %s\n", name, n)
		net, err := open(n)
		if err != nil {
			return err
		}
		rows, err := p.measure(net)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", name, n, err)
		}
		for i := range rows {
			rows[i].ID = rowID(rows[i].ID, n)
			rows[i].What = n + ": " + rows[i].What
			rows[i].Command, rows[i].Machine = "go run ./scripts/bench-peers "+name+" "+n, results.Machine()
		}
		if err := results.Merge(output, rows); err != nil {
			return err
		}
	}
	return nil
}

// rowID makes plots of ratios alone: rows are plotted together by what stands before a slash.
func rowID(id, network string) string {
	if id == "speed" || strings.HasSuffix(id, "-ratio") {
		return id + "/" + network
	}
	return id + "." + network
}

// row holds the median of its samples.
func row(id, what, unit string, samples ...float64) results.Row {
	return results.Row{ID: id, What: what, Unit: unit, Value: results.Median(samples), Samples: samples}
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// made is the file that a tool makes of a network.
func (n network) made(tool, precision string) string {
	return filepath.Join(peers, "made", n.name, tool+"-"+precision+".tflite")
}
