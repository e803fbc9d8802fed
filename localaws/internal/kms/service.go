// SPDX-License-Identifier: Apache-2.0

// Package kms is the Key Management Service of the embedded AWS: keys and
// their policies, aliases, grants, rotation and deletion, encryption under an
// encryption context, and MACs.
//
// Serve answers requests of the wire. The methods that take a *request.Call and
// Go values (Decrypt, GenerateDataKey, CreateGrant, …) are for the other
// services of the same server: they are authorized exactly like the wire
// operation and file an audit event of their own, which for the wire is the
// front door's task.
//
// # Differences from AWS
//
// Everything takes effect at once: grants, policies, rotation on demand and
// replication have no delay, so grant tokens are checked but never needed.
// Asymmetric keys for signing, imported material and custom key stores are refused
// with UnsupportedOperationException. aws:SourceArn is there only when a service acts
// for itself and says for what, so a grant with that constraint allows no caller
// else. There may be 10,000 keys in an account and Region and 500 grants for one
// grantee on one key. AWS aliases without a key are not listed; asking for
// alias/aws/dynamodb makes its key.
package kms

import (
	"context"
	"errors"
	"maps"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/kms/keyname"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// Principals is what KMS asks the identity room about the principals that key
// policies and grants name.
type Principals interface {
	// UniqueID tells whether an ARN (user, role, role session, root, account
	// id) names an existing principal and gives its unique id.
	UniqueID(arn string) (id string, ok bool)
	// ARN gives the ARN of the user or role with a unique id.
	ARN(uniqueID string) (arn string, ok bool)
	// AccountExists tells whether an account of 12 digits is known. Others are
	// invalid principals.
	AccountExists(accountID string) bool
}

// Config is what New needs; every member must be set.
type Config struct {
	Clock      func() time.Time
	Store      storage.Store
	Authorizer request.Authorizer
	Audit      request.Recorder
	Principals Principals
}

// Service is KMS for all accounts and Regions. Its methods may be called at
// the same time from several goroutines.
type Service struct {
	clock      func() time.Time
	store      storage.Store
	authorizer request.Authorizer
	audit      request.Recorder
	principals Principals
	started    time.Time

	// writes is held by an operation that changes something from its check to
	// its submission, so that such operations see each other whole or not at
	// all. Operations that only use keys do not take it.
	writes sync.Mutex
	// mu guards what follows, and is held only for looking up and replacing.
	mu     sync.RWMutex
	keys   map[string]*key // by ARN
	places map[wire.Place]*partition
	grants map[string]*grantTable // by key ARN
	filed  storage.Pending        // the last change; nil before the first

	// due is when the next rotation or deletion is to happen, in milliseconds
	// since 1970.
	due atomic.Int64
}

type familyID struct{ account, id string }

// partition is one account in one Region.
type partition struct {
	keys    map[string]*key   // by id
	aliases map[string]*alias // by name
	grants  int
}

var _ request.Service = (*Service)(nil)

// New returns the service and loads its state from the store. It fails when the
// configuration is incomplete or the store cannot be read.
func New(config Config) (*Service, error) {
	if config.Clock == nil || config.Store == nil || config.Authorizer == nil || config.Audit == nil ||
		config.Principals == nil {
		return nil, errors.New("kms: Config needs Clock, Store, Authorizer, Audit and Principals")
	}
	s := &Service{
		clock: config.Clock, store: config.Store, authorizer: config.Authorizer, audit: config.Audit,
		principals: config.Principals, started: config.Clock(),
		keys: map[string]*key{}, places: map[wire.Place]*partition{}, grants: map[string]*grantTable{},
	}
	s.due.Store(math.MaxInt64)
	if err := s.load(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Service) partition(at wire.Place) *partition {
	p := s.places[at]
	if p == nil {
		p = &partition{keys: map[string]*key{}, aliases: map[string]*alias{}}
		s.places[at] = p
	}
	return p
}

// change collects what one operation changes: in memory and, the same, in the
// store.
type change struct {
	s     *Service
	now   time.Time
	tx    storage.Tx
	steps []func()
}

// write runs f as the only changing operation. When f succeeds, its changes
// are applied together, and write returns after they are durable.
func (s *Service) write(f func(*change) error) error {
	pending, err := s.change(f)
	if pending == nil { // f failed or changed nothing
		return err
	}
	return pending.Wait()
}

func (s *Service) change(f func(*change) error) (storage.Pending, error) {
	s.writes.Lock()
	defer s.writes.Unlock()
	ch := &change{s: s, now: s.clock()}
	if err := f(ch); err != nil {
		return nil, err
	}
	if len(ch.steps) == 0 && ch.tx.Len() == 0 {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, step := range ch.steps {
		step()
	}
	if ch.tx.Len() == 0 {
		return nil, nil
	}
	s.filed = s.store.Submit(&ch.tx)
	return s.filed, nil
}

// settled waits until everything that was changed so far is durable. Material
// is used as soon as it is there, and what was encrypted under some that a
// crash takes back could never be opened.
func (s *Service) settled() error {
	s.mu.RLock()
	filed := s.filed
	s.mu.RUnlock()
	if filed == nil {
		return nil
	}
	return filed.Wait()
}

// do adds a step, which runs with mu held.
func (ch *change) do(step func()) { ch.steps = append(ch.steps, step) }

// findByARN returns a key that exists now.
func (s *Service) findByARN(arn string) (*key, bool) {
	s.mu.RLock()
	k, ok := s.keys[arn]
	s.mu.RUnlock()
	return k, ok
}

// resolve finds the key of a KeyId parameter. refuseAlias is for the
// operations that take no alias.
func (s *Service) resolve(c *request.Call, text string, refuseAlias bool) (target, error) {
	home := wire.PlaceOf(c)
	n, err := keyname.Parse(text, home)
	if err != nil {
		return target{}, err
	}
	if n.Alias == "" {
		arn := keyname.ARN(n.Place, n.ID)
		k, ok := s.findByARN(arn)
		if !ok {
			return target{}, s.missing(c, n.Place, arn, noSuchKey(arn))
		}
		return target{key: k}, nil
	}
	if refuseAlias {
		return target{}, invalidARN("Key Aliases are not supported for this operation.")
	}
	arn := keyname.AliasARN(n.Place, n.Alias)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if p := s.places[n.Place]; p != nil {
		if a := p.aliases[n.Alias]; a != nil {
			return target{key: p.keys[a.target], alias: n.Alias}, nil
		}
	}
	return target{}, s.missing(c, n.Place, arn, noSuchAlias(arn))
}

// missing is the error for a key that is not there. In another account that
// is a denial: whether a key exists is not told to strangers.
func (s *Service) missing(c *request.Call, at wire.Place, arn string, err error) error {
	if at.Account == c.AccountID {
		return err
	}
	return request.Errorf("AccessDeniedException", "%s", strangerMessage(c, c.Operation, arn))
}

// strangerMessage denies an operation on a key of another account that may
// exist or not.
func strangerMessage(c *request.Call, action, arn string) string {
	return "User: " + c.Caller.Principal.ARN + " is not authorized to perform: kms:" + action + " on resource: " + arn +
		" because the resource does not exist in this Region, no resource-based policies allow access, or a " +
		"resource-based policy explicitly denies access"
}

// target is a key as a request named it.
type target struct {
	*key
	alias string // with which it was named; empty for ids and ARNs
}

// named is the ARN of what was named: the alias, if it was one.
func (t target) named() string {
	if t.alias != "" {
		return keyname.AliasARN(t.Place, t.alias)
	}
	return t.arn
}

// question is one authorization.
type question struct {
	action  string // without prefix
	target  target
	context map[string]string // encryption context
	extra   policy.Context    // condition keys of this request; may be nil
	grants  []policy.Grant    // instead of the caller's
}

// require asks the identity room about an operation on a key, under its key
// policy and the caller's grants.
func (s *Service) require(ctx context.Context, c *request.Call, q question) error {
	k := q.target.key
	grants := q.grants
	if grants == nil {
		grants = s.grantsOf(k.arn, &c.Caller.Principal)
	}
	check := request.Check{
		Action: "kms:" + q.action, Resource: k.arn, ResourceAccountID: k.Account,
		Context:           k.conditions.with(q.extra, q.target.alias),
		EncryptionContext: q.context, ResourcePolicy: k.policy.doc, Mode: policy.ModeKeyPolicy, Grants: grants,
	}
	err := request.Require(ctx, s.authorizer, c, check)
	var e *request.Error
	if k.Account != c.AccountID && errors.As(err, &e) && e.Decision != nil && e.Decision.Cause == policy.LayerResource {
		e.Message = strangerMessage(c, q.action, q.target.named())
	}
	return err
}

// denied is the denial of what policies cannot allow.
func denied(c *request.Call, q question) error {
	if q.target.Account != c.AccountID {
		return request.Errorf("AccessDeniedException", "%s", strangerMessage(c, q.action, q.target.named()))
	}
	return request.Errorf("AccessDeniedException",
		"User: %s is not authorized to perform: kms:%s on resource: %s because no resource-based policy allows the "+
			"kms:%s action", c.Caller.Principal.ARN, q.action, q.target.arn, q.action)
}

// requireOwn is require for the operations that AWS does not offer across
// accounts, whatever a key policy says.
func (s *Service) requireOwn(ctx context.Context, c *request.Call, q question) error {
	if q.target.Account != c.AccountID {
		return denied(c, q)
	}
	return s.require(ctx, c, q)
}

// requireIdentity asks about an operation that only identity policies decide:
// on an alias, or on nothing in particular.
func (s *Service) requireIdentity(ctx context.Context, c *request.Call, action, resource string,
	extra policy.Context) error {
	own := policy.Context{} // the authorizer adds to it, and extra may be for several checks
	maps.Copy(own, extra)
	return request.Require(ctx, s.authorizer, c,
		request.Check{Action: "kms:" + action, Resource: resource, ResourceAccountID: c.AccountID, Context: own,
			Mode: policy.ModeOrdinary})
}
