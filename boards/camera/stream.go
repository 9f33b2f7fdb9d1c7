package camera

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	yuv "github.com/fathom-edge/fathom/runtime/frame"
)

// StreamOptions tune how a Stream deals with its camera. Zero values mean the defaults.
type StreamOptions struct {
	// Least is how many pixels a decoded picture must have in each direction, where there are that many; default all.
	Least image.Point
	// ConnectTimeout bounds the time until the camera's answer begins; default 5 s.
	ConnectTimeout time.Duration
	// FrameTimeout is how long to wait for a complete picture before connecting anew; default 10 s.
	FrameTimeout time.Duration
	// MinBackoff and MaxBackoff bound the wait between two attempts to connect; default 1 s and 30 s.
	MinBackoff, MaxBackoff time.Duration
}

func (o StreamOptions) withDefaults() (StreamOptions, error) {
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&o.ConnectTimeout, 5 * time.Second}, {&o.FrameTimeout, 10 * time.Second},
		{&o.MinBackoff, time.Second}, {&o.MaxBackoff, 30 * time.Second},
	} {
		if *d.value < 0 {
			return o, fmt.Errorf("camera: a time of %s is negative", *d.value)
		}
		if *d.value == 0 {
			*d.value = d.standard
		}
	}
	if o.Least == (image.Point{}) {
		o.Least = whole
	}
	if o.MaxBackoff < o.MinBackoff {
		return o, fmt.Errorf("camera: the longest wait %s is shorter than the shortest, %s", o.MaxBackoff, o.MinBackoff)
	}
	return o, nil
}

// link is the way to a camera.
type link struct {
	// name describes it in a few words, without credentials.
	name string
	// connect begins to read. What it returns ends when ctx does.
	connect func(ctx context.Context) (feed, error)
	// reason is the text of an error of connect or of the feed, without credentials.
	reason func(error) string
}

// feed is one connection to a camera, or one run of a program.
type feed interface {
	// next returns the next picture as it came, in buf if that is large enough.
	// errFinished means that there will never be another one.
	next(ctx context.Context, buf []byte) ([]byte, error)
	// picture decodes what next returned, and may keep it; a JPEG may be shrunk as long as it covers least. Over is the
	// picture before, or nil: nobody needs it any more. It is called by another goroutine than next is.
	picture(data []byte, least image.Point, over image.Image) (image.Image, error)
	close()
}

// errFinished is the end of what has an end, such as a file.
var errFinished = errors.New("finished")

// Stream is a camera that delivers pictures by itself.
//
// A goroutine of its own reads them and keeps the newest only; those that nobody
// asks for in time are dropped before they are decoded. It connects anew, with
// growing pauses, whenever the camera is away, ends, stalls or makes no sense.
type Stream struct {
	link    link
	options StreamOptions
	stop    context.CancelFunc
	closed  <-chan struct{} // when Close was called
	ended   chan struct{}   // when the goroutine has ended

	mu       sync.Mutex
	newest   []byte // the newest picture, undecoded
	feed     feed   // that it came from
	sequence uint64 // of the newest
	captured time.Time
	period   time.Duration // that usually lies between two pictures; 0 while unknown
	failure  error         // of the last attempt, until Next has told it or a picture came
	finished bool          // nothing comes after the newest
	news     chan struct{} // holds one: there is a picture or a failure

	// What follows belongs to the goroutine that calls Next.
	shown    uint64 // sequence of the picture that Next returned last
	decoding []byte
	picture  image.Image // that Next returned last
}

var _ Source = (*Stream)(nil)

// newStream starts to read. It does not wait for the camera: one that is away is
// a temporary error of Next.
func newStream(l link, options StreamOptions) (*Stream, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Stream{
		link: l, options: options,
		stop: stop, closed: ctx.Done(), ended: make(chan struct{}), news: make(chan struct{}, 1),
	}
	go s.run(ctx)
	return s, nil
}

// Name implements Source.
func (s *Stream) Name() string { return s.link.name }

