package sysfs

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
)

// Bits of the Raspberry Pi firmware's get_throttled that tell the state now.
// Bits 16 to 19 hold the same since the last poll of the kernel's own monitor,
// not since boot, and are not used.
const (
	bitUnderVoltage    = 1 << 0
	bitFrequencyCapped = 1 << 1
	bitThrottled       = 1 << 2
	bitSoftTempLimit   = 1 << 3
)

// ThrottleFlags is where a Raspberry Pi's firmware tells that it takes clock
// away, which the kernel's own clock readings do not show.
type ThrottleFlags struct {
	// Path is the attribute below the root.
	Path string
	// UnderVoltageOnly: the kernel offers the voltage alarm only.
	UnderVoltageOnly bool
	fs               FS
}

// ThrottleState is what the flags say now.
type ThrottleState struct {
	UnderVoltage telemetry.Reading[bool]
	Throttled    telemetry.Reading[bool]
}

// ThrottleFlags looks for the firmware's flags: get_throttled of the Raspberry
// Pi kernel, whose path differs between models, or the alarm of the rpi_volt
// monitor of upstream kernels. found is false on other boards.
func (f FS) ThrottleFlags() (flags ThrottleFlags, found bool) {
	const driver = "sys/bus/platform/drivers/raspberrypi-firmware"
	devices, err := f.names(driver)
	if err != nil {
		return ThrottleFlags{}, false
	}
	for _, device := range devices {
		if attribute := driver + "/" + device + "/get_throttled"; f.exists(attribute) {
			return ThrottleFlags{Path: attribute, fs: f}, true
		}
	}
	chips, err := f.entries(hwmonDir, "hwmon")
	if err != nil {
		return ThrottleFlags{}, false
	}
	for _, chip := range chips {
		dir := hwmonDir + "/" + chip
		if name, err := f.read(dir + "/name"); err != nil || name != "rpi_volt" {
			continue
		}
		if alarm := dir + "/in0_lcrit_alarm"; f.exists(alarm) {
			return ThrottleFlags{Path: alarm, UnderVoltageOnly: true, fs: f}, true
		}
	}
	return ThrottleFlags{}, false
}

// Read asks the firmware; at is the time of asking.
func (t ThrottleFlags) Read(at time.Time) ThrottleState {
	if t.UnderVoltageOnly {
		alarm, err := readParsed(t.fs, "", t.Path, parseBool)
		return ThrottleState{
			UnderVoltage: reading(at, alarm, err),
			Throttled:    telemetry.Unknown[bool]("this kernel offers only the voltage alarm (rpi_volt), not get_throttled"),
		}
	}
	bits, err := readParsed(t.fs, "", t.Path, parseThrottled)
	return ThrottleState{
		UnderVoltage: reading(at, bits&bitUnderVoltage != 0, err),
		Throttled:    reading(at, bits&(bitFrequencyCapped|bitThrottled|bitSoftTempLimit) != 0, err),
	}
}

// parseThrottled parses the firmware's word: hexadecimal without a prefix.
func parseThrottled(s string) (uint32, error) {
	bits, err := strconv.ParseUint(strings.TrimPrefix(s, "0x"), 16, 32)
	if err != nil {
		return 0, fmt.Errorf("not a hexadecimal word: %s", quote(s))
	}
	return uint32(bits), nil
}
