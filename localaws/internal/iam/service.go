// SPDX-License-Identifier: Apache-2.0

// Package iam is the identity service of the embedded AWS: users, groups, roles,
// policies and access keys, and the authorizer that every service asks.
//
// State is small, so one lock guards it; what a change touches is filed entity
// by entity.
//
// # Differences from AWS
//
// Everything takes effect at once. There is no multi-factor authentication,
// federation, source identity, instance profile, service-linked role, password
// policy or credential report: requests for them are refused,
// but for the lists of instance profiles, which are empty.
// Simulations take no trust policies and no policies of organizations, and do not
// tell how each kind of policy bore on a decision across accounts. White space in policies does not
// count for their quotas up to eight times the quota. A new password needs 8
// to 128 characters.
package iam

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/sts"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// Errors of Credentials.
var (
	ErrUnknownAccessKey  = errors.New("unknown access key id")
	ErrInactiveAccessKey = errors.New("inactive access key")
	ErrInvalidToken      = sts.ErrInvalidToken
	ErrExpiredToken      = sts.ErrExpiredToken
)

// Namespace is the XML namespace of IAM's answers.
const Namespace = "https://iam.amazonaws.com/doc/2010-05-08/"

// Config is what the room needs.
type Config struct {
	Clock func() time.Time // nil: time.Now
	Store storage.Store    // nil: memory
}

// Service holds the identities of every account.
type Service struct {
	clock func() time.Time
	store storage.Store
	iam   *wire.Table[*call, any]
	sts   *sts.Service

	mu       sync.RWMutex
	accounts map[string]*account
	keys     map[string]*accessKey // by access key id, all accounts
	owners   map[string]owner      // users, groups and roles by unique id, all accounts

	// hashing lets one password be hashed at a time: see loginprofile.go.
	hashing sync.Mutex
}

// owner is an entity and the account it is in.
type owner struct {
	accountID string
	*entity
}

// New loads the identities filed in the store.
func New(cfg Config) (*Service, error) {
	s := &Service{clock: cfg.Clock, store: cfg.Store, iam: iamOperations(),
		accounts: map[string]*account{}, keys: map[string]*accessKey{}, owners: map[string]owner{}}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.store == nil {
		s.store = storage.Memory{}
	}
	if err := s.load(); err != nil {
		return nil, fmt.Errorf("load identities: %w", err)
	}
	var err error
	if s.sts, err = sts.New(sts.Config{Clock: s.clock, Store: s.store, Identities: s}); err != nil {
		return nil, err
	}
	return s, nil
}

var accountIDPattern = regexp.MustCompile(`^\d{12}$`)

// AddAccount creates an account whose root user has the given access key. For an
// account that exists, the key takes the place of the one that was added
// before; keys that root has made itself stay. Adding the same key again
// changes nothing.
func (s *Service) AddAccount(accountID, accessKeyID, secret string) error {
	if !accountIDPattern.MatchString(accountID) {
		return fmt.Errorf("account id %q is not twelve digits", accountID)
	}
	if accessKeyID == "" || secret == "" {
		return errors.New("root credentials of an account must not be empty")
	}
	pending, err := s.addAccount(accountID, accessKeyID, secret)
	if err != nil {
		return err
	}
	return pending.Wait()
}

func (s *Service) addAccount(accountID, accessKeyID, secret string) (storage.Pending, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.keys[accessKeyID]
	if k != nil && (k.AccountID != accountID || k.UserName != "" || k.Secret != secret) {
		return nil, fmt.Errorf("access key id %s is in use", accessKeyID)
	}
	a := s.accounts[accountID]
	if a == nil {
		a = newAccount(accountID)
		s.accounts[accountID] = a
	}
	if old := a.AddedKey; old != accessKeyID {
		a.RootKeys = slices.DeleteFunc(a.RootKeys, func(k *accessKey) bool { return k.ID == old })
		delete(s.keys, old)
		a.AddedKey = accessKeyID
		a.put(a)
	}
	if k == nil {
		k = &accessKey{ID: accessKeyID, Secret: secret, AccountID: accountID, Active: true, Created: s.now()}
		a.RootKeys = append(a.RootKeys, k)
		s.keys[k.ID] = k
		a.put(a)
	}
	return s.file(a), nil
}

// Deleted reports whether the access key is the one that AddAccount gave the
// account's root user, and root has deleted it.
func (s *Service) Deleted(accountID, accessKeyID string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.accounts[accountID]
	return a != nil && a.AddedKey == accessKeyID && s.keys[accessKeyID] == nil
}

// Accounts lists the ids of all accounts in order.
func (s *Service) Accounts() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.accounts))
}

func (s *Service) now() time.Time { return s.clock().UTC().Truncate(time.Second) }

// IAM returns the service that answers IAM's operations.
func (s *Service) IAM() request.Service { return &front{s} }

// STS returns the service that answers STS's operations.
func (s *Service) STS() request.Service { return s.sts }

// call is a request on its way through an operation.
type call struct {
	*request.Call
	ctx     context.Context
	service *Service
	task    *task // once it is known
}

// front answers IAM's operations.
type front struct{ service *Service }

// Describe implements request.Service.
func (f *front) Describe(name string) (request.Operation, bool) { return f.service.iam.Describe(name) }

// Coverage returns which operations are served and which are refused by name.
func (f *front) Coverage() wire.Coverage { return f.service.iam.Coverage() }

// Serve implements request.Service.
func (f *front) Serve(ctx context.Context, c *request.Call) ([]byte, error) {
	return wire.ServeXML(ctx, f.service.iam, &call{Call: c, ctx: ctx, service: f.service}, Namespace, c)
}
