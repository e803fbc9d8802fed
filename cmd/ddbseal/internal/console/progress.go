package console

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/ddbseal/ddbseal/internal/privatefile"
	"github.com/ddbseal/ddbseal/labsetup"
)

// progressFile is where the lab's progress is kept, mode 0600.
const progressFile = "console-lab.json"

// progress is how far each user has come in the lab, by ARN.
type progress struct {
	path string // empty: memory only

	mu    sync.Mutex
	Users map[string]labProgress `json:"users"`
}

// labProgress are the steps done, and the report once there is one. Items are
// left out of it: their values do not belong into a file of this page.
type labProgress struct {
	Steps  []labsetup.Step  `json:"steps"`
	Report *labsetup.Report `json:"report,omitempty"`
}

func openProgress(folder string) (*progress, error) {
	p := &progress{Users: map[string]labProgress{}}
	if folder == "" {
		return p, nil
	}
	p.path = filepath.Join(folder, progressFile)
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
		p.Users = map[string]labProgress{}
	}
	return p, nil
}

func (p *progress) of(arn string) labProgress {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.Users[arn]
}

// set keeps the progress of one user; the zero value forgets it.
func (p *progress) set(arn string, l labProgress) error {
	if l.Report != nil {
		r := *l.Report
		r.Items = nil
		l.Report = &r
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(l.Steps) == 0 {
		delete(p.Users, arn)
	} else {
		p.Users[arn] = l
	}
	if p.path == "" {
		return nil
	}
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	return privatefile.Replace(p.path, text)
}
