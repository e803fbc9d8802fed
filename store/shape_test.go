// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/ddbseal/ddbseal/store"
)

type (
	profile struct {
		SSN string `seal:"encrypt"`
	}
	holder  struct{ Deep []profile }
	looping struct {
		Next *looping
		Leaf map[string]profile
	}
	Person struct {
		ID      string `dynamodbav:"id" seal:"partition"`
		Parent  *Person
		Renamed string
	}
	outside struct {
		Shown string
		profile
	}
	hiddenTag struct {
		Shown string
		deep  string `seal:"sign"` //lint:ignore U1000 only its tag counts
	}
	ownWithTag struct {
		euro
		Deep profile
	}
)

func (o ownWithTag) MarshalDynamoDBAttributeValue() (av types.AttributeValue, err error) {
	return o.euro.MarshalDynamoDBAttributeValue()
}
func (o *ownWithTag) UnmarshalDynamoDBAttributeValue(av types.AttributeValue) error {
	return o.euro.UnmarshalDynamoDBAttributeValue(av)
}

// TestNestedSealTags: a tag below the top level has no effect, so the text
// under it would lie in clear in an attribute that is only signed.
func TestNestedSealTags(t *testing.T) {
	m := clientSide(t)
	for want, err := range map[string]error{
		"V.SSN":          declare[box[profile]](t, m),
		"V.SSN (ptr)":    declare[box[*profile]](t, m),
		"V[].SSN":        declare[box[[]profile]](t, m),
		"V[].SSN (arr)":  declare[box[[2]*profile]](t, m),
		"V[].SSN (map)":  declare[box[map[string]profile]](t, m),
		"V.Deep[].SSN":   declare[box[holder]](t, m),
		"V.Leaf[].SSN":   declare[box[looping]](t, m),
		"Parent.ID":      declare[Person](t, m),
		"V.profile.SSN":  declare[box[outside]](t, m),
		"V.deep":         declare[box[hiddenTag]](t, m),
		"V.Deep.SSN":     declare[box[ownWithTag]](t, m),
		"V[][].SSN":      declare[box[map[string][]*profile]](t, m),
		"V.X.SSN":        declare[box[generic[profile]]](t, store.ServerSide{}),
		"V.SSN (server)": declare[box[profile]](t, store.ServerSide{}),
		"V.A.SSN": declare[box[struct {
			A struct {
				SSN string `seal:"sign"`
			}
		}]](t, m),
	} {
		field, _, _ := strings.Cut(want, " ")
		if !errors.Is(err, store.ErrConfiguration) || !strings.Contains(err.Error(), "field "+field+" of ") {
			t.Errorf("%s: %v", want, err)
		}
	}
	// What is not stored may have tags.
	if err := declare[struct {
		ID      string  `seal:"partition"`
		Related *Person `dynamodbav:"-"`
		cache   *Person
	}](t, m); err != nil {
		t.Error(err)
	}
}

type (
	Left     struct{ Name, L string }
	Right    struct{ Name, R string }
	Renaming struct {
		Other string `dynamodbav:"Name"`
	}
	Loop struct {
		L string
		*Loop
	}
	Middle struct {
		Left
		M string
	}
)

// sees compares the attributes that a table declares with those that
// attributevalue writes.
func sees[T any](t *testing.T, v T, refused ...string) {
	t.Helper()
	actions, err := store.Actions[T]()
	if refused != nil {
		for _, says := range refused {
			if !errors.Is(err, store.ErrConfiguration) || !strings.Contains(err.Error(), says) {
				t.Errorf("%T: %v, should say %s", v, err, says)
			}
		}
		return
	}
	ok(t, err)
	item := must(attributevalue.MarshalMap(v))(t)
	if d := cmp.Diff(slices.Sorted(maps.Keys(item)), slices.Sorted(maps.Keys(actions))); d != "" {
		t.Errorf("%T: %s", v, d)
	}
}

// TestShadowing: embedded fields follow Go's rules as attributevalue reads them.
func TestShadowing(t *testing.T) {
	type key struct {
		ID string `dynamodbav:"id" seal:"partition"`
	}
	type Keyed struct {
		ID string `seal:"partition"`
	}
	sees(t, struct {
		key
		Left
		Name string
	}{})
	sees(t, struct {
		key
		Left
		Mine string `dynamodbav:"Name"`
	}{})
	sees(t, struct { // at equal depth, the name from the tag wins
		key
		Left
		Renaming
	}{})
	sees(t, struct { // Middle.Left is deeper than Right
		key
		Middle
		Right
	}{})
	sees(t, struct {
		key
		*Loop
	}{Loop: &Loop{}})
	sees(t, struct {
		key
		Left `dynamodbav:"-"`
		Right
	}{})
	sees(t, struct {
		key
		Left `dynamodbav:"left"`
		Right
	}{})
	sees(t, struct {
		key
		Left
		Right
	}{}, "Left.Name", "Right.Name")
	sees(t, struct {
		key
		A string `dynamodbav:"x"`
		B string `dynamodbav:"x"`
	}{}, "A", "B")
	sees(t, struct { // the tag of a field that is not stored
		Keyed
		ID string
	}{}, "Keyed.ID")
	sees(t, struct {
		Keyed
		Name string
		*Left
	}{Left: &Left{}})
}

