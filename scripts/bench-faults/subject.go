package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// subject is the fathomd under test, which is killed and started again. Safe for concurrent use.
type subject struct {
	binary, config, state string
	keep                  io.Writer // of the whole log; nil for none

	running sync.Mutex // held while it is ended and started

	mu      sync.Mutex
	cmd     *exec.Cmd
	exited  chan struct{}
	url     string
	starts  int
	started time.Time
	ready   time.Time // when it said so
	lines   []string  // of the log, since the first start
	view    view
	taken   []taken // by the prediction log of this process, the newest last
}

// taken is how many lines a log had been given at a time.
type taken struct {
	at    time.Time
	lines float64
}

// lineCount is how many lines the prediction log had surely been given at a time; 0 where that is not known.
func (s *subject) lineCount(at time.Time) (lines float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.taken {
		if x.at.Before(at) {
			lines = x.lines
		}
	}
	return lines
}

// view is what /metrics said, and when it was asked.
type view struct {
	values map[string]float64
	asked  time.Time
	starts int // of the process that was asked
	// running is for how long the process had been.
	running time.Duration
}

// sum adds what a name has over all labels, or the one value of a name with labels.
func (v view) sum(name string) (total float64) {
	for key, value := range v.values {
		if key == name || strings.HasPrefix(key, name+"{") {
			total += value
		}
	}
	return total
}

// startPatience is how long a start may take on a busy machine.
const startPatience = 60 * time.Second

// start needs running, and returns when the page is there.
func (s *subject) start() error {
	cmd := exec.Command(s.binary, "--config", s.config)
	cmd.Env = append(os.Environ(), "STATE_DIRECTORY="+s.state)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	log, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	ready := make(chan string, 1)
	var reading sync.WaitGroup
	reading.Go(func() { s.read(log) })
	reading.Go(func() {
		r := bufio.NewReader(out)
		line, _ := r.ReadString('\n')
		ready <- strings.TrimSpace(line)
		_, _ = io.Copy(io.Discard, r)
	})
	go func() {
		reading.Wait()
		_ = cmd.Wait()
		close(exited)
	}()
	var line string
	select {
	case line = <-ready:
	case <-time.After(startPatience):
	}
	url, ok := strings.CutPrefix(line, "fathomd: ")
	if !ok {
		_ = cmd.Process.Kill()
		<-exited
		return fmt.Errorf("it did not start within %v: %q; its log ends with %q", startPatience, line, s.last())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cmd, s.exited, s.url = cmd, exited, url
	s.starts++
	s.started, s.ready, s.taken = began, time.Now(), nil
	return nil
}

// read keeps the log.
func (s *subject) read(log io.Reader) {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		s.mu.Lock()
		s.lines = append(s.lines, lines.Text())
		if s.keep != nil {
			fmt.Fprintln(s.keep, lines.Text())
		}
		s.mu.Unlock()
	}
}

func (s *subject) last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lines) == 0 {
		return ""
	}
	return s.lines[len(s.lines)-1]
}

// end sends a signal and waits for the end.
func (s *subject) end(with syscall.Signal, patience time.Duration) (*os.ProcessState, error) {
	s.mu.Lock()
	cmd, exited := s.cmd, s.exited
	s.mu.Unlock()
	if err := cmd.Process.Signal(with); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return nil, err
	}
	select {
	case <-exited:
		return cmd.ProcessState, nil
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		<-exited
		return cmd.ProcessState, fmt.Errorf("it did not end within %v of %v", patience, with)
	}
}

// gone tells whether the process has ended, which it should not have.
func (s *subject) gone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.exited:
		return true
	default:
		return false
	}
}

func (s *subject) pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cmd.Process.Pid
}

func (s *subject) address() (url string, starts int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url, s.starts
}

// position is where the log ends now.
func (s *subject) position() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.lines)
}

// said tells whether a line of the log after a position has a text.
func (s *subject) said(text string, after int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.lines[after:], func(line string) bool { return strings.Contains(line, text) })
}

func (s *subject) look() view {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view
}

// scrape asks for /metrics.
func (s *subject) scrape(client *http.Client) error {
	url, starts := s.address()
	asked := time.Now()
	answer, err := client.Get(url + "/metrics")
	if err != nil {
		return err
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
	if err := lines.Err(); err != nil || answer.StatusCode != http.StatusOK {
		return errors.Join(err, fmt.Errorf("/metrics answers %s", answer.Status))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if starts == s.starts {
		s.view = view{values, asked, starts, asked.Sub(s.ready)}
		// When it was answered, it had as many at least as the answer says; the answer is complete by now.
		s.taken = append(s.taken, taken{time.Now(), s.view.sum(`fathom_log_lines_total{log="prediction_log"}`)})
		s.taken = s.taken[max(0, len(s.taken)-50):]
	}
	return nil
}
