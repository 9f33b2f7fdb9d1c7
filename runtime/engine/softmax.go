package engine

import "math"

// softmax fills scores from logits of the same length and returns the index of
// the highest and by how much it exceeds the second, 1 if there is only one; ok
// is false if a logit is not finite.
func softmax(scores, logits []float32) (best int, margin float32, ok bool) {
	if notFinite(logits) >= 0 {
		return 0, 0, false
	}
	for i, v := range logits {
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
	var second float32
	for i, v := range scores {
		if i != best {
			second = max(second, v)
		}
	}
	return best, scores[best] - second, true
}

// notFinite is the index of the first value that is infinite or not a number; -1
// if there is none.
func notFinite(values []float32) int {
	const exponent = 0x7f800000
	for i, v := range values {
		if math.Float32bits(v)&exponent == exponent {
			return i
		}
	}
	return -1
}
