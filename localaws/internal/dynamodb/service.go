// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"
	"fmt"
	"sync"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/atrest"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/backup"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/resourcepolicy"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/stream"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/streamservice"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/table"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// Service is DynamoDB for all accounts and regions. Its methods may be called
// at the same time.
type Service struct {
	cfg       Config
	custodian *atrest.Custodian

	mu     sync.RWMutex // guards tables; taken before any table's lock
	tables map[wire.Place]map[string]*table.Table

	tokens  tokenBook
	backups *backup.Book
	streams *stream.Book
}

var _ request.Service = (*Service)(nil)

// New checks cfg and reads the table definitions from its store. Items stay on
// disk until the first data call on their table.
func New(cfg Config) (*Service, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s := &Service{cfg: cfg, custodian: atrest.NewCustodian(cfg.Keys, cfg.Clock, cfg.KeyCacheTTL),
		tables: map[wire.Place]map[string]*table.Table{}}
	s.tokens.init()
	if err := s.restore(); err != nil {
		return nil, fmt.Errorf("dynamodb: read the stored tables: %w", err)
	}
	return s, nil
}

func (s *Service) restore() error {
	var err error
	if s.streams, err = stream.Open(s.cfg.streaming()); err != nil {
		return err
	}
	if err := table.Restore(s.cfg.Store, s.streams, s.put); err != nil {
		return err
	}
	if err := s.tokens.restore(s.cfg.Store); err != nil {
		return err
	}
	if s.backups, err = backup.Open(s.cfg.Store); err != nil {
		return err
	}
	// A table and its grant are not filed in one transaction, so a kill may
	// have left a grant alone.
	type grant struct{ keyARN, id string }
	inUse := map[grant]bool{}
	for _, tables := range s.tables {
		for _, t := range tables {
			e := &t.Definition().Encryption
			inUse[grant{e.KeyARN, e.Grant}] = true
		}
	}
	return s.cfg.Keys.RetireAbandoned(func(keyARN, grantID string) bool { return inUse[grant{keyARN, grantID}] })
}

// put adds t to the map; the caller holds s.mu or is alone.
func (s *Service) put(t *table.Table) {
	at := t.Definition().Target()
	if s.tables[at.Place] == nil {
		s.tables[at.Place] = map[string]*table.Table{}
	}
	s.tables[at.Place][at.Name] = t
}

// Serve answers one call.
func (s *Service) Serve(ctx context.Context, c *request.Call) ([]byte, error) {
	o, ok := operations.Describe(c.Operation)
	if !ok {
		return nil, refusal.Unsupported(c.Operation, "an operation of this name")
	}
	out, err := operations.Serve(ctx, s, c)
	if !o.Data {
		trailManagement(c, o.ReadOnly, out)
	}
	if e, ok := err.(*request.Error); ok && e.Code == "AccessDeniedException" && e.Namespace == "" {
		e.Namespace = wire.NamespaceService
	}
	return out, err
}

// Describe tells the front door about an operation.
func (s *Service) Describe(name string) (request.Operation, bool) { return operations.Describe(name) }

// DiskView returns what lies on disk for an item of a table, named by name or
// ARN, for showing it. It reads the sealed bytes and opens nothing, so no
// permission is checked: the caller holds the file anyway. It needs
// the table's derived keys in memory, so a table must have been used since the
// start. Errors are *request.Error: ResourceNotFoundException for a missing table
// or item, ValidationException for a key that does not fit the table, and one
// that says that the table was not used yet.
func (s *Service) DiskView(_ context.Context, account, region, tableName string, key schema.Item) (
	table.DiskView, error) {
	at, err := input.Locate(&request.Call{AccountID: account, Region: region}, tableName)
	if err != nil {
		return table.DiskView{}, err
	}
	b := s.lookup(at)
	if b.Table == nil {
		return table.DiskView{}, refusal.NoTable()
	}
	return b.DiskView(key)
}

// Streams returns the service DynamoDB Streams, which reads the streams of s.
func (s *Service) Streams() *streamservice.Service {
	return streamservice.New(streamservice.Config{Clock: s.cfg.Clock, Store: s.cfg.Store, Authorizer: s.cfg.Authorizer,
		Streams: s.streams, Enter: s.enterStream, Tend: s.tendStream, Throttled: s.cfg.Faults.throttled})
}

