package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/fathom-edge/fathom/internal/results"
)

// table prints the rows that were measured, a line for each network, precision and tool.
func table(w io.Writer) error {
	rows, err := results.Read(output)
	if err != nil {
		return err
	}
	value := map[string]string{}
	for _, r := range rows {
		value[r.ID] = strings.TrimSpace(fmt.Sprintf("%.4g %s", r.Value, r.Unit))
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NETWORK\tNUMBERS\tTOOL\tTIME\tMEMORY\tSIZE\tOPERATORS\tTRANSPOSES\tERROR\tSAME ANSWER / LESS MEAN\tOUR TFLITE\tNEWEST LITERT")
	for _, n := range parts["convert"].networks {
		for _, precision := range []string{"float32", "int8"} {
			for _, tool := range []string{ours, "onnx2tf", "litert-torch"} {
				of := func(id string) string { return or(value[rowID(id+"-"+tool+"-"+precision, n)]) }
				switch value[rowID("converts-"+tool+"-"+precision, n)] {
				case "0":
					fmt.Fprintf(t, "%s\t%s\t%s\tdoes not convert\n", n, precision, tool)
				case "1":
					agreement := "–"
					if precision == "int8" {
						agreement = or(value[rowID("agreement-"+tool, n)]) + " / " + or(value[rowID("balanced-"+tool, n)])
					}
					fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", n, precision, tool,
						of("time"), of("memory"), of("size"), of("operators"), of("transposes"), of("error"), agreement,
						or(value[rowID("tflite-"+precision+"-ms-"+tool, n)]), or(value[rowID("litert-"+precision+"-ms-"+tool, n)]))
				}
			}
		}
	}
	return t.Flush()
}

func or(text string) string {
	if text == "" {
		return "–"
	}
	return text
}
