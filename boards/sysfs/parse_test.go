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
	load := func(s string) (any, error) { return parseLoadAverages(s) }
	vcgencmd := func(s string) (any, error) { return ParseVcgencmd(s) }
	group := func(s string) (any, error) { return parseCgroupPath(s) }
	periods := func(s string) (any, error) { return parseCPUPeriods(s) }
	count := func(s string) (any, error) { return parseCount(s) }
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
		{"throttled", throttled, "50005", FirmwareWord(0x50005), ""},
		{"throttled none", throttled, "0", FirmwareWord(0), ""},
		{"throttled with prefix", throttled, "0x50005", FirmwareWord(0x50005), ""},
		{"throttled garbage", throttled, "throttled", FirmwareWord(0), "not a hexadecimal word"},
		{"throttled too long", throttled, "100000000", FirmwareWord(0), "not a hexadecimal word"},
		{"model", model, "Raspberry Pi 4 Model B Rev 1.4\x00", "Raspberry Pi 4 Model B Rev 1.4", ""},
		{"model binary", model, "\xff\xfe", "", "not text"},
		{"model empty", model, "\x00", "", "empty"},
		{"product", product, "20XYZ Notebook", "20XYZ Notebook", ""},
		{"product not filled in", product, "To Be Filled By O.E.M.", "", "placeholder"},
		{"load", load, "0.62 0.40 0.30 2/180 4242", [3]float64{0.62, 0.4, 0.3}, ""},
		{"load not a number", load, "0 NaN 0", [3]float64{}, "not a load average"},
		{"load negative", load, "-1 0 0", [3]float64{}, "not a load average"},
		{"load cut short", load, "0.62", [3]float64{}, "not load averages"},
		{"vcgencmd", vcgencmd, "throttled=0x50005\n", FirmwareWord(0x50005), ""},
		{"vcgencmd failed", vcgencmd, "VCHI initialization failed", FirmwareWord(0), "not an answer"},
		{"vcgencmd garbage", vcgencmd, "throttled=?", FirmwareWord(0), "not a hexadecimal word"},
		{"pressure", asAny(parsePressure), "some avg10=3.25 avg60=0.40 avg300=0.10 total=1\nfull avg10=9.00 avg60=0 avg300=0 total=0", 3.25, ""},
		{"pressure of the full line only", asAny(parsePressure), "full avg10=9.00 avg60=0 avg300=0 total=0", 0.0, "no avg10"},
		{"pressure over all time", asAny(parsePressure), "some avg10=101", 0.0, "not a share of time"},
		{"pressure empty", asAny(parsePressure), "", 0.0, "no avg10"},
		{"cpu limit", asAny(parseCPUMax), "150000 100000", 1.5, ""},
		{"cpu limit none", asAny(parseCPUMax), "max 100000", 0.0, "no limit"},
		{"cpu limit without a period", asAny(parseCPUMax), "150000", 0.0, "not a quota and a period"},
		{"cpu limit of nothing", asAny(parseCPUMax), "0 0", 0.0, "not a quota and a period"},
		{"memory limit", asAny(parseMemoryMax), "268435456", 268435456.0, ""},
		{"memory limit none", asAny(parseMemoryMax), "max", 0.0, "no limit"},
		{"memory limit of version 1's kind", asAny(parseMemoryMax), "9223372036854771712", 0.0, "no limit"},
		{"group", group, "11:memory:/x\n0::/system.slice/fathomd.service\n", "/system.slice/fathomd.service", ""},
		{"group of version 1", group, "11:memory:/\n1:name=systemd:/", "", "no control group of version 2"},
		{"group that climbs", group, "0::/../../x", "/x", ""},
		{"group without a path", group, "0::", "", "not a control group"},
		{"periods", periods, "usage_usec 5\nnr_periods 10\nnr_throttled 3\n", CPUPeriods{10, 3}, ""},
		{"periods missing", periods, "usage_usec 5\nnr_periods 10", CPUPeriods{}, "no nr_throttled"},
		{"count", count, "12", uint64(12), ""},
		{"count negative", count, "-1", uint64(0), "not a count"},
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
	fuzzParser(f, parseThrottled, func(FirmwareWord) bool { return true }, "50005", "0x0", "g")
}

func FuzzModel(f *testing.F) {
	fuzzParser(f, parseProduct, func(s string) bool { return s != "" && !strings.ContainsAny(s, "\x00\n") }, "Raspberry Pi\x00", "\xff", "None")
}

func FuzzLoadAverage(f *testing.F) {
	fuzzParser(f, parseLoadAverages, func(v [3]float64) bool {
		return v[0] >= 0 && v[1] >= 0 && v[2] >= 0 && !math.IsInf(v[0]+v[1]+v[2], 0)
	}, "0.62 0.40 0.30", "NaN 0 0", "Inf 0 0", "1e999 0 0", "0.62")
}

func FuzzScaled(f *testing.F) {
	fuzzParser(f, parsePercent, func(v float64) bool { return v >= 0 && v <= 100 }, "50", "-1", "101")
}

func FuzzVcgencmd(f *testing.F) {
	fuzzParser(f, ParseVcgencmd, func(FirmwareWord) bool { return true }, "throttled=0x50005\n", "throttled=", "error=1")
}

func FuzzPressure(f *testing.F) {
	fuzzParser(f, parsePressure, func(v float64) bool { return v >= 0 && v <= 100 },
		"some avg10=3.25 avg60=0.40 avg300=0.10 total=1", "some avg10=NaN", "full avg10=1", "some")
}

func FuzzCgroup(f *testing.F) {
	fuzzParser(f, parseCgroupPath, func(s string) bool { return strings.HasPrefix(s, "/") && !strings.Contains(s+"/", "/../") },
		"0::/", "0::/a/../b", "1:name=systemd:/", "0::x", "0::/../..")
}

func FuzzCPUMax(f *testing.F) {
	fuzzParser(f, parseCPUMax, func(v float64) bool { return v > 0 }, "50000 100000", "max 100000", "0 1", "1")
}

func FuzzMemoryMax(f *testing.F) {
	fuzzParser(f, parseMemoryMax, func(v float64) bool { return v >= 0 }, "max", "268435456", "-1")
}

func FuzzCPUPeriods(f *testing.F) {
	fuzzParser(f, parseCPUPeriods, func(CPUPeriods) bool { return true }, "nr_periods 1\nnr_throttled 0", "nr_periods x", "")
}

func FuzzCompatible(f *testing.F) {
	for _, s := range []string{"raspberrypi,4-model-b\x00brcm,bcm2711\x00", "\x00", "", "a\x00\x00b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		names, err := parseCompatible(s)
		if (err == nil) != (len(names) > 0) {
			t.Fatalf("%q: %q, %v", s, names, err)
		}
		for _, name := range names {
			if name == "" || strings.ContainsAny(name, "\x00\n") {
				t.Fatalf("%q: %q", s, names)
			}
		}
	})
}
