// SPDX-License-Identifier: Apache-2.0

// Package lab is the lab on the console's page: the run on its way, how far each user
// has come, and what the page shows of it.
package lab

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"

	"github.com/ddbseal/ddbseal/internal/privatefile"
	"github.com/ddbseal/ddbseal/labsetup"
)

// File is where the lab's progress is kept, mode 0600.
const File = "console-lab.json"

// Progress is how far each user has come in the lab, by ARN, and the names of what
// it makes, which all users of this console see.
type Progress struct {
	path string // empty: memory only

	mu    sync.Mutex
	Names labsetup.Names  `json:"names"`
	Users map[string]User `json:"users"`
}

// User is one user's progress: what the steps so far have found, the answers to
// questions, by their names, and the ID of the access key that the lab has made for
// its user. Items are left out of the report: their values do not belong into a file
// of this page.
type User struct {
	Report  *labsetup.Report `json:"report,omitempty"`
	Answers map[string]int   `json:"answers,omitempty"`
	Key     string           `json:"accessKeyId,omitempty"`
}

// OpenProgress reads the progress in a folder. An empty folder means memory only.
func OpenProgress(folder string) (*Progress, error) {
	p := &Progress{Users: map[string]User{}}
	if folder == "" {
		return p, nil
	}
	p.path = filepath.Join(folder, File)
	text, exists, err := privatefile.Read(p.path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the lab's progress: %w", err)
	case !exists:
		return p, nil
	}
	if err := json.Unmarshal(text, p); err != nil {
		return nil, fmt.Errorf("%s is damaged, delete it: %w", p.path, err)
	}
	if p.Users == nil {
		p.Users = map[string]User{}
	}
	return p, nil
}

// Of returns the progress of one user, with a report in any case.
func (p *Progress) Of(arn string) User {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.Users[arn]
	if l.Report == nil {
		l.Report = &labsetup.Report{}
	}
	l.Answers = maps.Clone(l.Answers)
	return l
}

// Named returns the names of what the lab makes.
func (p *Progress) Named() labsetup.Names {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.Names.Complete()
}

// SetNames sets the names of what the lab makes.
func (p *Progress) SetNames(n labsetup.Names) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Names = n
	return p.write()
}

// Change changes the progress of one user. What it knows without a report, the ID of
// an access key, stays: see Forget.
func (p *Progress) Change(arn string, change func(*User)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.Users[arn]
	l.Answers = maps.Clone(l.Answers)
	if l.Answers == nil {
		l.Answers = map[string]int{}
	}
	change(&l)
	if l.Report != nil {
		l.Report = lean(l.Report)
	}
	p.Users[arn] = l
	return p.write()
}

// Forget forgets the steps and the answers of one user. With all it forgets the ID of
// the access key too, which a next run would replace.
func (p *Progress) Forget(arn string, all bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := p.Users[arn]; all || l.Key == "" {
		delete(p.Users, arn)
	} else {
		p.Users[arn] = User{Key: l.Key}
	}
	return p.write()
}

// lean returns the report without items and commands: the plan has the latter.
func lean(r *labsetup.Report) *labsetup.Report {
	l := *r
	l.Items, l.Steps = nil, slices.Clone(r.Steps)
	for i := range l.Steps {
		l.Steps[i].CLI = ""
	}
	return &l
}

// write writes the file; the caller holds the lock.
func (p *Progress) write() error {
	if p.path == "" {
		return nil
	}
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	return privatefile.Replace(p.path, text)
}
