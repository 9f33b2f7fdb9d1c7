package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fathom-edge/fathom/internal/deploy"
)

// sshStandIn answers as an arm64 board with sudo, notes each command in $BOARD/commands, and ends the installation
// with the exit status in $BOARD/status.
const sshStandIn = `#!/bin/sh
while [ "$1" != -- ]; do shift; done
shift 2
echo "$*" >>"$BOARD/commands"
case $* in
"sh -s")
  printf 'fathom-deploy %s\n' machine=aarch64 'system=Debian GNU/Linux 12 (bookworm)' arch=arm64 glibc=2.36 systemd=252 installed=0.9 root=sudo ;;
*tar*) cat >/dev/null ;;
*apply) echo "deploy: installing"; exit "$(cat "$BOARD/status")" ;;
*journalctl*) echo "level=INFO msg=running" ;;
esac
`

// deployTo runs fathom deploy against the stand-in.
func deployTo(t *testing.T, status string, args ...string) (code int, stdout string, commands []string) {
	t.Helper()
	board := t.TempDir()
	t.Setenv("BOARD", board)
	t.Setenv("PATH", board+":"+os.Getenv("PATH"))
	for name, text := range map[string]string{"ssh": sshStandIn, "status": status} {
		if err := os.WriteFile(filepath.Join(board, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var out, err bytes.Buffer
	code = run(append([]string{"deploy"}, args...), &out, &err)
	noted, _ := os.ReadFile(filepath.Join(board, "commands"))
	return code, out.String() + err.String(), strings.Split(strings.TrimSpace(string(noted)), "\n")
}

func packageFile(t *testing.T, name string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte("a package"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestDeployTellsWhatBecameOfIt(t *testing.T) {
	pack := packageFile(t, "fathom_1.0_arm64.deb")
	for status, want := range map[string]struct {
		code    int
		outcome deploy.Outcome
	}{"0": {0, deploy.Deployed}, "1": {1, deploy.Unchanged}, "3": {3, deploy.RolledBack}, "4": {4, deploy.Broken}, "255": {4, deploy.Unknown}} {
		code, stdout, commands := deployTo(t, status, "pi@board", "--package", pack, "--bundle", "../../testdata/bundles/tiny", "--yes", "--json")
		var got deployment
		stdout, _, _ = strings.Cut(stdout, "\nfathom: ")
		if err := json.Unmarshal([]byte(stdout), &got); err != nil {
			t.Fatalf("%v: %s", err, stdout)
		}
		if code != want.code || got.Outcome != want.outcome || got.Version != "1.0" || len(got.Digest) != 64 || (got.Error == "") != (code == 0) {
			t.Errorf("installation ended with %s: exit %d, %+v", status, code, got)
		}
		if n := len(commands); status != "255" && n != 5 { // ask, copy, try, install, tidy up
			t.Errorf("%d commands: %q", n, commands)
		}
	}
}

func TestDeployDryRunOnlyAsks(t *testing.T) {
	code, stdout, commands := deployTo(t, "0", "pi@board", "--package", packageFile(t, "fathom_1.0_arm64.deb"), "--dry-run", "--follow", "-o", "Port=22 22")
	if diff := cmp.Diff([]string{"sh -s"}, commands); code != 0 || diff != "" {
		t.Errorf("exit %d, commands (-want +got)\n%s", code, diff)
	}
	for _, want := range []string{"package   0.9 → 1.0", "cannot be brought back", "ssh -o 'Port=22 22' pi@board 'sudo -n sh .cache/fathom-deploy/deploy.sh apply'", "journalctl -u fathomd", "roll_back()"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
}

func TestDeployFollowsTheLog(t *testing.T) {
	code, stdout, _ := deployTo(t, "0", "pi@board", "--package", packageFile(t, "fathom_1.0_arm64.deb"), "--yes", "--follow")
	if code != 0 || !strings.Contains(stdout, "msg=running") {
		t.Errorf("exit %d: %s", code, stdout)
	}
}

func TestDeployRefuses(t *testing.T) {
	pack, tiny := packageFile(t, "fathom_1.0_arm64.deb"), "../../testdata/bundles/tiny"
	damaged := filepath.Join(t.TempDir(), "bundle")
	if err := os.CopyFS(damaged, os.DirFS(tiny)); err != nil {
		t.Fatal(err)
	}
	segments, err := filepath.Glob(filepath.Join(damaged, "segments", "*"))
	if err != nil || len(segments) == 0 {
		t.Fatal(err, segments)
	}
	if err := os.WriteFile(segments[0], []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		code int
		want string
		asks bool // the board, before it refuses
	}{
		"an option for a host": {[]string{"--yes", "--", "-oProxyCommand=x"}, 2, "is no [user@]host", false},
		"a damaged bundle":     {[]string{"pi@board", "--bundle", damaged, "--yes"}, 1, "where the manifest says", false},
		"no such package":      {[]string{"pi@board", "--package", "nowhere.deb"}, 2, "nowhere.deb", false},
		"another architecture": {[]string{"pi@board", "--package", packageFile(t, "fathom_1.0_amd64.deb"), "--yes"}, 1, "is for amd64, the board is arm64", true},
		"nothing to deploy":    {[]string{"pi@board", "--yes"}, 2, "there is nothing to deploy", true},
		"nobody to answer":     {[]string{"pi@board", "--package", pack}, 2, "add --yes", true},
		"no time":              {[]string{"pi@board", "--package", pack, "--health", "1s"}, 2, "--health", false},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, commands := deployTo(t, "0", c.args...)
			asked := commands[0] == "sh -s"
			if code != c.code || !strings.Contains(stdout, c.want) || asked != c.asks || len(commands) != 1 {
				t.Errorf("exit %d, want %d with %q; commands %q:\n%s", code, c.code, c.want, commands, stdout)
			}
		})
	}
}
