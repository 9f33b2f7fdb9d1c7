package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/fathom-edge/fathom/daemon"
)

type healthCommand struct {
	File string        `arg:"" optional:"" default:"/etc/fathom/fathomd.yaml" help:"Configuration of the daemon that runs on this machine (default ${default})."`
	Time time.Duration `default:"5s" help:"How long to wait for its answer (default ${default})."`
	JSON bool          `name:"json" help:"Print the answer as it is."`
}

// Help is the end of the help text.
func (healthCommand) Help() string {
	return `It asks /healthz at the address that the configuration says. A degraded daemon does its
work, and is well enough. Where the page needs a token to look, reasons are not told.

Exit status: 0 if frames are classified, 1 if not, or if nobody answers.

Example:
  fathomd health || journalctl -u fathomd`
}

// Run asks once.
func (h healthCommand) Run(s streams) error {
	config, err := daemon.LoadConfig(h.File, os.Environ())
	if err != nil {
		return err
	}
	url, err := healthURL(config)
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	client := http.Client{Timeout: h.Time, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // the answer comes from this machine, whatever the certificate names
	}}
	answer, err := client.Get(url)
	if err != nil {
		return fmt.Errorf("health: fathomd does not answer: %w", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	var health daemon.Health
	if err := json.Unmarshal(body, &health); err != nil || health.Status == "" {
		return fmt.Errorf("health: what answers at %s is not fathomd", url)
	}
	if h.JSON {
		fmt.Fprintf(s.out, "%s\n", strings.TrimSpace(string(body)))
	} else {
		fmt.Fprintln(s.out, strings.Join(append([]string{health.Status}, health.Reasons...), "\n  "))
	}
	if answer.StatusCode != http.StatusOK {
		return exitCode(exitFailure)
	}
	return nil
}

// healthURL is where the daemon of a configuration answers on this machine.
func healthURL(c daemon.Config) (string, error) {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	if port == "0" {
		return "", fmt.Errorf("listen: %s is any free port: nobody knows where fathomd answers", c.Listen)
	}
	switch ip := net.ParseIP(host); {
	case host == "" || ip.Equal(net.IPv4zero):
		host = "127.0.0.1"
	case ip.Equal(net.IPv6zero):
		host = "::1"
	}
	scheme := "http"
	if c.TLS.Certificate != "" {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, port) + "/healthz", nil
}
