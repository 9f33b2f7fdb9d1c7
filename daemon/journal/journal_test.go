package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

const asVictim = "JOURNAL_TEST_WRITE"

func TestMain(m *testing.M) {
	if path := os.Getenv(asVictim); path != "" {
		writeForEver(path)
		return
	}
	goleak.VerifyTestMain(m)
}

// writeForEver appends numbered lines and says on stdout which is the last one that is old enough to be safe.
func writeForEver(path string) {
	c := DefaultConfig()
	c.FileBytes = 64 << 10
	j, err := Open(path, c, func(err error) { fmt.Fprintln(os.Stderr, err) })
	if err != nil {
		panic(err)
	}
	for n := 0; ; n++ {
		fmt.Fprintf(j, "line %d of many\n", n)
		if n >= 1000 {
			fmt.Println(n - 1000) // a millisecond each: a second ago
		}
		time.Sleep(time.Millisecond)
	}
}

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func small() Config {
	c := DefaultConfig()
	c.FileBytes, c.Files = 64<<10, 3
	return c
}

// at opens a journal that flushes when told.
func at(t *testing.T, path string, c Config) (*Journal, *clock) {
	t.Helper()
	clock := &clock{time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	j, err := OpenAt(path, c, func(error) {}, clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if j.file != nil {
			j.file.Close()
		}
	})
	return j, clock
}

// content is all files of a journal, the oldest first.
func content(t *testing.T, path string) string {
	t.Helper()
	var all string
	for n := 9; n >= 0; n-- {
		name := path
		if n > 0 {
			name = fmt.Sprintf("%s.%d", path, n)
		}
		if b, err := os.ReadFile(name); err == nil {
			all += string(b)
		}
	}
	return all
}

func TestRotationKeepsTheNewestWithinBounds(t *testing.T) {
	for _, files := range []int{1, 2, 3} {
		path := filepath.Join(t.TempDir(), "j")
		c := small()
		c.Files = files
		j, _ := at(t, path, c)
		line := strings.Repeat("x", 990) + "%08d\n"
		for n := range 500 {
			fmt.Fprintf(j, line, n)
			if err := j.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		entries, _ := os.ReadDir(filepath.Dir(path))
		if len(entries) != files {
			t.Errorf("%d files, want %d", len(entries), files)
		}
		for _, e := range entries {
			if info, _ := e.Info(); info.Size() > c.FileBytes {
				t.Errorf("%s has %d bytes", e.Name(), info.Size())
			}
		}
		all := content(t, path)
		lines := strings.Split(strings.TrimSuffix(all, "\n"), "\n")
		for i, l := range lines {
			if want := fmt.Sprintf("%08d", 500-len(lines)+i); !strings.HasSuffix(l, want) {
				t.Fatalf("%d files: line %d ends in %s, want %s", files, i, l[max(0, len(l)-8):], want)
			}
		}
		if err := fmt.Sprintf("%d", len(lines)); files > 1 && len(lines) < 65*(files-1) {
			t.Errorf("only %s lines are kept in %d files", err, files)
		}
	}
}

// A torn last line is taken away, whole ones stay.
func TestOpenDropsTheTornLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	for before, want := range map[string]string{"": "new\n", "a\nb\n": "a\nb\nnew\n", "a\nb": "a\nnew\n", "torn": "new\n"} {
		if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := Open(path, DefaultConfig(), func(error) {})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(j, "new")
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Errorf("closed again: %v", err)
		}
		if got, _ := os.ReadFile(path); string(got) != want {
			t.Errorf("%q became %q, want %q", before, got, want)
		}
	}
}

func TestOpenRefusesWhatCanNeverBe(t *testing.T) {
	if j, err := Open(filepath.Join(t.TempDir(), "none", "j"), DefaultConfig(), nil); err == nil || j != nil {
		t.Error("a folder that does not exist")
	}
	if j, err := Open(t.TempDir(), DefaultConfig(), nil); err == nil || j != nil {
		t.Error("a folder")
	}
	bad := DefaultConfig()
	bad.Files = 0
	if j, err := Open(filepath.Join(t.TempDir(), "j"), bad, nil); err == nil || j != nil {
		t.Error("no files")
	}
}

// /dev/full takes nothing: what waits is bounded, counted and written when the disk has room again.
func TestFullDiskLosesNothingThatFitsInMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j, clock := at(t, path, DefaultConfig())
	fmt.Fprintln(j, "before")
	if err := j.Flush(); err != nil {
		t.Fatal(err)
	}
	disk := j.file
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	j.file = full
	fmt.Fprintln(j, "first")
	if err := j.Flush(); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("%v, want a full disk", err)
	}
	fmt.Fprintln(j, "second")
	clock.now = clock.now.Add(time.Second)
	j.file = disk
	if err := j.Flush(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("tried again at once, or did not say what is wrong: %v", err)
	}
	full.Close()
	clock.now = clock.now.Add(retryEvery)
	for range 2 {
		if err := j.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff("before\nfirst\nsecond\n", content(t, path)); diff != "" {
		t.Error(diff)
	}
	if s := j.Stats(); s.Lines != 3 || s.Dropped != 0 {
		t.Errorf("%+v", s)
	}
}

