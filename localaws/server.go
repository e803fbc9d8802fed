// SPDX-License-Identifier: Apache-2.0

package localaws

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ddbseal/ddbseal/localaws/internal/cloudtrail"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb"
	"github.com/ddbseal/ddbseal/localaws/internal/frontdoor"
	"github.com/ddbseal/ddbseal/localaws/internal/iam"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// Server is an embedded AWS. It is safe for concurrent use.
type Server struct {
	options  Options
	door     *frontdoor.Door
	identity *iam.Service
	tables   *dynamodb.Service
	log      *cloudtrail.Log
	store    storage.Store
	faults   atomic.Pointer[faultState]
	close    func() error

	mu        sync.Mutex
	roots     *rootStore
	root      aws.Credentials
	failures  []error
	problems  problems
	listeners map[*Listener]struct{}
	closed    bool
}

// New starts a server. It returns an error if the options are invalid (ErrOrigin
// for an origin), if another process uses DataDir (ErrInUse), if the data there
// are damaged (ErrDamaged, ErrRootKey, ErrCredentials) or of another version
// (ErrFormat), and if DataDir cannot be read or written (ErrDiskFull or
// ErrReadOnly if that is the reason). It does not overwrite data that it cannot
// read.
func New(o Options) (*Server, error) {
	o, err := o.complete()
	if err != nil {
		return nil, fmt.Errorf("localaws: %w", err)
	}
	s := &Server{options: o, log: cloudtrail.NewLog(o.AuditLimit), listeners: map[*Listener]struct{}{}}
	s.faults.Store(newFaultState(o.Faults))
	s.close = sync.OnceValue(s.shutdown)
	if err := s.start(); err != nil {
		if s.store != nil {
			// Why the store cannot write, if that is it, is in err.
			_, failed := s.log.Close(), s.store.Failed()
			if closing := s.store.Close(); failed == nil {
				err = errors.Join(err, closing)
			}
		}
		return nil, fmt.Errorf("localaws: %w", storage.Named(err))
	}
	return s, nil
}

func (s *Server) start() (err error) {
	if dir := s.options.DataDir; dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("make data directory: %w", err)
		}
	}
	if s.store, err = openStore(s.options.DataDir, s.options.Logger); err != nil {
		return err
	}
	// Only now: the store's lock keeps a second process away from the file.
	if s.roots, err = openRoots(s.options.DataDir); err != nil {
		return err
	}
	if err := s.log.Attach(s.store); err != nil {
		return err
	}
	if err := s.startServices(); err != nil {
		return err
	}
	return s.startRoots()
}

// startRoots gives every account its root user's access key.
func (s *Server) startRoots() (err error) {
	id := s.options.AccountID
	if id == "" {
		id = DefaultAccountID
		if len(s.roots.Accounts) > 0 {
			id = s.roots.Accounts[0].AccountID
		}
	}
	own := accountCredentials{AccountID: id, AccessKeyID: s.options.RootCredentials.AccessKeyID,
		SecretAccessKey: s.options.RootCredentials.SecretAccessKey}
	if own.AccessKeyID != "" {
		if err := s.addRoot(own); err != nil {
			return err
		}
	} else if own, err = s.keptRoot(id); err != nil {
		return err
	}
	for _, a := range s.roots.Accounts {
		if a.AccountID != id {
			if _, err := s.keptRoot(a.AccountID); err != nil {
				return err
			}
		}
	}
	s.root = own.credentials()
	return nil
}

// keptRoot gives an account the access key that is kept for it: a new one when
// there is none, or when root has deleted it.
func (s *Server) keptRoot(id string) (accountCredentials, error) {
	a, found := s.roots.find(id)
	if !found || s.identity.Deleted(id, a.AccessKeyID) {
		a = newRoot(id)
		// The file first: the next start makes every account in it, so a kill
		// between the two leaves no access key that is lost.
		if err := s.roots.put(a); err != nil {
			return a, err
		}
	}
	return a, s.addRoot(a)
}

func (s *Server) addRoot(a accountCredentials) error {
	if err := s.identity.AddAccount(a.AccountID, a.AccessKeyID, a.SecretAccessKey); err != nil {
		return fmt.Errorf("add account %s: %w", a.AccountID, err)
	}
	return nil
}

// Close stops the listeners, waits until all changes are on disk and releases
// the data directory. A second call waits for the first and returns the same
// error.
func (s *Server) Close() error { return s.close() }

func (s *Server) shutdown() error {
	s.mu.Lock()
	s.closed = true
	var listeners []*Listener
	for l := range s.listeners {
		listeners = append(listeners, l)
	}
	s.mu.Unlock()
	var errs []error
	for _, l := range listeners {
		errs = append(errs, l.Close())
	}
	// A store that cannot write says so by itself.
	if err := s.log.Close(); err != nil && s.store.Failed() == nil {
		errs = append(errs, err)
	}
	return errors.Join(append(errs, s.store.Close())...)
}

// RootCredentials returns the root user's access key. Its AccountID is set.
func (s *Server) RootCredentials() aws.Credentials { return s.root }

// AccountID returns the id of the account of RootCredentials.
func (s *Server) AccountID() string { return s.root.AccountID }

// Region returns the Region of Config.
func (s *Server) Region() string { return s.options.Region }

// AddAccount creates another account, for policies across accounts, and returns
// the access key of its root user. For an account that exists it returns the
// key that the root user has, or a new key if the root user has deleted it. It
// returns an error if id is not twelve digits or if the data directory cannot
// be written.
func (s *Server) AddAccount(id string) (aws.Credentials, error) {
	if !accountPattern.MatchString(id) {
		return aws.Credentials{}, fmt.Errorf("localaws: account id %q is not twelve digits", id)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if id == s.root.AccountID {
		return s.root, nil
	}
	a, err := s.keptRoot(id)
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("localaws: %w", storage.Named(err))
	}
	return a.credentials(), nil
}
