package profile

import "strings"

// MACsPerSecond is how many multiply-accumulates a board does per second.
type MACsPerSecond float64

// throughputs are the rates at which boards begin, float32 on all cores, by a
// part of the model name that the board gives itself
// (/proc/device-tree/model, lower case). The first match counts.
var throughputs = []struct {
	model    string
	allCores MACsPerSecond
}{
	// NetsPresso's TFLite ResNet-50: 941, 1092, 556 and 131 ms for 4.1 GMAC.
	{"pi zero 2", 4.4e9},
	{"pi 5", 31e9}, {"pi 500", 31e9}, {"compute module 5", 31e9},
	{"pi 4", 7.4e9}, {"pi 400", 7.4e9}, {"compute module 4", 7.4e9},
	{"pi 3", 3.8e9}, {"compute module 3", 3.8e9},
	// ncnn's ResNet-50, benchmark/README.md: 204 and 39 ms; the Orins computed in
	// fp16, which is halved here for float32.
	{"orin", 52e9},
	{"jetson nano", 20e9},
}

const (
	// genericAllCores is the slowest board of the table: an unknown board is taken
	// to be slow until its first frames say otherwise.
	genericAllCores MACsPerSecond = 3.8e9
	// perThread is what each thread adds to the first. ncnn's four threads give
	// 1.4-3.3 times one thread on these boards, 2.2 in the middle.
	perThread  = 0.4
	allThreads = 4
)

// StartThroughput is the rate to assume for a board, named as it names itself,
// before anything was measured, with the given number of threads (at least 1;
// beyond 4 nothing is gained).
func StartThroughput(board string, threads int) MACsPerSecond {
	all := genericAllCores
	name := strings.ToLower(board)
	for _, t := range throughputs {
		if strings.Contains(name, t.model) {
			all = t.allCores
			break
		}
	}
	threads = min(max(threads, 1), allThreads)
	return all * MACsPerSecond((1+perThread*float64(threads-1))/(1+perThread*(allThreads-1)))
}
