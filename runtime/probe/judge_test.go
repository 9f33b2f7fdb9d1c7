//go:build linux

package probe

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Processes that end in these ways are real; what they said is what Go, C++
// and the kernel say.
func TestJudge(t *testing.T) {
	limits := Limits{Time: 3 * time.Second, Memory: 256 << 20, Threads: 1}
	step := Step{Doing: "loading", Segment: "segments/x.tflite"}
	for name, test := range map[string]struct {
		shell    string
		last     said
		messages string
		late     bool
		want     Report
	}{
		"passed": {"exit 0", said{Step: step, Passed: true}, "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n", false,
			Report{Outcome: Passed, Last: step}},
		"refused": {"exit 0", said{Step: step, Refused: "no\nmodel\x1b[31m"}, "", false,
			Report{Outcome: Refused, Last: step, Problem: "no model [31m"}},
		"said that it passed and died": {"exit 2", said{Step: step, Passed: true}, "", false,
			Report{Outcome: Crashed, Last: step, Problem: "the process died (exit status 2)"}},
		"ended without a word": {"exit 0", said{}, "", false, Report{Outcome: Crashed, Problem: "the process died (exit status 0)"}},
		"as Go reports a fault of C": {"exit 2", said{Step: step}, "SIGSEGV: segmentation violation\nPC=0x1\n", false,
			Report{Outcome: Crashed, Last: step, Signal: "SIGSEGV", Problem: "the process died of SIGSEGV: segmentation violation"}},
		"as the kernel reports it": {"kill -SEGV $$", said{Step: step}, "", false,
			Report{Outcome: Crashed, Last: step, Signal: "SIGSEGV", Problem: "the process died of SIGSEGV"}},
		"abort": {"kill -ABRT $$", said{Step: step}, "free(): invalid pointer\n", false,
			Report{Outcome: Crashed, Last: step, Signal: "SIGABRT", Problem: "the process died of SIGABRT: free(): invalid pointer"}},
		"bad_alloc": {"kill -ABRT $$", said{Step: step}, "terminate called after throwing an instance of 'std::bad_alloc'\n", false,
			Report{Outcome: OutOfMemory, Last: step, Signal: "SIGABRT", Problem: "it wants more than 256 MiB (std::bad_alloc)"}},
		"OOM killer": {"kill -KILL $$", said{Step: step}, "", false,
			Report{Outcome: OutOfMemory, Last: step, Signal: "SIGKILL", Problem: "killed, probably by the kernel because memory ran out"}},
		"late":           {"kill -KILL $$", said{Step: step}, "", true, Report{Outcome: Hung, Last: step, Problem: "not done after 3s"}},
		"processor time": {"kill -XCPU $$", said{Step: step}, "", false, Report{Outcome: Hung, Last: step, Problem: "not done after 3s"}},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("/bin/sh", "-c", test.shell)
			_ = cmd.Run() // how it ended is the test
			got := judge(test.last, test.messages, cmd.ProcessState, test.late, limits)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestChildSeesNoSecrets(t *testing.T) {
	got := childEnvironment([]string{"PATH=/bin", "FATHOM_TOKEN=x", "LD_LIBRARY_PATH=/lib", "LD_PRELOAD=/evil", "NOTIFY_SOCKET=@x"})
	if diff := cmp.Diff([]string{asProbe + "=1", "PATH=/bin", "LD_LIBRARY_PATH=/lib"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestKeepsBeginningAndEnd(t *testing.T) {
	var h headTail
	for range 100 {
		if n, err := h.Write([]byte("begin" + strings.Repeat("x", 1000) + "end")); n != 1008 || err != nil {
			t.Fatal(n, err)
		}
	}
	if got := h.String(); len(got) != 2*maxKept || !strings.HasPrefix(got, "begin") || !strings.HasSuffix(got, "end") {
		t.Errorf("%d bytes", len(got))
	}
}

func TestDataBytes(t *testing.T) {
	for status, want := range map[string]uint64{
		"Name:\tx\nVmData:\t  1024 kB\nVmStk:\t 1 kB\n": 1 << 20, "": 0, "VmData:": 0, "VmData:\t99999999999999999999 kB\n": 0,
	} {
		if got := dataBytes(status); got != want {
			t.Errorf("%q: %d, want %d", status, got, want)
		}
	}
}

// FuzzFollower: whatever a child writes, in whatever pieces, the same is understood.
func FuzzFollower(f *testing.F) {
	f.Add([]byte(`{"step":{"doing":"loading","segment":"a"}}`+"\n"+`{"passed":true}`+"\n"), 7)
	f.Add([]byte("noise\n\n{}\n"), 1)
	f.Fuzz(func(t *testing.T, text []byte, piece int) {
		var whole, pieces follower
		_, _ = whole.Write(text)
		for rest := text; len(rest) > 0; {
			n := min(max(piece, 1), len(rest))
			_, _ = pieces.Write(rest[:n])
			rest = rest[n:]
		}
		if diff := cmp.Diff(whole.last, pieces.last); diff != "" {
			t.Error(diff)
		}
		r := oneLine(string(text))
		if strings.ContainsAny(r, "\n\r\x1b") || len(r) > 310 {
			t.Errorf("%q", r)
		}
	})
}
