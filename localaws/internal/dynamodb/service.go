package dynamodb

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// Service is DynamoDB for all accounts and regions. Its methods may be called
// at the same time.
type Service struct {
	cfg   Config
	cache keyCache

	mu     sync.RWMutex // guards tables; taken before any table's lock
	tables map[wire.Place]map[string]*table

	tokens tokenBook
}

var _ request.Service = (*Service)(nil)

// New checks cfg and reads the table definitions from its store. Items stay on
// disk until the first data call on their table.
func New(cfg Config) (*Service, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s := &Service{cfg: cfg, tables: map[wire.Place]map[string]*table{}}
	s.cache.init(cfg.KeyCacheTTL)
	s.tokens.init()
	if err := s.restore(); err != nil {
		return nil, fmt.Errorf("dynamodb: read the stored tables: %w", err)
	}
	return s, nil
}

func (s *Service) restore() error {
	err := s.cfg.Store.Range(bucketTables, func(key, value []byte) error {
		def := new(definition)
		if err := json.Unmarshal(value, def); err != nil {
			return fmt.Errorf("table record %q: %w", key, err)
		}
		t := newTable(s, def)
		t.loaded = false
		s.put(t)
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.tokens.restore(s.cfg.Store); err != nil {
		return err
	}
	// A table and its grant are not filed in one transaction, so a kill may
	// have left a grant alone.
	type grant struct{ keyARN, id string }
	inUse := map[grant]bool{}
	for _, tables := range s.tables {
		for _, t := range tables {
			inUse[grant{t.def.Encryption.KeyARN, t.def.Encryption.Grant}] = true
		}
	}
	return s.cfg.Keys.RetireAbandoned(func(keyARN, grantID string) bool { return inUse[grant{keyARN, grantID}] })
}

// put adds t to the map; the caller holds s.mu or is alone.
func (s *Service) put(t *table) {
	p := wire.Place{Account: t.def.AccountID, Region: t.def.Region}
	if s.tables[p] == nil {
		s.tables[p] = map[string]*table{}
	}
	s.tables[p][t.def.Name] = t
}

// Serve answers one call.
func (s *Service) Serve(ctx context.Context, c *request.Call) ([]byte, error) {
	o, ok := operations.Describe(c.Operation)
	if !ok {
		return nil, errUnsupported(c.Operation)
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

// target is a table as a request names it.
type target struct {
	wire.Place
	name string
	arn  string
}

// locate resolves a table name or ARN, which passed the constraints.
func locate(c *request.Call, nameOrARN string) (target, error) {
	if !strings.HasPrefix(nameOrARN, "arn:") {
		p := wire.PlaceOf(c)
		return target{p, nameOrARN, tableARN(p, nameOrARN)}, nil
	}
	m := arnRule.FindStringSubmatch(nameOrARN)
	if m == nil {
		return target{}, errValidation("Invalid table ARN: " + nameOrARN)
	}
	if m[1] != c.Region {
		// A table is only reachable through its own region's endpoint.
		return target{}, errNoTable()
	}
	return target{wire.Place{Account: m[2], Region: m[1]}, m[3], nameOrARN}, nil
}

func tableARN(p wire.Place, name string) string {
	return "arn:aws:dynamodb:" + p.Region + ":" + p.Account + ":table/" + name
}

// lookup finds a table that exists, whatever its status.
func (s *Service) lookup(t target) *table {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.tables[t.Place][t.name]
}

// allow asks the identity room for one action on one resource.
func (s *Service) allow(ctx context.Context, c *request.Call, action, resource, account string, conditions policy.Context) error {
	return request.Require(ctx, s.cfg.Authorizer, c, request.Check{
		Action: "dynamodb:" + action, Resource: resource, ResourceAccountID: account,
		Context: conditions, Mode: policy.ModeOrdinary,
	})
}

// allowTable authorizes an operation without item conditions on a table,
// which need not exist.
func (s *Service) allowTable(ctx context.Context, c *request.Call, action string, t target) error {
	conditions := policy.Context{}
	s.tagConditions(conditions, t)
	return s.allow(ctx, c, action, t.arn, t.Account, conditions)
}

// tagConditions adds aws:ResourceTag of a table that exists.
func (s *Service) tagConditions(conditions policy.Context, t target) {
	tbl := s.lookup(t)
	if tbl == nil {
		return
	}
	tbl.mu.RLock()
	defer tbl.mu.RUnlock()
	wire.ResourceTags(conditions, tbl.def.Tags...)
}
