package telemetry_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
)

// A value cannot be had without asking whether it is known.
func ExampleReading() {
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, r := range []telemetry.Reading[float64]{
		telemetry.Known(48.5, noon),
		telemetry.Lost[float64]("the sensor does not answer", noon),
		telemetry.Unknown[float64]("no such sensor"),
	} {
		if celsius, ok := r.Get(); ok {
			fmt.Printf("%.1f °C\n", celsius)
		} else if age, ok := r.Age(noon.Add(30 * time.Second)); ok {
			fmt.Printf("unknown for %s: %s\n", age, r.Reason())
		} else {
			fmt.Println("never known:", r.Reason())
		}
	}
	text, _ := json.Marshal(telemetry.Known(48.5, noon))
	fmt.Println(string(text))
	// Output:
	// 48.5 °C
	// unknown for 30s: the sensor does not answer
	// never known: no such sensor
	// {"value":48.5,"at":"2026-05-01T12:00:00Z"}
}
