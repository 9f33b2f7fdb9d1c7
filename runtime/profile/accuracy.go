package profile

// Accuracy is a measured top-1 accuracy.
type Accuracy struct {
	Dataset string `json:"dataset"` // e.g. "glyphs"
	Split   string `json:"split"`   // "train", "validation" or "test"
	// Top1 is the share of samples whose best class is the true one, in [0, 1].
	Top1    float64 `json:"top1"`
	Samples int     `json:"samples"`
}
