package quant

import (
	"fmt"
	"math"
	"runtime"
	"sync"
)

// Data is a list of preprocessed images.
type Data interface {
	Len() int
	// At returns image i as a new tensor, NHWC, and its label, negative if it is
	// not known. It is called by one goroutine at a time.
	At(i int) (input []float32, label int, err error)
}

// each hands the first count images to workers, an image at a time. The first
// error in the order of images ends it.
func each(data Data, count, values int, use func(i int, input []float32, label int) error, done func(int)) error {
	type image struct {
		at    int
		input []float32
		label int
	}
	queue := make(chan image)
	failed := make([]error, count)
	var stop sync.Once
	halt := make(chan struct{})
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), count) {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for m := range queue {
				if failed[m.at] = use(m.at, m.input, m.label); failed[m.at] != nil {
					stop.Do(func() { close(halt) })
				}
			}
		}()
	}
feed:
	for i := range count {
		input, label, err := data.At(i)
		if err == nil {
			err = checkInput(i, input, values)
		}
		if err != nil {
			failed[i] = err
			break
		}
		select {
		case queue <- image{i, input, label}:
		case <-halt:
			break feed
		}
		if done != nil {
			done(i + 1)
		}
	}
	close(queue)
	workers.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

func checkInput(i int, input []float32, values int) error {
	if len(input) != values {
		return fmt.Errorf("quant: image %d has %d values, the network takes %d", i, len(input), values)
	}
	for _, v := range input {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("quant: image %d holds a value that is not finite", i)
		}
	}
	return nil
}

// notify adapts Options.Progress.
func (o Options) notify(what string, total int) func(int) {
	if o.Progress == nil {
		return nil
	}
	return func(done int) { o.Progress(what, done, total) }
}
