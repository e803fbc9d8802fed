// SPDX-License-Identifier: Apache-2.0

// Package privatefile reads and writes files that hold secrets.
package privatefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Replace writes a file that only its owner can read, in place of what has the
// name now. The file is whole from the moment it has its name: a reader
// meanwhile, and a reader after a crash, finds the old content or the new.
func Replace(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // does nothing after the rename
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Read returns the content of a file, and false if there is no such file.
func Read(path string) (content []byte, exists bool, err error) {
	content, err = os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	return content, err == nil, err
}
