// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"image/color"
	"math"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/ddbseal/ddbseal/store"
)

// box has one field of any type.
type box[F any] struct {
	ID string `dynamodbav:"id" seal:"partition"`
	V  F      `dynamodbav:"v"`
}

// typeCase is a row of the table of types: a type whose values come back
// unchanged, or one that New refuses.
type typeCase struct {
	name string
	run  func(t *testing.T, c store.Client, table string, m store.Mode)
}

// check is the row of a type F. Its values come back unchanged from every way
// to write and to read; without values, New refuses F by the name of the field.
func check[F any](values ...F) typeCase {
	return typeCase{reflect.TypeFor[F]().String(), func(t *testing.T, c store.Client, table string, m store.Mode) {
		roundTrip(t, c, table, m, "V", func(id string, v F) box[F] { return box[F]{id, v} },
			func(b *box[F]) *F { return &b.V }, values)
	}}
}

// checkField is check for the whole type T, of which one field is at stake.
func checkField[T any](field string, values ...T) typeCase {
	return typeCase{reflect.TypeFor[T]().String(), func(t *testing.T, c store.Client, table string, m store.Mode) {
		withID := func(id string, v T) T {
			reflect.ValueOf(&v).Elem().FieldByName("ID").SetString(id)
			return v
		}
		roundTrip(t, c, table, m, field, withID, func(v *T) *T { return v }, values)
	}}
}

// equal compares everything, times by their instant.
var equal = cmp.Exporter(func(reflect.Type) bool { return true })

func roundTrip[T, F any](t *testing.T, c store.Client, table string, m store.Mode, field string, of func(string, F) T,
	value func(*T) *F, values []F) {
	boxes, err := store.New[T](c, table, m)
	if len(values) == 0 {
		if !errors.Is(err, store.ErrConfiguration) || !strings.Contains(err.Error(), "field "+field) {
			t.Errorf("New: %v, should refuse field %s", err, field)
		}
		return
	}
	ok(t, err)
	ctx := t.Context()
	for i, want := range values {
		id := func(way string) string { return fmt.Sprint(t.Name(), way, i) }
		expect := func(way, id string) {
			t.Helper()
			got, err := boxes.Get(ctx, store.Key{Partition: id})
			if err != nil {
				t.Errorf("%s of %#v: %v", way, want, err)
				return
			}
			w := of(id, want)
			if d := cmp.Diff(*value(&w), *value(&got), equal); d != "" {
				t.Errorf("%s changes %#v: %s", way, want, d)
			}
		}
		ok(t, boxes.Put(ctx, of(id("put"), want)))
		expect("Put", id("put"))

		ok(t, boxes.Put(ctx, of(id("update"), values[len(values)-1-i])))
		set := func(v *T) error { *v = of(id("update"), want); return nil }
		ok(t, ignore(boxes.Update(ctx, store.Key{Partition: id("update")}, set)))
		expect("Update", id("update"))
		ok(t, ignore(boxes.Update(ctx, store.Key{Partition: id("update")}, func(*T) error { return nil })))
		expect("Update without a change", id("update"))

		set = func(v *T) error { *v = of(id("put"), want); return nil }
		ok(t, store.TransactWrite(ctx, c, boxes.PutOp(of(id("transaction"), want)),
			boxes.UpdateOp(store.Key{Partition: id("put")}, set)))
		expect("PutOp", id("transaction"))
		expect("UpdateOp", id("put"))
		ok(t, ignore(boxes.BatchPut(ctx, []T{of(id("batch"), want)})))
		expect("BatchPut", id("batch"))
	}
}

