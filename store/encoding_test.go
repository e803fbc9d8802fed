// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
)

// probe needs the options of encoded.
type probe struct {
	Device  uuid.UUID  `json:"device" seal:"partition"`
	At      time.Time  `json:"at" seal:"sort"`
	From    netip.Addr `json:"from" seal:"sign"`
	Seen    time.Time  `json:"seen,omitempty" seal:"none"`
	Tags    []string   `json:"tags" seal:"none"`
	Owner   netip.Addr `json:"owner" seal:"none"`
	Values  []float64  `json:"values"`
	Total   *big.Int   `json:"total"`
	Path    netip.Prefix
	Any     any `json:"any"`
	Map     map[string]netip.Addr
	Part    probePart `json:"part"`
	Expiry  time.Time `json:"expiry" dynamodbav:",unixtime" seal:"ttl"`
	Version int       `json:"version" seal:"version"`
}

type probePart struct {
	When  time.Time `json:"when" dynamodbav:",unixtime"`
	Times []time.Time
	Ports []uint16
}

func (r probe) key() store.Key { return store.Key{Partition: r.Device, Sort: r.At} }

var encoded = []store.Option{store.TextMarshalers(), store.TagKey("json"), store.OmitZeroTimes(),
	store.SortableTimes(), store.SlicesAsSets(), store.AnyNumbers[json.Number]()}

// sameProbe compares values, times by their instant and sets without order.
var sameProbe = []cmp.Option{
	cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) }),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
	cmp.Comparer(func(a, b *big.Int) bool { return a == b || a != nil && b != nil && a.Cmp(b) == 0 }),
	cmp.Transformer("sorted", func(s []string) string { return fmt.Sprint(slices.Sorted(slices.Values(s))) }),
	cmp.Transformer("sorted", func(s []float64) string { return fmt.Sprint(slices.Sorted(slices.Values(s))) }),
	cmp.Transformer("sorted", func(s []uint16) string { return fmt.Sprint(slices.Sorted(slices.Values(s))) }),
}

func drawProbe(rt *rapid.T) probe {
	zone := time.FixedZone("", rapid.IntRange(-12, 12).Draw(rt, "zone")*3600)
	when := rapid.Custom(func(rt *rapid.T) time.Time {
		seconds, rest := rapid.Int64Range(-1e10, 1e10), rapid.Int64Range(0, 999_999_999)
		return time.Unix(seconds.Draw(rt, "s"), rest.Draw(rt, "ns")).In(zone)
	})
	addr := rapid.Custom(func(rt *rapid.T) netip.Addr {
		b := rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(rt, "addr")
		return netip.AddrFrom4([4]byte(b))
	})
	eighths := rapid.Custom(func(rt *rapid.T) float64 { return float64(rapid.Int32().Draw(rt, "n")) / 8 })
	r := probe{
		Device: uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(rt, "device")), At: when.Draw(rt, "at"),
		From: addr.Draw(rt, "from"), Owner: addr.Draw(rt, "owner"), Path: netip.PrefixFrom(addr.Draw(rt, "path"), 8),
		Tags:   rapid.SliceOfNDistinct(rapid.StringN(1, 4, 16), 0, 3, rapid.ID).Draw(rt, "tags"),
		Values: rapid.SliceOfNDistinct(eighths, 0, 3, rapid.ID).Draw(rt, "values"),
		Any: rapid.SampledFrom([]any{nil, "a", json.Number("12345678901234567890123"),
			[]any{json.Number("1"), map[string]any{"n": json.Number("0.1")}}}).Draw(rt, "any"),
		Map: map[string]netip.Addr{"a": addr.Draw(rt, "element")},
		Part: probePart{When: time.Unix(rapid.Int64Range(0, 1e9).Draw(rt, "when"), 0),
			Times: []time.Time{when.Draw(rt, "t")},
			Ports: rapid.SliceOfNDistinct(rapid.Uint16(), 0, 3, rapid.ID).Draw(rt, "ports")},
	}
	if rapid.Bool().Draw(rt, "more") {
		r.Seen = when.Draw(rt, "seen")
		r.Total = new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(rt, "total"))
		r.Expiry = time.Unix(rapid.Int64Range(1, 1e10).Draw(rt, "expiry"), 0)
	}
	return r
}

