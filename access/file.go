// SPDX-License-Identifier: Apache-2.0

package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// MaxSnapshot is the size in bytes of the largest JSON text that Read accepts.
const MaxSnapshot = 128 << 20

// ErrSnapshot means that a snapshot is malformed, of another version, or
// contradicts itself.
var ErrSnapshot = errors.New("not a snapshot of access")

func snapshotError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSnapshot, fmt.Sprintf(format, args...))
}

// Save writes the snapshot as JSON, which Read reads. Errors are those of w.
func (s *Snapshot) Save(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(s)
}

// Read reads a snapshot that Save wrote, of at most MaxSnapshot bytes. The error
// matches [ErrSnapshot] if r cannot be read or its text is not a snapshot: it is
// too long, is of another version, has a member that this package does not know,
// or names something by text that is not an ARN.
func Read(r io.Reader) (*Snapshot, error) {
	limited := &io.LimitedReader{R: r, N: MaxSnapshot + 1}
	d := json.NewDecoder(limited)
	d.DisallowUnknownFields()
	var s Snapshot
	err := d.Decode(&s)
	if limited.N <= 0 {
		return nil, snapshotError("longer than %d bytes", MaxSnapshot)
	}
	if err != nil {
		return nil, snapshotError("%v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, snapshotError("text follows the JSON value")
	}
	return &s, s.check()
}

// check finds what an edit by hand can break.
func (s *Snapshot) check() error {
	if s.Version != SnapshotVersion {
		return snapshotError("version %d, and this package reads version %d", s.Version, SnapshotVersion)
	}
	if len(s.Tables) == 0 {
		return snapshotError("it has no table")
	}
	seen := map[string]bool{}
	resource := func(text, service, begins string) error {
		a, err := arn.Parse(text)
		if err != nil || a.Service != service || !strings.HasPrefix(a.Resource, begins) || len(a.AccountID) != 12 {
			return snapshotError("%.256q is not the ARN of a %s", text, strings.TrimRight(begins, "/"))
		}
		if seen[text] {
			return snapshotError("%.256s is there twice", text)
		}
		seen[text] = true
		return nil
	}
	for i := range s.Tables {
		if err := resource(s.Tables[i].ARN, "dynamodb", "table/"); err != nil {
			return err
		}
		if err := s.Tables[i].Sample.check(s.Tables[i].ARN); err != nil {
			return err
		}
	}
	for i := range s.Keys {
		if err := resource(s.Keys[i].ARN, "kms", "key/"); err != nil {
			return err
		}
	}
	identity := func(e *Identity, kind string) error {
		if e.ID == "" {
			return snapshotError("%.256q has no id", e.ARN)
		}
		return resource(e.ARN, "iam", kind)
	}
	for i := range s.Users {
		if err := identity(&s.Users[i].Identity, "user/"); err != nil {
			return err
		}
	}
	for i := range s.Groups {
		if err := identity(&s.Groups[i].Identity, "group/"); err != nil {
			return err
		}
	}
	for i := range s.Roles {
		if err := identity(&s.Roles[i].Identity, "role/"); err != nil {
			return err
		}
	}
	return nil
}
