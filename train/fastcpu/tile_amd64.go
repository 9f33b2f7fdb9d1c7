package fastcpu

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

var haveAVX2 = cpu.X86.HasAVX2 && cpu.X86.HasFMA

func tileName() string {
	if haveAVX2 {
		return "AVX2"
	}
	return "portable"
}

//go:noescape
func convTileAVX2(x unsafe.Pointer, xPixel, xRow, kh, run int, w, out unsafe.Pointer, outPixel int)

//go:noescape
func gradTileAVX2(x unsafe.Pointer, xPixel, xRow, xImage int, dy unsafe.Pointer, dyPixel, width, height, images int, sum unsafe.Pointer, sumRow int)

func convTile(x unsafe.Pointer, xPixel, xRow, kh, run int, w, out unsafe.Pointer, outPixel int) {
	if haveAVX2 {
		convTileAVX2(x, xPixel, xRow, kh, run, w, out, outPixel)
		return
	}
	convTilePortable(x, xPixel, xRow, kh, run, w, out, outPixel)
}

func gradTile(x unsafe.Pointer, xPixel, xRow, xImage int, dy unsafe.Pointer, dyPixel, width, height, images int, sum unsafe.Pointer, sumRow int) {
	if haveAVX2 {
		gradTileAVX2(x, xPixel, xRow, xImage, dy, dyPixel, width, height, images, sum, sumRow)
		return
	}
	gradTilePortable(x, xPixel, xRow, xImage, dy, dyPixel, width, height, images, sum, sumRow)
}
