package main

import (
	"bufio"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/fathom-edge/fathom/boards"
	"github.com/fathom-edge/fathom/boards/camera/v4l2"
	"github.com/fathom-edge/fathom/daemon"
)

type initConfig struct {
	File   string `arg:"" optional:"" default:"/etc/fathom/fathomd.yaml" help:"File to write (default ${default})."`
	Stdout bool   `help:"Print it instead."`
	Yes    bool   `short:"y" help:"Replace the file without asking."`
	Bundle string `short:"b" placeholder:"DIR" default:"/var/lib/fathom/bundle" help:"Folder of the converted family (default ${default})."`
	TLS    bool   `name:"tls" help:"Write a self-signed certificate with its key beside the file, too."`
	Root   string `placeholder:"DIR" default:"/" hidden:""`
}

// Help is the end of the help text.
func (initConfig) Help() string {
	return `It looks for the board and for cameras, and changes neither.

Examples:
  sudo fathomd init
  fathomd init --stdout --bundle ~/birds
  sudo fathomd init --tls`
}

// found is what the configuration is fitted to.
type found struct {
	Board   string
	Cameras []foundCamera
	Bundle  string
	Battery string // what tells the charge, or empty
	Ceiling string
	TLS     bool
	Cert    string
	Key     string
}

type foundCamera struct{ Address, Name string }

//go:embed fathomd.yaml.tmpl
var configTemplate string

// Run writes the configuration.
func (c initConfig) Run(s streams) error {
	f, err := c.find()
	if err != nil {
		return fmt.Errorf("init: %w", err)
	}
	var text strings.Builder
	if err := template.Must(template.New("").Parse(configTemplate)).Execute(&text, f); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	if _, err := daemon.ParseConfig(strings.NewReader(text.String())); err != nil {
		return fmt.Errorf("init: what was found makes no configuration: %w", err)
	}
	if c.Stdout {
		_, err := io.WriteString(s.out, text.String())
		return err
	}
	if err := c.write(s, text.String()); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	fmt.Fprintf(s.out, "wrote %s for %s; check it with  fathomd check-config %s\n", c.File, f.Board, c.File)
	return nil
}

// find asks the board and looks for cameras.
func (c initConfig) find() (found, error) {
	bundle, err := filepath.Abs(c.Bundle)
	if err != nil {
		return found{}, err
	}
	folder, err := filepath.Abs(filepath.Dir(c.File))
	if err != nil {
		return found{}, err
	}
	f := found{Bundle: bundle, TLS: c.TLS, Cert: filepath.Join(folder, "certificate.pem"), Key: filepath.Join(folder, "key.pem")}
	board, err := boards.New(c.Root, boards.Options{})
	if err != nil {
		return found{}, err
	}
	now := board.Read(context.Background())
	f.Board = now.Board
	if limit, known := now.Heat.LimitCelsius.Get(); known {
		f.Ceiling = fmt.Sprintf("%.0f", limit-5)
	}
	if _, known := now.Power.ChargePercent.Get(); known && len(now.Power.Supplies) > 0 {
		f.Battery = now.Power.Supplies[0].Name
	}
	f.Cameras = cameras(c.Root, now.BoardID)
	return f, nil
}

// cameras lists what can be opened, the likeliest first.
func cameras(root, boardID string) []foundCamera {
	var list []foundCamera
	if strings.HasPrefix(boardID, "raspberry-pi") && onPath("rpicam-vid", "libcamera-vid", "raspivid") {
		list = append(list, foundCamera{"rpicam:", "camera at the Raspberry Pi's connector, if there is one (rpicam-hello --list-cameras)"})
	}
	if strings.HasPrefix(boardID, "jetson") && onPath("gst-launch-1.0") {
		list = append(list, foundCamera{"csi:0", "camera at the Jetson's connector, if there is one"})
	}
	kernel := v4l2.Devices(filepath.Join(root, "dev"))
	for _, d := range kernel {
		list = append(list, foundCamera{"v4l2:" + d.Path, d.Card})
	}
	if len(kernel) > 0 && len(list) > len(kernel) {
		list = append(list[1:], list[0]) // a camera that answers is likelier than one that may be there
	}
	return list
}

func onPath(programs ...string) bool {
	for _, p := range programs {
		if _, err := exec.LookPath(p); err == nil {
			return true
		}
	}
	return false
}

// write asks before it replaces anything.
func (c initConfig) write(s streams, text string) error {
	if _, err := os.Lstat(c.File); err == nil && !c.Yes {
		fmt.Fprintf(s.out, "%s exists. Replace it? [y/N] ", c.File)
		answer, _ := bufio.NewReader(s.in).ReadString('\n') // at the end of the input, no
		if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
			return fmt.Errorf("%s is left as it is", c.File)
		}
	}
	if err := os.MkdirAll(filepath.Dir(c.File), 0o755); err != nil {
		return err
	}
	if c.TLS {
		if err := writeCertificate(filepath.Dir(c.File), c.Yes); err != nil {
			return err
		}
	}
	return writeNew(c.File, []byte(text), 0o644, true)
}
