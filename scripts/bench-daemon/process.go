package main

import (
	"bufio"
	"fmt"
	"image"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	bundles "github.com/fathom-edge/fathom/runtime/bundle"
)

// process is a running fathomd.
type process struct {
	*exec.Cmd
	url   string
	ready time.Duration // from its start until it said so
	least image.Point   // the network's input
}

// launch starts fathomd on the real board with a bundle.
func launch(bundle, state string, args ...string) (*process, error) {
	b, err := bundles.Open(bundle)
	if err != nil {
		return nil, err
	}
	input := b.Manifest.Preprocess
	p := &process{least: image.Pt(input.Width, input.Height), Cmd: exec.Command(binary, append([]string{"--bundle", bundle, "--listen", "127.0.0.1:0"}, args...)...)}
	p.Env = append(os.Environ(), "STATE_DIRECTORY="+state)
	out, err := p.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := p.Start(); err != nil {
		return nil, fmt.Errorf("%w (run make build)", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	p.ready = time.Since(began)
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "fathomd: ")
	if err != nil || !ok {
		_ = p.Wait()
		return nil, fmt.Errorf("%s: %q, %w", p, line, err)
	}
	p.url = url
	return p, nil
}

// stop ends it as systemd would.
func (p *process) stop() error {
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.Wait()
}

// cpu is the processor time that it has taken.
func (p *process) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("stat: %q", text)
	}
	const ticksPerSecond = 100 // USER_HZ of every architecture that Linux has
	return time.Duration(user+system) * time.Second / ticksPerSecond, nil
}

// resident is the memory that a process has to itself and shares, in MiB.
func resident(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024, err
		}
	}
	return 0, fmt.Errorf("status of %d names no VmRSS", pid)
}

// metrics are the values of /metrics by name and labels.
func (p *process) metrics() (map[string]float64, error) {
	answer, err := http.Get(p.url + "/metrics")
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	values := map[string]float64{}
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if i := strings.LastIndexByte(lines.Text(), ' '); i > 0 && lines.Text()[0] != '#' {
			if v, err := strconv.ParseFloat(lines.Text()[i+1:], 64); err == nil {
				values[lines.Text()[:i]] = v
			}
		}
	}
	return values, lines.Err()
}

// sum adds the values of a name over all labels.
func sum(values map[string]float64, name string) (total float64) {
	for key, v := range values {
		if key == name || strings.HasPrefix(key, name+"{") {
			total += v
		}
	}
	return total
}
