// Package journal appends lines to a file for months without wearing out an SD
// card or filling it.
//
// Lines are gathered for up to half a second and then written at once, so that a
// killed process loses less than a second of them; they are synced once a minute,
// so that a power cut loses about that. A file that has grown to its bound becomes
// NAME.1, NAME.1 becomes NAME.2, and so on; the oldest goes. A line that was cut
// off by a power cut is taken away when the journal is opened again.
//
// A disk that cannot be written (full, read-only, failing) loses nothing that it
// holds: lines wait in memory up to a bound, the newest beyond it are dropped and
// counted, and writing is tried again and again.
package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// FlushEvery is how long lines are gathered.
const FlushEvery = 500 * time.Millisecond

const (
	maxWaiting = 1 << 20 // bytes in memory
	// retryEvery is how long a disk that failed is left alone.
	retryEvery = 5 * time.Second
	// maxLine bounds the search for the end of the last whole line.
	maxLine = 1 << 20
)

// Stats count what a journal did since it was opened.
type Stats struct {
	Lines   uint64 // taken
	Dropped uint64 // of them not written, and never will be
	Bytes   uint64 // written
	Writes  uint64 // write calls
	Syncs   uint64
}

// Journal is an io.Writer of whole lines. Safe for concurrent use.
type Journal struct {
	path   string
	config Config
	health func(error)
	now    func() time.Time

	mu      sync.Mutex // guards what is below; never held while the disk works
	waiting []byte
	stats   Stats
	budget  budget

	disk     sync.Mutex // guards what is below
	file     *os.File
	size     int64
	unsynced bool
	synced   time.Time
	failedAt time.Time
	failure  error  // then
	pending  []byte // what is being written
	torn     bool   // the file ends within a line, whose rest pending begins with

	stop chan struct{}
	done chan struct{}
}

// Open appends to path. health is told whenever the state changes: of an error
// when lines are dropped or cannot be written, of nil when all is well again; it
// is called from one goroutine at a time. A disk that cannot be written now is no
// error, as it may be later; a path that never can be is one.
func Open(path string, c Config, health func(error)) (*Journal, error) {
	j, err := OpenAt(path, c, health, time.Now)
	if err != nil {
		return nil, err
	}
	go j.run()
	return j, nil
}

// OpenAt is Open for simulations that keep their own time: nothing is written but
// by Flush, which is to be called every FlushEvery, and the caller does not Close.
func OpenAt(path string, c Config, health func(error), now func() time.Time) (*Journal, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("journal: %s: %w", path, err)
	}
	j := &Journal{path: path, config: c, health: health, now: now, budget: budget{perHour: c.BytesPerHour, began: now()},
		synced: now(), stop: make(chan struct{}), done: make(chan struct{})}
	if err := j.reopen(); err != nil && !mayPass(err) {
		return nil, err
	}
	return j, nil
}

