package dataset

import (
	"context"
	"fmt"
	"image"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Census reads every sample of the splits that have an end, and returns how many there are of each class: counts[split][class],
// nil for other splits. Its error lists the first samples that cannot be read; the others are counted all the same. read is
// called after each sample, from several goroutines; nil is nobody.
func Census(ctx context.Context, d Dataset, read func()) (counts [3][]int, err error) {
	var failures []error
	for _, split := range Splits() {
		n := d.Len(split)
		if n <= 0 {
			continue
		}
		labels, bad := make([]int, n), make([]error, n)
		var next atomic.Int64
		var group errgroup.Group
		for range runtime.GOMAXPROCS(0) {
			group.Go(func() error {
				var picture image.RGBA
				for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
					if err := ctx.Err(); err != nil {
						return fmt.Errorf("dataset: %s: %w", d.Name(), err)
					}
					labels[i], bad[i] = d.Sample(split, i, &picture)
					if read != nil {
						read()
					}
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			return [3][]int{}, err
		}
		counts[split] = make([]int, len(d.Labels()))
		for i, label := range labels {
			if bad[i] == nil {
				counts[split][label]++
			}
		}
		failures = append(failures, bad...)
	}
	return counts, summary(failures)
}