// A line of which half was written before the disk failed is finished, or taken away whole.
func TestHalfALine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	for _, away := range []bool{false, true} {
		os.Remove(path)
		j, _ := at(t, path, DefaultConfig())
		if _, err := j.file.WriteString("whole\nha"); err != nil {
			t.Fatal(err)
		}
		j.size, j.torn, j.pending = 8, true, []byte("lf\nnext\n")
		want := "whole\nhalf\nnext\n"
		if away {
			j.file.Close()
			j.file, want = nil, "whole\nnext\n"
		}
		if err := j.flush(true); err != nil {
			t.Fatal(err)
		}
		if got := content(t, path); got != want || (j.Stats().Dropped == 1) != away {
			t.Errorf("away %v: %q, want %q; %+v", away, got, want, j.Stats())
		}
	}
}

func TestMemoryAndHoursAreBounded(t *testing.T) {
	c := small()
	c.BytesPerHour, c.FileBytes = 4<<20, 64<<20
	j, clock := at(t, filepath.Join(t.TempDir(), "j"), c)
	line := append(bytes.Repeat([]byte{'x'}, 1023), '\n')
	for range 5000 {
		if n, err := j.Write(line); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	if len(j.waiting) != maxWaiting || j.Stats().Dropped != 5000-1024 {
		t.Errorf("%d bytes wait, %+v", len(j.waiting), j.Stats())
	}
	written := func() uint64 {
		for range 5000 {
			j.Write(line)
			if err := j.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		return j.Stats().Bytes
	}
	first := written()
	if first > 4<<20 {
		t.Errorf("%d bytes in the first hour", first)
	}
	clock.now = clock.now.Add(time.Hour)
	if second := written() - first; second > 4<<20 || second < 4<<20-1024 {
		t.Errorf("%d bytes in the second hour", second)
	}
}

func TestHealthIsToldOnce(t *testing.T) {
	var told []string
	tell := teller{health: func(err error) { told = append(told, fmt.Sprint(err)) }}
	now := time.Unix(0, 0)
	broken := errors.New("full")
	for _, s := range []struct {
		after   time.Duration
		err     error
		dropped uint64
	}{{0, nil, 0}, {1, broken, 0}, {1, nil, 0}, {1, nil, 0}, {1, nil, 5}, {30, nil, 5}, {30, nil, 5}, {1, nil, 5}} {
		now = now.Add(s.after * time.Second)
		tell.tell(s.err, s.dropped, now)
	}
	dropped := "5 lines dropped so far: more than an hour may have, or than waits for a slow disk"
	if diff := cmp.Diff([]string{"full", "<nil>", dropped, dropped, "<nil>"}, told); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Syncs come once a minute at most, whatever is written.
func TestSyncs(t *testing.T) {
	j, clock := at(t, filepath.Join(t.TempDir(), "j"), DefaultConfig())
	for range 7200 {
		fmt.Fprintln(j, "a line")
		if err := j.Flush(); err != nil {
			t.Fatal(err)
		}
		clock.now = clock.now.Add(FlushEvery)
	}
	if s := j.Stats(); s.Syncs > 60 || s.Syncs < 59 || s.Writes != 7200 {
		t.Errorf("%+v", s)
	}
}

// Killed at any moment, a journal has every line that is older than a second, in order, and none torn after the next start.
func TestKill9LosesLessThanASecond(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	for round := range 3 {
		victim := exec.Command(os.Args[0])
		victim.Env = append(os.Environ(), asVictim+"="+path)
		out, err := victim.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := victim.Start(); err != nil {
			t.Fatal(err)
		}
		var said []string
		for safe := bufio.NewScanner(out); safe.Scan(); {
			if said = append(said, safe.Text()); len(said) == 1 { // the others are read when it is dead
				time.Sleep(500*time.Millisecond + time.Duration(round*170)*time.Millisecond)
				if err := victim.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = victim.Wait()
		j, err := Open(path, DefaultConfig(), func(error) {})
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		all := content(t, path)
		if len(said) == 0 || !strings.Contains(all, "line "+said[len(said)-1]+" of many\n") {
			t.Fatalf("round %d: the last safe line is missing of %d", round, len(said))
		}
		if n := strings.Count(all, "\n"); n != strings.Count(all, " of many\n") || !strings.HasSuffix(all, "\n") {
			t.Errorf("round %d: torn lines among %d", round, n)
		}
		for n := 0; n <= 9; n++ {
			os.Remove(fmt.Sprintf("%s.%d", path, n))
		}
		os.Remove(path)
	}
}