// Next implements Source. Failures to reach the camera, and pictures that cannot
// be decoded, are temporary errors; each is told once.
func (s *Stream) Next(ctx context.Context) (Frame, error) {
	for {
		select {
		case <-s.closed:
			return Frame{}, io.EOF
		default:
		}
		if err := ctx.Err(); err != nil {
			return Frame{}, err
		}
		frame, from, err := s.take()
		if err != nil {
			return Frame{}, err
		}
		if from != nil {
			img, err := from.picture(s.decoding, s.options.Least, s.picture)
			if err != nil {
				return Frame{}, temporaryf("camera: %s: picture %d: %w (skipped)", s.link.name, frame.Sequence, err)
			}
			s.picture, frame.Image = img, img
			if _, raw := img.(*yuv.YUV); !raw {
				frame.JPEG = s.decoding
			}
			return frame, nil
		}
		select {
		case <-s.news:
		case <-s.closed:
		case <-ctx.Done():
		}
	}
}

// take moves the newest picture, if it was not shown yet, to s.decoding, and tells the feed that it came from.
func (s *Stream) take() (frame Frame, from feed, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sequence > s.shown {
		s.newest, s.decoding = s.decoding, s.newest
		s.shown = s.sequence
		return Frame{Sequence: s.sequence, Captured: s.captured}, s.feed, nil
	}
	if s.finished {
		return Frame{}, nil, io.EOF
	}
	err, s.failure = s.failure, nil
	return Frame{}, nil, err
}

// Leave passes over the picture that Next would return at once, if there is one and stale says so of its age and of the time that
// usually lies between two, 0 where that is not known yet: Next then waits for the one after it. The last of a camera that has
// come to its end is never left. It belongs to the goroutine that calls Next.
func (s *Stream) Leave(stale func(age, period time.Duration) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sequence > s.shown && !s.finished && s.failure == nil && stale(time.Since(s.captured), s.period) {
		s.shown = s.sequence
	}
}

// Close implements Source. It returns when the camera is let go and no program of it is left.
func (s *Stream) Close() error {
	s.stop()
	<-s.ended
	return nil
}

// publish offers a picture, of which the last byte has just come, and returns a buffer for the next one.
func (s *Stream) publish(picture []byte, from feed, r *rhythm) (free []byte) {
	now := time.Now()
	s.mu.Lock()
	free, s.newest = s.newest, picture
	s.feed = from
	s.sequence++
	s.captured, s.period = now, r.beat(now)
	s.failure = nil
	s.mu.Unlock()
	s.notify()
	return free
}

func (s *Stream) notify() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// run connects until the source is closed or has come to its end.
func (s *Stream) run(ctx context.Context) {
	defer close(s.ended)
	failures := 0
	for {
		pictures, err := s.read(ctx)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, errFinished) {
			s.mu.Lock()
			s.finished = true
			s.mu.Unlock()
			s.notify()
			return
		}
		if pictures > 0 {
			failures = 0
		}
		failures++
		delay := backoff(failures, s.options.MinBackoff, s.options.MaxBackoff, rand.Float64())
		s.mu.Lock()
		s.failure = temporaryf("camera: %s: %s; trying again in %s", s.link.name, s.link.reason(err), delay.Round(100*time.Millisecond))
		s.mu.Unlock()
		s.notify()
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// read reads one connection to its end and returns how many pictures it gave;
// the error, which is never nil, says why it ended.
func (s *Stream) read(ctx context.Context) (pictures int, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// The timer guards the whole way to the first picture, and from each to the next.
	patience := s.options.ConnectTimeout + s.options.FrameTimeout
	timer := time.AfterFunc(patience, func() {
		cancel(fmt.Errorf("no complete picture for %s", s.options.FrameTimeout))
	})
	defer timer.Stop()
	defer func() {
		if cause := context.Cause(ctx); cause != nil {
			err = cause // more telling than "context canceled"
		}
	}()

	from, err := s.link.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer from.close()
	timer.Reset(s.options.FrameTimeout)
	var buf []byte
	var r rhythm
	for {
		picture, err := from.next(ctx, buf)
		if err != nil {
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				err = errors.New("the camera ended the stream")
			}
			return pictures, err
		}
		timer.Reset(s.options.FrameTimeout)
		buf = s.publish(picture, from, &r)
		pictures++
	}
}

// rhythm is how fast pictures follow each other on one connection.
type rhythm struct {
	last   time.Time
	period time.Duration
}

// beat notes a picture and returns the mean time between two, in which the newest counts for an eighth; 0 before the second.
func (r *rhythm) beat(now time.Time) time.Duration {
	switch between := now.Sub(r.last); {
	case r.last.IsZero():
	case r.period == 0:
		r.period = between
	default:
		r.period += (between - r.period) / 8
	}
	r.last = now
	return r.period
}
