// SPDX-License-Identifier: Apache-2.0

package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/migrate"
)

// searching adds beacons of secret and count to a configuration.
func searching(t testing.TB, changes ...func(*beacon.Config)) change {
	t.Helper()
	keys := &keyring.MemorySource{}
	ok(t, keys.AddBeaconKey(materials.NewBeaconKey("branch", [32]byte{7})))
	c := &beacon.Config{Standard: []beacon.Standard{{Name: "secret", Length: 30}, {Name: "count", Length: 30}},
		Keys: beacon.KeySource{Source: keys, BranchKeyID: "branch", Lifetime: time.Hour}}
	for _, f := range changes {
		f(c)
	}
	return func(e *envelope.Config) { e.Search = c }
}

// signedBeacon adds the signed beacon ward_id, whose part of the ward has a prefix.
func signedBeacon(prefix string) func(*beacon.Config) {
	return func(c *beacon.Config) {
		c.Compound = []beacon.Compound{{Name: "ward_id", Split: '|',
			Signed: []beacon.SignedPart{{Name: "ward", Prefix: prefix}, {Name: "id", Prefix: "I-"}}}}
	}
}

// byID returns the items of a table as they are stored.
func (w *world) byID(t testing.TB, table string) map[string]envelope.Item {
	t.Helper()
	out := map[string]envelope.Item{}
	for _, stored := range w.all(t, table) {
		out[stored["id"].(*types.AttributeValueMemberS).Value] = stored
	}
	return out
}

// verified fails the test unless every item bears its beacons.
func verified(t testing.TB, c migrate.Config, count int64) {
	t.Helper()
	m, err := migrate.New(c)
	ok(t, err)
	r, err := m.VerifyBeacons(t.Context())
	if err != nil || r.Counts != (migrate.Counts{Current: count}) {
		t.Errorf("beacons: %+v, %v", r.Counts, err)
	}
}

// TestOrdinaryBeacons: beacons are added, changed and removed in place, under the
// footer that the item has, and an item is converted once.
//
// guarantees: M10
func TestOrdinaryBeacons(t *testing.T) {
	none := encryptor(t, aes(t, 1))
	old := encryptor(t, aes(t, 1), searching(t, func(c *beacon.Config) {
		c.Standard = []beacon.Standard{{Name: "secret", Length: 10}, {Name: "number", Location: "count", Length: 10}}
	}))
	both := encryptor(t, aes(t, 1), searching(t))
	w := newWorld(t)
	for name, c := range map[string]struct{ from, to *envelope.ItemEncryptor }{
		"added": {none, both}, "changed": {old, both}, "removed": {old, none},
	} {
		table := w.table(t, 20, c.from)
		before := w.byID(t, table)
		config := w.config(table, c.from, c.to)
		without := int64(20)
		if name == "removed" {
			without = 0
		}
		dry, real := migrated(t, config)
		if dry != (migrate.Counts{Outdated: 20, WithoutBeacons: without}) ||
			real != (migrate.Counts{Migrated: 20, WithoutBeacons: without}) {
			t.Errorf("%s: %+v, %+v", name, dry, real)
		}
		w.opens(t, table, c.to, 20)
		for id, stored := range w.byID(t, table) {
			want := maps.Clone(before[id])
			maps.DeleteFunc(want, func(name string, _ types.AttributeValue) bool { return beacon.Stored(name) })
			beacons := 0
			maps.DeleteFunc(stored, func(name string, _ types.AttributeValue) bool {
				if beacon.Stored(name) {
					beacons++
				}
				return beacon.Stored(name)
			})
			if !reflect.DeepEqual(stored, want) || beacons != 2*map[bool]int{true: 1}[c.to == both] {
				t.Errorf("%s: %s has %d beacons or was sealed again", name, id, beacons)
			}
		}
		config.ID += "-again"
		if dry, real := migrated(t, config); dry != real || real != (migrate.Counts{Current: 20}) {
			t.Errorf("%s, again: %+v, %+v", name, dry, real)
		}
		if c.to == both {
			verified(t, config, 20)
		}
	}
}