// TestEncodingModel: with all options at once, random values come back from each way
// to write and to read, and are found by keys, ranges, conditions and filters.
func TestEncodingModel(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "all forms of values")
		ctx := t.Context()
		probes := open[probe](t, w.client, w.table(t, "device:S,at:S"), m, encoded...)
		rapid.Check(t, func(rt *rapid.T) {
			r := drawProbe(rt)
			same := func(what string, got probe, err error) {
				rt.Helper()
				if err != nil {
					rt.Fatalf("%s: %v", what, err)
				}
				got.Version = r.Version
				if d := cmp.Diff(r, got, sameProbe...); d != "" {
					rt.Fatalf("%s: %s", what, d)
				}
			}
			if err := probes.Put(ctx, r); err != nil {
				rt.Fatal(err)
			}
			k := store.Key{Partition: r.Device, Sort: r.At.UTC()} // the zone does not matter
			got, err := probes.Get(ctx, k)
			same("Get", got, err)
			for name, s := range map[string]store.SortRange{
				"equal":   store.SortEqual(r.At),
				"between": store.SortBetween(r.At.Add(-time.Nanosecond), r.At.Add(time.Nanosecond)),
				"greater": store.SortGreater(r.At.Add(-time.Nanosecond)),
				"less":    store.SortLess(r.At.Add(time.Nanosecond)),
				"prefix":  store.SortBeginsWith(r.At.UTC().Format("2006-01-02T15")),
			} {
				page, err := probes.QueryPage(ctx, store.Query{Partition: r.Device, Sort: s,
					Filter: expression.Name("from").Equal(probes.Value(r.From))}, "")
				if err != nil || len(page.Items) != 1 {
					rt.Fatalf("%s: %d items, %v, %v", name, len(page.Items), page.Failed, err)
				}
				same(name, page.Items[0], nil)
			}
			for _, s := range []store.SortRange{store.SortGreater(r.At), store.SortLess(r.At)} {
				if page, err := probes.QueryPage(ctx, store.Query{Partition: r.Device, Sort: s}, ""); err != nil ||
					len(page.Items) != 0 {
					rt.Fatalf("a range beside the time: %d items, %v", len(page.Items), err)
				}
			}

			// In place, under conditions.
			is := expression.Name("owner").Equal(probes.Value(r.Owner))
			r.Seen, r.Owner = r.At.Add(time.Hour), r.From
			update := expression.Set(expression.Name("seen"), probes.Value(r.Seen)).
				Set(expression.Name("owner"), probes.Value(r.Owner))
			if !slices.Contains(r.Tags, "added") {
				r.Tags = append(r.Tags, "added")
				update = update.Add(expression.Name("tags"), probes.Value([]string{"added"}))
			}
			got, err = probes.UpdateAttributesNew(ctx, k, update, is)
			same("UpdateAttributes", got, err)
			later := expression.Name("seen").LessThanEqual(probes.Value(r.At))
			if err := probes.Delete(ctx, k, later); !errors.Is(err, store.ErrConditionFailed) {
				rt.Fatalf("a time that is later: %v", err)
			}
			// By probe and writing.
			r.Values, r.Any = []float64{3, 1}, map[string]any{"n": json.Number("5")}
			got, err = probes.Update(ctx, k, func(v *probe) error { v.Values, v.Any = r.Values, r.Any; return nil })
			same("Update", got, err)
			all, err := probes.BatchGet(ctx, []store.Key{k})
			if err != nil || len(all) != 1 || all[0] == nil {
				rt.Fatal(err)
			}
			same("BatchGet", *all[0], nil)
			read := probes.GetOp(k)
			if err := store.TransactGet(ctx, w.client, read); err != nil {
				rt.Fatal(err)
			}
			got, err = read.Result()
			same("TransactGet", got, err)
			if err := probes.DeleteVersion(ctx, got, expression.Name("from").Equal(probes.Value(r.From))); err != nil {
				rt.Fatal(err)
			}
		})
	})
}

