// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
)

// composedVisit has keys that are composed: ID is stored in both keys alone, Tenant as
// an attribute too.
type composedVisit struct {
	_       struct{} `dynamodbav:"pk" seal:"partition" template:"{Tenant}#USER#{ID}"`
	_       struct{} `dynamodbav:"sk" seal:"sort" template:"VISIT#{Year:04}#{Number:06}"`
	Tenant  string   `dynamodbav:"tenant" seal:"sign"`
	ID      string   `dynamodbav:"-"`
	Year    uint16   `dynamodbav:"-"`
	Number  int64    `dynamodbav:"-"`
	Secret  string   `dynamodbav:"secret"`
	Version int      `dynamodbav:"version" seal:"version"`
}

const composedKeys = "pk:S,sk:S"

func visitOf(number int64) composedVisit {
	return composedVisit{Tenant: "acme", ID: "a#b", Year: 2026, Number: number, Secret: "s"}
}

// TestTemplate: every method composes the key of the fields, and fills the fields
// from it.
func TestTemplate(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "transactions")
		ctx := t.Context()
		visits := open[composedVisit](t, w.client, w.table(t, composedKeys), m)
		v := visitOf(42)
		k := visits.Key(v)
		ok(t, visits.Save(ctx, &v))
		raw := must(visits.Raw(ctx, store.Key{Partition: "acme#USER#a#b", Sort: "VISIT#2026#000042"}))(t)
		if raw["ID"] != nil || raw["id"] != nil {
			t.Errorf("a field that only the key has is stored: %v", raw)
		}
		if d := cmp.Diff(v, must(visits.Get(ctx, k))(t)); d != "" {
			t.Error(d)
		}
		v = must(visits.Update(ctx, k, func(v *composedVisit) error { v.Secret += "!"; return nil }))(t)
		if v.ID != "a#b" || v.Secret != "s!" || v.Version != 2 {
			t.Errorf("Update: %+v", v)
		}
		_, err := visits.Update(ctx, k, func(v *composedVisit) error { v.Number++; return nil })
		if !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("a change of the key: %v", err)
		}
		nothing := func(*composedVisit) error { return nil }
		made := must(visits.UpdateOrCreate(ctx, visits.Key(visitOf(43)), nothing))(t)
		if want := (composedVisit{Tenant: "acme", ID: "a#b", Year: 2026, Number: 43, Version: 1}); made != want {
			t.Errorf("UpdateOrCreate works on %+v", made)
		}
		all := must(visits.BatchGet(ctx, []store.Key{k, visits.Key(visitOf(44))}))(t)
		if all[0] == nil || *all[0] != v || all[1] != nil {
			t.Errorf("BatchGet: %v", all)
		}
		ok(t, store.TransactWrite(ctx, w.client, visits.PutOp(visitOf(44)), visits.DeleteOp(visits.Key(visitOf(43)))))
		ok(t, visits.DeleteVersion(ctx, v))
		for v, err := range visits.Scan(ctx, store.Scan{Attributes: []string{"secret"}}) {
			ok(t, err)
			if v.Number != 44 || v.ID != "a#b" || v.Tenant != "acme" {
				t.Errorf("Scan: %+v", v)
			}
		}
	})
}

