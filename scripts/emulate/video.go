package main

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// disconnect tells vivid to behave as if its camera were pulled out: the button
// VIVID_CID_DISCONNECT of drivers/media/test-drivers/vivid/vivid-ctrls.c.
func disconnect(device string) error {
	const (
		setControl = 0xc008561c // VIDIOC_S_CTRL
		button     = 0x00f0f000 + 65
	)
	f, err := os.OpenFile(device, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	control := struct {
		id    uint32
		value int32
	}{button, 1}
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), setControl, uintptr(unsafe.Pointer(&control))); errno != 0 {
		return fmt.Errorf("disconnect %s: %w", device, errno)
	}
	return nil
}
