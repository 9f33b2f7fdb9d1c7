//go:build !amd64

package fastcpu

import "unsafe"

func tileName() string { return "portable" }

func convTile(x unsafe.Pointer, xPixel, xRow, kh, run int, w, out unsafe.Pointer, outPixel int) {
	convTilePortable(x, xPixel, xRow, kh, run, w, out, outPixel)
}

func gradTile(x unsafe.Pointer, xPixel, xRow, xImage int, g unsafe.Pointer, gPixel, width, height, images int, sum unsafe.Pointer, sumRow int) {
	gradTilePortable(x, xPixel, xRow, xImage, g, gPixel, width, height, images, sum, sumRow)
}