// TestTemplateRanges: ranges of composed sort keys are in the order of the
// numbers, and prefixes take the first fields.
func TestTemplateRanges(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	visits := open[composedVisit](t, w.client, w.table(t, composedKeys), store.ServerSide{})
	for _, number := range []int64{7, 100_000, 21, 300} {
		ok(t, visits.Put(ctx, visitOf(number)))
	}
	old := visitOf(5)
	old.Year = 2025
	ok(t, visits.Put(ctx, old))
	sortOf := func(n int64) any { return visits.Key(visitOf(n)).Sort }
	for name, c := range map[string]struct {
		sort store.SortRange
		want string
	}{
		"all":        {store.SortRange{}, "[5 7 21 300 100000]"},
		"template":   {visits.SortPrefix(composedVisit{}), "[5 7 21 300 100000]"},
		"year":       {visits.SortPrefix(composedVisit{Year: 2026}, "Year"), "[7 21 300 100000]"},
		"whole":      {visits.SortPrefix(visitOf(21), "Year", "Number"), "[21]"},
		"between":    {store.SortBetween(sortOf(20), sortOf(300)), "[21 300]"},
		"above":      {store.SortGreater(sortOf(300)), "[100000]"},
		"equal":      {store.SortEqual(sortOf(7)), "[7]"},
		"text":       {store.SortBeginsWith("VISIT#2026#00002"), "[21]"},
		"text below": {store.SortLess("VISIT#2026#1"), "[5 7 21 300]"},
	} {
		var got []int64
		q := store.Query{Partition: visits.Key(composedVisit{Tenant: "acme", ID: "a#b"}).Partition, Sort: c.sort}
		for v, err := range visits.Query(ctx, q) {
			ok(t, err)
			got = append(got, v.Number)
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

// TestTemplateRefusals: a value that would share a key with another one, or a
// field that was forgotten, is refused before the call.
// guarantees: O10
func TestTemplateRefusals(t *testing.T) {
	ctx := t.Context()
	visits := open[composedVisit](t, &noClient{t: t}, "visits", store.ServerSide{})
	bad := map[string]composedVisit{
		"literal":  {Tenant: "sec#USER#ret", ID: "7", Year: 1, Number: 1},
		"overlap":  {Tenant: "sec#USER#", ID: "7", Year: 1, Number: 1},
		"empty":    {Tenant: "", ID: "sec", Year: 1, Number: 1},
		"no id":    {Tenant: "sec", Year: 1, Number: 1},
		"negative": {Tenant: "sec", ID: "7", Year: 1, Number: -1},
		"too long": {Tenant: "sec", ID: "7", Year: 1, Number: 1_000_000},
		"not text": {Tenant: "sec\xff", ID: "7", Year: 1, Number: 1},
	}
	for name, v := range bad {
		k := visits.Key(v)
		for call, err := range map[string]error{
			"Put":    visits.Put(ctx, v),
			"Get":    ignore(visits.Get(ctx, k)),
			"Delete": visits.Delete(ctx, k),
			"Update": ignore(visits.Update(ctx, k, func(*composedVisit) error { return nil })),
			"Query": ignore(visits.QueryPage(ctx, store.Query{Partition: k.Partition,
				Sort: store.SortGreater(k.Sort)}, "")),
		} {
			if !errors.Is(err, store.ErrKeyTemplate) || strings.Contains(err.Error(), "sec") ||
				strings.Contains(err.Error(), "ret") {
				t.Errorf("%s, %s: %v", name, call, err)
			}
		}
	}
	for name, err := range map[string]error{
		"Get, text":   ignore(visits.Get(ctx, store.Key{Partition: "acme", Sort: "VISIT#2026#000042"})),
		"Get, digits": ignore(visits.Get(ctx, store.Key{Partition: "acme#USER#7", Sort: "VISIT#2026#42"})),
		"Query, text": ignore(visits.QueryPage(ctx, store.Query{Partition: "acme"}, "")),
		"SortPrefix, order": ignore(visits.QueryPage(ctx, store.Query{Partition: "acme#USER#7",
			Sort: visits.SortPrefix(visitOf(1), "Number")}, "")),
		"SortPrefix, value": ignore(visits.QueryPage(ctx, store.Query{Partition: "acme#USER#7",
			Sort: visits.SortPrefix(composedVisit{Year: 20260}, "Year")}, "")),
	} {
		if !errors.Is(err, store.ErrKeyTemplate) || !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
	}
	orders := open[order](t, &noClient{t: t}, "orders", store.ServerSide{})
	_, err := orders.QueryPage(ctx, store.Query{Partition: "ann", Sort: orders.SortPrefix(order{})}, "")
	if !errors.Is(err, store.ErrConfiguration) || !strings.Contains(err.Error(), "no template") {
		t.Errorf("SortPrefix without a template: %v", err)
	}
	if k := orders.Key(sample("ann", 3)); fmt.Sprint(k.Partition, k.Sort) != fmt.Sprint(
		&types.AttributeValueMemberS{Value: "ann"}, &types.AttributeValueMemberN{Value: "3"}) {
		t.Errorf("Key without a template: %v", k)
	}
}

// job has the key of an index composed, which items without a state lack.
type job struct {
	_     struct{} `dynamodbav:"pk" seal:"partition" template:"JOB#{ID}" index:"byState,range"`
	_     struct{} `dynamodbav:"gsi,omitempty" seal:"sign" template:"{State}#{Rank:02}" index:"byState,hash"`
	ID    string   `dynamodbav:"-"`
	State string   `dynamodbav:"state,omitempty" seal:"sign"`
	Rank  int      `dynamodbav:"rank" seal:"sign"`
	Text  string   `dynamodbav:"text"`
}

// TestTemplateIndex: the key of an index is composed by every write, found by
// queries, and absent from items without the value.
func TestTemplateIndex(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		jobs := open[job](t, w.client, w.table(t, "pk:S", "byState=gsi:S,pk:S"), m)
		for _, j := range []job{{ID: "a", State: "open", Rank: 1}, {ID: "b", State: "open", Rank: 1}, {ID: "c"},
			{ID: "d", State: "open", Rank: 2}} {
			ok(t, jobs.Put(ctx, j))
		}
		find := func(j job, attributes ...string) string {
			t.Helper()
			text := ""
			for j, err := range jobs.Query(ctx, store.Query{Index: &store.Index{Name: "byState"},
				Partition: jobs.IndexKey("byState", j).Partition, Attributes: attributes}) {
				ok(t, err)
				text += j.ID
			}
			return text
		}
		if got := find(job{State: "open", Rank: 1}); got != "ab" {
			t.Errorf("open: %s", got)
		}
		if got := find(job{State: "open", Rank: 1}, "gsi", "text"); got != "ab" {
			t.Errorf("open, some attributes: %s", got)
		}
		change := func(id, state string) {
			t.Helper()
			ok(t, ignore(jobs.Update(ctx, jobs.Key(job{ID: id}), func(j *job) error { j.State = state; return nil })))
		}
		change("a", "done")
		change("b", "")
		change("c", "done")
		if got := find(job{State: "open", Rank: 1}) + "," + find(job{State: "done", Rank: 1}) + "," +
			find(job{State: "done"}); got != ",a,c" {
			t.Errorf("after changes: %s", got)
		}
		raw := must(jobs.Raw(ctx, jobs.Key(job{ID: "b"})))(t)
		if raw["gsi"] != nil {
			t.Errorf("an item without a state has %v", raw["gsi"])
		}
		if k := jobs.IndexKey("byState", job{ID: "x", State: "s"}); avText(k.Partition) != "s#00" ||
			avText(k.Sort) != "JOB#x" {
			t.Errorf("IndexKey: %v", k)
		}
		for name, partition := range map[string]any{
			"empty":   jobs.IndexKey("byState", job{}).Partition,
			"text":    "open",
			"unknown": jobs.IndexKey("byRank", job{State: "open"}).Partition,
		} {
			_, err := jobs.QueryPage(ctx, store.Query{Index: &store.Index{Name: "byState"}, Partition: partition}, "")
			if !errors.Is(err, store.ErrConfiguration) || name != "unknown" != errors.Is(err, store.ErrKeyTemplate) {
				t.Errorf("%s: %v", name, err)
			}
		}
		// In place, the key and what it is composed of would contradict each other.
		for _, name := range []string{"state", "rank", "gsi"} {
			err := jobs.UpdateAttributes(ctx, jobs.Key(job{ID: "a"}),
				expression.Set(expression.Name(name), expression.Value("x")))
			if !errors.Is(err, store.ErrConfiguration) && !errors.Is(err, store.ErrEncryptedAttribute) {
				t.Errorf("UpdateAttributes of %s: %v", name, err)
			}
		}
		if m.String() == "server" {
			ok(t, jobs.UpdateAttributes(ctx, jobs.Key(job{ID: "a"}),
				expression.Set(expression.Name("text"), expression.Name("state"))))
		}
		if got := must(jobs.Get(ctx, jobs.Key(job{ID: "a"})))(t); got.State != "done" {
			t.Errorf("%+v", got)
		}
	})
}

// noClient is a client that must not be called.
type noClient struct {
	store.Client
	t *testing.T
}

// TestTemplateStored: an item whose keys and attributes contradict each other is
// an error of that item, and can be deleted by the key that the error has.
func TestTemplateStored(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	type stored struct {
		PK     string `dynamodbav:"pk" seal:"partition"`
		SK     string `dynamodbav:"sk" seal:"sort"`
		Tenant string `dynamodbav:"tenant" seal:"sign"`
	}
	table := w.table(t, composedKeys)
	raw := open[stored](t, w.client, table, store.ServerSide{})
	visits := open[composedVisit](t, w.client, table, store.ServerSide{})
	for _, item := range []stored{
		{"acme#USER#7", "VISIT#2026#000042", "globex"},
		{"acme#USER#7", "VISIT#2026#42", "acme"},
		{"acme#USER#7", "VISIT#99999#000042", "acme"},
		{"acme", "VISIT#2026#000042", "acme"},
		{"acme#USER#", "VISIT#2026#000042", "acme"},
	} {
		ok(t, raw.Put(ctx, item))
		failed := 0
		for _, err := range visits.Scan(ctx, store.Scan{}) {
			var bad *store.ItemError
			if !errors.As(err, &bad) || !errors.Is(err, store.ErrKeyTemplate) ||
				strings.Contains(err.Error(), "acme") || strings.Contains(err.Error(), "000042") {
				t.Fatalf("%+v: %v", item, err)
			}
			failed++
			ok(t, visits.Delete(ctx, bad.Key))
		}
		if failed != 1 {
			t.Errorf("%+v: %d errors", item, failed)
		}
	}
}

// hexCode is stored as a string by its methods of text.
type hexCode [2]byte

func (c hexCode) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%x", c[:]), nil }
func (c *hexCode) UnmarshalText(text []byte) error {
	_, err := fmt.Sscanf(string(text), "%02x%02x", &c[0], &c[1])
	return err
}

// TestTemplateTypes: a part of a key can be of any type that the options of the
// table store as a string. A key that is a field of T is filled by reads and
// computed by writes.
func TestTemplateTypes(t *testing.T) {
	type kind string
	type keys struct {
		PK   string  `dynamodbav:"pk" seal:"partition" template:"CODE#{Code}#{Kind}#"`
		SK   string  `dynamodbav:"sk" seal:"sort" template:"{At}#{Part:03}"`
		Code hexCode `dynamodbav:"-"`
	}
	type event struct {
		keys
		Kind kind      `dynamodbav:"kind" seal:"sign"`
		At   time.Time `dynamodbav:"at" seal:"sign"`
		Part int8      `dynamodbav:"-"`
	}
	w := newWorld(t)
	ctx := t.Context()
	events := open[event](t, w.client, w.table(t, composedKeys), clientSide(t), store.TextMarshalers(),
		store.SortableTimes())
	at := time.Date(2026, 7, 1, 2, 3, 4, 5, time.FixedZone("", 3600))
	e := event{keys: keys{PK: "written over", Code: hexCode{0xca, 0xfe}}, Kind: "a", At: at, Part: 9}
	ok(t, events.Put(ctx, e))
	got := must(events.Get(ctx, events.Key(e)))(t)
	e.PK, e.SK, e.At = "CODE#cafe#a#", "2026-07-01T01:03:04.000000005Z#009", at.UTC()
	if d := cmp.Diff(e, got, cmp.AllowUnexported(event{})); d != "" {
		t.Error(d)
	}
	e.At = at.AddDate(9000, 0, 0)
	if err := ignore(events.Get(ctx, events.Key(e))); !errors.Is(err, store.ErrKeyTemplate) {
		t.Errorf("a time without a text: %v", err)
	}
	raw := must(events.Raw(ctx, events.Key(got)))(t)
	raw["sk"] = &types.AttributeValueMemberS{Value: "2026-07-01T01:03:04.000000005Z#999"}
	ok(t, ignore(w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: new(events.Name()), Item: raw})))
	server := open[event](t, w.client, events.Name(), store.ServerSide{}, store.TextMarshalers(), store.SortableTimes())
	_, _, err := server.DecodeItem(ctx, envelope.Item{"pk": raw["pk"], "sk": raw["sk"]})
	if !errors.Is(err, store.ErrKeyTemplate) || !strings.Contains(err.Error(), "int8 does not hold") {
		t.Errorf("a number that the field does not hold: %v", err)
	}
}

