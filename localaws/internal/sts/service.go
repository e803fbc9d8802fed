// SPDX-License-Identifier: Apache-2.0

// Package sts is the security token service of the embedded AWS. It issues the
// credentials of sessions and recognizes them.
//
// Sessions are not stored: a session token is its own sealed record, as on AWS.
//
// # Differences from AWS
//
// There is no multi-factor authentication, federation or source identity.
// Requests for them are refused. Session tokens also have the texts of the
// managed policies of the session, so that they can be longer than AWS's.
package sts

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/policytext"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// Namespace is the XML namespace of the answers.
const Namespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// Errors of Credentials.
var (
	ErrInvalidToken = errors.New("invalid session token")
	ErrExpiredToken = request.ErrExpiredToken
)

// Identities are the principals that sessions are for.
type Identities interface {
	request.Authorizer
	// RoleByARN returns the role with an ARN, of any account.
	RoleByARN(arn string) (Role, bool)
	// ManagedPolicy returns a managed policy that an account can use: AWS's or its
	// own.
	ManagedPolicy(accountID, arn string) (name string, d *policy.Document, ok bool)
	// KeyAccount returns the account of a long-term access key.
	KeyAccount(accessKeyID string) (accountID string, ok bool)
	// ARN returns the ARN of the user or role with a unique id. ok is false once
	// it is deleted.
	ARN(uniqueID string) (arn string, ok bool)
}

// Role is a role that can be assumed.
type Role struct {
	AccountID, Name, ARN, ID string
	Trust                    *policytext.Document
	MaxSession               int // seconds
}

// Config is what a Service needs. All members must be set.
type Config struct {
	Clock      func() time.Time
	Store      storage.Store
	Identities Identities
}

// Service issues and recognizes session tokens.
type Service struct {
	clock      func() time.Time
	identities Identities
	operations *wire.Table[*Service, any]
	tokenKey   []byte // seals session tokens
}

var _ request.Service = (*Service)(nil)

var (
	secretBucket = storage.Bucket{Name: "iam-secrets"}
	tokenKeyName = []byte("session-token-key")
)

// New loads the key of the session tokens from the store, and creates it for a
// store that has none. Errors: the store's.
func New(cfg Config) (*Service, error) {
	s := &Service{clock: cfg.Clock, identities: cfg.Identities, operations: operations()}
	err := cfg.Store.Range(secretBucket, func(key, value []byte) error {
		if string(key) == string(tokenKeyName) {
			s.tokenKey = slices.Clone(value)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load session token key: %w", err)
	}
	if s.tokenKey == nil {
		s.tokenKey = make([]byte, 32)
		_, _ = rand.Read(s.tokenKey)
		tx := &storage.Tx{}
		tx.Put(secretBucket, tokenKeyName, slices.Clone(s.tokenKey))
		if err := cfg.Store.Submit(tx).Wait(); err != nil {
			return nil, fmt.Errorf("file session token key: %w", err)
		}
	}
	return s, nil
}

func (s *Service) now() time.Time { return s.clock().UTC().Truncate(time.Second) }

// Names returns the names of the operations in order.
func (s *Service) Names() []string { return s.operations.Names() }

// Coverage returns which operations are served and which are refused by name.
func (s *Service) Coverage() wire.Coverage { return s.operations.Coverage() }

// Describe implements request.Service.
func (s *Service) Describe(name string) (request.Operation, bool) { return s.operations.Describe(name) }

// Serve implements request.Service.
func (s *Service) Serve(ctx context.Context, c *request.Call) ([]byte, error) {
	return wire.ServeXML(ctx, s.operations, s, Namespace, c)
}
