// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"reflect"
	"regexp"
	"strings"
)

// respell gives the names of users, groups and roles in a request the spelling
// that the entities have: IAM does not tell names apart by case, policies and
// ARNs do. What makes an entity keeps the name as it came.
func (s *Service) respell(accountID string, in reflect.Value) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if a := s.accounts[accountID]; a != nil {
		a.respell(in)
	}
}

func (a *account) respell(in reflect.Value) {
	for i := range in.NumField() {
		field := in.Type().Field(i)
		switch {
		case field.Anonymous:
			a.respell(in.Field(i))
		case field.Name == "UserName":
			spell(a.Users, in.Field(i))
		case field.Name == "GroupName":
			spell(a.Groups, in.Field(i))
		case field.Name == "RoleName":
			spell(a.Roles, in.Field(i))
		}
	}
}

func spell[V any](known map[string]V, name reflect.Value) {
	text := name.String()
	if _, ok := known[text]; ok || text == "" {
		return
	}
	for k := range known {
		if strings.EqualFold(k, text) {
			name.SetString(k)
			return
		}
	}
}

// creation marks the requests that name what does not exist yet.
type creation interface{ creates() }

func (*createUser) creates()  {}
func (*createGroup) creates() {}
func (*createRole) creates()  {}

// renaming is a new name and path for a user or group.
type renaming struct {
	id              string // whose
	name, path, arn string
}

// renaming checks the new name and path and that the caller may do the operation
// on the entity as it is and as it will be: who may change some users must not
// make others of them.
func (s *Service) renaming(r *call, k kind, name, newName, newPath string) (renaming, error) {
	if err := s.permit(r, k.named(name), nil); err != nil {
		return renaming{}, err
	}
	if newName != "" {
		if err := checkName("new"+k.title()+"Name", newName, k.namePattern()); err != nil {
			return renaming{}, err
		}
	}
	if newPath != "" {
		if _, err := checkPath(newPath); err != nil {
			return renaming{}, err
		}
	}
	s.mu.RLock()
	e, err := k.get(s.accounts[r.AccountID], name)
	if err != nil {
		s.mu.RUnlock()
		return renaming{}, err
	}
	to, tags := renaming{e.ID, e.Name, e.Path, ""}, e.Tags
	s.mu.RUnlock()
	if newName != "" {
		to.name = newName
	}
	if newPath != "" {
		to.path = newPath
	}
	to.arn = k.arn(r.AccountID, to.path, to.name)
	return to, s.permit(r, on(to.arn), resourceTags(tags))
}

func (k kind) namePattern() *regexp.Regexp {
	if k.word == groupKind.word {
		return longPattern
	}
	return namePattern
}

// check refuses when the entity is not the one that was authorized.
func (to renaming) check(e *entity) error {
	if e == nil || e.ID != to.id {
		return conflict("ConcurrentModification", "The entity was changed at the same time. Try again.")
	}
	return nil
}

func (to renaming) apply(e *entity) { e.Name, e.Path, e.ARN = to.name, to.path, to.arn }
