package iam

import (
	"fmt"

	"github.com/ddbseal/ddbseal/localaws/internal/call"
	"github.com/ddbseal/ddbseal/localaws/internal/policy"
)

// kind is one of the three sorts of entity that carry policies.
type kind struct {
	word        string // "user"
	idPrefix    string
	maxInline   int
	find        func(*account, string) *entity
	listedAs    func(*entityNames) *string
	missingText string
}

// entityNames are the parameters by which requests name an entity.
type entityNames struct{ UserName, GroupName, RoleName string }

var (
	userKind = kind{"user", "AIDA", maxUserDocuments,
		func(a *account, n string) *entity {
			if u := a.Users[n]; u != nil {
				return &u.entity
			}
			return nil
		},
		func(n *entityNames) *string { return &n.UserName }, "The user with name %s cannot be found."}
	groupKind = kind{"group", "AGPA", maxGroupDocuments,
		func(a *account, n string) *entity {
			if g := a.Groups[n]; g != nil {
				return &g.entity
			}
			return nil
		},
		func(n *entityNames) *string { return &n.GroupName }, "The group with name %s cannot be found."}
	roleKind = kind{"role", "AROA", maxRoleDocuments,
		func(a *account, n string) *entity {
			if r := a.Roles[n]; r != nil {
				return &r.entity
			}
			return nil
		},
		func(n *entityNames) *string { return &n.RoleName }, "The role with name %s cannot be found."}
)

func (k kind) arn(accountID, path, name string) string {
	return "arn:aws:iam::" + accountID + ":" + k.word + path + name
}

// access is how a handler gets at the state: authorized first, then under the
// lock, then filed.
//
// change runs fn under the write lock when the caller may do action on
// resource, and files the account when fn succeeds. The resource of an entity
// that does not exist is its ARN with path "/", so that a caller without
// permission learns nothing about which names exist.
func (s *Service) change(r *request, action string, resource string, context policy.Context, fn func(a *account) (any, error)) (any, error) {
	if err := s.permit(r, action, resource, context); err != nil {
		return nil, err
	}
	s.mu.Lock()
	a := s.accounts[r.AccountID]
	if a == nil {
		s.mu.Unlock()
		return nil, call.Errorf("InternalFailure", "account %s is not known here", r.AccountID)
	}
	out, err := fn(a)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	pending := s.file(a)
	s.mu.Unlock()
	if err := pending.Wait(); err != nil {
		return nil, err
	}
	return out, nil
}

// view is change for reading.
func (s *Service) view(r *request, action string, resource string, fn func(a *account) (any, error)) (any, error) {
	if err := s.permit(r, action, resource, nil); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.accounts[r.AccountID]
	if a == nil {
		return nil, call.Errorf("InternalFailure", "account %s is not known here", r.AccountID)
	}
	return fn(a)
}

func (s *Service) permit(r *request, action, resource string, context policy.Context) error {
	if sessionOf(r.Call).plainSession() && r.Service == "iam" {
		return &call.Error{Code: "InvalidClientTokenId", Message: "The security token included in the request is invalid", Status: 403}
	}
	return call.Require(r.ctx, s, r.Call, call.Check{Action: action, Resource: resource, ResourceAccountID: r.AccountID, Context: context})
}

// resource returns the ARN to authorize an operation on the named entity.
func (s *Service) resource(r *request, k kind, name string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if a := s.accounts[r.AccountID]; a != nil {
		if e := k.find(a, name); e != nil {
			return e.ARN
		}
	}
	return k.arn(r.AccountID, "/", name)
}

// get finds the entity or gives IAM's NoSuchEntity.
func (k kind) get(a *account, name string) (*entity, error) {
	e := k.find(a, name)
	if e == nil {
		return nil, notFound(k.missingText, name)
	}
	return e, nil
}

// title is the kind with a capital, as in operation names.
func (k kind) title() string {
	return map[string]string{"user": "User", "group": "Group", "role": "Role"}[k.word]
}

// action builds an action from a pattern such as "iam:Put%sPolicy".
func (k kind) action(pattern string) string { return fmt.Sprintf(pattern, k.title()) }
