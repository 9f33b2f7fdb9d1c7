package sysfs

import (
	"fmt"
	"strconv"
	"strings"
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

// FirmwareWord is what the firmware of a Raspberry Pi says of its throttling: the
// bits of get_throttled.
type FirmwareWord uint32

// UnderVoltage tells whether the supply voltage is too low now.
func (w FirmwareWord) UnderVoltage() bool { return w&bitUnderVoltage != 0 }

// Throttled tells whether clock is taken away now.
func (w FirmwareWord) Throttled() bool {
	return w&(bitFrequencyCapped|bitThrottled|bitSoftTempLimit) != 0
}

// ThrottleFlags looks for the firmware's flags: get_throttled of the Raspberry
// Pi kernel, whose path differs between models, or the alarm of the rpi_volt
// monitor of upstream kernels. found is false on other boards, without an error
// only if it is certain that they are other boards.
func (f FS) ThrottleFlags(m Monitors) (flags ThrottleFlags, found bool, err error) {
	const driver = "sys/bus/platform/drivers/raspberrypi-firmware"
	devices, err := f.names(driver)
	if err != nil {
		return ThrottleFlags{}, false, err
	}
	for _, device := range devices {
		if attribute := driver + "/" + device + "/get_throttled"; f.exists(attribute) {
			return ThrottleFlags{Path: attribute, fs: f}, true, nil
		}
	}
	for _, chip := range m.chips {
		if alarm := chip.dir() + "/in0_lcrit_alarm"; chip.driver == "rpi_volt" && f.exists(alarm) {
			return ThrottleFlags{Path: alarm, UnderVoltageOnly: true, fs: f}, true, nil
		}
	}
	return ThrottleFlags{}, false, m.err
}

// Word asks the firmware for all of its flags; not with UnderVoltageOnly.
func (t ThrottleFlags) Word() (FirmwareWord, error) {
	return readParsed(t.fs, "", t.Path, parseThrottled)
}

// UnderVoltage asks the kernel's voltage alarm; only with UnderVoltageOnly.
func (t ThrottleFlags) UnderVoltage() (bool, error) {
	return readParsed(t.fs, "", t.Path, parseBool)
}

// ParseVcgencmd parses the answer of "vcgencmd get_throttled", e.g. throttled=0x50005.
func ParseVcgencmd(s string) (FirmwareWord, error) {
	word, ok := strings.CutPrefix(strings.TrimSpace(s), "throttled=")
	if !ok {
		return 0, fmt.Errorf("not an answer to get_throttled: %s", quote(s))
	}
	return parseThrottled(word)
}

// parseThrottled parses the firmware's word: hexadecimal without a prefix.
func parseThrottled(s string) (FirmwareWord, error) {
	bits, err := strconv.ParseUint(strings.TrimPrefix(s, "0x"), 16, 32)
	if err != nil {
		return 0, fmt.Errorf("not a hexadecimal word: %s", quote(s))
	}
	return FirmwareWord(bits), nil
}
