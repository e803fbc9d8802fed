// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/store"
)

// resident is the entity of the tests of searching. Its beacons have two bits, so
// that collisions are the rule.
type resident struct {
	Ward   string   `dynamodbav:"ward" seal:"partition"`
	ID     int      `dynamodbav:"id" seal:"sort"`
	Number string   `dynamodbav:"number" beacon:"length=2" index:"byNumber,hash;byNumberOnly,hash;byDay,range"`
	Name   string   `dynamodbav:"name,omitempty" beacon:"length=2"`
	Tags   []string `dynamodbav:"tags,omitempty,stringset" beacon:"length=2,set"`
	Day    string   `dynamodbav:"day" seal:"sign" index:"byNumber,range;byDay,hash"`
	Secret string   `dynamodbav:"secret,omitempty"`
	Note   string   `dynamodbav:"note,omitempty" seal:"none"`
}

func (p resident) key() store.Key { return store.Key{Partition: p.Ward, Sort: p.ID} }

// sampleResident makes an item. Some lack attributes.
func sampleResident(i int) resident {
	p := resident{Ward: string(rune('A' + i%3)), ID: i, Number: fmt.Sprint("n", i%7), Name: fmt.Sprint("name", i%5),
		Day: fmt.Sprintf("2024-01-%02d", 1+i*7%28), Secret: fmt.Sprint("secret", i), Note: fmt.Sprint("x", i%2)}
	if i%4 != 0 {
		p.Tags = []string{fmt.Sprint("t", i%3), fmt.Sprint("u", i%4)}
	}
	if i%11 == 0 {
		p.Name = ""
	}
	return p
}

// beaconKeys counts how often a beacon key is fetched.
type beaconKeys struct {
	materials.BeaconKeySource
	calls atomic.Int64
	err   error
}

func (k *beaconKeys) BeaconKey(ctx context.Context, id string) (*materials.BeaconKey, error) {
	k.calls.Add(1)
	if k.err != nil {
		return nil, k.err
	}
	return k.BeaconKeySource.BeaconKey(ctx, id)
}

// clinicKeys has one beacon key, of the branch key "clinic".
func clinicKeys(t testing.TB) *beaconKeys {
	t.Helper()
	keys := &keyring.MemorySource{}
	ok(t, keys.AddBeaconKey(materials.NewBeaconKey("clinic", [32]byte{1, 2, 3})))
	return &beaconKeys{BeaconKeySource: keys}
}

// searchable is a mode with beacons. change changes its configuration.
func searchable(t testing.TB, change ...func(*store.ClientSide)) store.ClientSide {
	t.Helper()
	m := clientSide(t)
	m.Search = &beacon.Config{
		Compound: []beacon.Compound{
			{Name: "ward_name", Split: '|', Signed: []beacon.SignedPart{{Name: "ward", Prefix: "W-"}},
				Encrypted: []beacon.EncryptedPart{{Name: "name", Prefix: "N-"}}},
			{Name: "ward_day", Split: '|', Signed: []beacon.SignedPart{{Name: "ward", Prefix: "W-"},
				{Name: "day", Prefix: "D-"}}},
		},
		Keys: beacon.KeySource{Source: clinicKeys(t), BranchKeyID: "clinic", Lifetime: time.Hour},
	}
	for _, c := range change {
		c(&m)
	}
	return m
}

// tenants are two branch keys, chosen by the attribute ward.
func tenants(t testing.TB, m *store.ClientSide, ids ...string) *keyring.MemorySource {
	t.Helper()
	source := &keyring.MemorySource{}
	for i, id := range ids {
		secret := [32]byte{byte(i + 1)}
		ok(t, source.Add(materials.NewBranchKey(id, fmt.Sprintf("00000000-0000-4000-8000-%012d", i), secret)))
		ok(t, source.AddBeaconKey(materials.NewBeaconKey(id, secret)))
	}
	supplier := func(_ context.Context, attributes map[string]types.AttributeValue) (string, error) {
		return attributes["ward"].(*types.AttributeValueMemberS).Value, nil
	}
	var err error
	m.Keyring, err = keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source, Supplier: supplier})
	ok(t, err)
	m.OtherActions = map[string]envelope.Action{"ward": envelope.SignAndIncludeInEncryptionContext}
	m.Search.Keys.Source, m.Search.Keys.BranchKeyID, m.Search.Keys.KeyField = source, "", "ward"
	return source
}

// partitioned gives the beacons three partitions, which items take in turn.
func partitioned(m *store.ClientSide) {
	var next atomic.Int64
	m.Search.MaxPartitions = 3
	m.Search.Selector = func(context.Context, beacon.Item, int, string) (int, error) {
		return int(next.Add(1) % 3), nil
	}
}

// hospital makes a table with the indexes of resident, and one on ward_name.
func (w *world) hospital(t testing.TB, m store.Mode, opts ...store.Option) *store.Table[resident] {
	t.Helper()
	if _, client := m.(store.ClientSide); client {
		opts = append(opts, store.GlobalIndex(store.Index{Name: "byName", Partition: "ward_name", Sort: "day"}))
	}
	table := open[resident](t, w.client, fmt.Sprintf("hospital-%d", tables.Add(1)), m, opts...)
	ok(t, store.Create(t.Context(), store.CreateOptions{}, table))
	ok(t, table.Check(t.Context()))
	return table
}

// admitted is a hospital with patients.
func (w *world) admitted(t testing.TB, m store.Mode, count int, opts ...store.Option) *store.Table[resident] {
	t.Helper()
	table := w.hospital(t, m, opts...)
	all := make([]resident, count)
	for i := range all {
		all[i] = sampleResident(i)
	}
	_, err := table.BatchPut(t.Context(), all)
	ok(t, err)
	return table
}
