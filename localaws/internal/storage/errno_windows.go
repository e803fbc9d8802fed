// SPDX-License-Identifier: Apache-2.0

package storage

import "syscall"

// Errors of Windows that package syscall does not name.
const (
	errorWriteProtect   syscall.Errno = 19
	errorHandleDiskFull syscall.Errno = 39
	errorDiskFull       syscall.Errno = 112
	errorDiskQuota      syscall.Errno = 1295
)

// systemErrors are errors of this system beyond those that all have.
var systemErrors = struct{ noRoom, notWritable []error }{
	noRoom:      []error{errorDiskFull, errorHandleDiskFull, errorDiskQuota},
	notWritable: []error{errorWriteProtect},
}
