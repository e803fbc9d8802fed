// Package privatefile writes files that hold secrets.
package privatefile

import (
	"errors"
	"os"
	"path/filepath"
)

// Replace writes a file that only its owner can read, in place of what has the
// name now. The file is whole from the moment it has its name: whoever reads
// meanwhile, and whoever reads after a crash, finds the old content or the new.
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
