package quant

import (
	"github.com/fathom-edge/fathom/convert/evaluate"
)

// judge measures plans against the float32 family on Options.Eval.
type judge struct {
	net      Net
	opts     Options
	labelled bool
	labels   []int
	logits   [][][]float32 // of the float32 family: by image and variant
}

func (j *judge) values() int { return elements(j.net.Pieces[j.net.Words[0][0]].Input().Shape) }

// baseline evaluates the float32 family.
func (j *judge) baseline() error {
	var err error
	j.logits, j.labels, err = j.evaluate(j.net, j.opts.Eval.Len(), "evaluating float32")
	j.labelled = true
	for _, l := range j.labels {
		j.labelled = j.labelled && l >= 0
	}
	return err
}

// evaluate gives the logits of the first count images, and their labels.
func (j *judge) evaluate(net Net, count int, what string) ([][][]float32, []int, error) {
	f, err := newFamily(net)
	if err != nil {
		return nil, nil, err
	}
	logits, labels := make([][][]float32, count), make([]int, count)
	err = each(j.opts.Eval, count, j.values(), func(i int, input []float32, label int) error {
		labels[i] = label
		logits[i] = make([][]float32, len(net.Words))
		return f.run(start(net, input), nil, func(v int, out []float32) { logits[i][v] = out })
	}, j.opts.notify(what, count))
	return logits, labels, err
}

// start is the input as the first piece takes it.
func start(net Net, input []float32) evaluate.Value {
	in := net.Pieces[net.Words[0][0]].Input()
	if in.Quantized() {
		return evaluate.Builtin.Quantize(in.Shape, input, *in.Storage.Output) // as preprocessing rounds
	}
	return evaluate.Value{Shape: in.Shape, Floats: input}
}

// scores of the first count images.
func (j *judge) scores(p *plan, count int, what string) ([]Score, error) {
	logits, _, err := j.evaluate(p.result, count, what)
	if err != nil {
		return nil, err
	}
	var all []Score
	for v, name := range j.net.Names {
		s := Score{Variant: name}
		var exact, rounded, agree int
		var noise, signal float64
		for i := range count {
			want, got := j.logits[i][v], logits[i][v]
			a, b := best(want), best(got)
			if a == b {
				agree++
			}
			if a == j.labels[i] {
				exact++
			}
			if b == j.labels[i] {
				rounded++
			}
			n, s := power(want, got)
			noise, signal = noise+n, signal+s
		}
		total := float64(count)
		s.Float, s.Int8, s.Agreement = float64(exact)/total, float64(rounded)/total, float64(agree)/total
		s.LogitError = noise / max(signal, 1e-30)
		if s.Drop = 100 * float64(exact-rounded) / total; !j.labelled {
			s.Drop = 100 * (1 - s.Agreement)
		}
		all = append(all, s)
	}
	return all, nil
}

// try measures a plan on the first images.
func (j *judge) try(p *plan) (Trial, error) {
	count := min(trialImages, j.opts.Eval.Len())
	what := string(p.method)
	if p.correct {
		what += " with bias correction"
	}
	scores, err := j.scores(p, count, "trying "+what)
	t := Trial{Method: p.method, BiasCorrection: p.correct, Images: count}
	for i, s := range scores {
		if i == 0 || s.Drop > t.WorstDrop {
			t.WorstDrop = s.Drop
		}
		t.LogitError += s.LogitError / float64(len(scores))
	}
	return t, err
}

// worst is the largest drop.
func worst(scores []Score) float64 {
	w := scores[0].Drop
	for _, s := range scores {
		w = max(w, s.Drop)
	}
	return w
}

// best is the index of the greatest value, the least such index on a tie.
func best(logits []float32) int {
	at := 0
	for i, v := range logits {
		if v > logits[at] {
			at = i
		}
	}
	return at
}

// power is the sum of squares of the difference, and of the wanted values about
// their mean.
func power(want, got []float32) (noise, signal float64) {
	mean := 0.0
	for _, v := range want {
		mean += float64(v) / float64(len(want))
	}
	for i, v := range want {
		d, s := float64(v)-float64(got[i]), float64(v)-mean
		noise, signal = noise+float64(d*d), signal+float64(s*s)
	}
	return noise, signal
}

// Top1 measures the share of images that each variant labels rightly; nil if an
// image has no label.
func Top1(net Net, data Data, progress func(what string, done, total int)) ([]float64, error) {
	j := &judge{net: net, opts: Options{Eval: data, Progress: progress}}
	if err := j.baseline(); err != nil || !j.labelled {
		return nil, err
	}
	shares := make([]float64, len(net.Words))
	for i, variants := range j.logits {
		for v, logits := range variants {
			if best(logits) == j.labels[i] {
				shares[v]++
			}
		}
	}
	for v := range shares {
		shares[v] /= float64(len(j.logits))
	}
	return shares, nil
}
