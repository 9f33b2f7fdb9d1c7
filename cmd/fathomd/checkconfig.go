package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/fathom-edge/fathom/daemon"
)

type checkConfig struct {
	File string `arg:"" optional:"" default:"/etc/fathom/fathomd.yaml" help:"Configuration file (default ${default})."`
	JSON bool   `name:"json" help:"Print a JSON object."`
}

// Help is the end of the help text.
func (checkConfig) Help() string {
	return `Environment variables FATHOM_... override the file, here as in the daemon.
Exit status: 0 if it is fine, 1 if it is not.

Examples:
  fathomd check-config
  fathomd check-config my.yaml --json`
}

// Run lists all problems, one a line.
func (c checkConfig) Run(s streams) error {
	config, err := daemon.LoadConfig(c.File, os.Environ())
	if err == nil {
		err = config.Check()
	}
	problems, known := errors.AsType[daemon.Problems](err)
	if err != nil && !known {
		return err
	}
	if c.JSON {
		out := json.NewEncoder(s.out)
		out.SetIndent("", "  ")
		if err := out.Encode(struct {
			File     string          `json:"file"`
			OK       bool            `json:"ok"`
			Problems daemon.Problems `json:"problems"`
		}{c.File, err == nil, append(daemon.Problems{}, problems...)}); err != nil {
			return err
		}
	} else {
		for _, p := range problems {
			fmt.Fprintln(s.err, p)
		}
	}
	if err != nil {
		return exitCode(exitFailure)
	}
	if !c.JSON {
		fmt.Fprintf(s.out, "%s is fine\n", c.File)
	}
	return nil
}
