package main

// line is what the guest tells the host: one JSON object a line in the file
// report.jsonl of the folder that both see.
type line struct {
	// Check is what was looked at; empty in lines that only carry counts.
	Check string `json:"check,omitempty"`
	// Interface is the part of the kernel or the system that did its real work in it.
	Interface string `json:"interface,omitempty"`
	// Fault is set where something was broken on purpose.
	Fault bool `json:"fault,omitempty"`
	// Failure says what went wrong; empty where nothing did.
	Failure string `json:"failure,omitempty"`
	// Seconds since the kernel of the guest started.
	Uptime float64 `json:"uptime"`
	// CPU is how many seconds the emulator had computed since then when the line came; the host adds it.
	CPU float64 `json:"cpu_seconds,omitempty"`
	// Kept counts what is on the disk of each kind: lines of logs, pictures.
	Kept map[string]int `json:"kept,omitempty"`
	// First is set in the line that tells of the first classified frame after a boot.
	First bool `json:"first,omitempty"`
	// Done is set in the last line of a test.
	Done bool `json:"done,omitempty"`
}

// Names in the folder that guest and host share.
const (
	reportFile = "report.jsonl"
	modeFile   = "mode"
	// keptFile holds what must be on the disk after a power cut: line.Kept of a time long enough before it.
	keptFile = "kept.json"
)

// What a guest does after it booted.
const (
	modeSensors = "sensors" // the kernel's interfaces and what the depth does by them
	modeFaults  = "faults"  // what breaks and comes back
	modePower   = "power"   // checks every file, and writes until its power is cut
	modeShell   = "shell"   // installs the package, and waits for somebody
)

// result is what a run leaves in .cache/emulate/result.json, for scripts/bench-arm.
type result struct {
	Kernel  string `json:"kernel"`
	Package string `json:"package"`
	// Checks are all lines with a check, in the order in which they came.
	Checks []line `json:"checks"`
	// FirstSeconds are from each start of the emulator's kernel to the first classified frame.
	FirstSeconds []float64 `json:"first_seconds"`
	// FirstCPUSeconds are what the emulator computed until then.
	FirstCPUSeconds []float64 `json:"first_cpu_seconds"`
	// Cuts is how often the power was cut and every file found whole afterwards.
	Cuts int `json:"cuts"`
	// Seconds the run took, and how many its processes computed.
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpu_seconds"`
}
