// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

type inner struct {
	Text *string
	N    int
}

type embedded struct{ Shared *bool }

// shout reads itself.
type shout string

func (s *shout) ReadValue(d *Decoder) error {
	text, err := d.ReadString()
	*s = shout(strings.ToUpper(text))
	if text == "later" {
		d.Later(request.Errorf("First", ""))
		d.Later(request.Errorf("Second", ""))
	}
	return err
}

// counter reads its members itself.
type counter struct{ names []string }

func (c *counter) ReadMember(d *Decoder, name []byte) error {
	c.names = append(c.names, string(name))
	return d.Skip()
}

type everything struct {
	embedded
	Tagged   *string `json:"KeyId,omitempty"`
	Text     *string
	Flag     *bool
	Plain    bool
	Whole    *int64
	Int      int
	Float    *float64
	Binary   []byte
	Texts    []string
	Structs  []inner
	Pointers []*inner
	One      *inner
	Value    inner
	Map      map[string]string
	Lists    map[string][]int
	Loud     *shout
	Counted  counter
	Gone     Unsupported
	private  string
}

func decodeInto(in any, body string) error {
	p := &JSON{MaxBody: 1000, Empty: true}
	p.Unsupported = func(name string) error { return request.Errorf("Unsupported", "%s", name) }
	return p.Decoder(reflect.TypeOf(in).Elem())(&request.Call{Body: []byte(body)}, in)
}

// Every kind of member is read as encoding/json reads it, but for names, which
// must be exact.
func TestDecodeJSON(t *testing.T) {
	const body = `{"KeyId":"k","Text":"é","Flag":true,"Plain":true,"Whole":-7,"Int":8,"Float":1.5e2,"Binary":"AAE=",
		"Texts":["a",""],"Structs":[{"Text":"x","N":1,"Other":[1]},{}],"Pointers":[{"N":2},null],"One":{"N":3},
		"Value":{"N":4},"Map":{"a":"b"},"Lists":{"a":[1,2]},
		"Shared":false,"Unknown":{"deep":[null]},"private":"x"}`
	got, want := new(everything), new(everything)
	if err := decodeInto(got, body); err != nil {
		t.Fatal(err)
	}
	type noCounter everything
	if err := json.Unmarshal([]byte(body), (*noCounter)(want)); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got.Shared == nil || *got.Shared || got.private != "" {
		t.Error("the embedded member is not read, or a private one is")
	}
	other := new(everything)
	const own = `{"text":"x","keyId":"x","Loud":"abc","Counted":{"a":1,"b":[{}]},"Gone":null}`
	if err := decodeInto(other, own); err != nil {
		t.Fatal(err)
	}
	counted := slices.Equal(other.Counted.names, []string{"a", "b"})
	if other.Text != nil || other.Tagged != nil || *other.Loud != "ABC" || !counted {
		t.Errorf("got %+v", other)
	}
}

// A request that reads its members itself gets their names and, like any other,
// has its constraints checked before what it noted for later.
type reading struct{ counter }

func (r *reading) ReadMember(d *Decoder, name []byte) error {
	if string(name) == "bad" {
		d.Later(request.Errorf("Later", ""))
	}
	return r.counter.ReadMember(d, name)
}

func (r *reading) Check(c *Checks) { c.Required(len(r.names) == 0, "names") }