// TestTemplateDeclaration: New refuses a template that would lose or show a value,
// or that has no effect, and names the field.
func TestTemplateDeclaration(t *testing.T) {
	refused := func(name, want string, err error) {
		t.Helper()
		if !errors.Is(err, store.ErrConfiguration) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	refused("ambiguous", "{A} is directly followed", declareTemplate[struct {
		_    string `dynamodbav:"pk" seal:"partition" template:"{A}{B}"`
		A, B string `seal:"sign"`
	}]())
	refused("unknown", "no exported field", declareTemplate[struct {
		_ string `dynamodbav:"pk" seal:"partition" template:"{ID}"`
	}]())
	refused("encrypted", "the key would show it", declareTemplate[struct {
		_  string `dynamodbav:"pk" seal:"partition" template:"{ID}"`
		ID string
	}]())
	refused("unpadded", "number of digits", declareTemplate[struct {
		_ string `dynamodbav:"pk" seal:"partition" template:"{N}"`
		N int    `seal:"sign"`
	}]())
	refused("digits of text", "digits are for integers", declareTemplate[struct {
		_  string `dynamodbav:"pk" seal:"partition" template:"{ID:08}"`
		ID string `seal:"sign"`
	}]())
	refused("float", "a part of a key is", declareTemplate[struct {
		_ string  `dynamodbav:"pk" seal:"partition" template:"{F}"`
		F float64 `seal:"sign"`
	}]())
	refused("pointer", "a part of a key is", declareTemplate[struct {
		_  string  `dynamodbav:"pk" seal:"partition" template:"{ID}"`
		ID *string `seal:"sign"`
	}]())
	refused("time", "a part of a key is", declareTemplate[struct {
		_  string    `dynamodbav:"pk" seal:"partition" template:"{At}"`
		At time.Time `seal:"sign"`
	}]())
	refused("behind a pointer", "behind a pointer", declareTemplate[struct {
		_ string `dynamodbav:"pk" seal:"partition" template:"{Name}"`
		*BehindPointer
	}]())
	refused("own key", "cannot be a part of a key", declareTemplate[struct {
		PK string `seal:"partition" template:"{PK}"`
	}]())
	refused("version", "cannot be a part of a key", declareTemplate[struct {
		_ string `dynamodbav:"pk" seal:"partition" template:"{N:08}"`
		N int    `seal:"version"`
	}]())
	refused("not a key", "it is for a field tagged", declareTemplate[struct {
		PK string `seal:"partition"`
		X  string `seal:"sign" template:"X#{PK}"`
	}]())
	refused("not text", "the composed key is a string", declareTemplate[struct {
		PK int `seal:"partition" template:"X"`
	}]())
	refused("blank of another type", "of type string or struct{}", declareTemplate[struct {
		_ int `dynamodbav:"pk" seal:"partition" template:"X"`
	}]())
	refused("name twice", "another field has this name", declareTemplate[struct {
		_  string `dynamodbav:"pk" seal:"partition" template:"X"`
		PK string `dynamodbav:"pk" seal:"sort"`
	}]())
	refused("blank without a name", "is not an attribute", declareTemplate[struct {
		_ string `seal:"partition" template:"X"`
	}]())
	refused("unexported", "is not an attribute", declareTemplate[struct {
		pk string `dynamodbav:"pk" seal:"partition" template:"X"`
	}]())
	refused("nested", "no effect", declareTemplate[struct {
		PK string `seal:"partition"`
		In struct {
			X string `template:"X"`
		}
	}]())
	refused("beacon", "tag beacon", declareTemplate[struct {
		_ string `dynamodbav:"pk" seal:"partition" template:"X" beacon:"length=8"`
	}]())
	refused("option", "no option", declareTemplate[struct {
		_ string `dynamodbav:"pk,stringset" seal:"partition" template:"X"`
	}]())
	refused("sparse key", "cannot be omitempty", declareTemplate[struct {
		_ string `dynamodbav:"pk,omitempty" seal:"partition" template:"X"`
	}]())
	refused("encrypted key of an index", "it is for a field tagged", declareTemplate[struct {
		PK string   `seal:"partition"`
		_  struct{} `dynamodbav:"gsi" template:"X" index:"byX,hash"`
	}]())
	refused("only in an index", "would lose it", declareTemplate[struct {
		PK string   `seal:"partition"`
		_  struct{} `dynamodbav:"gsi" seal:"sign" template:"{X}" index:"byX,hash"`
		X  string   `dynamodbav:"-"`
	}]())
	refused("composed of a composed", "cannot be a part of a key", declareTemplate[struct {
		PK string `seal:"partition"`
		X  string `seal:"sign" template:"{Y}" index:"byX,hash"`
		Y  string `seal:"sign" template:"{X}" index:"byY,hash"`
	}]())
	refused("empty", "empty", declareTemplate[struct {
		_ string `dynamodbav:"pk" seal:"partition" template:""`
	}]())
}

type BehindPointer struct {
	Name string `seal:"sign"`
}

func declareTemplate[T any]() error {
	_, err := store.New[T](&noClient{}, "t", store.ServerSide{})
	return err
}

// TestTemplateForeignKey: a stored key that no value composes creates no item.
func TestTemplateForeignKey(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		visits := open[composedVisit](t, w.client, w.table(t, composedKeys), m)
		k := store.Key{Partition: &types.AttributeValueMemberS{Value: "x"},
			Sort: &types.AttributeValueMemberS{Value: "y"}}
		_, err := visits.UpdateOrCreate(t.Context(), k, func(*composedVisit) error {
			t.Error("the change was called")
			return nil
		})
		if !errors.Is(err, store.ErrConfiguration) || !errors.Is(err, store.ErrKeyTemplate) {
			t.Error(err)
		}
	})
}