// textWriter has one text method of two.
type textWriter struct{ Text string }

func (textWriter) MarshalText() ([]byte, error) { return nil, nil }

type textReader string

func (*textReader) UnmarshalText([]byte) error { return nil }

// textInt is an integer with text methods.
type textInt int

func (i textInt) MarshalText() ([]byte, error) { return fmt.Append(nil, "n", int(i)), nil }
func (i *textInt) UnmarshalText(b []byte) error {
	_, err := fmt.Sscanf(string(b), "n%d", (*int)(i))
	return err
}

// textStamp is a time with text methods of its own.
type textStamp time.Time

func (s textStamp) MarshalText() ([]byte, error)  { return time.Time(s).MarshalText() }
func (s *textStamp) UnmarshalText(b []byte) error { return (*time.Time)(s).UnmarshalText(b) }

type wrapped struct{ time.Time }

type textPair struct {
	time.Time
	Zone string
}

// refusal is a declaration that New refuses with a reason.
func refusal[T any](reason string, opts ...store.Option) typeCase {
	return typeCase{reason + " " + reflect.TypeFor[T]().String(),
		func(t *testing.T, c store.Client, table string, m store.Mode) {
			if _, err := store.New[T](c, table, m, opts...); !errors.Is(err, store.ErrConfiguration) ||
				!strings.Contains(fmt.Sprint(err), reason) {
				t.Errorf("%v, want a refusal with %q", err, reason)
			}
		}}
}

// with is a row of a type that needs options.
func with[F any](opts []store.Option, values ...F) typeCase {
	return typeCase{reflect.TypeFor[F]().String(), func(t *testing.T, c store.Client, table string, m store.Mode) {
		boxes := open[box[F]](t, c, table, m, opts...)
		for i, v := range values {
			id := fmt.Sprint(t.Name(), i)
			ok(t, boxes.Put(t.Context(), box[F]{id, v}))
			same := func(b box[F]) error {
				if d := cmp.Diff(v, b.V, equal); d != "" {
					t.Errorf("%v changes: %s", v, d)
				}
				return nil
			}
			k := store.Key{Partition: id}
			ok(t, ignore(boxes.Update(t.Context(), k, func(b *box[F]) error { return same(*b) })))
			_ = same(must(boxes.Get(t.Context(), store.Key{Partition: id}))(t))
		}
	}}
}

