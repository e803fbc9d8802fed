package dynamodb

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

const (
	maxTransaction      = 100
	maxTransactionBytes = 4 << 20
)

// reason is one CancellationReason.
type reason struct {
	Code    string          `json:"Code"`
	Message string          `json:"Message,omitempty"`
	Item    json.RawMessage `json:"Item,omitempty"`
}

// reasonOf tells why one item cancels a transaction; err is what the same
// request alone would have been answered with.
func reasonOf(err error) reason {
	var e *request.Error
	if !errors.As(err, &e) {
		return reason{Code: "InternalServerError"}
	}
	code := e.Code
	switch code {
	case "ConditionalCheckFailedException":
		code = "ConditionalCheckFailed"
	case "ValidationException":
		code = "ValidationError"
	case "TransactionConflictException":
		code = "TransactionConflict"
	case "ProvisionedThroughputExceededException":
		code = "ProvisionedThroughputExceeded"
	case "ThrottlingException":
		code = "ThrottlingError"
	}
	return reason{Code: code, Message: e.Message, Item: e.Members["Item"]}
}

// errCancelled is the error of a transaction of which at least one item has a
// reason; the zero reason is None.
func errCancelled(reasons []reason) error {
	codes := make([]string, len(reasons))
	for i := range reasons {
		if reasons[i].Code == "" {
			reasons[i].Code = "None"
		}
		codes[i] = reasons[i].Code
	}
	e := request.Errorf("TransactionCanceledException", "Transaction cancelled, please refer cancellation reasons for specific reasons [%s]", strings.Join(codes, ", "))
	list, err := json.Marshal(reasons)
	if err != nil {
		return errInternal(err)
	}
	e.Members = map[string]json.RawMessage{"CancellationReasons": list}
	return e
}

func errConflict() error {
	return request.Errorf("TransactionConflictException", "Transaction is ongoing for the item")
}

// transactWriteInput is a TransactWriteItems request.
type transactWriteInput struct {
	items       []*transactWrite
	set         bool
	token       *string
	consumed    consumed
	collections *string

	writes []*write // once prepared
}

// transactWrite is one element: a write of one of four kinds.
type transactWrite struct {
	kinds int // how many of the four members are there
	writeInput
}

var transactKinds = map[string]writeKind{"Put": writePut, "Update": writeUpdate, "Delete": writeDelete, "ConditionCheck": writeCheck}

func (in *transactWriteInput) ReadMember(d *wire.Decoder, name []byte) error {
	switch string(name) {
	case "TransactItems":
		if null, err := d.Null(); null || err != nil {
			return err
		}
		in.set = true
		return d.Elements(func() error {
			w := new(transactWrite)
			in.items = append(in.items, w)
			return d.Members(func(name []byte) error {
				kind, ok := transactKinds[string(name)]
				if !ok {
					return d.Skip()
				}
				if null, err := d.Null(); null || err != nil {
					return err
				}
				w.kinds++
				w.kind = kind
				return d.Members(func(name []byte) error {
					switch string(name) {
					case "Expected", "ConditionalOperator", "AttributeUpdates", "ReturnValues", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics":
						return d.Skip() // not members of a transaction's item
					}
					return w.ReadMember(d, name)
				})
			})
		})
	case "ClientRequestToken":
		return d.Text(&in.token)
	case "ReturnConsumedCapacity":
		return d.Text(&in.consumed.mode)
	case "ReturnItemCollectionMetrics":
		return d.Text(&in.collections)
	}
	return d.Skip()
}

func checkTransactionSize(c *wire.Checks, set bool, n int) {
	if c.Required(!set, "transactItems") {
		c.Count(n, "TransactItem", "transactItems", 1, maxTransaction)
	}
}

