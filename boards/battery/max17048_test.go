package battery

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"periph.io/x/conn/v3/i2c/i2ctest"
)

func read(register byte, hi, lo byte) i2ctest.IO {
	return i2ctest.IO{Addr: 0x36, W: []byte{register}, R: []byte{hi, lo}}
}

func TestMAX17048(t *testing.T) {
	version := read(0x08, 0x00, 0x12)
	tests := []struct {
		name    string
		ops     []i2ctest.IO
		want    State
		wantErr string
	}{
		{
			name: "discharging", // 0xC800 * 78.125 µV, 0x4B80/256 %, -10 * 0.208 %/h
			ops:  []i2ctest.IO{version, read(0x02, 0xC8, 0x00), read(0x04, 0x4B, 0x80), read(0x16, 0xFF, 0xF6)},
			want: State{Volts: 4.0, ChargePercent: 75.5, PercentPerHour: -2.08},
		},
		{
			name: "full cell overshoots",
			ops:  []i2ctest.IO{version, read(0x02, 0xD2, 0x00), read(0x04, 0x65, 0x00), read(0x16, 0x00, 0x05)},
			want: State{Volts: 4.2, ChargePercent: 100, PercentPerHour: 1.04},
		},
		{
			name:    "no cell",
			ops:     []i2ctest.IO{version, read(0x02, 0x00, 0x00), read(0x04, 0x64, 0x00), read(0x16, 0x00, 0x00)},
			wantErr: "implausible cell voltage 0.000 V",
		},
		{
			name:    "bus reads ones",
			ops:     []i2ctest.IO{version, read(0x02, 0xFF, 0xFF), read(0x04, 0xFF, 0xFF), read(0x16, 0xFF, 0xFF)},
			wantErr: "implausible cell voltage 5.120 V",
		},
		{
			name:    "charge out of range",
			ops:     []i2ctest.IO{version, read(0x02, 0xC8, 0x00), read(0x04, 0xC8, 0x00), read(0x16, 0x00, 0x00)},
			wantErr: "implausible charge 200.0 %",
		},
		{
			name:    "another chip at the address",
			ops:     []i2ctest.IO{read(0x08, 0x00, 0x03)}, // MAX17040
			wantErr: "says version 0x0003, not 0x001x",
		},
		{
			name:    "nothing answers",
			wantErr: "register 0x08 at address 0x36",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bus := &i2ctest.Playback{Ops: tt.ops, DontPanic: true}
			got, err := func() (State, error) {
				gauge, err := NewMAX17048(bus)
				if err != nil {
					return State{}, err
				}
				return gauge.Sense()
			}()
			if tt.wantErr == "" && err != nil || tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)) {
				t.Fatalf("error %v, want one with %q", err, tt.wantErr)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
			if err := bus.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func FuzzMAX17048(f *testing.F) {
	f.Add(uint16(0xC800), uint16(0x4B80), uint16(0xFFF6))
	f.Add(uint16(0), uint16(0), uint16(0))
	f.Fuzz(func(t *testing.T, vcell, soc, crate uint16) {
		got, err := parseMAX17048(vcell, soc, crate)
		if (err != nil) != (got == State{}) {
			t.Fatalf("error %v with state %+v", err, got)
		}
		if got.ChargePercent < 0 || got.ChargePercent > 100 {
			t.Fatalf("charge %g %%", got.ChargePercent)
		}
	})
}