// TestTypesOfOptions: the types that an option adds come back, and a declaration that
// an option cannot serve is refused.
func TestTypesOfOptions(t *testing.T) {
	text, sets := store.TextMarshalers(), store.SlicesAsSets()
	texts, utc := []store.Option{text}, time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	addr := netip.MustParseAddr("::1")
	cases := []typeCase{
		with(texts, addr, netip.Addr{}), with(texts, &addr, nil),
		with(texts, []netip.Prefix{netip.MustParsePrefix("::/8")}),
		with(texts, uuid.UUID{1}), with(texts, big.NewInt(5), nil), with(texts, map[string]uuid.UUID{"a": {1}}),
		with(texts, url.URL{Host: "example.com"}), with(texts, textInt(5), 0), with(texts, utc),
		with(texts, textStamp(utc)),
		with(texts, wrapped{utc}), with(texts, []time.Time{utc}), with[any](texts, "a", nil), with(texts, euro{5}),
		with(texts, map[string]*big.Int{"a": big.NewInt(1)}),
		with([]store.Option{sets}, []string{"a"}, nil), with([]store.Option{sets}, [][]byte{{1}}, nil),
		with([]store.Option{sets}, []attributevalue.Number{"1.5"}), with([]store.Option{sets}, [2]string{"a", "a"}),
		with([]store.Option{sets}, []bool{true, true}), with([]store.Option{sets}, [][]string{{"a", "a"}}),
		with([]store.Option{store.AnyNumbers[float64]()}, any([]any{1.5, "a"})),
		with([]store.Option{store.AnyNumbers[json.Number]()}, map[string]any{"a": json.Number("5")}),
		with([]store.Option{store.AnyNumbers[attributevalue.Number]()}, any(attributevalue.Number("5"))),
		with([]store.Option{store.SortableTimes()}, utc, time.Time{}),

		refusal[box[textWriter]]("has MarshalText but not UnmarshalText", text),
		refusal[box[textReader]]("has UnmarshalText but not MarshalText", text),
		refusal[box[textPair]]("has MarshalText from an embedded type", text),
		refusal[box[struct{ time.Time }]]("has MarshalText from an embedded type", text),
		refusal[box[map[string]big.Int]]("pointer receiver", text),
		refusal[struct {
			ID uuid.UUID   `dynamodbav:"id" seal:"partition"`
			V  []uuid.UUID `dynamodbav:"v,stringset"`
		}]("does not fit", text),
		refusal[struct {
			ID string  `dynamodbav:"id" seal:"partition"`
			V  textInt `dynamodbav:"v" seal:"version"`
		}]("a version counts", text),
		refusal[struct {
			ID string  `dynamodbav:"id" seal:"partition"`
			V  textInt `dynamodbav:"v" seal:"ttl"`
		}]("a ttl is an integer", text),
		refusal[struct {
			ID string `dynamodbav:"id" seal:"partition"`
			V  string `dynamodbav:"v" json:",omitempty"`
		}]("drops the name", store.TagKey("json")),
		refusal[struct {
			ID string `json:"id" seal:"partition"`
			V  string `json:"v,omitzero"`
		}]("omitzero", store.TagKey("json")),
		refusal[box[int]]("TagKey", store.TagKey("seal")), refusal[box[int]]("TagKey", store.TagKey("")),
		refusal[struct {
			ID string    `dynamodbav:"id" seal:"partition"`
			V  time.Time `dynamodbav:"v" seal:"sort"`
		}]("SortableTimes", text),
	}
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "all forms of values")
		table := w.table(t, "id:S")
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) { c.run(t, w.client, table, m) })
		}
	})
}

// TestConditionTypes: a value that no item can match, or that would be stored in
// another form than the field's, is refused with the field's name before the call.
func TestConditionTypes(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		probes := open[probe](t, w.client, w.table(t, "device:S,at:S"), m, encoded...)
		r := probe{Device: uuid.UUID{1}, At: time.Unix(5, 0), From: netip.MustParseAddr("10.0.0.1")}
		r.Owner, r.Tags = r.From, []string{"a"}
		ok(t, probes.Put(ctx, r))
		n, v, raw := expression.Name, probes.Value, func(v any) expression.ValueBuilder { return expression.Value(v) }
		for field, c := range map[string]store.Condition{
			"From":    n("from").Equal(raw(r.From)),
			"Owner":   expression.Not(n("owner").In(v(r.Owner), raw(5))),
			"Seen":    n("seen").LessThan(raw(time.Unix(5, 0).UTC())),
			"Tags":    n("tags").Contains(5),
			"Expiry":  n("expiry").Between(v(time.Now()), v(time.Now())),
			"Version": expression.Or(n("tags").AttributeExists(), raw("1").Equal(n("version"))),
		} {
			if field == "Tags" {
				c = expression.Contains(n("tags"), "a").And(n("tags").Equal(raw([]string{"a"})))
			}
			_, err := probes.QueryPage(ctx, store.Query{Partition: r.Device, Filter: c}, "")
			for what, err := range map[string]error{"condition": probes.Delete(ctx, r.key(), c), "filter": err} {
				if !errors.Is(err, store.ErrConfiguration) || !strings.Contains(err.Error(), "field "+field) {
					t.Errorf("%s of %s: %v", what, field, err)
				}
			}
		}
		for field, u := range map[string]expression.UpdateBuilder{
			"Owner": expression.Set(n("owner"), raw("10.0.0.1")).Set(n("seen"), raw("2026")).
				Set(n("tags"), v([]int{1})),
			"Seen": expression.Set(n("seen"), expression.IfNotExists(n("seen"), raw(time.Unix(5, 0).UTC()))),
			"Tags": expression.Delete(n("tags"), raw(&types.AttributeValueMemberNS{Value: []string{"1"}})),
		} {
			if field == "Owner" { // text fits text: the tags do not
				field = "Tags"
			}
			if err := probes.UpdateAttributes(ctx, r.key(), u); !errors.Is(err, store.ErrConfiguration) ||
				!strings.Contains(err.Error(), "field "+field) {
				t.Errorf("update of %s: %v", field, err)
			}
		}
		for name, c := range map[string]store.Condition{
			"value": n("from").Equal(v(r.From)), "null": n("owner").NotEqual(raw(nil)),
			"size":     n("owner").Size().Equal(raw(8)),
			"contains": n("tags").Contains("a"), "prefix": n("from").BeginsWith("10."),
			"year": n("at").LessThan(raw("1971")),
			"type": n("from").AttributeType(expression.String), "ttl": n("expiry").AttributeNotExists(),
		} {
			if err := probes.UpdateAttributes(ctx, r.key(), expression.Set(n("seen"), v(r.At)), c); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		// A value that cannot be converted is an error of the call.
		err := probes.Delete(ctx, r.key(), n("from").Equal(v(make(chan int))))
		if !errors.Is(err, store.ErrConfiguration) || !strings.Contains(err.Error(), "chan int") {
			t.Error(err)
		}
	})
}

