package sysfs

import (
	"fmt"
	"strconv"
)

// OverCurrent counts the times that one of a Jetson Orin's throttling alarms went
// off since boot.
type OverCurrent struct {
	// Number is 1 for under-voltage, 2 for the average current and 3 for the
	// instantaneous current, which exceeds its threshold under normal load, too.
	Number int
	dir    string
	fs     FS
}

// OverCurrents lists the alarms of the monitor soctherm_oc; none on other boards.
func (m Monitors) OverCurrents() ([]OverCurrent, error) {
	var alarms []OverCurrent
	for _, chip := range m.chips {
		if chip.driver != "soctherm_oc" {
			continue
		}
		for n := 1; n <= 3; n++ {
			alarm := OverCurrent{Number: n, dir: chip.dir(), fs: m.fs}
			if m.fs.exists(alarm.dir + "/" + alarm.attribute()) {
				alarms = append(alarms, alarm)
			}
		}
	}
	return alarms, m.err
}

func (o OverCurrent) attribute() string { return "oc" + strconv.Itoa(o.Number) + "_event_cnt" }

// Count asks the driver.
func (o OverCurrent) Count() (uint64, error) {
	return readParsed(o.fs, o.dir, o.attribute(), parseCount)
}

func parseCount(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("not a count: %s", quote(s))
	}
	return n, nil
}