type (
	namedText string
	duration  = time.Duration
	stamp     time.Time
	level     uint8 // an enumeration
	blob      []byte
	blobs     [][]byte
	inner2    struct{ A, B string }
	tree      struct {
		Name  string
		Left  *tree
		Nodes []tree
		ByID  map[string]tree
	}
	generic[X any] struct{ X X }
	decimal        struct { // as the common packages of decimals
		value *big.Int //lint:ignore U1000 only its type counts
		exp   int32    //lint:ignore U1000 likewise
	}
	mixed struct {
		Shown  string
		hidden int //lint:ignore U1000 attributevalue skips it
	}
	shadowing struct {
		base
		Name string
	}
	base      struct{ Name, Other string }
	ambiguous struct {
		base
		Second
	}
	Second    struct{ Name string }
	PointedTo struct{ Deep string }
	pointedTo struct{ Deep string }
	stringer  int
)

func (stringer) String() string { return "printed" }

// euro converts itself, by methods of values and pointers.
type euro struct{ cents int64 }

func (e euro) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	return &types.AttributeValueMemberS{Value: fmt.Sprint(e.cents, " cents")}, nil
}
func (e *euro) UnmarshalDynamoDBAttributeValue(av types.AttributeValue) error {
	s, is := av.(*types.AttributeValueMemberS)
	if !is {
		return errors.New("not a text")
	}
	_, err := fmt.Sscanf(s.Value, "%d cents", &e.cents)
	return err
}

// pound is euro with pointer receivers only.
type pound struct{ Pence int64 }

func (p *pound) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	return &types.AttributeValueMemberS{Value: fmt.Sprint(p.Pence, " pence")}, nil
}
func (p *pound) UnmarshalDynamoDBAttributeValue(av types.AttributeValue) error {
	s, is := av.(*types.AttributeValueMemberS)
	if !is {
		return errors.New("not a text")
	}
	_, err := fmt.Sscanf(s.Value, "%d pence", &p.Pence)
	return err
}

type onlyWrites struct{ A string }

func (onlyWrites) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	return &types.AttributeValueMemberS{}, nil
}

type onlyReads struct{ A string }

func (*onlyReads) UnmarshalDynamoDBAttributeValue(types.AttributeValue) error { return nil }

type price struct { // the methods are euro's, and know no Currency
	euro
	Currency string
}
type pricePointer struct {
	*pound
	Currency string
}
type ownPrice struct { // the methods are its own
	euro
	Currency string
}

func (p ownPrice) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	return &types.AttributeValueMemberS{Value: fmt.Sprint(p.cents, " ", p.Currency)}, nil
}
func (p *ownPrice) UnmarshalDynamoDBAttributeValue(av types.AttributeValue) error {
	_, err := fmt.Sscan(av.(*types.AttributeValueMemberS).Value, &p.cents, &p.Currency)
	return err
}

