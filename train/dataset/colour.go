package dataset

// The shares of red, green and blue in luma (ITU-R BT.601).
const (
	lumaRed   = 0.299
	lumaGreen = 0.587
	lumaBlue  = 0.114
)

// colour varies brightness, contrast and saturation, in this order, each limited to what a picture can hold.
func (v *viewer) colour(t []float32) {
	a := v.augment
	if a.Brightness == 0 && a.Contrast == 0 && a.Saturation == 0 {
		return
	}
	factor := func(strength float64) float32 { return float32(v.between(1-strength, 1+strength)) }
	brightness, contrast, saturation := factor(a.Brightness), factor(a.Contrast), factor(a.Saturation)
	v.denormalize(t)
	var sum float64
	for i := 0; i < len(t); i += 3 {
		for c := range 3 {
			t[i+c] = clamp(t[i+c] * brightness)
		}
		sum += float64(luma(t[i:]))
	}
	mean := float32(sum / float64(len(t)/3))
	for i := 0; i < len(t); i += 3 {
		for c := range 3 {
			t[i+c] = clamp(mean + (t[i+c]-mean)*contrast)
		}
		grey := luma(t[i:])
		for c := range 3 {
			t[i+c] = clamp(grey + (t[i+c]-grey)*saturation)
		}
	}
	v.normalize(t)
}

func luma(p []float32) float32 { return lumaRed*p[0] + lumaGreen*p[1] + lumaBlue*p[2] }

func clamp(v float32) float32 { return max(0, min(1, v)) }

func (v *viewer) denormalize(t []float32) {
	for i := 0; i < len(t); i += 3 {
		for c := range 3 {
			t[i+c] = t[i+c]*v.spec.Std[c] + v.spec.Mean[c]
		}
	}
}

func (v *viewer) normalize(t []float32) {
	for i := 0; i < len(t); i += 3 {
		for c := range 3 {
			t[i+c] = (t[i+c] - v.spec.Mean[c]) / v.spec.Std[c]
		}
	}
}
