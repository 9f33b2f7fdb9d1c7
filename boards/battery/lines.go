package battery

import (
	"fmt"

	"periph.io/x/conn/v3/gpio"
)

// line reads one GPIO line.
type line struct {
	is  Line
	pin gpio.PinIn // nil until it could be opened
}

// read returns whether the line is active. periph's lines log a failing read and
// return low, so the line is configured anew each time, which does say when it
// fails. The pull resistors stay as the board has them.
func (l *line) read(host Host) (bool, error) {
	if l.pin == nil {
		pin, err := host.OpenLine(l.is.Name)
		if err != nil {
			return false, err
		}
		l.pin = pin
	}
	if err := l.pin.In(gpio.PullNoChange, gpio.NoEdge); err != nil {
		return false, fmt.Errorf("GPIO line %s: %w (does another program hold it?)", l.is.Name, err)
	}
	return (l.pin.Read() == gpio.High) != l.is.ActiveLow, nil
}
