package boards

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"time"
)

// vcgencmdPatience is how long vcgencmd may take before it is killed.
const vcgencmdPatience = 5 * time.Second

// vcgencmd returns a function that asks a Raspberry Pi's firmware for its flags
// with the program of that name or path. It is started as it is, without a shell,
// and needs /dev/vcio, which the group video may open.
func vcgencmd(program string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		cmd := exec.CommandContext(ctx, program, "get_throttled")
		cmd.WaitDelay = time.Second // a child of its own must not keep the pipe open
		var errs strings.Builder
		cmd.Stderr = &errs
		out, err := cmd.Output()
		switch {
		case ctx.Err() != nil:
			return "", fmt.Errorf("vcgencmd did not answer within %s", vcgencmdPatience)
		case err != nil:
			return "", fmt.Errorf("vcgencmd: %w%s", err, joined(": ", strings.TrimSpace(errs.String())))
		}
		return string(out), nil
	}
}

// isMissing tells whether the program is not there at all.
func isMissing(err error) bool {
	return errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist)
}