// TestSignedBeacons: a signed beacon that is added, changed or dropped takes sealing
// the item, and so does plaintext.
func TestSignedBeacons(t *testing.T) {
	none, first := encryptor(t, aes(t, 1)), encryptor(t, aes(t, 1), searching(t, signedBeacon("W-")))
	second := encryptor(t, aes(t, 1), searching(t, signedBeacon("V-")))
	w := newWorld(t)
	for name, c := range map[string]struct {
		written, from, to *envelope.ItemEncryptor
		value             string
	}{
		"added": {none, none, first, "W-w|I-item-3"}, "changed": {first, nil, second, "V-w|I-item-3"},
		"changed from": {first, first, second, "V-w|I-item-3"}, "dropped": {first, first, none, ""},
		"plaintext": {nil, nil, first, "W-w|I-item-3"},
	} {
		table := w.table(t, 9, c.written)
		before := w.byID(t, table)
		dry, real := migrated(t, w.config(table, c.from, c.to))
		if real.Migrated != 9 || dry.Outdated+dry.Plaintext != 9 || dry.WithoutBeacons != real.WithoutBeacons ||
			(real.WithoutBeacons == 9) != (c.value != "") {
			t.Errorf("%s: %+v, %+v", name, dry, real)
		}
		w.opens(t, table, c.to, 9)
		after := w.byID(t, table)
		value, _ := after["item-3"]["ward_id"].(*types.AttributeValueMemberS)
		if c.value == "" && value != nil || c.value != "" && (value == nil || value.Value != c.value) {
			t.Errorf("%s: %v", name, value)
		}
		for id := range after {
			if reflect.DeepEqual(after[id][envelope.FooterAttribute], before[id][envelope.FooterAttribute]) {
				t.Errorf("%s: %s was not sealed", name, id)
			}
		}
		config := w.config(table, c.from, c.to)
		config.ID += "-again"
		if _, real := migrated(t, config); real != (migrate.Counts{Current: 9}) {
			t.Errorf("%s, again: %+v", name, real)
		}
		if c.value != "" {
			verified(t, config, 9)
		}
	}
}

// TestBeaconPartitions: an item is current in whatever partition it was written,
// an added beacon takes the partition of those that are there, and items without
// beacons spread over the partitions.
func TestBeaconPartitions(t *testing.T) {
	partitions := func(n int) func(*beacon.Config) {
		return func(c *beacon.Config) {
			c.Standard, c.MaxPartitions = c.Standard[:n], 5
			next := atomic.Int64{}
			c.Selector = func(context.Context, beacon.Item, int, string) (int, error) {
				return int(next.Add(1)) % 5, nil
			}
		}
	}
	none, one := encryptor(t, aes(t, 1)), encryptor(t, aes(t, 1), searching(t, partitions(1)))
	both := encryptor(t, aes(t, 1), searching(t, partitions(2)))
	w := newWorld(t)
	values := func(table, name string) map[string]bool {
		out := map[string]bool{}
		for _, stored := range w.all(t, table) {
			out[stored[name].(*types.AttributeValueMemberS).Value] = true
		}
		return out
	}
	for name, c := range map[string]struct {
		written *envelope.ItemEncryptor
		want    migrate.Counts
	}{"current": {both, migrate.Counts{Current: 20}},
		"one more": {one, migrate.Counts{Migrated: 20, WithoutBeacons: 20}},
		"none":     {none, migrate.Counts{Migrated: 20, WithoutBeacons: 20}}} {
		table := w.table(t, 20, c.written)
		before := w.byID(t, table)
		config := w.config(table, nil, both)
		if _, real := migrated(t, config); real != c.want {
			t.Errorf("%s: %+v", name, real)
		}
		verified(t, config, 20)
		if n := len(values(table, "aws_dbe_b_count")); n != 5 { // one value in five partitions
			t.Errorf("%s: %d partitions", name, n)
		}
		for id, stored := range w.byID(t, table) {
			const had = "aws_dbe_b_secret"
			if before[id][had] != nil && !reflect.DeepEqual(before[id][had], stored[had]) {
				t.Errorf("%s: %s moved to another partition", name, id)
			}
		}
	}
}

// TestForeignBeacons: beacons that neither configuration computes stay where the
// item is not sealed, and it is not sealed without DropBeacons.
func TestForeignBeacons(t *testing.T) {
	w := newWorld(t)
	none := encryptor(t, aes(t, 1))
	table := w.table(t, 1, none)
	set := func(name, value string) {
		t.Helper()
		_, err := w.client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: &table,
			Key: envelope.Item{"id": s("item-0")}, UpdateExpression: aws.String("SET " + name + " = :v"),
			ExpressionAttributeValues: envelope.Item{":v": s(value)}})
		ok(t, err)
	}
	set("aws_dbe_b_theirs", "1a")
	config := w.config(table, none, encryptor(t, aes(t, 1), searching(t)))
	if _, real := migrated(t, config); real != (migrate.Counts{Migrated: 1, WithoutBeacons: 1}) {
		t.Errorf("%+v", real)
	}
	stored := w.byID(t, table)["item-0"]
	if stored["aws_dbe_b_theirs"] == nil || stored["aws_dbe_b_secret"] == nil {
		t.Errorf("%v", slicesOf(stored))
	}
	config = w.config(table, none, encryptor(t, aes(t, 1), searching(t, signedBeacon("W-"))))
	config.ID, config.SkipDryRun = "sealed", true
	m, err := migrate.New(config)
	ok(t, err)
	if _, err := m.Run(t.Context()); !errors.Is(err, store.ErrBeacons) ||
		!strings.Contains(err.Error(), "aws_dbe_b_theirs") || strings.Contains(err.Error(), "aws_dbe_b_secret") {
		t.Errorf("%v", err)
	}
}

