package localaws

import (
	"github.com/ddbseal/ddbseal/localaws/internal/call"
	"github.com/ddbseal/ddbseal/localaws/internal/cloudtrail"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb"
	"github.com/ddbseal/ddbseal/localaws/internal/iam"
	"github.com/ddbseal/ddbseal/localaws/internal/kms"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// Errors of New about its data directory.
var (
	// ErrInUse: another process has the data directory open.
	ErrInUse = storage.ErrLocked
	// ErrDamaged: the data file is torn, was changed, or is none of ours.
	ErrDamaged = storage.ErrDamaged
	// ErrFormat: the data file was written by another version of the program.
	ErrFormat = storage.ErrFormat
	// ErrRootKey: the root key file is missing, damaged or of other data.
	ErrRootKey = storage.ErrRootKey
)

// openStore opens the state in dir, or one that forgets for an empty dir.
func openStore(dir string) (storage.Store, error) {
	if dir == "" {
		return storage.Memory{}, nil
	}
	store, err := storage.Open(dir)
	if err != nil {
		return nil, err // not a typed nil
	}
	return store, nil
}

// startServices makes the services in the order in which they need each other.
func (s *Server) startServices() (err error) {
	if s.identity, err = iam.New(iam.Config{Clock: s.options.Clock, Store: s.store}); err != nil {
		return err
	}
	keys, err := kms.New(kms.Config{Clock: s.options.Clock, Store: s.store, Authorizer: s.identity, Audit: s.log, Principals: s.identity})
	if err != nil {
		return err
	}
	tables, err := dynamodb.New(dynamodb.Config{Clock: s.options.Clock, Store: s.store, Authorizer: s.identity, Keys: tableKeys{keys},
		KeyCacheTTL: s.options.KeyCacheTTL, Faults: s.engineFaults()})
	if err != nil {
		return err
	}
	s.endpoints = map[string]*endpoint{}
	s.mount(iamEndpoint, s.identity.IAM())
	s.mount(stsEndpoint, s.identity.STS())
	s.mount(kmsEndpoint, keys)
	s.mount(dynamodbEndpoint, tables)
	s.mount(cloudtrailEndpoint, cloudtrail.NewService(s.log, s.identity))
	return nil
}

func (s *Server) mount(e endpoint, service call.Service) {
	e.service = service
	s.endpoints[e.name] = &e
}
