package recording_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"time"

	"github.com/fathom-edge/fathom/boards/telemetry"
	"github.com/fathom-edge/fathom/boards/telemetry/recording"
)

// A recording is written and played again, as a source of the governor.
func Example() {
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	var file bytes.Buffer
	w, err := recording.NewWriter(&file, recording.Header{Started: noon, Period: time.Second, Board: "a board"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	for i := range 3 {
		at := noon.Add(time.Duration(i) * time.Second)
		s := telemetry.Snapshot{Time: at, Heat: telemetry.Heat{HottestCelsius: telemetry.Known(60+float64(i), at)}}
		if err := w.Snapshot(s); err != nil {
			log.Fatal(err)
		}
	}

	all, err := recording.Read(&file)
	if err != nil {
		log.Fatal(err)
	}
	for replay := recording.NewReplay(all); !replay.Done(); {
		celsius, _ := replay.Read(context.Background()).Heat.HottestCelsius.Get()
		fmt.Printf("%s %.0f °C\n", replay.Now().Format(time.TimeOnly), celsius)
	}
	// Output:
	// 12:00:00 60 °C
	// 12:00:01 61 °C
	// 12:00:02 62 °C
}
