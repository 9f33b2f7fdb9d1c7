//go:build !linux

package probe

import "os"

// Elsewhere only the parent's clock limits a probe.

func (Limits) apply() error { return nil }

func deathSignal(*os.ProcessState) string { return "" }

func peakBytes(*os.ProcessState) int64 { return 0 }
