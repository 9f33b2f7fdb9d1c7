// Package version says which build a program is.
package version

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// release and commit are set by the linker in releases (scripts/dist.sh).
var release, commit string

// String is one line: release, commit, toolchain and platform. A build that is no
// release takes the commit from the repository that it was built in.
func String() string {
	r, c := release, commit
	if r == "" {
		r = "devel"
	}
	if c == "" {
		c = repository()
	}
	return fmt.Sprintf("%s (commit %s, %s, %s/%s)", r, c, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func repository() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	revision, changed := "unknown", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = ", changed"
		}
	}
	return revision + changed
}
