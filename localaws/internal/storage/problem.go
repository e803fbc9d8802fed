// SPDX-License-Identifier: Apache-2.0

package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"
)

// Errors of a store that cannot write. The first three can pass; the store then
// writes what it owes and goes on.
var (
	// ErrDiskFull is the error of a store whose disk, quota or file size limit
	// has no room.
	ErrDiskFull = errors.New("the disk is full")
	// ErrReadOnly is the error of a store whose folder cannot be written.
	ErrReadOnly = errors.New("the data folder cannot be written")
	// ErrDisk is the error of a store whose disk reports an error.
	ErrDisk = errors.New("the disk reports an error")
	// ErrRefused is the error of a store that cannot hold what a service wants
	// to keep. It is a defect of that service.
	ErrRefused = errors.New("a change cannot be stored")
	// ErrGone is the error of a store whose file was removed while it was open.
	ErrGone = errors.New("the data file is gone")
)

// Problem is why a store does not write. It matches its kind, which is one of
// the package's errors, and its cause.
type Problem struct {
	Kind  error
	Cause error // names files; nil if Kind says all
	// Final reports that only a new start helps: what memory and disk hold
	// differs, or the data file is not what it was.
	Final bool
}

func (p *Problem) Error() string {
	const what = "cannot keep changes: "
	switch {
	case p.Cause == nil:
		return what + p.Kind.Error()
	case errors.Is(p.Cause, p.Kind): // its text begins with the kind's
		return what + p.Cause.Error()
	}
	return fmt.Sprintf(what+"%v (%v)", p.Kind, p.Cause)
}

// Unwrap returns the kind and the cause.
func (p *Problem) Unwrap() []error {
	if p.Cause == nil {
		return []error{p.Kind}
	}
	return []error{p.Kind, p.Cause}
}

// diagnose finds the kind of an error of the data file.
func diagnose(err error) *Problem {
	var known *Problem
	if errors.As(err, &known) {
		return known
	}
	for _, final := range []error{ErrRefused, ErrDamaged, ErrFormat, ErrRootKey, ErrLocked} {
		if errors.Is(err, final) {
			return &Problem{Kind: final, Cause: err, Final: true}
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &Problem{Kind: ErrGone, Cause: err, Final: true}
	case noRoom(err):
		return &Problem{Kind: ErrDiskFull, Cause: err}
	case notWritable(err):
		return &Problem{Kind: ErrReadOnly, Cause: err}
	}
	return &Problem{Kind: ErrDisk, Cause: err}
}

// noRoom reports an error that goes away when files are removed or a limit is
// raised: of the disk, of a quota, of the size of a file.
func noRoom(err error) bool {
	return isAny(err, syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG) || isAny(err, systemErrors.noRoom...)
}

// notWritable reports an error of permissions.
func notWritable(err error) bool {
	return isAny(err, syscall.EROFS, fs.ErrPermission) || isAny(err, systemErrors.notWritable...)
}

// Named returns err so that it matches ErrDiskFull or ErrReadOnly if that is its
// cause.
func Named(err error) error {
	switch {
	case err == nil, errors.Is(err, ErrDiskFull), errors.Is(err, ErrReadOnly):
		return err
	case noRoom(err):
		return fmt.Errorf("%w: %w", ErrDiskFull, err)
	case notWritable(err):
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	}
	return err
}

func isAny(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}

// Explain says for a client what lies behind an error of a store. It names
// neither paths nor values. The result is empty for an error of another origin.
func Explain(err error) string {
	const goesOn = " It goes on by itself once that is over."
	switch {
	case errors.Is(err, ErrDiskFull):
		return "The server cannot keep changes because its disk is full. It goes on by itself once there is room."
	case errors.Is(err, ErrReadOnly):
		return "The server cannot keep changes because its data folder cannot be written." + goesOn
	case errors.Is(err, ErrDisk):
		return "The server cannot keep changes because its disk reports an error." + goesOn
	case errors.Is(err, ErrDamaged):
		return "A part of the server's data file is damaged. Stop the server and restore its data folder from a copy."
	case isAny(err, ErrRefused, ErrGone, ErrLocked, ErrFormat, ErrRootKey):
		return "The server cannot keep changes and has to be started again. Its log says why."
	}
	return ""
}
