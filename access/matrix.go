// SPDX-License-Identifier: Apache-2.0

package access

import (
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// Analyze decides what each principal of a snapshot can do with each of its
// tables. It makes no calls. The error matches [ErrSnapshot] if the snapshot
// contradicts itself.
func Analyze(s *Snapshot) (*Analysis, error) {
	w, err := newWorld(s)
	if err != nil {
		return nil, err
	}
	a := Analysis{NeverRead: neverRead, NotRead: []Gap{}}
	for _, t := range w.tables {
		a.Tables = append(a.Tables, w.table(t))
	}
	a.NotRead = append(append(a.NotRead, s.NotRead...), w.missing...)
	for _, t := range w.tables {
		if t.Sample != nil && t.Sample.NotRead != "" {
			a.NotRead = append(a.NotRead, Gap{"dynamodb:Scan", t.ARN, t.Sample.NotRead})
		}
	}
	a.Notes = w.notes
	for _, k := range s.Keys {
		if k.State != "" && k.State != "Enabled" {
			a.Notes = append(a.Notes, "key "+k.ARN+" is in state "+k.State+": it cannot be used until it is enabled")
		}
	}
	if w.budget < 0 {
		a.NotRead = append(a.NotRead, Gap{Permission: "analysis", Reason: over.Unread[0]})
	}
	return &a, nil
}

// and is the answer for two calls that are both needed.
func and(a, b *Cell) *Cell {
	switch {
	case a == nil:
		return b
	case a.Verdict == No:
		return a
	case b.Verdict == No:
		return b
	}
	join := func(x, y []string) []string { return append(x[:len(x):len(x)], y...) }
	return &Cell{Verdict: min(a.Verdict, b.Verdict), Because: join(a.Because, b.Because), If: join(a.If, b.If),
		Unread: join(a.Unread, b.Unread)}
}

// any asks questions until one is answered with Yes, and returns the best answer.
func (w *world) any(a *actor, all ...*question) *Cell {
	var best *Cell
	for _, q := range all {
		if c := w.ask(a, q); best == nil || c.Verdict > best.Verdict {
			best = c
			if c.Verdict == Yes {
				break
			}
		}
	}
	return best
}

// change is what steps of a path have changed before a question is asked.
type change struct {
	admin, unbounded bool
	stripped         bool
	join             *Group
	openKeys         []*keyWorld
	grantKeys        []*keyWorld
	openTable        bool
	explain          bool
}

func (c *change) apply(q *question) *question {
	q.admin, q.unbounded, q.join, q.explain = c.admin, c.unbounded, c.join, c.explain
	q.stripped = c.stripped
	q.granted = q.key != nil && slices.Contains(c.grantKeys, q.key)
	q.opened = q.key != nil && slices.Contains(c.openKeys, q.key) || q.table != nil && c.openTable && !q.stream
	return q
}

// onTable is a call on a table.
func onTable(t *tableWorld, action, resource string) *question {
	return &question{action: action, resource: resource, owner: t.owner, region: t.region, table: t}
}

var (
	reads = []string{"dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:BatchGetItem",
		"dynamodb:PartiQLSelect"}
	writes = []string{"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem", "dynamodb:PartiQLInsert",
		"dynamodb:PartiQLUpdate"}
)

// calls are the questions about calls on a table's items, on its indexes too where
// they exist.
func (t *tableWorld) calls(actions []string, c *change) []*question {
	var all []*question
	for _, action := range actions {
		all = append(all, c.apply(onTable(t, action, t.ARN)))
	}
	if &actions[0] == &reads[0] {
		for _, index := range t.Indexes {
			for _, action := range []string{"dynamodb:Query", "dynamodb:Scan"} {
				all = append(all, c.apply(onTable(t, action, t.ARN+"/index/"+index)))
			}
		}
	}
	return all
}

// tablePairs is the encryption context with which DynamoDB uses a table's key.
func (t *tableWorld) tablePairs() map[string]string {
	return map[string]string{"aws:dynamodb:tableName": t.Name, "aws:dynamodb:subscriberId": t.owner}
}

// throughKey is the call to KMS that DynamoDB makes for each caller; nil under the
// AWS owned key.
func (w *world) throughKey(a *actor, t *tableWorld, c *change) *Cell {
	if t.key == nil {
		return nil
	}
	return w.ask(a, c.apply(&question{action: "kms:Decrypt", resource: t.key.ARN, owner: t.key.owner,
		region: t.region, key: t.key, via: true, pairs: t.tablePairs()}))
}

// read is reading what DynamoDB returns.
func (w *world) read(a *actor, t *tableWorld, c *change) *Cell {
	return and(w.throughKey(a, t, c), w.any(a, t.calls(reads, c)...))
}

func (w *world) write(a *actor, t *tableWorld, c *change) *Cell {
	return and(w.throughKey(a, t, c), w.any(a, t.calls(writes, c)...))
}

// opensItems is opening items; nil without client-side encryption.
func (w *world) opensItems(a *actor, t *tableWorld, c *change) *Cell {
	if t.sealed() && t.plain != "" {
		return &Cell{Verdict: Yes, Because: []string{t.plain}}
	}
	return w.withItemKey(a, t, c, t.ItemKeys, "kms:Decrypt")
}

// sealsItems is sealing items that readers accept; nil without client-side
// encryption. A key that only items name counts where no other is known.
func (w *world) sealsItems(a *actor, t *tableWorld, c *change) *Cell {
	actions := []string{"kms:GenerateDataKey", "kms:Encrypt"}
	if t.SymmetricSignature {
		actions = append(actions, "kms:Decrypt")
	}
	keys := t.ItemKeys
	if slices.ContainsFunc(keys, func(k ItemKey) bool { return !k.Sampled }) {
		keys = slices.DeleteFunc(slices.Clone(keys), func(k ItemKey) bool { return k.Sampled })
	}
	return w.withItemKey(a, t, c, keys, actions...)
}

// withItemKey asks for one of the actions on one of the keys of the items; nil
// without client-side encryption.
func (w *world) withItemKey(a *actor, t *tableWorld, c *change, keys []ItemKey, actions ...string) *Cell {
	if !t.sealed() {
		return nil
	}
	var best *Cell
	for i := range keys {
		item, k := &keys[i], w.keys[keys[i].ARN]
		pairs := map[string]string{"aws-crypto-table-name": orName(t.LogicalName, t.Name)}
		all := actions
		var store *Cell
		if item.KeyStore != "" {
			// The key protects branch keys: reading and writing items is decrypting one.
			all = []string{"kms:Decrypt"}
			pairs = map[string]string{"tablename": orName(item.LogicalName, item.KeyStore)}
			store = w.read(a, w.storeOf(t, item), c)
		}
		var questions []*question
		for _, action := range all {
			questions = append(questions, c.apply(&question{action: action, resource: k.ARN, owner: k.owner,
				region: k.region, key: k, pairs: pairs, open: true}))
		}
		cell := and(store, w.any(a, questions...))
		if best == nil || cell.Verdict > best.Verdict {
			best = cell
		}
	}
	if len(t.closed) > 0 && (best == nil || best.Verdict < Unknown) {
		best = &Cell{Verdict: Unknown, Unread: t.closed}
	}
	return best
}

// storeOf is the table of an item key's branch keys. One that is not in the
// snapshot is unread.
func (w *world) storeOf(t *tableWorld, item *ItemKey) *tableWorld {
	for _, other := range w.tables {
		if other.Name == item.KeyStore && other.owner == t.owner && other.region == t.region {
			return other
		}
	}
	store := Table{Name: item.KeyStore, ARN: strings.TrimSuffix(t.ARN, t.Name) + item.KeyStore}
	return &tableWorld{Table: &store, owner: t.owner, region: t.region, partition: t.partition, mode: Owned,
		unread: []string{"key store " + item.KeyStore + ": load it as a table too"}}
}

func orName(name, otherwise string) string {
	if name != "" {
		return name
	}
	return otherwise
}

// readClear is reading items in clear.
func (w *world) readClear(a *actor, t *tableWorld, c *change) *Cell {
	return both(w.read(a, t, c), w.opensItems(a, t, c))
}

// both is and for answers of which the second may be nil.
func both(a, b *Cell) *Cell {
	if b == nil {
		return a
	}
	return and(a, b)
}

// cells answers the four operations.
func (w *world) cells(a *actor, t *tableWorld) Cells {
	c := &change{explain: true}
	read, write := w.read(a, t, c), w.write(a, t, c)
	return Cells{ReadCiphertext: read, ReadClear: both(read, w.opensItems(a, t, c)),
		Write: write, WriteVerified: both(write, w.sealsItems(a, t, c))}
}

// table answers for one table.
func (w *world) table(t *tableWorld) TableAnalysis {
	out := TableAnalysis{Table: t.ARN, Name: t.Name, Mode: t.mode, Key: t.KeyARN, Sample: t.Sample}
	byClass := map[int]Cells{}
	p := newPaths(w, t)
	for _, a := range w.actors {
		cells, ok := byClass[a.class]
		if !ok {
			cells = w.cells(a, t)
			byClass[a.class] = cells
		}
		out.Rows = append(out.Rows, Row{Principal: a.name, Kind: a.kind, Cells: cells, AssumedBy: w.assumedBy(a)})
	}
	p.find(out.Rows)
	out.Headlines = w.headlines(t, out.Rows, p)
	slices.SortStableFunc(out.Rows, func(a, b Row) int {
		if d := int(b.Cells.ReadClear.Verdict) - int(a.Cells.ReadClear.Verdict); d != 0 {
			return d
		}
		if d := int(b.Reads()) - int(a.Reads()); d != 0 {
			return d
		}
		return strings.Compare(a.Principal, b.Principal)
	})
	return out
}

// assumedBy lists who a role's trust policy lets assume it.
func (w *world) assumedBy(a *actor) []string {
	d := w.trusts[a]
	if d == nil {
		return nil
	}
	var all texts
	for i := range d.Statements {
		if s := &d.Statements[i]; s.Effect == policy.Allow {
			for _, p := range s.Principals {
				all.add(p.Value)
			}
		}
	}
	return all.list
}
