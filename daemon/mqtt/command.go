package mqtt

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Command is a wish to change one setting; the other fields are nil.
type Command struct {
	Policy        *string
	LeastDepth    *string
	GreatestDepth *string
	FPS           *float64
	Ceiling       *float64 // degrees Celsius
	Paused        *bool
}

// maxPayload bounds what is looked at of a command.
const maxPayload = 128

// ParseCommand reads what came on the topic …/set/name. Whether the value can hold
// is for the receiver to say; here it is one of the choices, or a finite number.
func ParseCommand(name string, payload []byte, info Info) (Command, error) {
	if len(payload) > maxPayload {
		return Command{}, fmt.Errorf("%s: %d bytes: want at most %d", name, len(payload), maxPayload)
	}
	text := strings.TrimSpace(string(payload))
	switch name {
	case "policy":
		v, err := choice(name, text, info.Policies)
		return Command{Policy: v}, err
	case "least_depth":
		v, err := choice(name, text, info.Variants)
		return Command{LeastDepth: v}, err
	case "greatest_depth":
		v, err := choice(name, text, info.Variants)
		return Command{GreatestDepth: v}, err
	case "fps":
		v, err := number(name, text, leastFPS, greatestFPS)
		return Command{FPS: v}, err
	case "ceiling":
		v, err := number(name, text, leastCeiling, greatestCeiling)
		return Command{Ceiling: v}, err
	case "paused":
		switch text {
		case on, off:
			return Command{Paused: new(text == on)}, nil
		}
		return Command{}, fmt.Errorf("paused: %q: want %s or %s", text, on, off)
	}
	return Command{}, fmt.Errorf("%.40q is no setting", name)
}

func choice(name, text string, of []string) (*string, error) {
	if !slices.Contains(of, text) {
		return nil, fmt.Errorf("%s: %q is none of %s", name, text, strings.Join(of, ", "))
	}
	return &text, nil
}

func number(name, text string, low, high float64) (*float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || v < low || v > high {
		return nil, fmt.Errorf("%s: %q: want a number from %g to %g", name, text, low, high)
	}
	return &v, nil
}
