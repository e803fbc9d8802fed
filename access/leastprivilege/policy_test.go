// SPDX-License-Identifier: Apache-2.0

package leastprivilege_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/access/leastprivilege"
)

const (
	tableKey = "arn:aws:kms:us-east-1:111122223333:key/11111111-1111-1111-1111-111111111111"
	itemKey  = "arn:aws:kms:us-east-1:111122223333:key/22222222-2222-2222-2222-222222222222"
	foreign  = "arn:aws:kms:us-east-1:444455556666:key/33333333-3333-3333-3333-333333333333"
)

func text(t testing.TB, p *leastprivilege.Policies) string {
	t.Helper()
	b, err := json.MarshalIndent(p, "", " ")
	ok(t, err)
	return string(b)
}

// orders is a table under a customer's key.
func orders() leastprivilege.Table {
	return leastprivilege.Table{Place: leastprivilege.Place{ARN: ordersARN, KeyARN: tableKey}}
}

// TestReaderOfACustomerKey: the documents to the letter.
func TestReaderOfACustomerKey(t *testing.T) {
	p, err := leastprivilege.For(orders(), leastprivilege.Options{Principal: role}, leastprivilege.Reader)
	ok(t, err)
	identity, err := json.Marshal(p.Identity)
	ok(t, err)
	if want := `{"Version":"2012-10-17","Statement":[{"Sid":"Table","Effect":"Allow","Action":["dynamodb:GetItem",` +
		`"dynamodb:BatchGetItem","dynamodb:Query","dynamodb:Scan"],"Resource":["` + ordersARN + `"]}]}`; string(
		identity) != want {
		t.Errorf("identity policy %s", identity)
	}
	keys, err := json.Marshal(p.Keys)
	ok(t, err)
	if want := `[{"key":"` + tableKey + `","statements":[{"Sid":"TableKey","Effect":"Allow","Principal":{"AWS":"` +
		role + `"},"Action":["kms:Decrypt"],"Resource":["*"],"Condition":{"StringEquals":{` +
		`"kms:EncryptionContext:aws:dynamodb:tableName":["Orders"],` +
		`"kms:ViaService":["dynamodb.us-east-1.amazonaws.com"]}}}]}]`; string(keys) != want {
		t.Errorf("key policies %s", keys)
	}
	// A whole statement, four actions, and the statement, action and conditions of the
	// key policy.
	if len(p.Proofs) != 5+4 {
		t.Errorf("%d proofs: %v", len(p.Proofs), p.Proofs)
	}
	i := slices.IndexFunc(p.Proofs, func(p leastprivilege.Proof) bool { return p.Element == "kms:ViaService" })
	if i < 0 || !strings.Contains(p.Proofs[i].String(), "without kms:ViaService in statement TableKey of the policy "+
		"of "+tableKey+": kms:Decrypt on "+tableKey+", aws:dynamodb:subscriberId=111122223333, "+
		"aws:dynamodb:tableName=Orders is allowed") {
		t.Errorf("%v", p.Proofs)
	}
}

// indexes is a table with n indexes.
func indexes(n int) leastprivilege.Table {
	table := orders()
	for i := range n {
		table.Indexes = append(table.Indexes, "index"+string(rune('a'+i%26))+strconv.Itoa(i))
	}
	return table
}

