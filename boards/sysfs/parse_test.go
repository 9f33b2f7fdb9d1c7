package sysfs

import (
	"math"
	"strings"
	"testing"
)

func TestParsers(t *testing.T) {
	asAny := func(parse func(string) (float64, error)) func(string) (any, error) {
		return func(s string) (any, error) { return parse(s) }
	}
	celsius, limit, percent := asAny(parseCelsius), asAny(parseLimit), asAny(parsePercent)
	throttled := func(s string) (any, error) { return parseThrottled(s) }
	model := func(s string) (any, error) { return parseModel(s) }
	product := func(s string) (any, error) { return parseProduct(s) }
	boolean := func(s string) (any, error) { return parseBool(s) }
	tests := []struct {
		name    string
		parse   func(string) (any, error)
		in      string
		want    any
		wantErr string // what the error holds; the value is zero then
	}{
		{"celsius", celsius, "61835", 61.835, ""},
		{"celsius below freezing", celsius, "-12500", -12.5, ""},
		{"celsius lowest", celsius, "-40000", -40.0, ""},
		{"celsius too low", celsius, "-44000", 0.0, "implausible temperature -44 °C"},
		{"celsius of a Jetson's dead unit", celsius, "-256000", 0.0, "implausible temperature -256 °C"},
		{"celsius highest", celsius, "150000", 150.0, ""},
		{"celsius too high", celsius, "150001", 0.0, "implausible"},
		{"celsius empty", celsius, "", 0.0, `not a whole number: ""`},
		{"celsius text", celsius, "N/A", 0.0, "not a whole number"},
		{"celsius overflow", celsius, "99999999999999999999", 0.0, "not a whole number"},
		{"celsius long garbage", celsius, strings.Repeat("é", 100), 0.0, "…"},
		{"limit", limit, "99000", 99.0, ""},
		{"limit not set", limit, "0", 0.0, "none set"},
		{"limit absolute zero", limit, "-274000", 0.0, "implausible"},
		{"percent", percent, "100", 100.0, ""},
		{"percent too much", percent, "101", 0.0, "implausible value 101 %"},
		{"percent negative", percent, "-1", 0.0, "implausible"},
		{"clock", asAny(parseKilohertz), "1500000", 1.5e9, ""},
		{"clock zero", asAny(parseKilohertz), "0", 0.0, "implausible"},
		{"clock of a core without driver", asAny(parseKilohertz), "<unknown>", 0.0, "not a whole number"},
		{"throttled", throttled, "50005", uint32(0x50005), ""},
		{"throttled none", throttled, "0", uint32(0), ""},
		{"throttled with prefix", throttled, "0x50005", uint32(0x50005), ""},
		{"throttled garbage", throttled, "throttled", uint32(0), "not a hexadecimal word"},
		{"throttled too long", throttled, "100000000", uint32(0), "not a hexadecimal word"},
		{"model", model, "Raspberry Pi 4 Model B Rev 1.4\x00", "Raspberry Pi 4 Model B Rev 1.4", ""},
		{"model binary", model, "\xff\xfe", "", "not text"},
		{"model empty", model, "\x00", "", "empty"},
		{"product", product, "20XYZ Notebook", "20XYZ Notebook", ""},
		{"product not filled in", product, "To Be Filled By O.E.M.", "", "placeholder"},
		{"load", asAny(parseLoadAverage), "0.62 0.40 0.30 2/180 4242", 0.62, ""},
		{"load not a number", asAny(parseLoadAverage), "NaN 0 0", 0.0, "not a load average"},
		{"load negative", asAny(parseLoadAverage), "-1 0 0", 0.0, "not a load average"},
		{"bool", boolean, "1", true, ""},
		{"bool programmable supply", boolean, "2", true, ""},
		{"bool garbage", boolean, "yes", false, "neither 0 nor 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.parse(tt.in)
			if tt.wantErr == "" && err != nil || tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)) {
				t.Fatalf("error %v, want one with %q", err, tt.wantErr)
			}
			if got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// fuzzParser checks that an error comes with the zero value, and that a value
// is within bounds.
func fuzzParser[T comparable](f *testing.F, parse func(string) (T, error), valid func(T) bool, seeds ...string) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := parse(s)
		var zero T
		if err != nil && v != zero {
			t.Fatalf("%q: error %v with value %v", s, err, v)
		}
		if err == nil && !valid(v) {
			t.Fatalf("%q: value %v", s, v)
		}
	})
}

func FuzzCelsius(f *testing.F) {
	fuzzParser(f, parseCelsius, func(c float64) bool { return c >= -40 && c <= 150 }, "61835", "-256000", "", "x")
}

func FuzzThrottled(f *testing.F) {
	fuzzParser(f, parseThrottled, func(uint32) bool { return true }, "50005", "0x0", "g")
}

func FuzzModel(f *testing.F) {
	fuzzParser(f, parseProduct, func(s string) bool { return s != "" && !strings.ContainsAny(s, "\x00\n") }, "Raspberry Pi\x00", "\xff", "None")
}

func FuzzLoadAverage(f *testing.F) {
	fuzzParser(f, parseLoadAverage, func(v float64) bool { return v >= 0 && !math.IsInf(v, 0) }, "0.62 0.40", "NaN", "Inf", "1e999")
}

func FuzzScaled(f *testing.F) {
	fuzzParser(f, parsePercent, func(v float64) bool { return v >= 0 && v <= 100 }, "50", "-1", "101")
}