// owner returns the table that writes to a stream, or the zero bound.
func (s *Service) owner(of *stream.Stream) bound {
	b := s.lookup(of.Table().Target())
	if b.Table == nil || !b.def.Streams() || b.def.StreamARN() != of.ARN {
		return bound{}
	}
	return b
}

// tendStream does what time alone does to a stream.
func (s *Service) tendStream(of *stream.Stream) error {
	if live := s.owner(of); live.Table != nil {
		return live.Tend(s.cfg.Clock())
	}
	return nil
}

// enterStream does for a call that reads the records of a stream what unlock does for
// a call on the items of its table. What the clock does to the items comes into the
// stream before it is read.
func (s *Service) enterStream(ctx context.Context, c *request.Call, of *stream.Stream) error {
	if live := s.owner(of); live.Table != nil {
		if err := s.unlock(ctx, c, live); err != nil {
			return err
		}
		if err := live.Tend(s.cfg.Clock()); err != nil {
			return err
		}
		if of.Loaded() {
			return nil
		}
		// The table was deleted meanwhile.
	}
	return s.custodian.Check(ctx, c, of.Table(), of)
}

// bound is a table as one request sees it, with one definition. The zero bound
// is a missing table.
type bound struct {
	*table.Table
	def *schema.Definition
}

// lookup finds a table that exists, whatever its status.
func (s *Service) lookup(at schema.Target) bound {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.tables[at.Place][at.Name]
	if t == nil {
		return bound{}
	}
	return bound{t, t.Definition()}
}

// policy returns the policy of the table, nil if there is no table or no policy.
func (b bound) policy() *resourcepolicy.Policy {
	if b.Table == nil {
		return nil
	}
	return b.def.Policy
}

// renewed returns the table with its current definition.
func (b bound) renewed() bound {
	if b.Table != nil {
		b.def = b.Table.Definition()
	}
	return b
}

// renew replaces the definitions of tables by the current ones.
func renew(tables []bound) {
	for n := range tables {
		tables[n] = tables[n].renewed()
	}
}

// allow asks the identity room for one action on one resource that has no policy
// of its own.
func (s *Service) allow(ctx context.Context, c *request.Call, action, resource, account string,
	conditions policy.Context) error {
	return s.allowUnder(ctx, c, action, resource, account, conditions, nil)
}

// allowUnder is allow for a table or an index of it. on is the policy of the
// table, which is nil for a table that does not exist or has none.
func (s *Service) allowUnder(ctx context.Context, c *request.Call, action, resource, account string,
	conditions policy.Context, on *resourcepolicy.Policy) error {
	return request.Require(ctx, s.cfg.Authorizer, c, request.Check{
		Action: "dynamodb:" + action, Resource: resource, ResourceAccountID: account,
		Context: conditions, ResourcePolicy: on.Evaluated(), Mode: policy.ModeOrdinary,
	})
}

// allowTable authorizes an operation without item conditions on a table,
// which need not exist.
func (s *Service) allowTable(ctx context.Context, c *request.Call, action string, t schema.Target) error {
	conditions := policy.Context{}
	on := s.conditionsOf(conditions, t)
	if action == "UpdateTimeToLive" && t.Account != c.Caller.Principal.AccountID {
		on = nil // AWS does not allow it across accounts
	}
	return s.allowUnder(ctx, c, action, t.ARN, t.Account, conditions, on)
}

// conditionsOf adds aws:ResourceTag of a table that exists, and returns the policy
// of the table.
func (s *Service) conditionsOf(conditions policy.Context, t schema.Target) *resourcepolicy.Policy {
	b := s.lookup(t)
	if b.Table != nil {
		wire.ResourceTags(conditions, b.def.Tags...)
	}
	return b.policy()
}

// settled waits until everything that was changed so far is durable: a
// consistent read tells nothing that a crash could undo.
func (s *Service) settled() error { return table.Wait(s.cfg.Store.Submit(new(storage.Tx))) }
