// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/beacon/search"
	"github.com/ddbseal/ddbseal/store"
)

// TestSearchRefusals: what no beacon serves is refused by name before any call.
func TestSearchRefusals(t *testing.T) {
	ctx := t.Context()
	name, value := expression.Name, expression.Value
	residents := open[resident](t, untouchable{t}, "hospital", searchable(t))
	filters := map[string]store.Condition{
		"secret":   name("secret").Equal(value("x")),
		"number":   name("number").LessThan(value("x")),
		"number 2": name("number").BeginsWith("x"),
		"number 3": expression.Size(name("number")).GreaterThan(value(1)),
		"number 4": name("name").Equal(name("number")),
		"number 5": name("number").Between(value("a"), value("b")),
		"tags":     expression.AttributeType(name("tags"), expression.StringSet),
		"name":     name("name.first").Equal(value("x")),
		"ward_name": name("ward_name").Equal(value(
			"N-name|W-A")),
	}
	for attribute, f := range filters {
		attribute, _, _ = strings.Cut(attribute, " ")
		var errs []error
		for _, err := range residents.Scan(ctx, store.Scan{Filter: f}) {
			errs = append(errs, err)
		}
		for _, err := range residents.Query(ctx, store.Query{Partition: "A", Filter: f}) {
			errs = append(errs, err)
		}
		errs = append(errs, ignore(residents.QueryPage(ctx, store.Query{Partition: "A", Filter: f}, "")))
		if len(errs) != 3 {
			t.Fatal(errs)
		}
		for _, err := range errs {
			var e *search.Error
			if !errors.Is(err, store.ErrEncryptedAttribute) || !errors.As(err, &e) || e.Attribute != attribute {
				t.Errorf("%s: %v", attribute, err)
			}
		}
	}
	for what, q := range map[string]store.Query{
		"an attribute without action": {Partition: "A", Filter: name("nmuber").Equal(value("x"))},
		"a stored beacon":             {Partition: "A", Filter: name("aws_dbe_b_number").Equal(value("x"))},
		"the type of a key":           {Partition: 3, Index: &store.Index{Name: "byNumber"}},
	} {
		if _, err := residents.QueryPage(ctx, q, ""); !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := residents.QueryPage(ctx, store.Query{Index: &store.Index{Name: "byDay"}, Partition: "d",
		Sort: store.SortLess("n3")}, "")
	if !errors.Is(err, store.ErrEncryptedAttribute) {
		t.Errorf("the order of a standard beacon: %v", err)
	}
}

// TestWritesNeverSearch: conditions of writes are not rewritten, and updates in
// place change neither what beacons are made of nor beacons.
func TestWritesNeverSearch(t *testing.T) {
	ctx := t.Context()
	residents := open[resident](t, untouchable{t}, "hospital", searchable(t))
	r := sampleResident(1)
	for attribute, class := range map[string]error{"number": store.ErrEncryptedAttribute,
		"aws_dbe_b_number": store.ErrConfiguration, "ward_name": store.ErrConfiguration} {
		is := expression.Name(attribute).Equal(expression.Value("n1"))
		set := expression.Set(expression.Name(attribute), expression.Value("n1"))
		for what, err := range map[string]error{
			"put":         residents.Put(ctx, r, is),
			"delete":      residents.Delete(ctx, r.key(), is),
			"condition":   residents.UpdateAttributes(ctx, r.key(), expression.Set(expression.Name("note"), expression.Value("n")), is),
			"update":      residents.UpdateAttributes(ctx, r.key(), set),
			"transaction": store.TransactWrite(ctx, untouchable{t}, residents.PutOp(r, is)),
		} {
			if !errors.Is(err, class) || !strings.Contains(err.Error(), attribute) {
				t.Errorf("%s of %s: %v", what, attribute, err)
			}
		}
	}
	if err := residents.UpdateAttributes(ctx, r.key(), expression.Set(expression.Name("ward_day"),
		expression.Value("n1"))); !errors.Is(err, store.ErrEncryptedAttribute) {
		t.Errorf("update of a signed beacon: %v", err)
	}
}

// TestBeaconDeclarations: New refuses each declaration that could have no effect
// or another one than it says, by the name of the field, the beacon or the index.
func TestBeaconDeclarations(t *testing.T) {
	client := searchable(t)
	client.Search.Compound = nil
	with := func(change func(*beacon.Config)) store.ClientSide {
		m := searchable(t)
		m.Search.Compound = nil
		change(m.Search)
		return m
	}
	type key = struct {
		ID string `dynamodbav:"id" seal:"partition"`
	}
	type one = struct {
		key
		S string `dynamodbav:"s" beacon:"length=8"`
	}
	type indexed = struct {
		key
		S string `dynamodbav:"s" index:"byS,hash"`
	}
	type set = struct {
		key
		S []string `dynamodbav:"s,stringset" beacon:"length=8,set" index:"byS,hash"`
	}
	type part = struct {
		key
		S string `dynamodbav:"s" beacon:"length=8,part" index:"byS,hash"`
	}
	global := func(m store.Mode, i store.Index) error {
		_, err := store.New[one](untouchable{t}, "table", m, store.GlobalIndex(i))
		return err
	}
	for _, c := range []struct {
		says string
		err  error
	}{
		{"ClientSide.Search", declare[one](t, clientSide(t))},
		{"field S", declare[struct {
			key
			S string `seal:"sign" beacon:"length=8"`
		}](t, client)},
		{"1 to 63", declare[struct {
			key
			S string `beacon:"length=64"`
		}](t, client)},
		{"1 to 63", declare[struct {
			key
			S string `beacon:"length=x"`
		}](t, client)},
		{"lacks the length", declare[struct {
			key
			S string `beacon:""`
		}](t, client)},
		{"twice", declare[struct {
			key
			S string `beacon:"length=8,length=8"`
		}](t, client)},
		{`unknown option "lenght=8"`, declare[struct {
			key
			S string `beacon:"lenght=8"`
		}](t, client)},
		{"excludes", declare[struct {
			key
			S []string `dynamodbav:",stringset" beacon:"length=8,part,set"`
		}](t, client)},
		{"stringset", declare[struct {
			key
			S []string `beacon:"length=8,set"`
		}](t, client)},
		{"partitions", declare[struct {
			key
			S string `beacon:"length=8,partitions=0"`
		}](t, client)},
		{"document path", declare[struct {
			key
			S string `dynamodbav:"a.b" beacon:"length=8"`
		}](t, client)},
		{"other", declare[struct {
			key
			S string `beacon:"length=8,shared=other"`
		}](t, client)},
		{"beacon tag below the top level", declare[struct {
			key
			S struct {
				Deep string `beacon:"length=8"`
			}
		}](t, client)},
		{"has a beacon tag", declare[struct {
			key
			S string `dynamodbav:"-" beacon:"length=8"`
		}](t, client)},
		{"has a beacon tag", declare[struct {
			key   `beacon:"length=8"`
			Other string
		}](t, client)},
		{"the lengths 8 and 9", declare[one](t, with(func(c *beacon.Config) {
			c.Standard = []beacon.Standard{{Name: "s", Length: 9}}
		}))},
		{"the styles plain and asSet", declare[one](t, with(func(c *beacon.Config) {
			c.Standard = []beacon.Standard{{Name: "s", Length: 8, Style: beacon.AsSet}}
		}))},
		{`the locations "s" and "id"`, declare[one](t, with(func(c *beacon.Config) {
			c.Standard = []beacon.Standard{{Name: "s", Length: 8, Location: "id"}}
		}))},
		{"2 and 1 partitions", declare[one](t, with(func(c *beacon.Config) {
			c.MaxPartitions = 2
			c.Standard = []beacon.Standard{{Name: "s", Length: 8, Partitions: 1}}
		}))},
		{"no standard beacon", declare[key](t, client)},
		{"give the field a beacon", declare[indexed](t, clientSide(t))},
		{"give the field a beacon", declare[indexed](t, with(func(c *beacon.Config) {
			c.Standard = []beacon.Standard{{Name: "v", Length: 8}}
			c.Virtual = []beacon.VirtualField{{Name: "v", Parts: []beacon.VirtualPart{{Location: "s"}}}}
		}))},
		{"a key of index byS is a string", declare[set](t, client)},
		{"compound", declare[part](t, with(func(c *beacon.Config) {
			c.Compound = []beacon.Compound{{Name: "c", Split: '|',
				Encrypted: []beacon.EncryptedPart{{Name: "s", Prefix: "S-"}}}}
		}))},
		{"a set is not a key", global(with(func(c *beacon.Config) {
			c.Standard = []beacon.Standard{{Name: "ids", Length: 8, Location: "s.t", Style: beacon.AsSet}}
		}), store.Index{Name: "byIDs", Partition: "ids"})},
		{`index key "none"`, global(client, store.Index{Name: "byNone", Partition: "none"})},
		{"no partition key", global(client, store.Index{Name: "byNone"})},
		{"3 to 255", global(client, store.Index{Name: "x", Partition: "s"})},
		{"s.t", global(client, store.Index{Name: "byST", Partition: "s.t"})},
	} {
		if !errors.Is(c.err, store.ErrConfiguration) || !strings.Contains(c.err.Error(), c.says) {
			t.Errorf("want %q: %v", c.says, c.err)
		}
	}
	_, err := store.New[resident](untouchable{t}, "table", searchable(t),
		store.GlobalIndex(store.Index{Name: "byNumber", Partition: "ward"}))
	if !errors.Is(err, store.ErrConfiguration) || !strings.Contains(err.Error(), "declared already") {
		t.Errorf("an index twice: %v", err)
	}
	for what, err := range map[string]error{
		"server-side": declare[one](t, store.ServerSide{}),
		"agreement": declare[one](t, with(func(c *beacon.Config) {
			c.Standard = []beacon.Standard{{Name: "s", Length: 8}, {Name: "s", Length: 8, Location: "s"}}
		})),
		"agreement in partitions": declare[one](t, with(func(c *beacon.Config) {
			c.MaxPartitions, c.DefaultPartitions = 3, 2
			c.Standard = []beacon.Standard{{Name: "s", Length: 8, Partitions: 2}}
		})),
		"index on a beacon of another name": declare[indexed](t, with(func(c *beacon.Config) {
			c.Standard = []beacon.Standard{{Name: "fingerprint", Length: 8, Location: "s"}}
		})),
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}
