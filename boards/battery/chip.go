package battery

import (
	"encoding/binary"
	"errors"
	"fmt"

	"periph.io/x/conn/v3/i2c"
)

// chip is one device at one address of a bus. Its errors name the device, the
// bus, the address and the register.
type chip struct {
	name string
	dev  i2c.Dev
}

func (c chip) String() string { return fmt.Sprintf("%s at %#02x on %s", c.name, c.dev.Addr, c.dev.Bus) }

var errShortRead = errors.New("short read: the bus reported success and delivered too little")

// read fills b with the registers from reg on, in one transaction.
//
// An adapter that cuts a transfer short without an error leaves the end of the
// buffer alone, and zeros would look like a reading. So the buffer holds a
// pattern before, and what ends in the pattern is read again over another one.
func (c chip) read(reg byte, b []byte) error {
	last := len(b) - 1
	for _, pattern := range [...]byte{0xA5, 0x5A} {
		for i := range b {
			b[i] = pattern
		}
		if err := c.dev.Tx([]byte{reg}, b); err != nil {
			return c.failed("read", reg, err)
		}
		if b[last] != pattern {
			return nil
		}
	}
	return c.failed("read", reg, errShortRead)
}

func (c chip) failed(what string, reg byte, err error) error {
	return fmt.Errorf("%s: %s register %#02x: %w (is it wired and powered, and are bus and address right?)", c, what, reg, err)
}

func (c chip) byteAt(reg byte) (byte, error) {
	var b [1]byte
	err := c.read(reg, b[:])
	return b[0], err
}

// be16 reads a 16-bit register, most significant byte first.
func (c chip) be16(reg byte) (uint16, error) {
	var b [2]byte
	err := c.read(reg, b[:])
	return binary.BigEndian.Uint16(b[:]), err
}

func (c chip) writeBE16(reg byte, v uint16) error {
	if err := c.dev.Tx(binary.BigEndian.AppendUint16([]byte{reg}, v), nil); err != nil {
		return c.failed("write", reg, err)
	}
	return nil
}
