package iam

import (
	"reflect"
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
