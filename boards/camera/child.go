package camera

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// program is a child process that writes pictures.
type program struct {
	argv []string
	// pictures is the file descriptor that they come from: 1, or 3 where the program
	// also writes messages to 1.
	pictures int
	// decoder looks at the beginning of what comes.
	decoder func(*bufio.Reader) (decoder, error)
	// ends says that the program is done when it exits with status 0.
	ends bool
}

// decoder cuts what a program writes into pictures.
type decoder interface {
	next(buf []byte) ([]byte, error)
	picture(data []byte, least image.Point, over image.Image) (image.Image, error)
}

// grace is how long a program may take to end after SIGTERM.
const grace = time.Second

// child is a running program. The kernel kills it when this process dies, and close
// kills it with all that it started (its process group).
type child struct {
	decoder
	program program
	pipe    *os.File
	stop    func() bool // the watch over the context
	message *tail
	exited  chan struct{} // then state is set, and nothing of the group runs any more
	state   error

	mu    sync.Mutex
	group int // of processes; 0 when the number may belong to another
}

// start runs the program until ctx ends.
func (p program) start(ctx context.Context) (feed, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c := &child{program: p, pipe: read, message: &tail{}, exited: make(chan struct{})}
	started := make(chan error)
	go c.run(write, started)
	if err := <-started; err != nil {
		read.Close()
		return nil, err
	}
	c.stop = context.AfterFunc(ctx, c.kill)
	if c.decoder, err = p.decoder(bufio.NewReaderSize(read, lineBuffer)); err != nil {
		err = c.because(err)
		c.close()
		return nil, err
	}
	return c, nil
}

// run starts the program and waits for its end. The thread must live as long as the
// program does: the kernel sends Pdeathsig when the thread ends that started it.
func (c *child) run(write *os.File, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command(c.program.argv[0], c.program.argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = c.message
	if c.program.pictures == 1 {
		cmd.Stdout = write
	} else {
		cmd.Stdout, cmd.ExtraFiles = c.message, []*os.File{write}
	}
	cmd.WaitDelay = grace
	err := cmd.Start()
	write.Close()
	if err != nil {
		started <- err
		return
	}
	c.group = cmd.Process.Pid
	started <- nil
	for unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	c.signal(unix.SIGKILL)
	c.mu.Lock()
	c.group = 0 // from Wait on
	c.mu.Unlock()
	c.state = cmd.Wait()
	close(c.exited)
}

func (c *child) signal(s unix.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.group != 0 {
		unix.Kill(-c.group, s)
	}
}

// kill ends the program: politely, since some leave a camera locked otherwise, then for certain.
func (c *child) kill() {
	c.signal(unix.SIGTERM)
	select {
	case <-c.exited:
	case <-time.After(grace):
		c.signal(unix.SIGKILL)
	}
	c.pipe.SetReadDeadline(time.Now()) // where something outside the group still holds the other end
}

func (c *child) next(_ context.Context, buf []byte) ([]byte, error) {
	picture, err := c.decoder.next(buf)
	if err != nil {
		return nil, c.because(err)
	}
	return picture, nil
}

// because is why no picture comes any more: what the program said and how it ended,
// or what is wrong with what it wrote.
func (c *child) because(err error) error {
	if err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	select {
	case <-c.exited:
	case <-time.After(grace): // it has closed its output and goes on
		return errors.New("it closed its output")
	}
	name := c.program.argv[0]
	switch said := c.message.last(); {
	case c.state == nil && c.program.ends:
		return errFinished
	case c.state == nil && said == "":
		return fmt.Errorf("%s has ended", name)
	case c.state == nil:
		return fmt.Errorf("%s has ended: %s", name, said)
	case said == "":
		return fmt.Errorf("%s: %w", name, c.state)
	default:
		return fmt.Errorf("%s: %w: %s", name, c.state, said)
	}
}

func (c *child) close() {
	if c.stop() {
		c.kill()
	}
	<-c.exited
	c.pipe.Close()
}

// tail keeps the last line that was written to it, up to a length. Safe for concurrent use.
type tail struct {
	mu       sync.Mutex
	line     []byte // of which the end is not yet there
	complete string // the last one with something in it
}

const maxMessage = 300

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range p {
		if b == '\n' || b == '\r' {
			t.end()
		} else if len(t.line) < maxMessage {
			t.line = append(t.line, b)
		}
	}
	return len(p), nil
}

func (t *tail) end() {
	if s := strings.TrimSpace(strings.ToValidUTF8(string(t.line), "?")); s != "" {
		t.complete = s
	}
	t.line = t.line[:0]
}

func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end()
	return t.complete
}
