package boards

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"time"

	"github.com/fathom-edge/fathom/boards/sysfs"
	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/boards/telemetry/recording"
)

// Recorder writes what a board says, and the kernel's own words behind it, for
// replay and bug reports. Serial numbers, hardware addresses and the machine's
// name are taken out. For the goroutine that calls Board.Read.
type Recorder struct {
	board *Board
	to    *recording.Writer
}

// NewRecorder writes the header of a recording; period is the time between two snapshots.
func NewRecorder(to io.Writer, board *Board, period time.Duration) (*Recorder, error) {
	identity, _ := identifyTree(board.fs) // a board without a name is recorded, too
	kernel, _ := board.fs.Kernel()
	w, err := recording.NewWriter(to, recording.Header{
		Started: board.now(), Period: period, Board: identity.Name, BoardID: identity.ID, Kernel: kernel,
	}, newScrubber(board.fs.Secrets()).scrub)
	return &Recorder{board: board, to: w}, err
}

// Record adds a snapshot, before it what the kernel says now where that changed.
// A driver that hangs past the context's end costs the latter.
func (r *Recorder) Record(ctx context.Context, s telemetry.Snapshot) error {
	w := &waiter{ctx: ctx, patience: defaultPatience}
	attributes, err := wait(w, begin(r.board.ask, w, "capture", func() (map[string]sysfs.Attribute, error) {
		return r.board.fs.Capture(), nil
	}))
	if err == nil {
		if err := r.to.Files(filesOf(attributes)); err != nil {
			return err
		}
	}
	return r.to.Snapshot(s)
}

func filesOf(attributes map[string]sysfs.Attribute) map[string]recording.File {
	files := make(map[string]recording.File, len(attributes))
	for name, a := range attributes {
		switch {
		case errors.Is(a.Err, sysfs.ErrOffline):
			files[name] = recording.File{Offline: true}
		case a.Err != nil:
			files[name] = recording.File{Error: a.Err.Error()}
		default:
			files[name] = recording.File{Text: a.Text, Empty: a.Text == ""}
		}
	}
	return files
}

// scrubber takes out what tells one machine from all others: these texts, as they
// stand in a JSON string.
type scrubber [][]byte

// A shorter secret could be any number or word, and is no serial number.
const shortestSecret = 6

func newScrubber(secrets []string) scrubber {
	var s scrubber
	for _, secret := range secrets {
		if len(secret) >= shortestSecret && !commonWord.MatchString(secret) {
			quoted, _ := json.Marshal(secret) // a string has a JSON text
			s = append(s, bytes.Trim(quoted, `"`))
		}
	}
	return s
}

var (
	// commonWord is what PC makers and systems write where a serial number should be,
	// or what stands for other things in a recording.
	commonWord = regexp.MustCompile(`(?i)^(0+|1234567+|default string|to be filled by o\.e\.m\.|not specified|system serial number|localhost|raspberrypi|jetson|nvidia|none)$`)
	// hardwareAddress is that of a network interface or a wireless device.
	hardwareAddress = regexp.MustCompile(`(?i)[0-9a-f]{2}(?:[:_-][0-9a-f]{2}){5}`)
	jsonString      = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
)

// scrub works on the strings of a JSON text, so that a serial number of digits
// takes no measured number away.
func (s scrubber) scrub(text []byte) []byte {
	return jsonString.ReplaceAllFunc(text, func(quoted []byte) []byte {
		for _, secret := range s {
			quoted = bytes.ReplaceAll(quoted, secret, []byte("(scrubbed)"))
		}
		return hardwareAddress.ReplaceAll(quoted, []byte("xx:xx:xx:xx:xx:xx"))
	})
}
