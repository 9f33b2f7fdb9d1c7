package deploy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// board is a stand-in for a board: a folder, and programs on PATH that act on it. ssh runs commands on this machine
// with the board's folder as home; dpkg, systemctl and fathomd only note what they were told to do.
type board struct {
	t    *testing.T
	home string
	at   Paths
	ssh  *SSH
	said bytes.Buffer
}

// programs stand in for what is on a board. $BOARD is its folder, in which
//
//	version        is that of Fathom there
//	sick-VERSION   exists if the daemon of VERSION does not start
//	sick-bundle    names a bundle with which no daemon is well
//	calls          lists what systemctl was told
var programs = map[string]string{
	"ssh": `while [ "$1" != -- ]; do shift; done
[ "$2" = nowhere ] && exit 255
cd "$BOARD/home" || exit 1
shift 2
if [ -f "$BOARD/cut" ]; then head -c 2000 | HOME=$BOARD/home sh -c "$*"; exit 255; fi
HOME=$BOARD/home exec sh -c "$*"`,
	"sudo": `while [ "$1" != sh ]; do shift; done; exec "$@"`,
	"dpkg": `case $1 in
--print-architecture) echo amd64 ;;
--compare-versions) exec /usr/bin/dpkg "$@" ;;
--force-confdef) dpkg-deb -f "$4" Version >"$BOARD/version" ;;
esac`,
	"dpkg-query": `[ -f "$BOARD/version" ] && echo "ii  $(cat "$BOARD/version")"`,
	"systemctl": `[ "$1" = is-active ] || [ "$1" = show ] || echo "$*" >>"$BOARD/calls"
[ "$1" != show ] || echo 1
[ "$1" != restart ] || ! [ -f "$BOARD/sick-$(cat "$BOARD/version")" ] || exit 1
[ "$1" != --version ] || echo "systemd 252 (252.1)"`,
	"fathomd": `[ "$1" != health ] || ! { [ -f "$BOARD/sick-bundle" ] && readlink "$BOARD/srv/bundle" | grep -q "$(cat "$BOARD/sick-bundle")"; }`,
	"fathom":  `[ "$1" != bench ] || { while [ "$1" != -o ]; do shift; done; readlink "$BOARD/srv/bundle" >"$2"; }`,
	"runuser": `while [ "$1" != -- ]; do shift; done; shift; exec "$@"`,
	"chown":   `:`,
	"install": `exec /usr/bin/install -d "$8"`,
}

func newBoard(t *testing.T) *board {
	t.Helper()
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Skip("dpkg-deb, which builds the packages of this test, is not installed")
	}
	root := t.TempDir()
	bin := filepath.Join(root, "bin")
	for _, dir := range []string{bin, filepath.Join(root, "home"), filepath.Join(root, "etc"), filepath.Join(root, "state")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range programs {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("BOARD", root)
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	b := &board{t: t, home: root, at: Paths{Kept: filepath.Join(root, "srv"), Config: filepath.Join(root, "etc/fathomd.yaml"), State: filepath.Join(root, "state")}}
	b.write("etc/fathomd.yaml", "# mine\nbundle: /usr/share/fathom/bundles/demo # the demo's\nthreads: 2\n")
	var err error
	if b.ssh, err = NewSSH("pi@board", nil, &b.said); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.ssh.Close)
	return b
}