func (in *transactWriteInput) Check(c *wire.Checks) {
	in.consumed.check(c)
	c.Enum(in.collections, "returnItemCollectionMetrics", "SIZE", "NONE")
	c.Length(in.token, "clientRequestToken", 1, 36)
	checkTransactionSize(c, in.set, len(in.items))
	for i, w := range in.items {
		if w.kinds != 1 {
			continue
		}
		at := fmt.Sprintf("transactItems.%d.member.%s.", i+1, [...]string{writePut: "put", writeUpdate: "update", writeDelete: "delete", writeCheck: "conditionCheck"}[w.kind])
		checkTable(c, w.name, at+"tableName")
		if w.kind == writePut {
			c.Required(w.item == nil, at+"item")
		} else {
			c.Required(w.key == nil, at+"key")
		}
		if w.kind == writeUpdate {
			c.Required(w.update == nil, at+"updateExpression")
		}
		if w.kind == writeCheck {
			c.Required(w.condition == nil, at+"conditionExpression")
		}
		c.Enum(w.onFailure, at+"returnValuesOnConditionCheckFailure", "ALL_OLD", "NONE")
	}
}

// Prepare turns the items into writes.
func (in *transactWriteInput) Prepare(c *request.Call) error {
	size := 0
	for _, w := range in.items {
		if w.kinds != 1 {
			return errValidation("TransactItems can only contain one of Check, Put, Update or Delete")
		}
		x, err := w.write(c)
		if err != nil {
			return err
		}
		in.writes = append(in.writes, x)
		size += ddbjson.ItemSize(x.keyItem()) + ddbjson.ItemSize(w.values)
	}
	if size > maxTransactionBytes { // of the request: stored items do not count
		return errValidation("Transaction size cannot exceed 4 MB")
	}
	return nil
}

func (s *Service) transactWriteItems(ctx context.Context, c *request.Call, in *transactWriteInput) ([]byte, error) {
	writes := in.writes
	tables, err := s.prepareWrites(ctx, c, writes)
	if err != nil {
		return nil, err
	}
	now := s.cfg.Clock()
	if in.token == nil {
		return s.commit(c, in, writes, tables, nil)
	}
	id, request := tokenID(c, *in.token), requestHash(c.Body)
	done, err := s.tokens.begin(id, request, now)
	if err != nil {
		return nil, err
	}
	if done {
		return in.answer(writes, "ReadCapacityUnits"), nil
	}
	durable := false
	defer func() { s.tokens.end(id, durable) }() // after a panic too
	out, err := s.commit(c, in, writes, tables, &id)
	durable = err == nil
	return out, err
}

// allowTransactWrite asks for every item as for the operation of its kind.
func (s *Service) allowTransactWrite(ctx context.Context, c *request.Call, in *transactWriteInput) error {
	for i, w := range in.writes {
		if i == 0 || in.writes[i-1].at != w.at {
			trail(c, w.at)
		}
		w.t = s.lookup(w.at)
		if err := s.allowAccess(ctx, c, access{action: w.kind.action(), at: w.at, keys: []Item{w.keyItem()},
			attributes: w.attributes(w.keyItem()), returnValues: "NONE", enclosing: "TransactWriteItems"}, w.t); err != nil {
			return err
		}
	}
	return nil
}

// prepareWrites finds tables, checks keys and asks for the tables' keys.
func (s *Service) prepareWrites(ctx context.Context, c *request.Call, writes []*write) ([]*table, error) {
	var tables []*table
	seen := map[string]bool{}
	reasons := make([]reason, len(writes))
	failed := false
	for i, w := range writes {
		if err := s.ready(w.t); err != nil {
			return nil, err
		}
		if err := w.checkRequest(w.t); err != nil {
			return nil, err
		}
		if err := w.checkSchema(w.t); err != nil {
			if !failed { // the first is the only reason that AWS names
				reasons[i], failed = reasonOf(err), true
			}
			continue
		}
		id := w.t.def.ID + w.primary
		if seen[id] {
			return nil, errValidation("Transaction request cannot include multiple operations on one item")
		}
		seen[id] = true
		tables = append(tables, w.t)
	}
	if failed {
		return nil, errCancelled(reasons)
	}
	asked := map[*table]bool{}
	for _, t := range tables {
		if asked[t] {
			continue
		}
		asked[t] = true
		if err := s.unlock(ctx, c, t); err != nil {
			return nil, err
		}
		if err := t.expire(s.cfg.Clock()); err != nil {
			return nil, err
		}
	}
	return tables, nil
}