// Ledger has euro's methods, which know nothing of the ID.
type Ledger struct {
	ID string `dynamodbav:"id" seal:"partition"`
	euro
}

// halfOwn writes itself, and reads by euro's method.
type halfOwn struct {
	ID string `dynamodbav:"id" seal:"partition"`
	euro
}

func (halfOwn) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) { return nil, nil }

// TestPromotedMethods: the whole type is converted by the methods of a part.
func TestPromotedMethods(t *testing.T) {
	for says, err := range map[string]error{
		"MarshalDynamoDB":        declare[Ledger](t, clientSide(t)),
		"UnmarshalDynamoDB":      declare[halfOwn](t, store.ServerSide{}),
		"UnmarshalDynamoDBAttr":  declare[box[onlyWrites]](t, store.ServerSide{}),
		"MarshalDynamoDBAttribu": declare[box[*onlyReads]](t, store.ServerSide{}),
	} {
		if !errors.Is(err, store.ErrConfiguration) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, should name %s", err, says)
		}
	}
}

// TestValuesInInterfaces: the types in interfaces are known only at Put.
func TestValuesInInterfaces(t *testing.T) {
	boxes := open[box[any]](t, untouchable{t}, "table", store.ServerSide{})
	cyclic := map[string]any{}
	cyclic["self"] = cyclic
	var pointer any
	pointer = &pointer
	list := []any{nil}
	list[0] = list
	for name, v := range map[string]any{
		"channel": make(chan int), "complex": 1i, "decimal": decimal{}, "pointer to decimal": &decimal{}, "nested": []any{map[string]any{"a": func() {}}},
		"tag": profile{"123"}, "tag in a pointer": &holder{}, "pointer receiver": pound{5}, "promoted": price{},
		"cycle": cyclic, "pointer cycle": pointer, "list cycle": list,
		"enumeration": []level{1}, "key": map[stringer]func(){}, "struct with any": generic[any]{[]any{1i}},
	} {
		err := boxes.Put(t.Context(), box[any]{"a", v})
		var item *store.ItemError
		if !errors.As(err, &item) || !strings.Contains(err.Error(), "field V") || strings.Contains(err.Error(), "123") {
			t.Errorf("%s: %v", name, err)
		}
	}
	deep := &tree{Name: "leaf"}
	for range 200 {
		deep = &tree{Left: deep}
	}
	deep.Left.Left = deep
	var item *store.ItemError
	if err := open[box[tree]](t, untouchable{t}, "table", clientSide(t)).Put(t.Context(),
		box[tree]{"a", *deep}); !errors.As(err, &item) {
		t.Errorf("a tree that contains itself: %v", err)
	}
}

// TestTimeKeys: a time as text cannot be a key of a table or an index.
func TestTimeKeys(t *testing.T) {
	type sorted[S any] struct {
		ID string `dynamodbav:"id" seal:"partition"`
		At S      `dynamodbav:"at" seal:"sort"`
	}
	type keyed struct {
		At time.Time `dynamodbav:"at" seal:"partition"`
	}
	for _, err := range []error{declare[sorted[time.Time]](t, clientSide(t)),
		declare[sorted[*time.Time]](t, store.ServerSide{}), declare[sorted[stamp]](t, clientSide(t)),
		declare[keyed](t, clientSide(t))} {
		if !errors.Is(err, store.ErrConfiguration) || !strings.Contains(err.Error(), "field At") ||
			!strings.Contains(err.Error(), "unixtime") {
			t.Error(err)
		}
	}
	if err := declare[sorted[attributevalue.UnixTime]](t, clientSide(t)); err != nil {
		t.Error(err)
	}
	type indexed struct {
		ID string    `dynamodbav:"id" seal:"partition"`
		At time.Time `dynamodbav:"at" seal:"sign"`
	}
	for _, err := range open[indexed](t, untouchable{t}, "table", clientSide(t)).Query(t.Context(),
		store.Query{Partition: "a", Index: &store.Index{Name: "i", Partition: "id", Sort: "at"}}) {
		if !errors.Is(err, store.ErrConfiguration) || !strings.Contains(err.Error(), "field At") {
			t.Error(err)
		}
	}
}
