package probe

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"unicode"
)

var (
	// signalName as Go's runtime prints it when C code dies: "SIGABRT: abort", "[signal SIGSEGV: …".
	signalName = regexp.MustCompile(`\bSIG(ABRT|SEGV|BUS|FPE|ILL|TRAP|SYS|XCPU)\b`)
	// noMemory is what allocators of Go, C++ and TensorFlow Lite say at last.
	noMemory = regexp.MustCompile(`out of memory|cannot allocate memory|std::bad_alloc|std::length_error|failed to allocate|Failed to allocate`)
)

// judge says what became of the child, from its last line, what it wrote on
// standard error, and how it ended.
func judge(last said, messages string, state *os.ProcessState, late bool, limits Limits) Report {
	r := Report{Last: last.Step, Signal: deathSignal(state)}
	if r.Signal == "" && state.ExitCode() != 0 {
		r.Signal = signalName.FindString(messages)
	}
	switch {
	case late || r.Signal == "SIGXCPU":
		r.Outcome, r.Signal = Hung, ""
		r.Problem = fmt.Sprintf("not done after %v", limits.Time)
	case last.Passed && state.ExitCode() == 0:
		r.Outcome = Passed
	case last.Refused != "":
		r.Outcome, r.Problem = Refused, oneLine(last.Refused)
	case r.Signal == "SIGKILL":
		r.Outcome, r.Problem = OutOfMemory, "killed, probably by the kernel because memory ran out"
	case noMemory.MatchString(messages):
		r.Outcome = OutOfMemory
		r.Problem = fmt.Sprintf("it wants more than %d MiB (%s)", limits.Memory>>20, noMemory.FindString(messages))
	default:
		r.Outcome, r.Problem = Crashed, "the process died"
		if r.Signal != "" {
			r.Problem += " of " + r.Signal
		} else {
			r.Problem += fmt.Sprintf(" (%v)", state)
		}
		if first := strings.TrimPrefix(firstMessage(messages), r.Signal+": "); first != "" {
			r.Problem += ": " + first
		}
	}
	return r
}

// firstMessage is the first thing that was said on standard error, but for the
// chatter of TensorFlow Lite's start.
func firstMessage(messages string) string {
	for line := range strings.Lines(messages) {
		line = oneLine(line)
		if line != "" && !strings.HasPrefix(line, "INFO:") {
			return line
		}
	}
	return ""
}

// oneLine makes text fit for a terminal and a log, whatever a hostile file put into it.
func oneLine(s string) string {
	const most = 300
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