// commit evaluates all writes under the locks of all tables and applies them
// if none has a reason against it.
func (s *Service) commit(c *request.Call, in *transactWriteInput, writes []*write, tables []*table, token *[sha256.Size]byte) ([]byte, error) {
	out, pending, err := s.commitLocked(c, in, writes, tables, token)
	if failed := waitFor(pending); failed != nil {
		return nil, failed
	}
	if err != nil {
		return nil, err
	}
	// The metrics look at tables again, so they come after the locks.
	return in.withCollections(out, writes), nil
}

func (s *Service) commitLocked(c *request.Call, in *transactWriteInput, writes []*write, tables []*table, token *[sha256.Size]byte) ([]byte, storage.Pending, error) {
	defer lockTables(tables, true)()
	reasons := make([]reason, len(writes))
	failed := false
	for i, w := range writes {
		var err error
		switch {
		case s.cfg.Faults.throttled(w.at.name, c.Operation):
			err = &request.Error{Code: "ThrottlingException", Message: "Throughput exceeds the current capacity for one or more table(s)"}
		case s.cfg.Faults.conflicts(w.at.name, c.Operation, w.t.def.Key.keyOf(w.keyItem())):
			err = errConflict()
		default:
			err = w.evaluate()
		}
		if err != nil {
			reasons[i], failed = reasonOf(err), true
		}
	}
	if failed {
		return nil, s.cfg.Store.Submit(new(storage.Tx)), errCancelled(reasons)
	}
	tx := new(storage.Tx)
	for _, w := range writes {
		w.apply(tx)
	}
	if token != nil {
		s.tokens.finish(tx, *token, s.cfg.Clock())
	}
	pending := s.cfg.Store.Submit(tx)
	return in.answer(writes, "WriteCapacityUnits"), pending, nil
}

// answer writes the response without metrics, not yet closed. A repeated
// request is billed as a read of what its writes touched.
func (in *transactWriteInput) answer(writes []*write, kind string) []byte {
	out := newResponse(64)
	if !in.consumed.wanted() {
		return out.bytes()
	}
	var used []*capacity
	byTable := map[string]*capacity{}
	for i, w := range writes {
		name := *in.items[i].name
		price := byTable[name]
		if price == nil {
			price = &capacity{name: name, transaction: kind}
			byTable[name] = price
			used = append(used, price)
		}
		if kind == "ReadCapacityUnits" {
			price.table += 2 * readUnits(ddbjson.ItemSize(w.keyItem()), true)
			continue
		}
		price.addWrite(w.t, w.old, w.next, 2)
	}
	out.capacities(used, in.consumed)
	return out.bytes()
}

// withCollections adds ItemCollectionMetrics to a finished response.
func (in *transactWriteInput) withCollections(body []byte, writes []*write) []byte {
	if in.collections == nil || *in.collections != "SIZE" {
		return body
	}
	byName := map[string][]*write{}
	var names []string
	for i, w := range writes {
		if !w.t.hasLocal() || w.kind == writeCheck {
			continue
		}
		name := *in.items[i].name
		if byName[name] == nil {
			names = append(names, name)
		}
		byName[name] = append(byName[name], w)
	}
	if names == nil {
		return body
	}
	out := &response{b: body[:len(body)-1], first: len(body) == 2}
	out.member("ItemCollectionMetrics")
	out.b = append(out.b, '{')
	for i, name := range names {
		if i > 0 {
			out.b = append(out.b, ',')
		}
		out.b = append(appendText(out.b, name), ':')
		out.b = byName[name][0].t.appendCollections(out.b, byName[name])
	}
	out.b = append(out.b, '}')
	return out.bytes()
}
