package telemetry

import (
	"encoding/json"
	"testing"
	"time"
)

func TestReadingKeepsValueAndValidityTogether(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, tc := range map[string]struct {
		reading Reading[float64]
		value   float64
		known   bool
		reason  string
		json    string
	}{
		"known":        {Known(48.5, at), 48.5, true, "", `{"value":48.5,"at":"2026-01-02T03:04:05Z"}`},
		"known zero":   {Known(0., at), 0, true, "", `{"value":0,"at":"2026-01-02T03:04:05Z"}`},
		"unknown":      {Unknown[float64]("zone offline"), 0, false, "zone offline", `{"unknown":"zone offline"}`},
		"lost":         {Lost[float64]("zone offline", at), 0, false, "zone offline", `{"at":"2026-01-02T03:04:05Z","unknown":"zone offline"}`},
		"never looked": {Reading[float64]{}, 0, false, "not read", `{"unknown":"not read"}`},
	} {
		check := func(how string, r Reading[float64]) {
			if v, known := r.Get(); v != tc.value || known != tc.known || r.Reason() != tc.reason {
				t.Errorf("%s, %s: %v, known %v, reason %q", name, how, v, known, r.Reason())
			}
			age, ok := r.Age(at.Add(time.Minute))
			if dated := tc.known || name == "lost"; ok != dated || dated && (!r.At().Equal(at) || age != time.Minute) {
				t.Errorf("%s, %s: taken at %v, age %v, %t", name, how, r.At(), age, ok)
			}
		}
		check("made", tc.reading)
		data, err := json.Marshal(tc.reading)
		if err != nil || string(data) != tc.json {
			t.Errorf("%s: %s, %v; want %s", name, data, err, tc.json)
		}
		var back Reading[float64]
		if err := json.Unmarshal(data, &back); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		check("read back", back)
	}
	var r Reading[float64]
	if err := json.Unmarshal([]byte(`{"value":"warm"}`), &r); err == nil {
		t.Error("a word was taken for a temperature")
	}
}
