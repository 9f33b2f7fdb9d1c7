package daemon

import (
	"encoding/json"
	"io"
	"math"
	"testing"
	"time"
	"unsafe"

	"github.com/fathom-edge/fathom/boards/telemetry"
)

func TestHistoryTellsWhatIsNotKnown(t *testing.T) {
	m, _ := testMonitor(io.Discard)
	m.Sensed(snapshot(telemetry.Unknown[float64]("no sensor")))
	h, ok := m.History("minutes")
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"span":"minutes","step_s":1,"age_s":[0],"rung":[null],"celsius":[null],"latency_ms":[null],"charge_percent":[null],"accuracy":[null]}`
	if string(text) != want || !ok {
		t.Errorf("got %s\nwant %s", text, want)
	}
	if _, ok := m.History("week"); ok {
		t.Error("there is a week")
	}
}

// Two days of seconds, in which the temperature has a peak of one second a minute.
func TestHistoryIsBoundedAndKeepsPeaks(t *testing.T) {
	m, c := testMonitor(io.Discard)
	classify(m, c, 1, "a-2", 0, "cat")
	for second := range 2 * 24 * 3600 {
		c.now = c.now.Add(time.Second)
		celsius := 50.
		if second%60 == 30 {
			celsius = 70
		}
		m.Sensed(snapshot(telemetry.Known(celsius, c.now)))
	}
	for _, test := range []struct {
		span             string
		points           int
		oldest, greatest float64
	}{
		{"minutes", 180 + 1, 180, 70}, {"hour", 720 + 1, 3600, 70}, {"day", 1440 + 1, 24 * 3600, 70},
	} {
		h, _ := m.History(test.span)
		greatest, least := 0., math.Inf(1)
		for i, v := range h.Celsius[:len(h.Celsius)-1] {
			greatest, least = max(greatest, float64(v)), min(least, float64(v))
			if h.Rung[i] != 1 || !math.IsNaN(float64(h.ChargePercent[i])) {
				t.Fatalf("%s: point %d: rung %v, charge %v", test.span, i, h.Rung[i], h.ChargePercent[i])
			}
		}
		if len(h.Age) != test.points || math.Abs(float64(h.Age[0])-test.oldest) > h.StepSeconds || greatest != test.greatest {
			t.Errorf("%s: %d points, the oldest %v s ago, up to %v °C", test.span, len(h.Age), h.Age[0], greatest)
		}
		if test.span == "day" && least != 70 {
			t.Errorf("day: a minute has lost its peak: %v", least)
		}
	}
	bytes := 0
	for _, r := range m.history.rings {
		bytes += len(r.at)*int(unsafe.Sizeof(r.at[0])) + len(r.values)*int(unsafe.Sizeof(r.values[0]))
	}
	if bytes > 1<<20 {
		t.Errorf("the history takes %d bytes", bytes)
	}
}

func TestRecentLabels(t *testing.T) {
	m, c := testMonitor(io.Discard)
	for i := range 40 {
		classify(m, c, uint64(i), "a-2", i/2%2, "cat")
	}
	s := m.State()
	if len(s.Recent) != recentShown || s.Recent[0].Label == s.Recent[1].Label {
		t.Errorf("recent %+v", s.Recent)
	}
}
