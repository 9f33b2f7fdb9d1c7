package governor

import (
	"fmt"
	"strings"
	"time"
)

const minutesPerDay = 24 * 60

// Clock is a time of the day. In text it is "06:00"; the zero Clock is none.
type Clock int // minutes since midnight, plus one

// ClockAt is a time of the day in [00:00, 23:59].
func ClockAt(hour, minute int) Clock { return Clock(hour*60 + minute + 1) }

func (c Clock) valid() bool { return c >= 0 && c <= minutesPerDay }

// String is "06:00", or "" for none.
func (c Clock) String() string {
	if c <= 0 {
		return ""
	}
	return fmt.Sprintf("%02d:%02d", int(c-1)/60, int(c-1)%60)
}

// MarshalText writes what UnmarshalText reads.
func (c Clock) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads "06:00", and "" for none.
func (c *Clock) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*c = 0
		return nil
	}
	t, err := time.Parse("15:04", string(text))
	if err != nil {
		return fmt.Errorf("%q is no time of the day (write hours and minutes: 06:00)", text)
	}
	*c = ClockAt(t.Hour(), t.Minute())
	return nil
}

// next is when the clock shows this time again, after t and in its location.
func (c Clock) next(t time.Time) time.Time {
	year, month, day := t.Date()
	at := time.Date(year, month, day, 0, int(c-1), 0, 0, t.Location())
	if !at.After(t) {
		at = time.Date(year, month, day+1, 0, int(c-1), 0, 0, t.Location())
	}
	return at
}

// Hours are a part of the day, over midnight where To is the earlier. In text
// they are "22:00-06:00".
type Hours struct{ From, To Clock }

// String is "22:00-06:00".
func (h Hours) String() string { return h.From.String() + "-" + h.To.String() }

// MarshalText writes what UnmarshalText reads.
func (h Hours) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads "22:00-06:00".
func (h *Hours) UnmarshalText(text []byte) error {
	from, to, ok := strings.Cut(string(text), "-")
	if !ok {
		return fmt.Errorf("%q are no hours (write e.g. 22:00-06:00)", text)
	}
	var read Hours
	if err := read.From.UnmarshalText([]byte(strings.TrimSpace(from))); err != nil {
		return err
	}
	if err := read.To.UnmarshalText([]byte(strings.TrimSpace(to))); err != nil {
		return err
	}
	*h = read
	return nil
}

func (h Hours) minutes() int { return (int(h.To-h.From) + minutesPerDay) % minutesPerDay }

func (h Hours) contain(t time.Time) bool {
	hour, minute, _ := t.Clock()
	now := ClockAt(hour, minute)
	if h.From < h.To {
		return now >= h.From && now < h.To
	}
	return now >= h.From || now < h.To
}
