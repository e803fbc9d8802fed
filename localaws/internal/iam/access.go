// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"errors"
	"net/http"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/sts"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// target is what an operation is authorized on: an entity by its name, or an
// ARN.
type target struct {
	kind kind
	name string
	arn  string // when there is no kind
}

// on is the target with an ARN, "*" for no resource in particular.
func on(arn string) target { return target{arn: arn} }

// named is an entity of the caller's account.
func (k kind) named(name string) target { return target{kind: k, name: name} }

// resolved is a target as it is at one moment.
type resolved struct {
	arn      string
	id       string // empty when there is no such entity or policy
	tags     []tag
	boundary string
}

// same reports whether what was authorized is still what is there.
func (x resolved) same(y resolved) bool { return x.arn == y.arn && x.id == y.id }

// resolve finds the target; the caller holds the lock. The ARN of an entity
// that does not exist is the one it would have with path "/", so that a caller
// without permission learns nothing about which names exist.
func (a *account) resolve(t target) resolved {
	if t.kind.find == nil {
		if p := a.Policies[t.arn]; p != nil {
			return resolved{arn: t.arn, id: p.ID, tags: p.Tags}
		}
		return resolved{arn: t.arn}
	}
	if e := t.kind.find(a, t.name); e != nil {
		return resolved{e.ARN, e.ID, e.Tags, e.Boundary}
	}
	return resolved{arn: t.kind.arn(a.ID, "/", t.name)}
}

// action is what the caller of an operation must be allowed to do: the
// operation itself.
func (r *call) action() string { return r.Service + ":" + r.Operation }

// task is what a handler found a request to mean: what it is about, and what
// to do once the caller may.
type task struct {
	target     target
	conditions policy.Context // that the request brings
	do         func(a *account) (any, error)
	writes     bool

	allowed resolved // what the target was when the caller was authorized
}

// view is the task of reading something. do runs under the read lock. The
// error is nil: a handler that found nothing wrong returns what view does.
func view(t target, do func(a *account) (any, error)) (*task, error) {
	return &task{target: t, do: do}, nil
}

// change is the task of changing something. do runs under the write lock, and
// what it has put and dropped is filed when it succeeds. It checks everything
// before it changes anything: after an error the account is as it was. The
// error is nil.
func change(t target, conditions policy.Context, do func(a *account) (any, error)) (*task, error) {
	return &task{target: t, conditions: conditions, do: do, writes: true}, nil
}

// authorize asks whether the caller may do the operation on the task's target.
func (r *call) authorize(t *task) (err error) {
	t.allowed, err = r.service.permitted(r, t.target, t.conditions)
	return err
}

// run does an authorized task. The target of a change may have become another
// one since it was authorized, and is asked about again then.
func (r *call) run(t *task) (any, error) {
	if !t.writes {
		r.service.mu.RLock()
		defer r.service.mu.RUnlock()
		return t.do(r.service.accounts[r.AccountID])
	}
	for {
		out, pending, err := r.service.apply(r.AccountID, t.target, t.allowed, t.do)
		if errors.Is(err, errMoved) {
			if err := r.authorize(t); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := pending.Wait(); err != nil {
			return nil, err
		}
		return out, nil
	}
}

// perform authorizes and runs a task, for the operations that have asked for
// permission before they knew it.
func (r *call) perform(t *task, err error) (any, error) {
	if err == nil {
		err = r.authorize(t)
	}
	if err != nil {
		return nil, err
	}
	return r.run(t)
}

// errMoved: the target was renamed or created again since it was authorized, so it
// was not this that the caller may change.
var errMoved = errors.New("target has changed since it was authorized")

// apply runs fn under the lock, which it lets go of even when fn panics.
func (s *Service) apply(accountID string, t target, allowed resolved,
	fn func(a *account) (any, error)) (any, storage.Pending, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[accountID]
	if !a.resolve(t).same(allowed) {
		return nil, nil, errMoved
	}
	a.edits = nil
	out, err := fn(a)
	if err != nil {
		return nil, nil, err
	}
	return out, s.file(a), nil
}

func (s *Service) permit(r *call, t target, context policy.Context) error {
	_, err := s.permitted(r, t, context)
	return err
}

// permitted authorizes the operation on the target as it is now, with its tags and
// its permissions boundary as conditions.
func (s *Service) permitted(r *call, t target, conditions policy.Context) (resolved, error) {
	if sts.Of(r.Caller).Plain() && r.Service == "iam" {
		return resolved{}, &request.Error{Code: "InvalidClientTokenId",
			Message: "The security token included in the request is invalid", Status: http.StatusForbidden}
	}
	s.mu.RLock()
	a := s.accounts[r.AccountID]
	if a == nil {
		s.mu.RUnlock()
		return resolved{}, request.Errorf("InternalFailure", "account %s is not known here", r.AccountID)
	}
	x := a.resolve(t)
	s.mu.RUnlock()
	context := resourceTags(x.tags)
	if x.boundary != "" && boundaryActions[r.action()] {
		context.Set("iam:PermissionsBoundary", x.boundary)
	}
	// What the request brings counts for more: PutUserPermissionsBoundary is
	// about the new boundary.
	for key, values := range conditions {
		context[key] = values
	}
	return x, request.Require(r.ctx, s, r.Call, request.Check{Action: r.action(), Resource: x.arn,
		ResourceAccountID: r.AccountID, Context: context})
}

// resourceTags are the condition keys that the tags of a target make.
func resourceTags(tags []tag) policy.Context {
	c := policy.Context{}
	wire.ResourceTags(c, tags...)
	for _, t := range tags {
		c.Set("iam:ResourceTag/"+t.Key, t.Value)
	}
	return c
}

// boundaryActions are the operations on a user or role for which its
// permissions boundary is a condition key.
var boundaryActions = map[string]bool{
	"iam:AttachUserPolicy": true, "iam:DetachUserPolicy": true, "iam:PutUserPolicy": true, "iam:DeleteUserPolicy": true,
	"iam:AttachRolePolicy": true, "iam:DetachRolePolicy": true, "iam:PutRolePolicy": true, "iam:DeleteRolePolicy": true,
	"iam:PutUserPermissionsBoundary": true, "iam:DeleteUserPermissionsBoundary": true,
	"iam:PutRolePermissionsBoundary": true, "iam:DeleteRolePermissionsBoundary": true,
}
