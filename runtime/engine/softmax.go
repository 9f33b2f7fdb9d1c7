package engine

import "math"

// softmax fills scores from logits of the same length and returns the index of
// the highest; ok is false if a logit is not finite.
func softmax(scores, logits []float32) (best int, ok bool) {
	for i, v := range logits {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return 0, false
		}
		if v > logits[best] {
			best = i
		}
	}
	var sum float64
	for _, v := range logits {
		sum += math.Exp(float64(v) - float64(logits[best]))
	}
	for i, v := range logits {
		scores[i] = float32(math.Exp(float64(v)-float64(logits[best])) / sum)
	}
	return best, true
}
