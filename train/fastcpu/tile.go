package fastcpu

import "unsafe"

func at(p unsafe.Pointer, i int) *float32 { return (*float32)(unsafe.Add(p, 4*i)) }

// convTilePortable computes 4 neighbouring output pixels x 16 output channels: for each of kh rows, a sum over run consecutive
// input values. Strides are in elements; w is one packed panel.
func convTilePortable(x unsafe.Pointer, xPixel, xRow, kh, run int, w, out unsafe.Pointer, outPixel int) {
	for px := range tilePixels {
		var acc [tileChannels]float32
		for ky := range kh {
			for k := range run {
				v := *at(x, ky*xRow+px*xPixel+k)
				ws := (*[tileChannels]float32)(unsafe.Add(w, 4*tileChannels*(ky*run+k)))
				for i := range acc {
					acc[i] += v * ws[i]
				}
			}
		}
		*(*[tileChannels]float32)(unsafe.Add(out, 4*px*outPixel)) = acc
	}
}

// gradTilePortable adds to 4 rows x 16 columns of a kernel gradient: the sum over all pixels of images of 4 consecutive input
// values times 16 output gradients. Strides are in elements.
func gradTilePortable(x unsafe.Pointer, xPixel, xRow, xImage int, g unsafe.Pointer, gPixel, width, height, images int, sum unsafe.Pointer, sumRow int) {
	for r := range 4 {
		acc := *(*[tileChannels]float32)(unsafe.Add(sum, 4*r*sumRow))
		pixel := 0
		for img := range images {
			for y := range height {
				for px := range width {
					v := *at(x, img*xImage+y*xRow+px*xPixel+r)
					gs := (*[tileChannels]float32)(unsafe.Add(g, 4*pixel*gPixel))
					for i := range acc {
						acc[i] += v * gs[i]
					}
					pixel++
				}
			}
		}
		*(*[tileChannels]float32)(unsafe.Add(sum, 4*r*sumRow)) = acc
	}
}