func slicesOf(item envelope.Item) (names []string) {
	for name := range item {
		names = append(names, name)
	}
	return names
}

// TestBeaconFingerprint: another search configuration needs another ID.
func TestBeaconFingerprint(t *testing.T) {
	w := newWorld(t)
	none := encryptor(t, aes(t, 1))
	table := w.table(t, 1, none)
	migrated(t, w.config(table, none, encryptor(t, aes(t, 1), searching(t))))
	for name, to := range map[string]*envelope.ItemEncryptor{"none": none,
		"length": encryptor(t, aes(t, 1), searching(t, func(c *beacon.Config) { c.Standard[0].Length++ }))} {
		m, err := migrate.New(w.config(table, none, to))
		ok(t, err)
		if _, err := m.Run(t.Context()); !errors.Is(err, migrate.ErrCheckpoint) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, real := migrated(t, w.config(table, none, encryptor(t, aes(t, 1), searching(t))))
	if real.Migrated != 1 {
		t.Errorf("the same configuration: %+v", real)
	}
}

// rival seals an item again before the first update reaches it.
type rival struct {
	*dynamodb.Client
	meanwhile func()
	updates   int
}

func (r *rival) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	if r.updates++; r.updates == 1 {
		r.meanwhile()
	}
	return r.Client.UpdateItem(ctx, in, o...)
}

// TestBeaconsOfAnotherWrite: the beacons of a value that another writer replaced are
// not written beside its new value.
func TestBeaconsOfAnotherWrite(t *testing.T) {
	w := newWorld(t)
	none, to := encryptor(t, aes(t, 1)), encryptor(t, aes(t, 1), searching(t))
	table := w.table(t, 1, none)
	r := &rival{Client: w.client, meanwhile: func() {
		changed := item(0)
		changed["count"] = &types.AttributeValueMemberN{Value: "8"}
		w.put(t, table, changed, none)
	}}
	config := w.config(table, none, to)
	config.Client = r
	if _, real := migrated(t, config); real.Migrated != 1 || r.updates != 2 {
		t.Errorf("%+v, %d updates", real, r.updates)
	}
	verified(t, config, 1)
}

// TestKilledBeacons: a migration of beacons that is killed at any of its calls, before
// or after the call was done, goes on and ends with every beacon in place.
func TestKilledBeacons(t *testing.T) {
	w := newWorld(t)
	none, to := encryptor(t, aes(t, 1)), encryptor(t, aes(t, 1), searching(t))
	for _, after := range []bool{false, true} {
		for calls := 1; ; calls++ {
			table := w.table(t, 3, none)
			config := w.config(table, none, to)
			config.SkipDryRun, config.Segments, config.Writers = true, 1, 1
			config.Client = &mortal{Client: w.client, calls: calls, after: after}
			m, err := migrate.New(config)
			ok(t, err)
			_, killed := m.Run(t.Context())
			config.Client = w.client
			m, err = migrate.New(config)
			ok(t, err)
			r, err := m.Run(t.Context())
			if err != nil || r.Counts.Migrated+r.Counts.Current != 3 || r.Counts.Failed != 0 {
				t.Fatalf("killed at call %d: %+v, %v", calls, r.Counts, err)
			}
			verified(t, config, 3)
			if killed == nil {
				if calls < 5 {
					t.Errorf("only %d calls", calls)
				}
				break
			}
		}
	}
}

// TestManyBeacons: where the update of all beacons exceeds DynamoDB's limit of an
// expression, the item is sealed.
func TestManyBeacons(t *testing.T) {
	const count = 500
	names := func(c *envelope.Config) {
		for i := range count {
			c.Actions[fmt.Sprint("a", i)] = envelope.EncryptAndSign
		}
	}
	search := searching(t, func(c *beacon.Config) {
		for i := range count {
			c.Standard = append(c.Standard, beacon.Standard{Name: fmt.Sprint("a", i), Length: 8})
		}
	})
	none, to := encryptor(t, aes(t, 1), names), encryptor(t, aes(t, 1), names, search)
	w := newWorld(t)
	table := w.table(t, 1, none)
	wide := item(0)
	for i := range count {
		wide[fmt.Sprint("a", i)] = s(fmt.Sprint("value ", i))
	}
	w.put(t, table, wide, none)
	config := w.config(table, none, to)
	if _, real := migrated(t, config); real != (migrate.Counts{Migrated: 1, WithoutBeacons: 1}) {
		t.Errorf("%+v", real)
	}
	verified(t, config, 1)
	w.opens(t, table, to, 1)
}

