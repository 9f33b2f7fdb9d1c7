package main

import (
	"os"

	"github.com/alecthomas/kong"

	"github.com/fathom-edge/fathom/boards/camera"
	"github.com/fathom-edge/fathom/daemon"
)

const description = `Classifies camera frames at the depth that the board can afford.

Examples:
  fathomd --demo
  fathomd --bundle /srv/family --source http://camera.local:8081/stream
  fathomd --config /etc/fathom/fathomd.yaml
  fathomd init && fathomd check-config`

// cli is the command line.
type cli struct {
	Version     kong.VersionFlag `help:"Print the version and exit."`
	Run         flags            `cmd:"" default:"withargs" help:"Run the daemon; the default."`
	CheckConfig checkConfig      `cmd:"" help:"Check a configuration, and say all that is wrong with it."`
	Health      healthCommand    `cmd:"" help:"Ask the daemon on this machine whether it is well."`
	Init        initConfig       `cmd:"" help:"Write a configuration for this board and its cameras."`
	Token       tokenFile        `cmd:"" help:"Write a token for the page."`
}

// flags override the commonest fields of the configuration.
type flags struct {
	Config           string   `short:"c" placeholder:"FILE" help:"Configuration file (docs/configuration.md documents it)."`
	Demo             bool     `help:"Run the demo: a synthetic camera and a simulated board."`
	Bundle           string   `short:"b" placeholder:"DIR" help:"Folder of the converted family."`
	Profile          string   `placeholder:"FILE" help:"Costs of the variants as fathom bench -o wrote them on this board."`
	Source           string   `short:"s" placeholder:"SOURCE" help:"Where frames come from: a camera (v4l2:/dev/video0, rpicam:, csi:0, rtsp://..., http://...), an image folder, or synthetic."`
	Listen           string   `short:"l" placeholder:"HOST:PORT" help:"Address of the page (default 127.0.0.1:8080)."`
	RequireSignature []string `sep:"none" placeholder:"KEY" help:"Public key, or its file, with which the bundle must be signed; may be given several times."`

	demo demo
}

// config merges the flags into the configuration file and checks the result.
func (f flags) config() (daemon.Config, error) {
	config, err := daemon.LoadConfig(f.Config, os.Environ())
	if err != nil {
		return daemon.Config{}, err
	}
	if f.Demo {
		f.demo.showAll(&config)
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

// setSource reads the short form of a source.
func setSource(s *daemon.Source, value string) {
	switch {
	case value == daemon.SourceSynthetic:
		s.Kind = daemon.SourceSynthetic
	case camera.IsAddress(value):
		s.Kind, s.Address = daemon.SourceCamera, value
	default:
		s.Kind, s.Path = daemon.SourceFolder, value
	}
}
