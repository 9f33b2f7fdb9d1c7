// Command fathom-train trains a family of depth variants cooperatively, and writes image folders of the demo dataset.
package main

import (
	"context"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

type cli struct {
	Run     runCmd     `cmd:"" help:"Train a family as a configuration says."`
	Search  searchCmd  `cmd:"" help:"Measure every combination of depths of a trained run and choose the ladder."`
	Compare compareCmd `cmd:"" help:"Train the method and its rivals with several seeds."`
	Ablate  ablateCmd  `cmd:"" help:"Train with one thing changed at a time."`
	Speed   speedCmd   `cmd:"" help:"Time the training of a configuration, together and depth by depth."`
	Data    dataCmd    `cmd:"" help:"Check and count the images of a configuration."`
	Glyphs  glyphsCmd  `cmd:"" help:"Write samples of the demo dataset as an image folder."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	k := kong.Parse(&cli{}, kong.Name("fathom-train"), kong.UsageOnError(),
		kong.Description("Train one network at many depths."), kong.BindTo(ctx, (*context.Context)(nil)))
	k.FatalIfErrorf(k.Run())
}
