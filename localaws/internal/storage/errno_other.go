//go:build !windows

package storage

import (
	"errors"
	"io/fs"
	"syscall"
)

// noRoom reports an error that goes away when files are removed or a limit is
// raised: of the disk, of a quota, of the size of a file.
func noRoom(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// notWritable reports an error of permissions.
func notWritable(err error) bool {
	return errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission)
}
