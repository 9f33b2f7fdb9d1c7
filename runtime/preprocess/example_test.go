package preprocess_test

import (
	"fmt"
	"log"

	"github.com/fathom-edge/fathom/runtime/frame"
	"github.com/fathom-edge/fathom/runtime/preprocess"
)

// A raw camera frame becomes the input of an int8 network, without RGB between.
func ExamplePreprocessor_ApplyInt8() {
	p, err := preprocess.New(preprocess.Spec{
		Width: 224, Height: 224, Channels: "RGB", Fit: preprocess.FitLetterbox,
		Mean: [3]float32{0.5, 0.5, 0.5}, Std: [3]float32{0.5, 0.5, 0.5},
	})
	if err != nil {
		log.Fatal(err)
	}
	pix := make([]byte, frame.YUYV.Size(640, 480, 0)) // as a webcam delivers them
	for i := range pix {
		pix[i] = 128 // mid grey
	}
	img, err := frame.New(frame.YUYV, frame.BT601Limited, pix, 640, 480, 0)
	if err != nil {
		log.Fatal(err)
	}
	tensor := make([]int8, p.Spec().Len())
	if err := p.ApplyInt8(tensor, preprocess.Quantization{Scale: 1. / 128}, img); err != nil {
		log.Fatal(err)
	}
	fmt.Println("bar", tensor[0], "middle", tensor[112*224*3])
	// Output: bar 0 middle 3
}
