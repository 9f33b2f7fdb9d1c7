// Package batterytest holds doubles for what package battery reads: a Pack of
// cells that charges and discharges, the registers of the chips that watch it,
// and a Bus on which they answer, well or badly.
//
// The chips are written from the data sheets and share no code with the drivers.
// A Bus may be used from any goroutine; a Pack belongs to the one that steps it.
package batterytest

import (
	"errors"
	"fmt"
	"sync"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2ctest"
	"periph.io/x/conn/v3/physic"

	"github.com/fathom-edge/fathom/boards/battery"
)

// Chip answers at one address: w is what was written, r what is to be read.
type Chip interface {
	Tx(w, r []byte) error
}

// Fault is how a bus misbehaves.
type Fault int

const (
	// NoFault lets every transaction through.
	NoFault Fault = iota
	// NACK answers nothing, as if the device were gone.
	NACK
	// ShortRead reports success and delivers the first byte only.
	ShortRead
	// Stuck times out, as with a line held low.
	Stuck
	// FlippedBit inverts a bit of the first byte read.
	FlippedBit
)

// The errors of a bus, in the words of the kernel as periph passes them on.
var (
	errNACK  = errors.New("sysfs-i2c: remote I/O error")
	errStuck = errors.New("sysfs-i2c: connection timed out")
)

// Bus is an I²C bus with Chips. The zero Bus is empty.
type Bus struct {
	mu    sync.Mutex
	chips map[uint16]Chip
	fault Fault
	ops   []i2ctest.IO
}

var _ i2c.BusCloser = (*Bus)(nil)

// NewBus returns a bus with one chip.
func NewBus(address uint16, chip Chip) *Bus {
	b := &Bus{}
	b.Attach(address, chip)
	return b
}

// Attach puts a chip at an address; nil takes it away.
func (b *Bus) Attach(address uint16, chip Chip) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.chips == nil {
		b.chips = map[uint16]Chip{}
	}
	b.chips[address] = chip
	if chip == nil {
		delete(b.chips, address)
	}
}

// SetFault makes all transactions from now on go wrong, or well again.
func (b *Bus) SetFault(f Fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fault = f
}

// Ops returns the transactions so far.
func (b *Bus) Ops() []i2ctest.IO {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]i2ctest.IO(nil), b.ops...)
}

// Forget drops the transactions so far.
func (b *Bus) Forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ops = nil
}

// Writes returns the transactions so far that wrote data: more than the register.
func (b *Bus) Writes() []i2ctest.IO {
	var writes []i2ctest.IO
	for _, op := range b.Ops() {
		if len(op.W) > 1 || len(op.R) == 0 {
			writes = append(writes, op)
		}
	}
	return writes
}

// String implements i2c.Bus.
func (b *Bus) String() string { return "fake" }

// SetSpeed implements i2c.Bus.
func (b *Bus) SetSpeed(physic.Frequency) error { return nil }

// Close implements i2c.BusCloser. The bus goes on working, as for the next who opens it.
func (b *Bus) Close() error { return nil }

// Tx implements i2c.Bus.
func (b *Bus) Tx(address uint16, w, r []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fault == Stuck {
		return errStuck
	}
	chip, ok := b.chips[address]
	if !ok || b.fault == NACK {
		return errNACK
	}
	answer := make([]byte, len(r))
	if err := chip.Tx(w, answer); err != nil {
		return err
	}
	b.ops = append(b.ops, i2ctest.IO{Addr: address, W: append([]byte(nil), w...), R: append([]byte(nil), answer...)})
	switch {
	case b.fault == ShortRead && len(r) > 0:
		copy(r[:len(r)-1], answer)
		return nil
	case b.fault == FlippedBit && len(r) > 0:
		answer[0] ^= 0x04
	}
	copy(r, answer)
	return nil
}

// Host is a host whose bus with that number is this one. It has no GPIO lines, and
// no kernel drivers unless root holds some.
func (b *Bus) Host(number int, root string) battery.Host {
	return battery.Host{
		Root: root,
		OpenBus: func(n int) (i2c.BusCloser, error) {
			if n != number {
				return nil, fmt.Errorf("/dev/i2c-%d: no such file or directory", n)
			}
			return b, nil
		},
		OpenLine: func(name string) (gpio.PinIn, error) { return nil, fmt.Errorf("no GPIO line %s", name) },
	}
}
