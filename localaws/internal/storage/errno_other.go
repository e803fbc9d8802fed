// SPDX-License-Identifier: Apache-2.0

//go:build !windows

package storage

// systemErrors are errors of this system beyond those that all have.
var systemErrors struct{ noRoom, notWritable []error }
