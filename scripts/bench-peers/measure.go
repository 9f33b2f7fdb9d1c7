package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// usage is what a program took, or how it failed.
type usage struct {
	Seconds, Processor, Megabytes float64
	Failed                        string // its last line
	Late                          bool   // it was ended for want of patience
}

// measured runs a program by way of a small process, see measure.
func measured(args []string) (*usage, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := exec.Command(self, append([]string{"measure"}, args...)...)
	c.Stderr = os.Stderr
	text, err := c.Output()
	if err != nil {
		return nil, err
	}
	var u usage
	switch err := json.Unmarshal(text, &u); {
	case err != nil:
		return nil, err
	case u.Late:
		return nil, fmt.Errorf("%w after %v: this says nothing of it (is the machine busy?)", context.DeadlineExceeded, patience)
	case u.Failed != "":
		return nil, fmt.Errorf("%s", u.Failed)
	}
	return &u, nil
}

// measure runs a program and prints what it took. Linux counts what a process held before it became another program to the
// other's peak of memory, so it is a small process that starts it.
func measure(args []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	start := time.Now()
	text, err := c.CombinedOutput()
	u := usage{Seconds: time.Since(start).Seconds(), Late: ctx.Err() != nil}
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		u.Failed = fmt.Sprintf("%v: %.500s", err, lines[len(lines)-1])
	} else {
		took, ok := c.ProcessState.SysUsage().(*syscall.Rusage)
		if !ok {
			return fmt.Errorf("this system does not tell what a process used")
		}
		u.Processor = (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds()
		u.Megabytes = float64(took.Maxrss) * 1024 / 1e6
	}
	return json.NewEncoder(os.Stdout).Encode(u)
}
