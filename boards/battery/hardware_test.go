//go:build hardware

package battery_test

import (
	"os"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2ctest"

	"github.com/fathom-edge/fathom/boards/battery"
)

// TestHardware asks a real device, or the kernel of an emulated board, for what
// FATHOM_BATTERY configures, and prints the transactions for TestDevices:
//
//	FATHOM_BATTERY='{device: max17048, bus: 1}' go test -tags hardware -run TestHardware -v ./boards/battery
func TestHardware(t *testing.T) {
	text := os.Getenv("FATHOM_BATTERY")
	if text == "" {
		t.Fatal("FATHOM_BATTERY is empty: give a configuration, such as {device: max17048, bus: 1}")
	}
	var config battery.Config
	if err := yaml.UnmarshalWithOptions([]byte(text), &config, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	host := battery.LinuxHost()
	if config.Bus != nil {
		found, err := battery.Probe(host, *config.Bus)
		if err != nil {
			t.Error(err)
		}
		for _, f := range found {
			t.Logf("probe: %+v", f)
		}
	}
	record := &i2ctest.Record{}
	open := host.OpenBus
	host.OpenBus = func(n int) (i2c.BusCloser, error) {
		bus, err := open(n)
		record.Bus = bus
		return bare{record}, err
	}
	b, err := battery.Open(host, config)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s, err := b.Sense(time.Now())
		if err != nil {
			t.Error(err)
		}
		t.Logf("%v %s", known(s), s.Remark)
		time.Sleep(time.Second)
	}
	for _, op := range record.Ops {
		t.Logf("%#v,", op)
	}
}
