package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/fathom-edge/fathom/daemon"
)

const description = `Classifies camera frames at the depth that the board can afford.

Examples:
  fathomd --demo
  fathomd --bundle /srv/family --source http://camera.local:8081/stream
  fathomd --config /etc/fathom/fathomd.yaml --listen 0.0.0.0:8080`

// flags override the commonest fields of the configuration.
type flags struct {
	Config           string           `short:"c" placeholder:"FILE" help:"Configuration file (docs/fathomd.md documents it)."`
	Demo             bool             `help:"Run the demo: a synthetic camera and a simulated board."`
	Bundle           string           `short:"b" placeholder:"DIR" help:"Folder of the converted family."`
	Profile          string           `placeholder:"FILE" help:"Costs of the variants as fathom bench -o wrote them on this board."`
	Source           string           `short:"s" placeholder:"SOURCE" help:"Where frames come from: an image folder, the http address of an MJPEG stream, or synthetic."`
	Listen           string           `short:"l" placeholder:"HOST:PORT" help:"Address of the page (default 127.0.0.1:8080)."`
	RequireSignature []string         `sep:"none" placeholder:"KEY" help:"Public key, or its file, with which the bundle must be signed; may be given several times."`
	Version          kong.VersionFlag `help:"Print the version and exit."`
	CheckConfig      bool             `help:"Check the configuration and exit."`
}

// demoConfigs are where the demo's configuration may lie: in a clone, and where a package installs it.
var demoConfigs = []string{"testdata/demo/fathomd.yaml", "/usr/share/fathom/demo/fathomd.yaml"}

// config merges the flags into the configuration file and checks the result.
func (f flags) config() (daemon.Config, error) {
	if f.Demo {
		if f.Config != "" {
			return daemon.Config{}, fmt.Errorf("--demo has a configuration of its own: drop --config")
		}
		path, err := findDemo()
		if err != nil {
			return daemon.Config{}, err
		}
		f.Config = path
	}
	config := daemon.DefaultConfig()
	if f.Config != "" {
		var err error
		if config, err = daemon.LoadConfig(f.Config, os.Environ()); err != nil {
			return daemon.Config{}, err
		}
	}
	if len(f.RequireSignature) > 0 {
		config.RequireSignature = f.RequireSignature
	}
	if f.Bundle != "" {
		config.Bundle = f.Bundle
	}
	if f.Profile != "" {
		config.Profile = f.Profile
	}
	if f.Listen != "" {
		config.Listen = f.Listen
	}
	if f.Source != "" {
		setSource(&config.Source, f.Source)
	}
	return config, config.Check()
}

func findDemo() (string, error) {
	for _, path := range demoConfigs {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("--demo: found none of %s (run it in a clone of the repository)", strings.Join(demoConfigs, ", "))
}

// setSource reads the short form of a source.
func setSource(s *daemon.Source, value string) {
	switch {
	case value == daemon.SourceSynthetic:
		s.Kind = daemon.SourceSynthetic
	case strings.HasPrefix(value, "http://"), strings.HasPrefix(value, "https://"):
		s.Kind, s.URL = daemon.SourceMJPEG, value
	default:
		s.Kind, s.Path = daemon.SourceFolder, value
	}
}
