package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/prometheus/procfs"
)

// machine is one emulated board: a copy of the image's disk, and a folder that
// it shares with us. It belongs to one goroutine.
type machine struct {
	name  string
	image string
	dir   string
	cores int
	read  int64 // of the report
	// append is added to the kernel's command line.
	append string
}

// settled is how long before a power cut something must have been written to be
// there afterwards: the test's sync_every, the half second in which lines are
// gathered, and what a busy host adds.
const settled = 4 * time.Second

// newMachine makes the folder of a board whose disk is fresh.
func newMachine(o options, name string, cores int, mode string) (*machine, error) {
	m := &machine{name: name, image: o.image, dir: filepath.Join(o.work, name), cores: cores}
	if err := os.RemoveAll(m.dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(m.dir, 0o755); err != nil {
		return nil, err
	}
	if out, err := exec.Command("cp", "--sparse=always", filepath.Join(o.image, "root.img"), m.file("root.img")).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("copy the disk: %w: %s", err, out)
	}
	if out, err := exec.Command("cp", "-r", o.share, m.file("share")).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("copy what is shared: %w: %s", err, out)
	}
	return m, m.setMode(mode)
}

func (m *machine) file(name string) string { return filepath.Join(m.dir, name) }

func (m *machine) setMode(mode string) error {
	return os.WriteFile(filepath.Join(m.file("share"), modeFile), []byte(mode), 0o644)
}

// command is the emulator, not yet started.
func (m *machine) command(ctx context.Context, arguments ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "qemu-system-aarch64", append([]string{
		"-M", "virt", "-cpu", "cortex-a72", "-accel", "tcg,thread=multi", "-m", "768", "-smp", strconv.Itoa(m.cores),
		"-kernel", filepath.Join(m.image, "vmlinuz"), "-initrd", filepath.Join(m.image, "initrd"),
		"-append", "console=ttyAMA0 quiet loglevel=3 panic=-1 mitigations=off apparmor=0 audit=0 rcupdate.rcu_expedited=1 systemd.show_status=0 " + m.append,
		// An emulator that is killed leaves to the host what it wrote: flushing the host's disk would make nothing safer.
		"-drive", "file=" + m.file("root.img") + ",format=raw,if=virtio,cache=unsafe",
		"-virtfs", "local,path=" + m.file("share") + ",mount_tag=emulate,security_model=none",
		"-no-reboot",
	}, arguments...)...)
	cmd.Stderr = os.Stderr
	return cmd
}

// interact gives the board's console to whoever started us, and its page to this machine.
func (m *machine) interact(ctx context.Context) error {
	m.append = "systemd.wants=serial-getty@ttyAMA0.service"
	cmd := m.command(ctx, "-nographic", "-nic", "user,model=virtio,hostfwd=tcp:127.0.0.1:8080-:8080")
	cmd.Stdin, cmd.Stdout = os.Stdin, os.Stdout
	return cmd.Run()
}

// boot runs the board once, and hands every line that it reports to see, until
// that says that it is enough. Then the power is cut.
func (m *machine) boot(ctx context.Context, see func(line) (enough bool)) error {
	console, err := os.OpenFile(m.file("console.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer console.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := m.command(ctx, "-display", "none", "-monitor", "none", "-serial", "stdio", "-nic", "none")
	cmd.Stdout = console
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start qemu-system-aarch64: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		lines, err := m.report()
		if err != nil {
			cancel()
			<-ended
			return err
		}
		for _, l := range lines {
			l.CPU = processorSeconds(cmd.Process.Pid)
			if see(l) {
				// CommandContext kills with SIGKILL: nothing is flushed.
				cancel()
				<-ended
				return nil
			}
		}
		if see(line{}) {
			cancel()
			<-ended
			return nil
		}
		select {
		case err := <-ended:
			if ctx.Err() != nil {
				return fmt.Errorf("%s: %w", m.name, context.Cause(ctx))
			}
			return fmt.Errorf("%s: the emulator ended by itself (%v); its last words:\n%s", m.name, err, m.lastWords())
		case <-tick.C:
		}
	}
}

// processorSeconds is how long a process has computed so far; 0 if it is gone.
func processorSeconds(pid int) float64 {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return 0
	}
	stat, err := p.Stat()
	if err != nil {
		return 0
	}
	return stat.CPUTime()
}

// report reads the lines that came since it was read last.
func (m *machine) report() ([]line, error) {
	f, err := os.Open(filepath.Join(m.file("share"), reportFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := f.Seek(m.read, io.SeekStart); err != nil {
		return nil, err
	}
	var lines []line
	for r := bufio.NewReader(f); ; {
		text, err := r.ReadBytes('\n')
		if err != nil {
			return lines, nil // the rest of a line comes later
		}
		m.read += int64(len(text))
		var l line
		if json.Unmarshal(text, &l) != nil {
			continue // cut off with the power
		}
		lines = append(lines, l)
	}
}

func (m *machine) lastWords() []byte {
	data, _ := os.ReadFile(m.file("console.log"))
	lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-15):], []byte("\n"))
}

// once boots the board until its test is done.
func (m *machine) once(ctx context.Context, note func(*machine, line)) error {
	if err := m.boot(ctx, func(l line) bool {
		note(m, l)
		return l.Done
	}); err != nil {
		return err
	}
	return m.setMode(modePower)
}

// cutPower boots the board, lets it check all its files and write, and cuts its
// power, as often as the counter says; and looks at the files once more.
func (m *machine) cutPower(ctx context.Context, cuts *counter, note func(*machine, line)) error {
	for after := false; ; after = true {
		more := cuts.take()
		if !more && !after {
			return nil
		}
		var end time.Time // when the power is cut
		var reports []kept
		failed := false
		err := m.boot(ctx, func(l line) bool {
			now := time.Now()
			note(m, l)
			failed = failed || l.Failure != ""
			if l.Kept != nil {
				reports = append(reports, kept{now, l.Kept})
				if end.IsZero() {
					end = now.Add(writing())
				}
			}
			return !end.IsZero() && (!more || now.After(end))
		})
		if err != nil {
			return err
		}
		if after && !failed {
			cuts.survive()
		}
		if !more {
			return nil
		}
		if err := m.expect(reports, end); err != nil {
			return err
		}
	}
}

// kept is what a board told of what it has on its disk.
type kept struct {
	at    time.Time
	count map[string]int
}

// expect tells the board what it must find after the cut.
func (m *machine) expect(reports []kept, cut time.Time) error {
	for i := len(reports) - 1; i >= 0; i-- {
		if cut.Sub(reports[i].at) < settled {
			continue
		}
		data, err := json.Marshal(reports[i].count)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(m.file("share"), keptFile), data, 0o644)
	}
	return nil
}
