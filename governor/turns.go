package governor

import (
	"fmt"
	"time"
)

// turns are the times that the policies with a budget share.
type turns struct{ dwell, slice, switchCost, flagHold, grace time.Duration }

func (t turns) withDefaults() turns {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&t.dwell, 10 * time.Second}, {&t.slice, 2 * time.Second}, {&t.switchCost, 2 * time.Millisecond},
		{&t.flagHold, time.Minute}, {&t.grace, 15 * time.Second},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return t
}

func (t turns) validate() error {
	for _, d := range []struct {
		name                   string
		value, least, greatest time.Duration
	}{
		{"dwell", t.dwell, time.Second, mostDwell},
		{"slice", t.slice, 100 * time.Millisecond, time.Minute},
		{"switch cost", t.switchCost, 0, time.Minute},
		{"flag hold", t.flagHold, time.Second, time.Hour},
		{"grace", t.grace, 0, time.Minute},
	} {
		if d.value < d.least || d.value > d.greatest {
			return fmt.Errorf("%s %v: want %v to %v", d.name, d.value, d.least, d.greatest)
		}
	}
	return nil
}
