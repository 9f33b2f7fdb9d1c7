package boards

import (
	"fmt"
	"strconv"

	"periph.io/x/conn/v3/i2c"
	periphsysfs "periph.io/x/host/v3/sysfs"

	"github.com/fathom-edge/fathom/boards/battery"
)

// fuelGauge is what a driver of package battery offers.
type fuelGauge interface {
	Sense() (battery.State, error)
}

// gauge is the configured fuel gauge. Its bus is opened when it is first asked
// and again for as long as that fails, so a gauge may come later than the
// program.
type gauge struct {
	name    string
	openBus func() (i2c.BusCloser, error)
	open    func(i2c.Bus) (fuelGauge, error)
	// device belongs to sense; the asker sees to it that only one runs.
	device fuelGauge
}

func newGauge(options Options, sameMachine bool) (*gauge, error) {
	g := &gauge{name: options.FuelGauge}
	switch options.FuelGauge {
	case "max17048":
		g.open = func(bus i2c.Bus) (fuelGauge, error) { return battery.NewMAX17048(bus) }
	default:
		return nil, fmt.Errorf("boards: fuel gauge %q: not supported (max17048 is)", options.FuelGauge)
	}
	number, err := strconv.ParseUint(options.I2CBus, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("boards: fuel gauge %s: I2C bus %q: not a number (give that of /dev/i2c-N, on a Raspberry Pi 1)",
			options.FuelGauge, options.I2CBus)
	}
	g.openBus = func() (i2c.BusCloser, error) {
		if !sameMachine {
			return nil, fmt.Errorf("/dev/i2c-%d is of the running machine, not of the given root", number)
		}
		bus, err := periphsysfs.NewI2C(int(number))
		if err != nil {
			return nil, fmt.Errorf("/dev/i2c-%d: %w (is I2C switched on, and the user in group i2c?)", number, err)
		}
		return bus, nil
	}
	return g, nil
}

// sense asks the gauge, after opening it where that is still to be done.
func (g *gauge) sense() (battery.State, error) {
	if g.device == nil {
		bus, err := g.openBus()
		if err != nil {
			return battery.State{}, err
		}
		device, err := g.open(bus)
		if err != nil {
			bus.Close() // the reason to give is why the gauge did not open
			return battery.State{}, err
		}
		g.device = device
	}
	return g.device.Sense()
}
