package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/fathom-edge/fathom/train"
	"github.com/fathom-edge/fathom/train/dataset"
	"github.com/fathom-edge/fathom/train/report"
)

type runCmd struct {
	Config     string `arg:"" type:"existingfile" help:"Configuration (YAML), e.g. train/demo.yaml."`
	Output     string `short:"o" required:"" placeholder:"FAMILY" help:"Family folder to write."`
	Steps      int    `placeholder:"N" help:"Number of steps instead of the configuration's; the learning rate's schedule follows."`
	Metrics    string `placeholder:"FILE" help:"Write metrics as JSON lines; with --resume, go on with them."`
	Checkpoint string `placeholder:"DIR" help:"Folder for checkpoints; one that holds some needs --resume."`
	Resume     bool   `help:"Go on from the newest checkpoint, if there is one."`
	Report     string `placeholder:"FILE.html" help:"Write a page with curves, anew at each measurement. Needs --metrics."`
	backendFlag
}

func (c *runCmd) Help() string {
	return `Train the nets of a configuration and write the family of depth variants. A run that was ended goes on with --resume.

Example:

  fathom-train run train/demo.yaml -o family --checkpoint checkpoints --metrics metrics.jsonl --report report.html`
}

func (c *runCmd) Run(ctx context.Context) (err error) {
	cfg, err := train.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	if c.Steps > 0 {
		cfg.Steps = c.Steps
	}
	if c.Resume && c.Checkpoint == "" {
		return fmt.Errorf("--resume needs --checkpoint DIR")
	}
	if c.Report != "" && c.Metrics == "" {
		return fmt.Errorf("--report needs --metrics FILE")
	}
	if err := c.checkOutputs(); err != nil {
		return err
	}
	data, err := dataset.Open(cfg.Data)
	if err != nil {
		return err
	}
	backend, err := c.open()
	if err != nil {
		return err
	}
	trainer, err := train.NewTrainer(cfg, backend, data)
	if err != nil {
		return err
	}
	if c.Resume {
		switch err := trainer.Resume(c.Checkpoint); {
		case errors.Is(err, train.ErrNoCheckpoint):
			fmt.Fprintf(os.Stderr, "no checkpoint in %s yet: starting from the beginning\n", c.Checkpoint)
		case err != nil:
			return err
		}
	}
	options := train.RunOptions{Checkpoints: c.Checkpoint}
	if c.Metrics != "" {
		if err := train.TrimMetrics(c.Metrics, trainer.Step()); err != nil {
			return err
		}
		f, err := os.OpenFile(c.Metrics, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
		if err != nil {
			return err
		}
		defer func() {
			if cerr := f.Close(); err == nil {
				err = cerr
			}
		}()
		options.Metrics = f
	}
	if c.Report != "" {
		options.Measured = func() error { return report.Write(c.Metrics, c.Report, cfg) }
		if err := options.Measured(); err != nil {
			return err
		}
	}
	// The bar's own forecast would count the steps before a resumption.
	bar := newBar(cfg.Steps, "steps", progressbar.OptionSetPredictTime(false))
	options.Progress = func(p train.Progress) {
		bar.Describe(fmt.Sprintf("loss %.3f, %.0f images/s, %v left", p.Loss, p.ImagesPerSecond, timeLeft(p, cfg.Batch)))
		// The bar only draws; a terminal that refuses must not end the training.
		_ = bar.Set(p.Step)
	}
	if err := trainer.Run(ctx, options); err != nil {
		return err
	}
	measured, err := trainer.Finish(options.Metrics)
	if err != nil {
		return err
	}
	if options.Measured != nil {
		if err := options.Measured(); err != nil {
			return err
		}
	}
	if c.Checkpoint != "" {
		// The statistics that were chosen, for a search of the ladder.
		if err := trainer.SaveCheckpoint(c.Checkpoint); err != nil {
			return err
		}
	}
	if err := trainer.Export(c.Output, cfg.Deployed(), measured); err != nil {
		return err
	}
	for _, p := range cfg.Paths() {
		for _, a := range measured.Accuracy[p.String()] {
			fmt.Printf("%-10s %-10s %6.2f %%  (%d samples)\n", p, a.Split, 100*a.Top1, a.Samples)
		}
	}
	return nil
}

// checkOutputs finds out before the training whether its results can be written, and that none are in the way.
func (c *runCmd) checkOutputs() error {
	folders := map[string]string{c.Output: "-o"}
	if c.Checkpoint != "" {
		folders[c.Checkpoint] = "--checkpoint"
	}
	if c.Metrics != "" {
		folders[filepath.Dir(c.Metrics)] = "--metrics"
	}
	if c.Report != "" {
		folders[filepath.Dir(c.Report)] = "--report"
	}
	for _, dir := range slices.Sorted(maps.Keys(folders)) {
		if err := writable(dir); err != nil {
			return fmt.Errorf("%s: cannot write to %s: %w", folders[dir], dir, err)
		}
	}
	if c.Checkpoint == "" || c.Resume {
		return nil
	}
	_, err := train.CheckpointConfig(c.Checkpoint)
	if errors.Is(err, train.ErrNoCheckpoint) {
		return nil
	}
	return fmt.Errorf("%s holds a checkpoint: go on from it with --resume, or name another folder", c.Checkpoint)
}

// writable makes the folder if there is none, and a file in it for a moment.
func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// timeLeft until the last step, at the speed since the run began or was resumed.
func timeLeft(p train.Progress, batch int) time.Duration {
	seconds := float64((p.Steps-p.Step)*batch) / p.ImagesPerSecond
	return (time.Duration(seconds*1e3) * time.Millisecond).Round(time.Second)
}

// newBar is a progress bar on stderr that goes away when it is full.
func newBar(steps int, what string, more ...progressbar.Option) *progressbar.ProgressBar {
	return progressbar.NewOptions(steps, append([]progressbar.Option{progressbar.OptionSetWriter(os.Stderr), progressbar.OptionShowCount(),
		progressbar.OptionSetItsString(what), progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(progressInterval),
		progressbar.OptionClearOnFinish()}, more...)...)
}