// typeCases are types of fields: unchanged, or refused.
func typeCases() []typeCase {
	now := time.Date(2024, 2, 29, 12, 30, 0, 500_000_000, time.FixedZone("", 5*3600+1800))
	return []typeCase{
		// Scalars.
		check("text", "", "Ω\x00"), check[namedText]("n", ""), check(true, false), check(-5, 0, math.MaxInt),
		check[int8](-128, 127),
		check[uint64](math.MaxUint64, 0), check(1.5, -0.1, 1e100, 1e-100), check[float32](0.1, 3.4028233e38),
		check(duration(-1), time.Hour),
		check[attributevalue.Number]("12345678901234567890123456789012345678"), check[json.Number]("1.5"),
		check[level](3), check('x'),
		// Pointers.
		check(new("text"), new(""), nil), check(new(5), new(0), nil), check[**int](), check[*any](),
		check(new(inner2{"a", "b"}), nil), check(new(now), nil),
		// Bytes and lists.
		check([]byte{1, 2}, []byte{}, nil), check[blob](blob{1}, nil), check[json.RawMessage](json.RawMessage(`{}`)),
		check([3]byte{1, 2, 3}), check([2]string{"a", ""}),
		check([]string{"b", "a", "b"}, []string{}, nil), check([]*int{new(1), nil}), check([][]int{{1}, {}, nil}),
		check([]inner2{{"a", "b"}}), check([]float64{0.5}),
		check[[]level](), check[[4]level](), check[[][]byte](), check[map[string][][]byte](),
		check(blobs{{2}, {1}, {2}}, nil), check([]blob{{2}, {1}}), check([][2]byte{{1}, {2}}),
		// Maps.
		check(map[string]int{"a": 1}, map[string]int{}, nil), check(map[int]string{-1: "a"}),
		check(map[bool]string{true: "a"}), check(map[float64]int{1e30: 1}), check(map[namedText]*int{"a": nil}),
		check(map[netip.Addr]int{netip.MustParseAddr("10.0.0.1"): 1}), check(map[string]struct{}{"member": {}}),
		check(map[json.Number]int{"1": 1}), check(map[string]inner2{"x": {"a", "b"}}),
		check[map[stringer]int](), check[map[time.Weekday]int](), check[map[any]int](), check[map[*int]int](),
		check[map[[2]int]int](), check[map[inner2]int](),
		// Times.
		check(now, time.Time{}, time.Date(1900, 1, 1, 0, 0, 0, 0, time.FixedZone("LMT", 1172))), check(stamp(now)),
		check([]time.Time{now}), check(map[string]time.Time{"a": now}),
		check(attributevalue.UnixTime(time.Unix(1_700_000_000, 0))),
		// Structs.
		check(inner2{"a", "b"}, inner2{}), check(struct{ A int }{1}), check(struct{}{}),
		check(generic[[]int]{[]int{1}}), check[generic[chan int]](), check(mixed{Shown: "a"}),
		check(tree{Name: "a", Left: &tree{Name: "b"}, Nodes: []tree{{Name: "c"}}, ByID: map[string]tree{"d": {}}}),
		check(shadowing{base{Other: "o"}, "n"}), check[ambiguous](),
		check[decimal](), check[big.Int](), check[*big.Int](), check[*big.Float](), check[netip.Addr](),
		check[[]netip.Prefix](), check[url.URL](), check[sync.Mutex](), check[atomic.Int64](),
		check(color.RGBA{1, 2, 3, 4}),
		check[struct{ time.Time }](), check[struct{ *pointedTo }](),
		check(struct{ *PointedTo }{&PointedTo{"a"}}, struct{ *PointedTo }{}), check(struct{ base }{base{"a", "b"}}),
		check[struct{ namedText }](), check[struct {
			base `dynamodbav:"b"`
		}](),
		// Types that convert themselves.
		check(euro{5}), check(&euro{5}, nil), check([]euro{{1}, {2}}), check(map[string]euro{"a": {1}}),
		check(pound{5}), check([]pound{{1}}), check([1]pound{{1}}), check(map[string]*pound{"a": {1}}),
		check[map[string]pound](), check[onlyWrites](), check[onlyReads](), check[*onlyReads](), check[price](),
		check[pricePointer](), check[[]price](), check[struct{ price }](), check(ownPrice{euro{5}, "EUR"}),
		check[struct{ store.Mode }](),
		check[struct{ attributevalue.Marshaler }](),
		// Interfaces: the types that any gives back.
		check[any]("text", true, nil, attributevalue.Number("5"), []byte{1}, []any{"a", nil},
			map[string]any{"a": []any{}}), check([]any{"a", nil}), check(map[string]any{"a": "b"}),
		check[error](), check[fmt.Stringer](), check[[]fmt.Stringer](), check[types.AttributeValue](),
		// Kinds that attributevalue drops.
		check[complex128](), check[complex64](), check[chan int](), check[func()](), check[unsafe.Pointer](),
		check[uintptr](), check[[]func()](), check[map[string]chan int](),
	}
}

func TestTypes(t *testing.T) {
	cases := slices.Concat(typeCases(), optionCases())
	if len(cases) < 60 {
		t.Fatalf("%d types", len(cases))
	}
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "all forms of values")
		table := w.table(t, "id:S")
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) { c.run(t, w.client, table, m) })
		}
	})
}
