// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"context"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// onKey is the part of a request that names a key by id or ARN. Whether the
// caller may use the key is asked before the operation is served.
type onKey struct {
	KeyID *string `json:"KeyId"`

	found target // once authorized
}

func (in *onKey) Check(c *wire.Checks) { keyID(c, in.KeyID) }

func (in *onKey) key() *onKey { return in }

// conditions are the condition keys that a request brings; a request with any
// has a method of its own.
func (in *onKey) conditions(*request.Call) policy.Context { return nil }

// keyed is a request with an onKey.
type keyed[In any] interface {
	*In
	key() *onKey
	conditions(c *request.Call) policy.Context
}

// find resolves the key of a request and returns what to ask about it: the
// operation under its own name.
func find[In any, P keyed[In]](s *Service, c *request.Call, in *In) (question, error) {
	r := P(in)
	t, err := s.resolve(c, text(r.key().KeyID), true)
	if err != nil {
		return question{}, err
	}
	r.key().found = t
	return question{action: c.Operation, target: t, extra: r.conditions(c)}, nil
}

// allowOwn authorizes an operation that AWS does not offer across accounts.
func allowOwn[In any, P keyed[In]](s *Service, ctx context.Context, c *request.Call, in *In) error {
	q, err := find[In, P](s, c, in)
	if err != nil {
		return err
	}
	return s.requireOwn(ctx, c, q)
}

// allowKey authorizes an operation on a key of any account.
func allowKey[In any, P keyed[In]](s *Service, ctx context.Context, c *request.Call, in *In) error {
	q, err := find[In, P](s, c, in)
	if err != nil {
		return err
	}
	return s.require(ctx, c, q)
}

// readsAccount is the entry of an operation on no key in particular: identity
// policies alone decide.
func readsAccount[In any](name string, serve reading[In]) entry {
	return wire.Op[*Service, In, any]{Name: name, Kind: wire.Read, Serve: serve,
		Authorize: func(s *Service, ctx context.Context, c *request.Call, _ *In) error {
			return s.requireIdentity(ctx, c, c.Operation, "*", nil)
		}}
}

// readsOwn is the entry of an operation that reads a key of the caller's
// account.
func readsOwn[In any, P keyed[In]](name string, serve reading[In]) entry {
	return wire.Op[*Service, In, any]{Name: name, Kind: wire.Read, Authorize: allowOwn[In, P], Serve: serve}
}

// readsKey is the entry of an operation that reads a key of any account.
func readsKey[In any, P keyed[In]](name string, serve reading[In]) entry {
	return wire.Op[*Service, In, any]{Name: name, Kind: wire.Read, Authorize: allowKey[In, P], Serve: serve}
}

// writesOwn is the entry of an operation that changes a key of the caller's
// account. The key is found and the caller authorized within the change.
func writesOwn[In any, P keyed[In]](name string, serve changing[In]) entry {
	return wire.Within((*Service).write, wire.Op[*change, In, any]{Name: name, Kind: wire.Write, Serve: serve,
		Authorize: func(ch *change, ctx context.Context, c *request.Call, in *In) error {
			return allowOwn[In, P](ch.s, ctx, c, in)
		}})
}

// writesKey is the entry of an operation that changes a key of any account.
func writesKey[In any, P keyed[In]](name string, serve changing[In]) entry {
	return wire.Within((*Service).write, wire.Op[*change, In, any]{Name: name, Kind: wire.Write, Serve: serve,
		Authorize: func(ch *change, ctx context.Context, c *request.Call, in *In) error {
			return allowKey[In, P](ch.s, ctx, c, in)
		}})
}
