package v4l2

import (
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// system is the kernel's side of an open device. Its errors are errno.
type system interface {
	ioctl(request request, argument unsafe.Pointer) error
	mmap(offset int64, length int) ([]byte, error)
	munmap(memory []byte) error
	// wait returns true when a frame can be taken, false after the time.
	wait(time.Duration) (bool, error)
	close() error
}

// file is a device node.
type file int

func openFile(path string) (system, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w%s", path, err, hint(err))
	}
	return file(fd), nil
}

func (f file) ioctl(request request, argument unsafe.Pointer) error {
	for {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(f), uintptr(request), uintptr(argument))
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
			continue
		}
		return errno
	}
}

func (f file) mmap(offset int64, length int) ([]byte, error) {
	return unix.Mmap(int(f), offset, length, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

func (f file) munmap(memory []byte) error { return unix.Munmap(memory) }

func (f file) wait(d time.Duration) (bool, error) {
	fds := []unix.PollFd{{Fd: int32(f), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, int(d.Milliseconds()))
	switch {
	case err == unix.EINTR, err == nil && n == 0:
		return false, nil
	case err != nil:
		return false, err
	case fds[0].Revents&unix.POLLIN == 0:
		return false, unix.ENODEV // unplugged: POLLERR or POLLHUP alone
	}
	return true, nil
}

func (f file) close() error { return unix.Close(int(f)) }

// hint says what to do about an errno.
func hint(err error) string {
	switch err {
	case unix.EACCES, unix.EPERM:
		return " (add the user to the group video)"
	case unix.EBUSY:
		return " (another program uses the camera)"
	case unix.ENODEV, unix.ENXIO, unix.ENOENT:
		return " (camera unplugged?)"
	case unix.ENOSPC:
		return " (the USB bus has no room for it: use another port or a smaller picture)"
	}
	return ""
}