// mayPass tells of an error that time or a person may mend while the daemon runs.
func mayPass(err error) bool {
	for _, e := range []error{syscall.ENOSPC, syscall.EROFS, syscall.EDQUOT, syscall.EIO, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// reopen opens the current file behind its last whole line.
func (j *Journal) reopen() error {
	f, err := os.OpenFile(j.path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	size, err := wholeLines(f)
	if err == nil {
		err = f.Truncate(size)
	}
	if err == nil {
		_, err = f.Seek(size, io.SeekStart)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	j.file, j.size = f, size
	return nil
}

// wholeLines returns where the last whole line of a file ends.
func wholeLines(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, fmt.Errorf("%s: not a regular file", f.Name())
	}
	from := max(info.Size()-maxLine, 0)
	tail := make([]byte, info.Size()-from)
	if _, err := f.ReadAt(tail, from); err != nil && err != io.EOF {
		return 0, err
	}
	end := bytes.LastIndexByte(tail, '\n')
	if end < 0 && from > 0 {
		return info.Size(), nil // no line of ours is that long: leave it alone
	}
	return from + int64(end+1), nil
}

// Write takes one or more whole lines, which end in a line break. It never waits
// for the disk and never fails: lines that there is no room for are counted and told.
func (j *Journal) Write(lines []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := bytes.Count(lines, []byte{'\n'})
	j.stats.Lines += uint64(n)
	if len(j.waiting)+len(lines) > maxWaiting || !j.budget.take(int64(len(lines)), j.now()) {
		j.stats.Dropped += uint64(n)
		return len(lines), nil
	}
	j.waiting = append(j.waiting, lines...)
	return len(lines), nil
}

// Stats are the counts up to now.
func (j *Journal) Stats() Stats {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.stats
}

func (j *Journal) run() {
	defer close(j.done)
	ticker := time.NewTicker(FlushEvery)
	defer ticker.Stop()
	teller := teller{health: j.health}
	for {
		err := j.Flush()
		teller.tell(err, j.Stats().Dropped, j.now())
		select {
		case <-ticker.C:
		case <-j.stop:
			return
		}
	}
}

// Flush writes what waits, and syncs when it is time.
func (j *Journal) Flush() error { return j.flush(false) }

// flush is Flush, which syncs now when forced to.
func (j *Journal) flush(force bool) error {
	j.disk.Lock()
	defer j.disk.Unlock()
	now := j.now()
	if !force && !j.failedAt.IsZero() && now.Sub(j.failedAt) < retryEvery && now.After(j.failedAt) {
		return fmt.Errorf("%w (trying again)", j.failure)
	}
	err := j.write()
	if err == nil && j.unsynced && (force || now.Sub(j.synced) >= j.config.SyncEvery) {
		err = j.sync(now)
	}
	if j.failedAt = (time.Time{}); err != nil {
		j.failedAt, j.failure = now, err
	}
	return err
}

// write needs the disk lock.
func (j *Journal) write() error {
	if j.file == nil {
		if err := j.reopen(); err != nil {
			return err
		}
		if j.torn { // reopen took the begun line away
			j.pending = j.pending[bytes.IndexByte(j.pending, '\n')+1:]
			j.torn = false
			j.count(func(s *Stats) { s.Dropped++ })
		}
	}
	if len(j.pending) == 0 {
		j.mu.Lock()
		j.pending, j.waiting = j.waiting, j.pending[:0]
		j.mu.Unlock()
	}
	if len(j.pending) == 0 {
		return nil
	}
	if !j.torn && j.size > 0 && j.size+int64(len(j.pending)) > j.config.FileBytes {
		if err := j.rotate(); err != nil {
			return err
		}
	}
	n, err := j.file.Write(j.pending)
	j.size += int64(n)
	if n > 0 {
		j.unsynced, j.torn = true, j.pending[n-1] != '\n'
	}
	j.pending = j.pending[:copy(j.pending, j.pending[n:])]
	j.count(func(s *Stats) { s.Bytes, s.Writes = s.Bytes+uint64(n), s.Writes+1 })
	if err != nil && !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		_ = j.file.Close() // the disk may be another one when it comes back
		j.file = nil
	}
	return err
}

func (j *Journal) count(change func(*Stats)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change(&j.stats)
}

func (j *Journal) sync(now time.Time) error {
	if err := j.file.Sync(); err != nil {
		return err
	}
	j.synced, j.unsynced = now, false
	j.count(func(s *Stats) { s.Syncs++ })
	return nil
}

// rotate begins a new file. A kill in between leaves a hole in the numbers, never a lost or doubled file.
func (j *Journal) rotate() error {
	if err := j.sync(j.now()); err != nil {
		return err
	}
	if j.config.Files == 1 {
		if err := j.file.Truncate(0); err != nil {
			return err
		}
		j.size = 0
		_, err := j.file.Seek(0, io.SeekStart)
		return err
	}
	name := func(n int) string {
		if n == 0 {
			return j.path
		}
		return fmt.Sprintf("%s.%d", j.path, n)
	}
	if err := os.Remove(name(j.config.Files - 1)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for n := j.config.Files - 2; n >= 0; n-- {
		if err := os.Rename(name(n), name(n+1)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	old := j.file
	j.file = nil
	err := errors.Join(old.Close(), j.reopen())
	if d, e := os.Open(filepath.Dir(j.path)); e == nil {
		_ = d.Sync() // some file systems cannot; the names are then as old as the last sync
		_ = d.Close()
	}
	return err
}

// Close writes and syncs what waits.
func (j *Journal) Close() error {
	select {
	case <-j.stop:
		return nil
	default:
	}
	close(j.stop)
	<-j.done
	err := j.flush(true)
	j.disk.Lock()
	defer j.disk.Unlock()
	if j.file == nil {
		return err
	}
	return errors.Join(err, j.file.Close())
}
