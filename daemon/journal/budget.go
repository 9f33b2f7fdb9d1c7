package journal

import "time"

// budget bounds the bytes of each hour since it began.
type budget struct {
	perHour int64
	began   time.Time
	spent   int64
}

// take tells whether n bytes may be written now, and notes them if so.
func (b *budget) take(n int64, now time.Time) bool {
	if d := now.Sub(b.began); d >= time.Hour {
		b.began, b.spent = b.began.Add(d.Truncate(time.Hour)), 0
	}
	if b.spent+n > b.perHour {
		return false
	}
	b.spent += n
	return true
}