// TestShapes: what depends on the principal, the key's account and the options.
func TestShapes(t *testing.T) {
	sealed := func(keys ...string) leastprivilege.Table {
		table := orders()
		table.KeyARN = ""
		for _, k := range keys {
			table.Items.Keys = append(table.Items.Keys, leastprivilege.Key{ARN: k, Kind: leastprivilege.DataKeys})
		}
		return table
	}
	for _, c := range []struct {
		name     string
		table    leastprivilege.Table
		options  leastprivilege.Options
		purposes []leastprivilege.Purpose
		has      []string
		lacks    []string
	}{
		{name: "no principal", table: orders(), purposes: []leastprivilege.Purpose{leastprivilege.Reader},
			has: []string{`"AWS":"arn:aws:iam::111122223333:root"`, `"Resource":["` + tableKey + `"]`,
				"hand these permissions to the IAM policies of account 111122223333"}},
		{name: "a key of another account", table: sealed(foreign), options: leastprivilege.Options{Principal: role},
			purposes: []leastprivilege.Purpose{leastprivilege.Reader},
			has:      []string{`"AWS":"` + role + `"`, `"Action":["kms:Decrypt"],"Resource":["` + foreign + `"]`}},
		{name: "managed key", table: func() leastprivilege.Table { t := orders(); t.Managed = true; return t }(),
			purposes: []leastprivilege.Purpose{leastprivilege.Reader}, has: []string{`"keyPolicies":[]`,
				"AWS managed key"}},
		{name: "reader and writer", table: sealed(itemKey), options: leastprivilege.Options{Principal: role},
			purposes: []leastprivilege.Purpose{leastprivilege.Reader, leastprivilege.Writer, leastprivilege.Reader},
			has: []string{`"Action":["kms:Decrypt","kms:GenerateDataKey"]`, `"for":["reader","writer"]`,
				`"kms:EncryptionContext:aws-crypto-table-name":["Orders"]`}, lacks: []string{"Update, UpdateOrCreate"}},
		{name: "writer alone", table: sealed(itemKey), purposes: []leastprivilege.Purpose{leastprivilege.Writer},
			has: []string{"PutOld and DeleteOld read an item"}, lacks: []string{"kms:Decrypt"}},
		{name: "partition keys", table: func() leastprivilege.Table { t := orders(); t.Indexes = []string{"i"}; return t }(),
			options:  leastprivilege.Options{Principal: role, PartitionKeys: []string{"a", "b"}},
			purposes: []leastprivilege.Purpose{leastprivilege.Reader},
			has:      []string{`"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["a","b"]}`},
			lacks:    []string{"dynamodb:Scan", "/index/"}},
		{name: "large", table: indexes(40), purposes: []leastprivilege.Purpose{leastprivilege.Reader},
			has: []string{"the inline policies of a user at most 2048"}},
		{name: "larger", table: indexes(120), purposes: []leastprivilege.Purpose{leastprivilege.Reader},
			has: []string{"a managed policy at most 6144"}},
		{name: "multi-Region key", table: sealed("arn:aws:kms:us-east-1:111122223333:key/mrk-1"),
			purposes: []leastprivilege.Purpose{leastprivilege.Reader}, has: []string{"on the replica there"}},
		{name: "raw keys", table: func() leastprivilege.Table { t := sealed(); t.Items.RawKeys = true; return t }(),
			purposes: []leastprivilege.Purpose{leastprivilege.Reader}, has: []string{"keys that are not in KMS"}},
		{name: "public key", table: func() leastprivilege.Table {
			t := sealed()
			t.Items.Keys = []leastprivilege.Key{{ARN: itemKey, Kind: leastprivilege.RSA, PublicKey: true}}
			return t
		}(), purposes: []leastprivilege.Purpose{leastprivilege.Writer}, has: []string{`"keyPolicies":[]`}},
		{name: "admin and reader", table: func() leastprivilege.Table {
			t := sealed()
			t.Items.Stores = []leastprivilege.KeyStore{{Place: leastprivilege.Place{ARN: storeARN}, KMSKeyARN: itemKey,
				BranchKeys: []string{"b"}}}
			t.Items.Beacons = &leastprivilege.KeyStore{Place: leastprivilege.Place{ARN: storeARN}, KMSKeyARN: itemKey}
			return t
		}(), options: leastprivilege.Options{Principal: role},
			purposes: []leastprivilege.Purpose{leastprivilege.Reader, leastprivilege.KeyStoreAdmin},
			has:      []string{`"kms:EncryptionContext:tablename":["Keys"]`, `"Sid":"BranchKeys"`},
			// The administrator reads the whole key store, and the beacons any key of it.
			lacks: []string{"LeadingKeys", "branch-key-id", `"Sid":"KeyStore2"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := leastprivilege.For(c.table, c.options, c.purposes...)
			ok(t, err)
			p.Proofs = nil
			b, err := json.Marshal(p)
			ok(t, err)
			for _, want := range c.has {
				if !strings.Contains(string(b), want) {
					t.Errorf("lacks %s:\n%s", want, b)
				}
			}
			for _, bad := range c.lacks {
				if strings.Contains(string(b), bad) {
					t.Errorf("has %s:\n%s", bad, b)
				}
			}
		})
	}
}

// TestRefused: what no policy can be written for.
func TestRefused(t *testing.T) {
	with := func(change func(*leastprivilege.Table)) leastprivilege.Table {
		table := orders()
		change(&table)
		return table
	}
	for name, c := range map[string]struct {
		table   leastprivilege.Table
		options leastprivilege.Options
		purpose leastprivilege.Purpose
	}{
		"table":      {table: with(func(t *leastprivilege.Table) { t.ARN = "Orders" }), purpose: leastprivilege.Reader},
		"key":        {table: with(func(t *leastprivilege.Table) { t.KeyARN = "alias/x" }), purpose: leastprivilege.Reader},
		"item key":   {table: with(func(t *leastprivilege.Table) { t.Items.Keys = []leastprivilege.Key{{ARN: "x", Kind: 1}} }), purpose: leastprivilege.Reader},
		"kind":       {table: with(func(t *leastprivilege.Table) { t.Items.Keys = []leastprivilege.Key{{ARN: itemKey}} }), purpose: leastprivilege.Reader},
		"former key": {table: with(func(t *leastprivilege.Table) { t.Former.Keys = []leastprivilege.Key{{ARN: "x", Kind: 1}} }), purpose: leastprivilege.Reader},
		"store":      {table: with(func(t *leastprivilege.Table) { t.Items.Stores = []leastprivilege.KeyStore{{}} }), purpose: leastprivilege.Reader},
		"store's key": {table: with(func(t *leastprivilege.Table) {
			t.Items.Beacons = &leastprivilege.KeyStore{Place: leastprivilege.Place{ARN: storeARN}}
		}), purpose: leastprivilege.Reader},
		"no store":      {table: orders(), purpose: leastprivilege.KeyStoreAdmin},
		"purpose":       {table: orders(), purpose: 9},
		"root":          {table: orders(), options: leastprivilege.Options{Principal: "arn:aws:iam::111122223333:root"}, purpose: leastprivilege.Reader},
		"a name":        {table: orders(), options: leastprivilege.Options{Principal: "app"}, purpose: leastprivilege.Reader},
		"other account": {table: orders(), options: leastprivilege.Options{Principal: "arn:aws:iam::444455556666:role/app"}, purpose: leastprivilege.Reader},
		"variable":      {table: orders(), options: leastprivilege.Options{PartitionKeys: []string{"${aws:username}"}}, purpose: leastprivilege.Reader},
		"partition keys of a migrator": {table: orders(), options: leastprivilege.Options{PartitionKeys: []string{"a"}},
			purpose: leastprivilege.Migrator},
	} {
		if _, err := leastprivilege.For(c.table, c.options, c.purpose); !errors.Is(err, leastprivilege.ErrTable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := leastprivilege.For(orders(), leastprivilege.Options{}); !errors.Is(err, leastprivilege.ErrTable) {
		t.Errorf("no purpose: %v", err)
	}
	var p leastprivilege.Purpose
	if err := p.UnmarshalText([]byte("owner")); err == nil || p.String() != "invalid purpose" {
		t.Errorf("%v, %v", p, err)
	}
}
