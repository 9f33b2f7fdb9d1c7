package battery

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"periph.io/x/conn/v3/driver/driverreg"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/host/v3/gpioioctl"
	"periph.io/x/host/v3/sysfs"
)

// Host is the machine whose buses and lines are used.
type Host struct {
	// Root is the folder that holds sys, for the kernel's list of I²C devices.
	Root string
	// OpenBus opens /dev/i2c-N.
	OpenBus func(n int) (i2c.BusCloser, error)
	// OpenLine finds a GPIO line by the kernel's name.
	OpenLine func(name string) (gpio.PinIn, error)
}

// LinuxHost is the running machine. Buses and lines are periph's, of its sysfs and
// gpioioctl drivers only: its bcm283x driver takes a Pi 5 for a Pi 4.
func LinuxHost() Host { return Host{Root: "/", OpenBus: openBus, OpenLine: openLine} }

// openBus tries the device file first: periph's own message names another group.
func openBus(n int) (i2c.BusCloser, error) {
	const hint = "(is I²C switched on, and the user in group i2c?)"
	file, err := os.OpenFile(fmt.Sprintf("/dev/i2c-%d", n), os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("%w %s", err, hint)
	}
	file.Close() // nothing was done with it
	bus, err := sysfs.NewI2C(n)
	if err != nil {
		return nil, fmt.Errorf("/dev/i2c-%d: %w %s", n, err, hint)
	}
	return bus, nil
}

// initDrivers lets periph look for GPIO lines, once.
var initDrivers = sync.OnceValue(func() error {
	_, err := driverreg.Init()
	return err
})

// openLine takes lines of the character devices only: periph's registry of names
// also holds those of sysfs, whose GPIO6 is the sixth of the machine and not the
// one of the header.
func openLine(name string) (gpio.PinIn, error) {
	if err := initDrivers(); err != nil {
		return nil, fmt.Errorf("GPIO: %w", err)
	}
	for _, chip := range gpioioctl.Chips {
		if l := chip.ByName(name); l != nil {
			return l, nil
		}
	}
	return nil, fmt.Errorf("no GPIO line %s among those of %d chips (gpioinfo lists them; is the user in group gpio, and Linux 5.10 or newer?)",
		name, len(gpioioctl.Chips))
}

// kernelDriver returns the name of the driver that serves an address, or "".
// I2C_RDWR, which periph uses, would disturb it without being refused.
func (h Host) kernelDriver(bus int, address uint16) (string, error) {
	device := filepath.Join(h.Root, "sys/bus/i2c/devices", fmt.Sprintf("%d-%04x", bus, address))
	target, err := os.Readlink(filepath.Join(device, "driver"))
	switch {
	case err == nil:
		return filepath.Base(target), nil
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	}
	return "", fmt.Errorf("%s: cannot tell whether a kernel driver serves it: %w", device, err)
}

// refuseKernelDevice is an error where the kernel serves an address.
func (h Host) refuseKernelDevice(bus int, address uint16) error {
	driver, err := h.kernelDriver(bus, address)
	if err != nil || driver == "" {
		return err
	}
	return fmt.Errorf("the kernel driver %s serves address %#02x on bus %d, which is left to it (%s)", driver, address, bus, kernelHint(driver))
}

func kernelHint(driver string) string {
	if strings.HasPrefix(driver, "ina") {
		return "its values are under /sys/class/hwmon"
	}
	return "its values are under /sys/class/power_supply: drop the configuration"
}
