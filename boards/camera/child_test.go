package camera

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// running lists those of the processes noted in a file that have not ended. A
// process that nobody waits for counts as ended.
func running(t *testing.T, file string, expected int) (alive []string) {
	t.Helper()
	data, err := os.ReadFile(file)
	pids := strings.Fields(string(data))
	if err != nil || len(pids) < expected {
		t.Fatalf("%d of %d processes were started (%v)", len(pids), expected, err)
	}
	for _, pid := range pids {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil {
			continue
		}
		_, state, _ := strings.Cut(string(stat), ") ")
		if !strings.HasPrefix(state, "Z") && !strings.HasPrefix(state, "X") {
			alive = append(alive, fmt.Sprintf("%s (%.1s)", pid, state))
		}
	}
	return alive
}

// eventually waits for something that takes a moment.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not yet: %s", what)
		}
	}
}

func noted(file string, n int) func() bool {
	return func() bool {
		data, _ := os.ReadFile(file)
		return len(strings.Fields(string(data))) >= n
	}
}

// A program that ignores SIGTERM, and its child that does, too, are gone when Close returns.
func TestCloseKillsStubbornPrograms(t *testing.T) {
	file := filepath.Join(t.TempDir(), "processes")
	t.Setenv(processes, file)
	install(t, "stubborn", "cam")
	before := runtime.NumGoroutine()
	s := openAt(t, "command:cam", Options{})
	nextFrame(t, s)
	eventually(t, "a child of the program", noted(file, 2))
	began := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took < grace {
		t.Errorf("it was not asked politely: gone in %s", took)
	}
	eventually(t, "no process is left", func() bool { return len(running(t, file, 2)) == 0 })
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
}

// The same where the program ends by itself and leaves a child behind.
func TestChildrenOfEndedProgramsAreKilled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "processes")
	t.Setenv(processes, file)
	install(t, "stubborn", "cam")
	s := openAt(t, "command:cam", Options{})
	nextFrame(t, s)
	eventually(t, "a child of the program", noted(file, 2))
	data, _ := os.ReadFile(file)
	var pid int
	fmt.Sscan(string(data), &pid)
	syscall.Kill(pid, syscall.SIGKILL) // the program, not its child
	nextFailure(t, s, "signal: killed")
	s.Close()
	eventually(t, "no process is left", func() bool { return len(running(t, file, 2)) == 0 })
}

// A daemon that is killed with SIGKILL takes its camera's program along.
func TestKilledOwner(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "processes")
	owner := exec.Command(self)
	owner.Env = append(os.Environ(), standIn+"=owner", processes+"="+file)
	owner.Stderr = os.Stderr
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "owner, program and its child", noted(file, 3))
	owner.Process.Kill()
	owner.Wait()
	data, _ := os.ReadFile(file)
	pids := strings.Fields(string(data))
	program := filepath.Join(t.TempDir(), "program")
	os.WriteFile(program, []byte(pids[0]+"\n"+pids[1]), 0o600)
	eventually(t, "the program is gone", func() bool { return len(running(t, program, 2)) == 0 })
	// The kernel ends what the daemon started itself. A child of the program that clings on
	// against all signals is beyond it: end it here.
	var orphan int
	fmt.Sscan(pids[2], &orphan)
	syscall.Kill(orphan, syscall.SIGKILL)
}

func TestTail(t *testing.T) {
	var m tail
	for _, s := range []string{"first\nsec", "ond\r", "\n  \n"} {
		m.Write([]byte(s))
	}
	if got := m.last(); got != "second" {
		t.Errorf("%q", got)
	}
	m.Write([]byte(strings.Repeat("x", 5000) + "\xff"))
	if got := m.last(); got != strings.Repeat("x", maxMessage) {
		t.Errorf("%d bytes", len(got))
	}
}
