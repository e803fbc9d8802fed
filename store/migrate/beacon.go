// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/store"
)

// ErrWrongBeacons means that an item does not have the beacons of its plaintext. Searches by
// them can miss it.
var ErrWrongBeacons = errors.New("beacons do not fit the item's plaintext")

// foreign returns, in order, the names of a stored item's beacons that neither To
// nor From computes.
func (m *Migration) foreign(item envelope.Item) []string {
	var out []string
	for name := range item {
		if beacon.Stored(name) && !m.computes(name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// computes reports whether a stored beacon is one of To or From.
func (m *Migration) computes(name string) bool {
	for _, e := range []*envelope.ItemEncryptor{m.config.To, m.config.From} {
		if e != nil && e.Search() != nil {
			if _, is := e.Search().ByAttribute(name); is {
				return true
			}
		}
	}
	return false
}

// checkForeign refuses an item that would lose its beacons.
func (m *Migration) checkForeign(item envelope.Item) error {
	beacons := m.foreign(item)
	if len(beacons) == 0 || m.config.DropBeacons {
		return nil
	}
	return fmt.Errorf("%w: %s: a migrated item would no longer appear in searches by them: set DropBeacons to allow "+
		"that", store.ErrBeacons, strings.Join(beacons, ", "))
}

// withoutSigned returns a plaintext item without the signed beacons of From and
// To, which are computed again. A key stays, and so does an attribute that To has
// an action for without a beacon.
func (m *Migration) withoutSigned(plain envelope.Item) envelope.Item {
	to := m.config.To
	out := plain
	for _, e := range []*envelope.ItemEncryptor{m.config.From, to} {
		if e == nil || e.Search() == nil {
			continue
		}
		for _, name := range e.Search().SignedNames() {
			_, has := out[name]
			_, own := to.Action(name)
			if !has || name == to.PartitionKey() || name == to.SortKey() || own && !signedBeacon(to, name) {
				continue
			}
			if len(out) == len(plain) {
				out = maps.Clone(plain)
			}
			delete(out, name)
		}
	}
	return out
}

func signedBeacon(e *envelope.ItemEncryptor, name string) bool {
	return e.Search() != nil && slices.Contains(e.Search().SignedNames(), name)
}

// difference is how the beacons of a stored item differ from those that it would
// be written with.
type difference struct {
	set    envelope.Item // beacons that are missing or have another value
	remove []string      // beacons that the plaintext does not have
	signed []string      // signed beacons, for which the item has to be sealed
	// whole has all beacons of a partitioned item, which are written together.
	// Another process may move the item to another partition under the same
	// footer; beacons of two partitions in one item would hide it from searches.
	whole envelope.Item
}

// written returns the beacons that an update in place sets.
func (d *difference) written() envelope.Item {
	if len(d.set) > 0 && d.whole != nil {
		return d.whole
	}
	return d.set
}

func (d *difference) equal() bool { return len(d.set)+len(d.remove)+len(d.signed) == 0 }

// compare computes the beacons of an item in the form of To again. Those of other
// configurations than To and From do not count.
func (m *Migration) compare(ctx context.Context, plain, stored envelope.Item) (d difference, err error) {
	for name := range stored {
		if beacon.Stored(name) && m.computes(name) {
			d.remove = append(d.remove, name)
		}
	}
	slices.Sort(d.remove)
	search := m.config.To.Search()
	if search == nil {
		return d, nil
	}
	var keys *beacon.Keys
	needed, err := search.Needed(plain)
	if err != nil {
		return d, fmt.Errorf("%w: %w", envelope.ErrInvalidItem, err)
	}
	if needed {
		id, err := m.config.To.BeaconBranchKey(stored)
		if err != nil {
			return d, err
		}
		if keys, err = search.Keys(ctx, id); err != nil {
			return d, err
		}
		defer keys.Release()
	}
	compared, err := search.Compare(keys, plain, stored)
	if err != nil {
		return d, fmt.Errorf("%w: %w", envelope.ErrInvalidItem, err)
	}
	d.signed = compared.Signed
	beacons, err := m.beacons(ctx, keys, compared, plain, stored)
	if err != nil {
		return d, err
	}
	if search.MaxPartitions() > 1 {
		d.whole = envelope.Item{}
	}
	for _, b := range beacons {
		d.remove = slices.DeleteFunc(d.remove, func(name string) bool { return name == b.Name })
		if d.whole != nil {
			d.whole[b.Name] = b.Value
		}
		if !equalBeacon(stored, b) {
			if d.set == nil {
				d.set = envelope.Item{}
			}
			d.set[b.Name] = b.Value
		}
	}
	return d, nil
}

// beacons computes the beacons that an item should have. They are in the
// partition that needs the fewest changes; the selector decides among several, so
// that items without beacons spread over all partitions.
func (m *Migration) beacons(ctx context.Context, keys *beacon.Keys, compared *beacon.Comparison,
	plain, stored envelope.Item) ([]beacon.Attribute, error) {
	search := m.config.To.Search()
	best, err := search.Beacons(keys, compared.Partition, plain)
	if err != nil || len(compared.Missing)+len(compared.Changed) == 0 || search.MaxPartitions() == 1 {
		return best, err
	}
	partition, err := search.Partition(ctx, plain)
	if err != nil {
		return nil, err
	}
	chosen, err := search.Beacons(keys, partition, plain)
	if err == nil && changes(stored, chosen) <= changes(stored, best) {
		return chosen, nil
	}
	return best, err
}

// changes counts the beacons that an item does not bear.
func changes(stored envelope.Item, beacons []beacon.Attribute) (n int) {
	for _, b := range beacons {
		if !equalBeacon(stored, b) {
			n++
		}
	}
	return n
}

func equalBeacon(stored envelope.Item, b beacon.Attribute) bool {
	v, has := stored[b.Name]
	return has && ddbexpr.EqualItems(envelope.Item{b.Name: v}, envelope.Item{b.Name: b.Value}) // sets have no order
}

// error names the beacons that differ.
func (d *difference) error() error {
	if d.equal() {
		return nil
	}
	var parts []string
	for _, list := range []struct {
		what  string
		names []string
	}{{"missing or changed", slices.Sorted(maps.Keys(d.set))}, {"not of this item", d.remove},
		{"signed, missing or changed", d.signed}} {
		if len(list.names) > 0 {
			parts = append(parts, fmt.Sprintf("%s: %.255q", list.what, list.names))
		}
	}
	return fmt.Errorf("%w: %s", ErrWrongBeacons, strings.Join(parts, "; "))
}

// inPlace returns the update that changes the beacons of an item whose footer is
// still the same, which covers all that beacons are computed from. It is nil if
// the update exceeds DynamoDB's limits; then the item has to be sealed.
func (m *Migration) inPlace(stored envelope.Item, d difference) *dynamodb.UpdateItemInput {
	names := map[string]string{"#f": envelope.FooterAttribute}
	values := envelope.Item{":f": stored[envelope.FooterAttribute]}
	name := func(attribute string) string {
		p := "#" + strconv.FormatInt(int64(len(names)), 36)
		if p == "#f" {
			p = "#_f"
		}
		names[p] = attribute
		return p
	}
	var sets, removes []string
	written := d.written()
	for _, attribute := range slices.Sorted(maps.Keys(written)) {
		v := ":" + strconv.Itoa(len(values))
		values[v] = written[attribute]
		sets = append(sets, name(attribute)+"="+v)
	}
	for _, attribute := range d.remove {
		removes = append(removes, name(attribute))
	}
	expression := ""
	if len(sets) > 0 {
		expression = "SET " + strings.Join(sets, ",")
	}
	if len(removes) > 0 {
		expression += " REMOVE " + strings.Join(removes, ",")
	}
	if expression = strings.TrimSpace(expression); len(expression) > ddbexpr.MaxExpressionSize {
		return nil
	}
	condition := "#f=:f"
	return &dynamodb.UpdateItemInput{TableName: &m.config.Table, Key: m.key(stored), UpdateExpression: &expression,
		ConditionExpression: &condition, ExpressionAttributeNames: names, ExpressionAttributeValues: values}
}

// applied returns an item with the beacons that an update writes.
func (d *difference) applied(stored envelope.Item) envelope.Item {
	out := maps.Clone(stored)
	for _, name := range d.remove {
		delete(out, name)
	}
	maps.Copy(out, d.written())
	return out
}

// holds reports whether an item bears what an update writes.
func (d *difference) holds(now envelope.Item) bool {
	for _, name := range d.remove {
		if _, has := now[name]; has {
			return false
		}
	}
	for name, v := range d.written() {
		if !equalBeacon(now, beacon.Attribute{Name: name, Value: v}) {
			return false
		}
	}
	return true
}