func (b *board) write(name, text string) string {
	b.t.Helper()
	path := filepath.Join(b.home, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
	return path
}

func (b *board) read(name string) string {
	text, err := os.ReadFile(filepath.Join(b.home, name))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// bundle is the name of the one that is linked, without the part that makes it unique.
func (b *board) bundle() string {
	link, err := os.Readlink(filepath.Join(b.at.Kept, "bundle"))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(filepath.Base(link), filepath.Ext(link))
}

// pack builds a real package whose fathom verifies what does not say "broken".
func pack(t *testing.T, name, version, arch, depends string) string {
	t.Helper()
	dir := t.TempDir()
	for path, text := range map[string]string{
		"DEBIAN/control": "Package: " + name + "\nVersion: " + version + "\nArchitecture: " + arch + "\nMaintainer: nobody\nDepends: " + depends + "\nDescription: a test\n",
		"usr/bin/fathom": "#!/bin/sh\n[ \"$1\" = --version ] && echo fathom " + version + " || ! grep -q broken \"$2/manifest.json\"\n",
	} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(t.TempDir(), "fathom_"+version+"_"+arch+".deb")
	if text, err := exec.Command("dpkg-deb", "-Znone", "--root-owner-group", "-b", dir, out).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}

func bundleFolder(t *testing.T, manifest string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "segments"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"manifest.json": manifest, "segments/a b'c.tflite": strings.Repeat("x", 5000)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func (b *board) job(pack, bundle, name string) Job {
	return Job{Package: pack, Bundle: bundle, BundleName: name, BenchSeconds: 1, Health: time.Minute, At: b.at}
}

// deploy runs a whole deployment.
func (b *board) deploy(j Job) (Outcome, error) {
	ctx := b.t.Context()
	if err := j.Upload(ctx, b.ssh, func(int) {}); err != nil {
		return Unchanged, err
	}
	if err := j.Check(ctx, b.ssh, &b.said); err != nil {
		return Unchanged, err
	}
	outcome, err := j.Apply(ctx, b.ssh, Board{Root: RootSudo}, "", &b.said)
	return outcome, errors.Join(err, j.Clean(ctx, b.ssh))
}

func (b *board) want(j Job, want Outcome) {
	b.t.Helper()
	if got, err := b.deploy(j); got != want || (err == nil) != (want == Deployed) {
		b.t.Fatalf("%s, want %s: %v\n%s", got, want, err, &b.said)
	}
}

func TestDeployUpgradeAndRollBack(t *testing.T) {
	b := newBoard(t)
	first, second, third := pack(t, "fathom", "1.0", "amd64", "libc6 (>= 2.1)"), pack(t, "fathom", "2.0", "amd64", "libc6"), pack(t, "fathom", "3.0", "amd64", "libc6")

	b.want(b.job(first, bundleFolder(t, "birds"), "birds-1"), Deployed)
	wantConfig := "# mine\nbundle: " + b.at.Kept + "/bundle\nthreads: 2\n"
	if diff := cmp.Diff(wantConfig, b.read("etc/fathomd.yaml")); diff != "" {
		t.Errorf("configuration (-want +got)\n%s", diff)
	}
	if got := b.bundle(); got != "birds-1" || !strings.Contains(b.read("state/profile.json"), "birds-1") {
		t.Errorf("bundle %q, profile of %q", got, b.read("state/profile.json"))
	}
	if diff := cmp.Diff("stop fathomd\nrestart fathomd\n", b.read("calls")); diff != "" {
		t.Errorf("systemctl (-want +got)\n%s", diff)
	}
	if _, err := os.Stat(filepath.Join(b.home, "home", uploaded)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the upload is left: %v", err)
	}

	b.want(b.job(second, bundleFolder(t, "more birds"), "birds-2"), Deployed)
	if got, version := b.bundle(), strings.TrimSpace(b.read("version")); got != "birds-2" || version != "2.0" {
		t.Errorf("version %s, bundle %s", version, got)
	}

	b.write("sick-3.0", "")
	profile := b.read("state/profile.json")
	b.want(b.job(third, bundleFolder(t, "foxes"), "foxes-1"), RolledBack)
	if got, version := b.bundle(), strings.TrimSpace(b.read("version")); got != "birds-2" || version != "2.0" {
		t.Errorf("after rolling back: version %s, bundle %s", version, got)
	}
	if diff := cmp.Diff(profile, b.read("state/profile.json")); diff != "" {
		t.Errorf("profile (-want +got)\n%s", diff)
	}
	for _, what := range []string{"packages", "bundles"} { // of this deployment and the last
		if kept, _ := filepath.Glob(filepath.Join(b.at.Kept, what, "*")); len(kept) != 2 {
			t.Errorf("kept: %q", kept)
		}
	}
}

func TestABundleAloneIsRolledBack(t *testing.T) {
	b := newBoard(t)
	b.write("version", "1.0\n") // installed by hand
	b.write("sick-bundle", "foxes")
	before := b.read("etc/fathomd.yaml")
	foxes := b.job("", bundleFolder(t, "foxes"), "foxes-1")
	foxes.Health, foxes.Steady = 8*time.Second, time.Second
	b.want(foxes, RolledBack)
	if diff := cmp.Diff(before, b.read("etc/fathomd.yaml")); diff != "" || b.bundle() != "" {
		t.Errorf("bundle %q, configuration (-want +got)\n%s", b.bundle(), diff)
	}
	if left, _ := filepath.Glob(filepath.Join(b.at.Kept, "bundles", "*")); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	b.write("sick-1.0", "")
	b.want(b.job("", bundleFolder(t, "birds"), "birds-1"), Broken)
}

func TestTheBoardRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		pack   func(t *testing.T) string
		bundle string
		want   string
	}{
		"another architecture": {func(t *testing.T) string { return pack(t, "fathom", "1", "armel", "libc6") }, "birds", "the package is for armel, this board is amd64"},
		"another package":      {func(t *testing.T) string { return pack(t, "cowsay", "1", "amd64", "libc6") }, "birds", "of cowsay"},
		"too old a glibc":      {func(t *testing.T) string { return pack(t, "fathom", "1", "amd64", "libc6 (>= 99)") }, "birds", "needs glibc 99"},
		"a bad bundle":         {func(t *testing.T) string { return pack(t, "fathom", "1", "amd64", "libc6") }, "broken", "did not pass fathom verify"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBoard(t)
			b.want(b.job(c.pack(t), bundleFolder(t, c.bundle), "x"), Unchanged)
			if !strings.Contains(b.said.String(), c.want) {
				t.Errorf("no %q in\n%s", c.want, &b.said)
			}
			if _, err := os.Stat(b.at.Kept); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s: %v", b.at.Kept, err)
			}
		})
	}
}

