// SPDX-License-Identifier: Apache-2.0

package search_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/beacon/search"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// tenants is a table whose beacons are under the branch key that the attribute
// tenant names.
func tenants(t *testing.T, keyField beacon.Protection) *table {
	protection := map[string]beacon.Protection{"pk": beacon.Signed, "s": beacon.Encrypted, "yr": beacon.Signed}
	c := beacon.Config{
		Keys:     beacon.KeySource{Source: anyKey{}, KeyField: "tenant", Lifetime: time.Hour},
		Standard: []beacon.Standard{{Name: "s", Length: 32}},
		Compound: []beacon.Compound{{Name: "y", Split: '|', Signed: []beacon.SignedPart{{Name: "yr", Prefix: "Y-"}},
			Encrypted: []beacon.EncryptedPart{{Name: "s", Prefix: "S-"}}}},
	}
	if keyField != beacon.Unknown {
		protection["tenant"] = keyField
	}
	if keyField == beacon.Signed {
		tenant := beacon.SignedPart{Name: "tenant", Prefix: "T-"}
		c.Compound = append(c.Compound,
			beacon.Compound{Name: "c", Split: '|', Signed: []beacon.SignedPart{tenant},
				Encrypted: []beacon.EncryptedPart{{Name: "s", Prefix: "S-"}}},
			beacon.Compound{Name: "d", Split: '|', Signed: []beacon.SignedPart{tenant, {Name: "yr", Prefix: "Y-"}},
				Encrypted: []beacon.EncryptedPart{{Name: "s", Prefix: "S-"}}},
			beacon.Compound{Name: "sg", Split: '|', Signed: []beacon.SignedPart{tenant, {Name: "yr", Prefix: "Y-"}}})
	}
	return newTable(t, protection, c)
}

