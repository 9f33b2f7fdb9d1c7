//go:build unix

package sysfs

import "syscall"

// readOnce reads at most maxAttribute bytes without ever waiting.
func readOnce(path string) ([]byte, error) {
	var fd int
	err := retryInterrupted(func() (err error) {
		fd, err = syscall.Open(path, syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	defer syscall.Close(fd)
	buf := make([]byte, maxAttribute)
	var n int
	err = retryInterrupted(func() (err error) {
		n, err = syscall.Read(fd, buf)
		return err
	})
	if err != nil {
		return nil, err
	}
	return buf[:n], nil
}

func retryInterrupted(call func() error) error {
	for {
		if err := call(); err != syscall.EINTR {
			return err
		}
	}
}
