// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/policytext"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

var (
	// accountBucket has the accounts, by account id.
	accountBucket = storage.Bucket{Name: "iam-accounts"}
	// entityBucket has users, groups, roles and customer managed policies, by
	// account and unique id: a change of one user costs the same however many
	// there are.
	entityBucket = storage.Bucket{Name: "iam-entities"}
)

// record is what is filed on its own.
type record interface {
	recordID() string // empty: the account itself
	base() *entity    // nil: not a principal or group
}

func (*account) recordID() string         { return "" }
func (*account) base() *entity            { return nil }
func (e *entity) recordID() string        { return e.ID }
func (e *entity) base() *entity           { return e }
func (p *managedPolicy) recordID() string { return p.ID }
func (*managedPolicy) base() *entity      { return nil }

// edit is one record that a change has made, changed or deleted.
type edit struct {
	record
	deleted bool
}

// put notes that x is new or has changed. A handler calls it for everything it
// touches, under the lock.
func (a *account) put(x record) { a.edits = append(a.edits, edit{x, false}) }

// drop notes that x is gone.
func (a *account) drop(x record) { a.edits = append(a.edits, edit{x, true}) }

// file brings the index of unique ids up to date and submits what the change
// has noted; the caller holds the lock.
func (s *Service) file(a *account) storage.Pending {
	edits := a.edits
	a.edits = nil
	tx := &storage.Tx{}
	for _, x := range edits {
		if e := x.base(); e != nil {
			if x.deleted {
				delete(s.owners, e.ID)
			} else {
				s.owners[e.ID] = owner{a.ID, e}
			}
		}
		if !s.store.Durable() {
			continue
		}
		bucket, key := entityBucket, []byte(a.ID+"/"+x.recordID())
		if x.recordID() == "" {
			bucket, key = accountBucket, []byte(a.ID)
		}
		if x.deleted {
			tx.Delete(bucket, key)
			continue
		}
		text, err := json.Marshal(x.record)
		if err != nil {
			return failed{fmt.Errorf("file %s of account %s: %w", x.recordID(), a.ID, err)}
		}
		tx.Put(bucket, key, text)
	}
	if tx.Len() == 0 {
		return storage.Memory{}.Submit(nil)
	}
	return s.store.Submit(tx)
}

type failed struct{ err error }

func (f failed) Wait() error { return f.err }

// load reads every account and entity.
func (s *Service) load() error {
	err := s.store.Range(accountBucket, func(key, value []byte) error {
		a := newAccount(string(key))
		if err := json.Unmarshal(value, a); err != nil {
			return fmt.Errorf("account %s: %w", key, err)
		}
		s.accounts[a.ID] = a
		for _, k := range a.RootKeys {
			s.keys[k.ID] = k
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.store.Range(entityBucket, func(key, value []byte) error {
		accountID, id, _ := strings.Cut(string(key), "/")
		a := s.accounts[accountID]
		if a == nil {
			return fmt.Errorf("%s belongs to no account", key)
		}
		if err := s.restore(a, id, value); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return nil
	})
}

// restore adds one filed entity to its account: parses its policies and renews
// what JSON leaves nil.
func (s *Service) restore(a *account, id string, value []byte) error {
	switch {
	case strings.HasPrefix(id, userKind.idPrefix):
		u := &user{}
		if err := json.Unmarshal(value, u); err != nil {
			return err
		}
		a.Users[u.Name] = u
		for _, k := range u.Keys {
			s.keys[k.ID] = k
		}
		return s.restoreEntity(a, &u.entity)
	case strings.HasPrefix(id, groupKind.idPrefix):
		g := &group{}
		if err := json.Unmarshal(value, g); err != nil {
			return err
		}
		a.Groups[g.Name] = g
		return s.restoreEntity(a, &g.entity)
	case strings.HasPrefix(id, roleKind.idPrefix):
		r := &role{}
		if err := json.Unmarshal(value, r); err != nil {
			return err
		}
		a.Roles[r.Name] = r
		if r.Trust == nil {
			return fmt.Errorf("role %s has no trust policy", r.Name)
		}
		if err := r.Trust.Restore(policy.Trust); err != nil {
			return err
		}
		return s.restoreEntity(a, &r.entity)
	}
	p := &managedPolicy{}
	if err := json.Unmarshal(value, p); err != nil {
		return err
	}
	a.Policies[p.ARN] = p
	for _, v := range p.Versions {
		if err := v.Document.Restore(policy.Identity); err != nil {
			return err
		}
	}
	if p.current() == nil {
		return fmt.Errorf("policy %s has no default version", p.Name)
	}
	return nil
}

func (s *Service) restoreEntity(a *account, e *entity) error {
	s.owners[e.ID] = owner{a.ID, e}
	if e.Inline == nil {
		e.Inline = map[string]*policytext.Document{}
	}
	for name, d := range e.Inline {
		if err := d.Restore(policy.Identity); err != nil {
			return fmt.Errorf("inline policy %s: %w", name, err)
		}
	}
	return nil
}