// unclear loses the answer to an update, which it did or did not send.
type unclear struct {
	*dynamodb.Client
	done bool
}

func (u *unclear) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	if u.done {
		if _, err := u.Client.UpdateItem(ctx, in, o...); err != nil {
			return nil, err
		}
	}
	return nil, errDead
}

// TestLostBeaconAnswers: after an update without an answer, the beacons that the item
// bears tell whether it was done: the footer is the same before and after.
func TestLostBeaconAnswers(t *testing.T) {
	w := newWorld(t)
	none, to := encryptor(t, aes(t, 1)), encryptor(t, aes(t, 1), searching(t))
	for _, done := range []bool{true, false} {
		table := w.table(t, 1, none)
		config := w.config(table, none, to)
		config.Client, config.SkipDryRun = &unclear{w.client, done}, true
		m, err := migrate.New(config)
		ok(t, err)
		r, err := m.Run(t.Context())
		if done && (err != nil || r.Counts.Migrated != 1) ||
			!done && (!errors.Is(err, errDead) || r.Counts.Migrated != 0) {
			t.Errorf("done %t: %+v, %v", done, r.Counts, err)
		}
	}
}

// TestBeaconsOfTenants: an item's beacons are under the branch key of its data key,
// whatever other keys there are.
func TestBeaconsOfTenants(t *testing.T) {
	source := &keyring.MemorySource{}
	for i, id := range []string{"even", "odd"} {
		key := [32]byte{byte(i + 1)}
		ok(t, source.Add(materials.NewBranchKey(id, fmt.Sprintf("00000000-0000-4000-8000-00000000000%d", i), key)))
		ok(t, source.AddBeaconKey(materials.NewBeaconKey(id, key)))
	}
	supplier := func(_ context.Context, attributes map[string]types.AttributeValue) (string, error) {
		id := attributes["id"].(*types.AttributeValueMemberS).Value
		return []string{"even", "odd"}[id[len(id)-1]%2], nil
	}
	hierarchical, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source, Supplier: supplier})
	ok(t, err)
	none := encryptor(t, hierarchical)
	to := encryptor(t, hierarchical, searching(t, func(c *beacon.Config) {
		c.Keys = beacon.KeySource{Source: source, KeyField: "ward", Lifetime: time.Hour}
	}))
	w := newWorld(t)
	table := w.table(t, 8, none)
	config := w.config(table, nil, to)
	if _, real := migrated(t, config); real != (migrate.Counts{Migrated: 8, WithoutBeacons: 8}) {
		t.Errorf("%+v", real)
	}
	verified(t, config, 8)
	values := map[string]int{}
	for _, stored := range w.all(t, table) {
		values[stored["aws_dbe_b_count"].(*types.AttributeValueMemberS).Value]++
	}
	if len(values) != 2 { // one value under two keys
		t.Errorf("%v", values)
	}
	source.Remove("odd")
	to = encryptor(t, hierarchical, searching(t, func(c *beacon.Config) {
		c.Keys = beacon.KeySource{Source: source, KeyField: "ward", Lifetime: time.Hour}
	}))
	m, err := migrate.New(w.config(table, nil, to))
	ok(t, err)
	r, err := m.VerifyBeacons(t.Context())
	if !errors.Is(err, envelope.ErrMaterials) || r.Counts != (migrate.Counts{Current: 4, Failed: 4}) {
		t.Errorf("without a key: %+v, %v", r.Counts, err)
	}
}

// TestWideItemsGetBeacons: an item that takes an update of all attributes gets its
// beacons by it.
func TestWideItemsGetBeacons(t *testing.T) {
	names := func(c *envelope.Config) {
		for i := range 200 {
			c.Actions[fmt.Sprint("wide", i)] = envelope.DoNothing
			c.AllowedUnsigned = append(c.AllowedUnsigned, fmt.Sprint("wide", i))
		}
	}
	w := newWorld(t)
	from, to := encryptor(t, aes(t, 1), names), encryptor(t, aes(t, 2), names, searching(t, signedBeacon("W-")))
	for name, written := range map[string]*envelope.ItemEncryptor{"plaintext": nil, "encrypted": from} {
		table := w.table(t, 4, written)
		config := w.config(table, written, to)
		if _, real := migrated(t, config); real.Migrated != 4 {
			t.Errorf("%s: %+v", name, real)
		}
		verified(t, config, 4)
		w.opens(t, table, to, 4)
	}
}