func TestAnUploadThatIsCutOffHasNoName(t *testing.T) {
	b := newBoard(t)
	cut := b.write("cut", "")
	j := b.job(pack(t, "fathom", "1", "amd64", "libc6"), "", "")
	outcome, err := b.deploy(j)
	if outcome != Unchanged || !errors.Is(err, ErrConnection) {
		t.Fatalf("%s, %v", outcome, err)
	}
	if _, err := os.Stat(filepath.Join(b.home, "home", uploaded)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it has its name: %v", err)
	}
	if err := os.Remove(cut); err != nil {
		t.Fatal(err)
	}
	b.want(j, Deployed) // the next one clears away what is left
}

func TestAsk(t *testing.T) {
	b := newBoard(t)
	b.want(b.job(pack(t, "fathom", "1.0", "amd64", "libc6"), bundleFolder(t, "birds"), "birds-1"), Deployed)
	got, err := Ask(t.Context(), b.ssh, b.at)
	if err != nil {
		t.Fatal(err)
	}
	if got.Bundle, _, _ = strings.Cut(got.Bundle, "."); got.Machine == "" || got.Glibc == "" {
		t.Errorf("%+v", got)
	}
	want := Board{Machine: got.Machine, System: got.System, Glibc: got.Glibc, Root: got.Root, // of this machine
		Arch: "amd64", Systemd: 252, Installed: "1.0", PackageKept: true, Bundle: "birds-1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	nowhere, err := NewSSH("nowhere", nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer nowhere.Close()
	if _, err := Ask(t.Context(), nowhere, b.at); !errors.Is(err, ErrConnection) {
		t.Errorf("a board that is not there: %v", err)
	}
}

func TestParseBoard(t *testing.T) {
	got, err := parseBoard(strings.NewReader("Welcome\nfathom-deploy machine=aarch64\nfathom-deploy system=Debian GNU/Linux 12 (bookworm)\r\nfathom-deploy arch=arm64\n" +
		"fathom-deploy glibc=2.36\nfathom-deploy systemd=252\nfathom-deploy installed=\nfathom-deploy bundle=\nfathom-deploy root=password\n"))
	want := Board{Machine: "aarch64", System: "Debian GNU/Linux 12 (bookworm)", Arch: "arm64", Glibc: "2.36", Systemd: 252, Root: RootPassword}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	if _, err := parseBoard(strings.NewReader("This account is disabled.\n")); err == nil {
		t.Error("no board is taken for one")
	}
}

func TestBoardsThatDoNotFit(t *testing.T) {
	fits := Board{Machine: "aarch64", Arch: "arm64", Systemd: 237, Root: RootSudo}
	if err := fits.Check(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Board){
		"no dpkg":              func(b *Board) { b.Arch = "" },
		"install the 64-bit":   func(b *Board) { b.Arch = "armhf" },
		"arm64 and amd64 only": func(b *Board) { b.Arch = "riscv64" },
		"the two must agree":   func(b *Board) { b.Arch = "amd64" },
		"no systemd":           func(b *Board) { b.Systemd = 0 },
		"the unit needs 237":   func(b *Board) { b.Systemd = 229 },
		"no sudo":              func(b *Board) { b.Root = RootNever },
	} {
		b := fits
		change(&b)
		if err := b.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", b, err, want)
		}
	}
}

