package dynamodb

import (
	"context"
	"fmt"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// transactGetInput is a TransactGetItems request.
type transactGetInput struct {
	items    []*transactGet
	set      bool
	consumed consumed

	reads []*read // once prepared
}

type transactGet struct {
	there bool
	getItemInput
}

func (in *transactGetInput) ReadMember(d *wire.Decoder, name []byte) error {
	switch string(name) {
	case "TransactItems":
		if null, err := d.Null(); null || err != nil {
			return err
		}
		in.set = true
		return d.Elements(func() error {
			g := new(transactGet)
			in.items = append(in.items, g)
			return d.Members(func(name []byte) error {
				if string(name) != "Get" {
					return d.Skip()
				}
				if null, err := d.Null(); null || err != nil {
					return err
				}
				g.there = true
				return d.Members(func(name []byte) error {
					switch string(name) {
					case "AttributesToGet", "ConsistentRead", "ReturnConsumedCapacity":
						return d.Skip() // not members of a transaction's item
					}
					return g.ReadMember(d, name)
				})
			})
		})
	case "ReturnConsumedCapacity":
		return d.Text(&in.consumed.mode)
	}
	return d.Skip()
}

func (in *transactGetInput) Check(c *wire.Checks) {
	in.consumed.check(c)
	checkTransactionSize(c, in.set, len(in.items))
	for i, g := range in.items {
		at := fmt.Sprintf("transactItems.%d.member.get", i+1)
		if !c.Required(!g.there, at) {
			continue
		}
		checkTable(c, g.name, at+".tableName")
		c.Required(g.key == nil, at+".key")
	}
}

// Prepare turns the items into reads.
func (in *transactGetInput) Prepare(c *request.Call) error {
	in.reads = make([]*read, 0, len(in.items))
	for _, g := range in.items {
		if err := g.getItemInput.Prepare(c); err != nil {
			return err
		}
		in.reads = append(in.reads, &g.read)
	}
	return nil
}

func (s *Service) allowTransactGet(ctx context.Context, c *request.Call, in *transactGetInput) error {
	for i, r := range in.reads {
		if i == 0 || in.reads[i-1].at != r.at {
			trail(c, r.at)
		}
		r.t = s.lookup(r.at)
		if err := s.allowAccess(ctx, c, r.access("TransactGetItems"), r.t); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) transactGetItems(ctx context.Context, c *request.Call, in *transactGetInput) ([]byte, error) {
	reads := in.reads
	tables, err := s.prepareReads(ctx, c, reads)
	if err != nil {
		return nil, err
	}
	size, err := s.readLocked(c, tables, reads)
	if err != nil {
		return nil, err
	}
	if err := s.settled(); err != nil {
		return nil, err
	}
	if size > maxTransactionBytes {
		return nil, errValidation("Aggregated size of all items in the transaction exceeds the limit of 4 MB")
	}
	return in.answer(reads, size), nil
}

func (s *Service) readLocked(c *request.Call, tables []*table, reads []*read) (size int, err error) {
	defer lockTables(tables, false)()
	reasons := make([]reason, len(reads))
	failed := false
	for i, r := range reads {
		err := r.run()
		if err == nil && s.cfg.Faults.conflicts(r.at.name, c.Operation, r.key) {
			err = errConflict()
		}
		if err != nil {
			reasons[i], failed = reasonOf(err), true
		}
		size += r.size()
	}
	if failed {
		return 0, errCancelled(reasons)
	}
	return size, nil
}

func (s *Service) prepareReads(ctx context.Context, c *request.Call, reads []*read) ([]*table, error) {
	var tables []*table
	seen := map[string]bool{}
	asked := map[*table]bool{}
	reasons := make([]reason, len(reads))
	failed := false
	for i, r := range reads {
		if err := s.ready(r.t); err != nil {
			return nil, err
		}
		if err := r.t.def.Key.checkEmpty(r.key); err != nil {
			return nil, err
		}
		if err := r.checkSchema(r.t); err != nil {
			if !failed {
				reasons[i], failed = reasonOf(err), true
			}
			continue
		}
		id := r.t.def.ID + r.primary
		if seen[id] {
			return nil, errValidation("Transaction request cannot include multiple operations on one item")
		}
		seen[id] = true
		tables = append(tables, r.t)
	}
	if failed {
		return nil, errCancelled(reasons)
	}
	for _, t := range tables {
		if asked[t] {
			continue
		}
		asked[t] = true
		if err := s.enter(ctx, c, t); err != nil {
			return nil, err
		}
	}
	return tables, nil
}

func (in *transactGetInput) answer(reads []*read, size int) []byte {
	out := newResponse(256 + size*5/4)
	out.member("Responses")
	out.b = append(out.b, '[')
	var used []*capacity
	byTable := map[string]*capacity{}
	for i, r := range reads {
		if i > 0 {
			out.b = append(out.b, ',')
		}
		if r.found == nil {
			out.b = append(out.b, "{}"...)
		} else {
			out.b = append(out.b, `{"Item":`...)
			out.item(r.item())
			out.b = append(out.b, '}')
		}
		name := *in.items[i].name
		price := byTable[name]
		if price == nil {
			price = &capacity{name: name, transaction: "ReadCapacityUnits"}
			byTable[name] = price
			used = append(used, price)
		}
		price.table += 2 * readUnits(r.size(), true)
	}
	out.b = append(out.b, ']')
	out.capacities(used, in.consumed)
	return out.bytes()
}