func TestReadItself(t *testing.T) {
	decode := new(JSON).Decoder(reflect.TypeFor[reading]())
	in := new(reading)
	err := decode(&request.Call{Body: []byte(`{"a":1,"b\u0041":{"c":[]}}`)}, in)
	if err != nil || !slices.Equal(in.names, []string{"a", "bA"}) {
		t.Errorf("%q, %v", in.names, err)
	}
	for body, want := range map[string]string{
		`{}`: "ValidationException", `{"bad":1}`: "Later", `{"bad":1,"x"}`: "SerializationException",
	} {
		if err := decode(&request.Call{Body: []byte(body)}, new(reading)); err == nil ||
			!strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}

// parts is a request that keeps the refusal of a part and answers it from Prepare.
type parts struct {
	counter
	kept error
}

func (p *parts) ReadMember(d *Decoder, name []byte) error {
	if string(name) == "bad" {
		d.Later(request.Errorf("Part", ""))
		p.kept = d.TakeLater()
		if d.Refused() || d.TakeLater() != nil {
			return errors.New("a refusal was taken and is still there")
		}
	}
	return p.counter.ReadMember(d, name)
}

func (p *parts) Check(c *Checks) {
	if c.Operation == "Picky" {
		c.Required(true, "names")
	}
}

func (p *parts) Prepare(*request.Call) error { return p.kept }

// A protocol words what is wrong beside the constraints, whether it was noted
// or found by Prepare, and constraints may depend on the operation.
func TestRefuse(t *testing.T) {
	protocol := &JSON{Refuse: func(c *request.Call, err error) error {
		return request.Errorf("Worded", "%s in %s", err.(*request.Error).Code, c.Operation)
	}}
	for in, want := range map[any]string{new(reading): "Worded: Later in Op", new(parts): "Worded: Part in Op"} {
		decode := protocol.Decoder(reflect.TypeOf(in).Elem())
		if err := decode(&request.Call{Operation: "Op", Body: []byte(`{"bad":1}`)}, in); err == nil ||
			err.Error() != want {
			t.Errorf("%T: %v, want %s", in, err, want)
		}
	}
	in, call := new(parts), &request.Call{Operation: "Picky", Body: []byte(`{"bad":1}`)}
	for name, decode := range map[string]Decode{"decoded": protocol.Decoder(reflect.TypeFor[parts]()),
		"examined": protocol.Examine} {
		if err := decode(call, in); err == nil || !strings.HasPrefix(err.Error(), "ValidationException") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := protocol.Examine(&request.Call{Operation: "Op"}, new(parts)); err != nil {
		t.Error(err)
	}
}

// The tag of this package counts before encoding/json's, and a member can be
// asked for by its presence alone.
func TestTagsAndPresence(t *testing.T) {
	var in struct {
		Read  *int64 `json:"Stored" wire:"Sent"`
		There Present
		Gone  Present
	}
	decode := new(JSON).Decoder(reflect.TypeOf(in))
	if err := decode(&request.Call{Body: []byte(`{"Stored":1,"Sent":2,"There":{"x":[1]},"Gone":null}`)},
		&in); err != nil {
		t.Fatal(err)
	}
	if in.Read == nil || *in.Read != 2 || !in.There || in.Gone {
		t.Errorf("got %+v", in)
	}
}

// A null leaves its member unset, and an empty list or map is not a missing
// one.
func TestNullAndEmpty(t *testing.T) {
	members := map[string]any{}
	for _, name := range []string{"KeyId", "Text", "Flag", "Plain", "Whole", "Int", "Float", "Binary", "Texts",
		"Structs",
		"Pointers", "One", "Value", "Map", "Lists", "Loud", "Counted", "Gone"} {
		members[name] = nil
	}
	nulls, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{string(nulls), `{}`, ``, " \n", `null`} {
		in := new(everything)
		if err := decodeInto(in, body); err != nil || !reflect.DeepEqual(in, new(everything)) {
			t.Errorf("%q: %+v, %v", body, in, err)
		}
	}
	in := new(everything)
	if err := decodeInto(in, `{"Texts":[],"Structs":[],"Map":{},"Binary":"","One":{}}`); err != nil {
		t.Fatal(err)
	}
	if in.Texts == nil || in.Structs == nil || in.Map == nil || in.Binary == nil || in.One == nil {
		t.Errorf("an empty member is missing: %+v", in)
	}
}

func TestRefusedJSON(t *testing.T) {
	for _, body := range []string{
		`[]`, `nul`, `null 1`, `{`, `{} {}`, `{"Text":1}`, `{"Int":1.5}`, `{"Int":"1"}`, `{"Float":"1"}`,
		`{"Float":1e999}`,
		`{"Binary":"a"}`, `{"Flag":1}`, `{"Texts":"a"}`, `{"Texts":[null]}`, `{"One":[]}`, `{"Map":{"a":1}}`,
		`{"Text":"a","Text":"b"}`, `{"Loud":"later","Text":1}`,
	} {
		if err := decodeInto(new(everything), body); err == nil ||
			!strings.HasPrefix(err.Error(), "SerializationException") {
			t.Errorf("%s: %v", body, err)
		}
	}
	for body, want := range map[string]string{
		`{"Text":1}`:                            "SerializationException: NUMBER_VALUE cannot be converted to String",
		`{"Gone":{}}`:                           "Unsupported: Gone",
		`{"Loud":"later"}`:                      "First: ",
		`{"Text":"` + strings.Repeat("x", 1000): "SerializationException: The request is too large.",
	} {
		if err := decodeInto(new(everything), body); err == nil || err.Error() != want {
			t.Errorf("%.40s: %v, want %s", body, err, want)
		}
	}
	strict := new(JSON).Decoder(reflect.TypeFor[everything]())
	for _, body := range []string{``, `null`} {
		if err := strict(&request.Call{Body: []byte(body)}, new(everything)); err == nil {
			t.Errorf("%q is taken for an object", body)
		}
	}
	var e *request.Error
	if err := decodeInto(new(everything), strings.Repeat(" ", 1001)); !errors.As(err, &e) || e.HTTPStatus() != 413 {
		t.Errorf("too large: %v", err)
	}
}