func TestHosts(t *testing.T) {
	for _, host := range []string{"pi@birdbox.local", "birdbox", "192.168.1.2", "pi@fe80::1%eth0", "a_b@c-d"} {
		if s, err := NewSSH(host, []string{"Port=2222"}, io.Discard); err != nil {
			t.Errorf("%s: %v", host, err)
		} else {
			s.Close()
		}
	}
	for _, host := range []string{"", "-oProxyCommand=x", "pi@-oProxyCommand=x", "-pi@host", "pi@", "@host", "a b", "a\nb", "pi@a;b", "ssh://x", "a@b@c"} {
		if _, err := NewSSH(host, nil, io.Discard); err == nil {
			t.Errorf("%q is taken for a host", host)
		}
	}
	if _, err := NewSSH("pi", []string{"Port"}, io.Discard); err == nil {
		t.Error("an option without a value")
	}
}

// A shell takes what was quoted for one word, unchanged.
func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "a", "it's", "$(reboot)", "`x`", "a\nb", `\`, "''", "-n", "a b", "*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, word string) {
		if strings.ContainsRune(word, 0) {
			return // no argument of a program holds one
		}
		out, err := exec.CommandContext(context.Background(), "sh", "-c", "printf '%s' "+quote(word)).Output()
		if err != nil || string(out) != word {
			t.Errorf("%q became %q, %v", word, out, err)
		}
	})
}

func TestSettingsSurviveTheShell(t *testing.T) {
	j := Job{BundleName: "birds-1", BenchSeconds: 2.5, Health: time.Minute, Steady: 10 * time.Second, At: Paths{Kept: "/srv/it's $HOME", Config: "/c", State: "/s"}}
	out, err := exec.Command("sh", "-c", j.settings()+`echo "$kept|$config|$state|$bundle|$bench_seconds|$health_seconds|$steady_seconds"`).Output()
	if want := "/srv/it's $HOME|/c|/s|birds-1|2.5|60|10\n"; err != nil || string(out) != want {
		t.Errorf("%v, %q, want %q", err, out, want)
	}
}

func TestPackageNames(t *testing.T) {
	for name, want := range map[string][2]string{
		"dist/packages/fathom_0.1.0~git20261123.abc_arm64.deb": {"0.1.0~git20261123.abc", "arm64"},
		"mine.deb": {},
	} {
		version, arch := ParsePackageName(name)
		if got := [2]string{version, arch}; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	dir := t.TempDir()
	if got, err := FindPackage(dir, "arm64"); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for _, v := range []string{"1", "2"} {
		if err := os.WriteFile(filepath.Join(dir, "fathom_"+v+"_arm64.deb"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := FindPackage(dir, "arm64")
		if want := filepath.Join(dir, "fathom_1_arm64.deb"); v == "1" && (got != want || err != nil) || v == "2" && err == nil {
			t.Errorf("%s packages: %q, %v", v, got, err)
		}
	}
}
