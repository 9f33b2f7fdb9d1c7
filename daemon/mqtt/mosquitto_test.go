package mqtt

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// mosquitto runs Debian's broker on a port with TLS, client certificates and a password.
func mosquitto(t *testing.T, a *authority) (address string, stop func()) {
	t.Helper()
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		if path, err = exec.LookPath("/usr/sbin/mosquitto"); err != nil {
			t.Skip("mosquitto is not installed (apt-get install mosquitto)")
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(address)
	a.server()
	passwords := filepath.Join(a.dir, "passwords")
	if out, err := exec.Command("mosquitto_passwd", "-b", "-c", passwords, "fathom", "geheim").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	config := filepath.Join(a.dir, "mosquitto.conf")
	text := fmt.Sprintf("listener %s 127.0.0.1\ncafile %s\ncertfile %s\nkeyfile %s\nrequire_certificate true\npassword_file %s\nallow_anonymous false\n",
		port, a.path("ca"), a.path("broker"), a.path("broker-key"), passwords)
	if os.Getuid() == 0 {
		text += "user root\n"
	}
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command(path, "-c", config)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	}
	return address, stop
}

// listen subscribes with Mosquitto's own client and returns what it printed.
func listen(t *testing.T, a *authority, address, topic string, count int) string {
	t.Helper()
	host, port, _ := net.SplitHostPort(address)
	out, err := exec.Command("mosquitto_sub", "-V", "5", "-h", host, "-p", port, "--cafile", a.path("ca"), "--cert", a.path("client"), "--key", a.path("client-key"),
		"-u", "fathom", "-P", "geheim", "-t", topic, "-C", fmt.Sprint(count), "-W", "20", "-F", "%t %p %r").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// The same against the broker that most people run: TLS with certificates on both sides, password, retained messages, last will, restart.
func TestMosquitto(t *testing.T) {
	if _, err := exec.LookPath("mosquitto_sub"); err != nil {
		t.Skip("mosquitto-clients is not installed (apt-get install mosquitto-clients)")
	}
	a := newAuthority(t)
	a.client()
	address, stop := mosquitto(t, a)
	defer func() { stop() }()
	r := run(t, address, func(c *Config) {
		c.Broker, c.CAFile, c.CertFile, c.KeyFile = "mqtts://"+address, a.path("ca"), a.path("client"), a.path("client-key")
		c.Username, c.Password, c.Controls = "fathom", "geheim", true
	}, func(Command) error { return nil })
	if err := r.Tell(states, Problems{Reasons: []string{}}); err != nil {
		t.Fatal(err)
	}
	wait(t, "retained messages", func() bool { return r.Stats().Connected && r.Stats().Waiting == 0 })
	got := listen(t, a, address, "fathom/box/+", 3)
	for _, want := range []string{"fathom/box/status online 1", "fathom/box/state " + stateJSON + " 1", `fathom/box/problems {"reasons":[]} 1`} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if got := listen(t, a, address, "homeassistant/device/fathom_box/config", 1); !strings.Contains(got, `"command_topic":"fathom/box/set/paused"`) {
		t.Error(got)
	}
	stop() // killed, with its memory
	wait(t, "the loss", func() bool { return !r.Stats().Connected })
	r.Event([]byte("kept"))
	time.Sleep(50 * time.Millisecond)
	if r.Stats().Waiting == 0 {
		t.Error("the event was sent to nobody")
	}
}