// odd converts itself and can write a ttl that DynamoDB never expires.
type odd struct {
	ID  string `dynamodbav:"id" seal:"partition"`
	End int64  `dynamodbav:"end" seal:"ttl"`
}

func (o odd) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	return &types.AttributeValueMemberM{Value: envelope.Item{"id": &types.AttributeValueMemberS{Value: o.ID},
		"end": &types.AttributeValueMemberS{Value: "2026-01-01"}}}, nil
}
func (*odd) UnmarshalDynamoDBAttributeValue(types.AttributeValue) error { return nil }

// TestTTLIsNumber: a ttl that is not a number is refused before the call.
func TestTTLIsNumber(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		err := open[odd](t, w.client, w.table(t, "id:S"), m).Put(t.Context(), odd{ID: "a"})
		if !errors.Is(err, envelope.ErrInvalidItem) ||
			!strings.Contains(err.Error(), `ttl attribute "end" is of type S`) {
			t.Error(err)
		}
	})
}

// TestSwitchOfOptions: a table with the options reads what was written without them.
func TestSwitchOfOptions(t *testing.T) {
	type row[F any] struct {
		ID   string    `dynamodbav:"id" seal:"partition"`
		At   time.Time `dynamodbav:"at"`
		UUID uuid.UUID `dynamodbav:"uuid"`
		Tags []string  `dynamodbav:"tags"`
		Any  F         `dynamodbav:"any"`
	}
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "equality of lists")
		ctx := t.Context()
		table := w.table(t, "id:S")
		old := row[int]{"a", time.Unix(5, 5).In(time.FixedZone("", 3600)), uuid.UUID{7}, []string{"b", "a"}, 5}
		ok(t, open[row[int]](t, w.client, table, m).Put(ctx, old))
		rows := open[row[any]](t, w.client, table, m, encoded...)
		for range 2 { // in the old form, then in the new one
			got, err := rows.Update(ctx, store.Key{Partition: "a"}, func(*row[any]) error { return nil })
			ok(t, err)
			slices.Sort(got.Tags)
			if !got.At.Equal(old.At) || got.UUID != old.UUID || !slices.Equal(got.Tags, []string{"a", "b"}) ||
				got.Any != json.Number("5") {
				t.Errorf("%+v", got)
			}
		}
	})
}
