// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/labaccess"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/reportpage"
	"github.com/ddbseal/ddbseal/labsetup"
)

// page is the report in one HTML file: no script, nothing loaded from
// anywhere. The zero page is written nowhere.
type page struct {
	path string
	file *os.File // beside path until it is complete
	// access follows who can use the tables; nil without a page.
	access *labaccess.Follower
}

// newPage begins the file at once: a folder that cannot be written is known
// before the lab runs, not after an hour.
func newPage(path string) (*page, error) {
	if path == "" {
		return &page{}, nil
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, usagef("--report %s is a folder: name a file in it", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".report-*")
	if err != nil {
		return nil, fmt.Errorf("report %s cannot be written: %w", path, err)
	}
	return &page{path: path, file: f}, nil
}

// discard removes what was not completed.
func (p *page) discard() {
	if p.file != nil {
		p.file.Close()
		os.Remove(p.file.Name())
		p.file = nil
	}
}

// write completes the file.
func (p *page) write(r *labsetup.Report, place string) error {
	if p.path == "" {
		return nil
	}
	text, err := reportpage.Render(r, place, time.Now(), p.access.Steps()...)
	if err != nil {
		return err
	}
	_, err = p.file.Write(text)
	if err = errors.Join(err, p.file.Chmod(0o644), p.file.Close()); err == nil {
		err = os.Rename(p.file.Name(), p.path)
	}
	if err != nil {
		return fmt.Errorf("report %s cannot be written: %w", p.path, err)
	}
	p.file = nil
	return nil
}