func TestBranchKeyOfSearch(t *testing.T) {
	tb := tenants(t, beacon.Signed)
	names := map[string]string{"#t": "tenant", "#c": "c", "#s": "s"}
	values := Item{":one": s("one"), ":two": s("two"), ":s": s("x"), ":n": n("1"), ":c": s("T-one|S-x"),
		":c2": s("T-two|S-x"), ":t": s("T-one"), ":sg": s("T-one|Y-1"), ":cs": s("T-one|S-"), ":te": s("T-|S-x"), ":d1": s("T-one|Y-1"), ":d2": s("T-one|Y-2"), ":sx": s("S-x"),
		":y": s("Y-1")}
	const none = "none"
	for _, c := range []struct{ key, filter, want string }{ // "" is refused
		{"tenant = :one", "s = :s", "one"}, {"#t = :one", "#s = :s", "one"}, {":two = #t", "s = :s", "two"},
		{"", "s = :s AND tenant = :one", "one"}, {"", "s = :s AND (yr = :n AND #t = :one)", "one"}, {"", "tenant IN (:one) AND s = :s", "one"},
		{"c = :c", "s = :s", "one"}, {"#c = :c", "", "one"}, {"", "#c = :c2", "two"}, {"", "begins_with(#c, :cs)", "one"},
		{"", "c BETWEEN :t AND :cs", ""}, {"", "begins_with(c, :t)", none}, {"sg = :sg", "s = :s", "one"}, {"", "c = :sx AND #t = :one", "one"},
		{"", "c BETWEEN :cs AND :cs", "one"}, {"", "d BETWEEN :d1 AND :d2 AND s = :s", "one"}, {"", "c IN (:c)", "one"}, {"", ":one IN (tenant) AND s = :s", "one"},
		{"", ":sg = sg AND s = :s", "one"}, {"", "sg = :n AND s = :s", ""}, {"", "sg = :c AND s = :s", ""}, {"", "c = :te", ""}, {"", "c BETWEEN :t AND :t", "one"}, {"", "c IN (:c, :c2)", ""},
		{"", "(tenant = :one AND s = :s) OR (yr = :n AND tenant = :one)", "one"}, {"", "tenant = :one AND c = :c", "one"},
		// No hash is needed.
		{"tenant <> :one", "", ""}, {"pk = :one", "", none}, {"tenant = :one", "yr = :n", none}, {"", "attribute_exists(s)", none}, {"", "NOT s = :s", none}, {"", "contains(s, :s)", none},
		{"", "begins_with(y, :y)", none}, {"", "tenant <> :one", none},
		// The expressions restrict items to none or to several.
		{"", "s = :s", ""}, {"", "s = :s AND tenant <> :one", ""}, {"", "s = :s OR tenant = :one", ""}, {"", "s = :s AND NOT tenant = :one", ""},
		{"", "s = :s AND tenant IN (:one, :two)", ""}, {"", "s = :s AND tenant = :n", ""}, {"", "s = :s AND begins_with(tenant, :one)", ""},
		{"tenant = :one", "tenant = :two AND s = :s", ""}, {"c = :c", "tenant = :two", ""}, {"", "c = :c AND c = :c2", ""}, {"", "s = :s AND begins_with(c, :t)", ""},
		{"", "(tenant = :one AND s = :s) OR (tenant = :two AND s = :s)", ""}, {"", "s = :s AND c < :t", ""}, {"", "c = :sx", ""}, {"", "contains(c, :c)", none},
	} {
		r := search.Request{Operation: search.Scan, Filter: text(c.filter), Names: names, Values: values}
		if c.key != "" {
			r.Operation, r.KeyCondition = search.Query, &c.key
		}
		name := c.key + "; " + c.filter
		plan, sent, err := tb.rewrite(t, r, 0)
		if c.key == "tenant <> :one" {
			refused(t, name, err, materials.ErrConfiguration)
			continue
		}
		if c.want == "" {
			refused(t, name, err, search.ErrUnsearchable)
			r.BranchKeyID = "one"
			if _, _, err := tb.rewrite(t, r, 0); err != nil && len(sent.Values) > 0 {
				t.Errorf("%s: with a branch key: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := plan.BranchKeyID(); got != c.want && (c.want != none || got != "") {
			t.Errorf("%s: branch key %q, want %q", name, got, c.want)
		}
		// What is sent finds an item of that branch key if it matches.
		parse(t, sent)
	}
	// A request may name the branch key, but no other than its expressions.
	for id, ok := range map[string]bool{"one": true, "two": false} {
		_, _, err := tb.rewrite(t, search.Request{Operation: search.Scan, Filter: text("s = :s AND tenant = :one"),
			Values: Item{":s": s("x"), ":one": s("one")}, BranchKeyID: id}, 0)
		if (err == nil) != ok {
			t.Errorf("branch key %q: %v", id, err)
		}
	}
	plan, sent, err := tb.rewrite(t, search.Request{Operation: search.Scan, Filter: text("s = :s"),
		Values:      Item{":s": s("x")},
		BranchKeyID: "two"}, 0)
	if err != nil || plan.BranchKeyID() != "two" {
		t.Fatalf("%v", err)
	}
	for id, want := range map[string]bool{"two": true, "one": false} {
		if got := parse(t, sent).accepts(tb.stored(t, id, 0, Item{"pk": s("1"), "s": s("x")})); got != want {
			t.Errorf("item of branch key %q: %t", id, got)
		}
	}
}

// TestKeyFieldNotStored: a KeyField that is not signed is dropped from items, so
// a comparison with it selects the branch key and is not sent.
func TestKeyFieldNotStored(t *testing.T) {
	for _, protection := range []beacon.Protection{beacon.Unsigned, beacon.Unknown} {
		tb := tenants(t, protection)
		values := Item{":one": s("one"), ":two": s("two"), ":s": s("x"), ":p": s("p")}
		for _, c := range []struct {
			filter, sent string
			one, two     bool // whether items of the branch keys match; only the first one is searched for
		}{
			{"tenant = :one AND s = :s", "aws_dbe_b_s=:b0", true, false}, {"s = :s AND #t IN (:one)", "aws_dbe_b_s=:b0", true, false},
			{"tenant = :one AND NOT tenant = :two AND pk = :p", "pk=:p", true, false}, {":one = tenant", "", true, false},
			{"tenant = :one AND (tenant = :two OR s = :s)", "aws_dbe_b_s=:b0", true, false},
		} {
			plan, sent, err := tb.rewrite(t, search.Request{Operation: search.Scan, Filter: &c.filter,
				Names: map[string]string{"#t": "tenant"}, Values: values}, 0)
			if err != nil {
				t.Errorf("%s: %v", c.filter, err)
				continue
			}
			got := ""
			if sent.Filter != nil {
				got = *sent.Filter
			}
			if parse(t, sent); got != c.sent || plan.BranchKeyID() != "one" {
				t.Errorf("%s: sent %q under %q, want %q", c.filter, got, plan.BranchKeyID(), c.sent)
			}
			if ok, err := plan.Match(Item{"pk": s("p"), "s": s("x")}); !ok || err != nil {
				t.Errorf("%s: an item of the branch key does not match: %v", c.filter, err)
			}
		}
		for _, filter := range []string{"tenant <> :one", "NOT tenant = :one AND s = :s", "tenant = pk",
			"attribute_exists(tenant)",
			"begins_with(tenant, :one)", "tenant IN (:one, :two)", "size(tenant) = :one", "attribute_type(tenant, :type)",
			"tenant = :one AND tenant = :two", "pk = :p OR tenant = :one", "s = :s AND (tenant = :one OR pk = :p)"} {
			_, err := tb.rewriter.Plan(search.Request{Operation: search.Scan, Filter: &filter,
				Values: Item{":one": s("one"), ":two": s("two"), ":s": s("x"), ":p": s("p"), ":type": s("S")}})
			refused(t, filter, err, search.ErrUnsearchable)
		}
		_, err := tb.rewriter.Plan(search.Request{Operation: search.Query, KeyCondition: text("tenant = :one"),
			Values: values})
		refused(t, "a key condition", err, search.ErrUnsearchable)
	}
}

// counting counts the fetches of beacon keys, and fails with err.
type counting struct {
	fetches int
	err     error
}

func (c *counting) BeaconKey(ctx context.Context, id string) (*materials.BeaconKey, error) {
	if c.fetches++; c.err != nil {
		return nil, c.err
	}
	return anyKey{}.BeaconKey(ctx, id)
}

// TestBeaconKeyFetched: only a search that needs a hash fetches the beacon key,
// and a key that is denied is named.
func TestBeaconKeyFetched(t *testing.T) {
	compound := []beacon.Compound{{Name: "c", Split: '|', Signed: []beacon.SignedPart{{Name: "pk", Prefix: "P-"}},
		Encrypted: []beacon.EncryptedPart{{Name: "s", Prefix: "S-"}}}}
	for filter, want := range map[string]int{
		"pk = :a": 0, "attribute_exists(s)": 0, "NOT s = :a": 0, "contains(s, :a)": 0, "s = :a": 1, "s = :a OR s = :b": 1,
		"c = :c": 1, "begins_with(c, :c)": 0, "c > :y": 0,
	} {
		keys := &counting{}
		tb := newTable(t, map[string]beacon.Protection{"pk": beacon.Signed, "s": beacon.Encrypted}, beacon.Config{
			Keys:     beacon.KeySource{Source: keys, BranchKeyID: "key", Lifetime: time.Hour},
			Standard: []beacon.Standard{{Name: "s", Length: 32}}, Compound: compound})
		values := Item{":a": s("x"), ":b": s("y"), ":c": s("P-1|S-x"), ":y": s("P-1")}
		r := search.Request{Operation: search.Scan, Filter: &filter, Values: values}
		if _, _, err := tb.rewrite(t, r, 0); err != nil || keys.fetches != want {
			t.Errorf("%s: %d fetches, %v; want %d", filter, keys.fetches, err, want)
		}
		denied := &counting{err: fmt.Errorf("%w: not for you", materials.ErrKeyDenied)}
		tb = newTable(t, tb.protection, beacon.Config{
			Keys:     beacon.KeySource{Source: denied, BranchKeyID: "key-17", Lifetime: time.Hour},
			Standard: []beacon.Standard{{Name: "s", Length: 32}}, Compound: compound})
		_, _, err := tb.rewrite(t, r, 0)
		var named *materials.KeyError
		if want == 0 && err != nil || want == 1 && (!errors.Is(err, materials.ErrKeyDenied) || !errors.As(err,
			&named) ||
			named.KeyID != "key-17" || errors.Is(err, search.ErrUnsearchable)) {
			t.Errorf("%s: denied: %v", filter, err)
		}
	}
}
