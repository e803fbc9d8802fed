// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

type listing struct{ MaxItems *int }

type queried struct {
	listing
	Name   string
	Policy LongText
	Flag   bool
	Maybe  *string
	Names  []string
	Tags   []Tag
	Arns   []struct {
		Arn string `query:"arn"`
	}
}

func (in *queried) Check(c *Checks) { c.Required(in.Name == "", "name") }

func queryInto(in *queried, body string) (read int, err error) {
	q := Query{Read: func(*request.Call, reflect.Value) { read++ }}
	return read, q.Decoder(reflect.TypeFor[queried]())(&request.Call{Operation: "Do", Body: []byte(body)}, in)
}

func TestDecodeQuery(t *testing.T) {
	const first = "Action=Do&Version=1&Name=a%20b&Flag=true&MaxItems=7&Names.member.1=x&Names.member.2=y"
	if _, err := queryInto(new(queried), first+"&Names.member.4=z"); err == nil ||
		!strings.Contains(err.Error(), "Names.member.4") {
		t.Errorf("a hole in a list: %v", err)
	}
	long := strings.Repeat("p", MaxText+1)
	in := new(queried)
	if _, err := queryInto(in,
		first+"&Policy="+long+"&Maybe=&Tags.member.1.Key=k&Tags.member.1.Value=v&Arns.member.1.arn=r"); err != nil {
		t.Fatal(err)
	}
	seven, empty := 7, ""
	want := &queried{listing: listing{&seven}, Name: "a b", Policy: LongText(long), Flag: true, Maybe: &empty,
		Names: []string{"x", "y"}, Tags: []Tag{{"k", "v"}}}
	want.Arns = append(want.Arns, struct {
		Arn string `query:"arn"`
	}{"r"})
	if !reflect.DeepEqual(in, want) {
		t.Errorf("got %+v, want %+v", in, want)
	}
}

func TestRefusedQueries(t *testing.T) {
	many := strings.Builder{}
	for i := range maxListMembers + 1 {
		many.WriteString("&Names.member." + strconv.Itoa(i+1) + "=x")
	}
	const violated = "ValidationError: 1 validation error detected: Value "
	const tooLong = " failed to satisfy constraint: Member must have length less than or equal to "
	for body, want := range map[string]string{
		"Name=%zz":          "MalformedQueryString",
		"Name=a&MaxItems=x": "MalformedInput: Parameter MaxItems is not a number.",
		"Name=a&Flag=x":     "MalformedInput: Parameter Flag is not a boolean.",
		"Name=a&Other=1":    `ValidationError: Parameter "Other" of Do is not supported by this server.`,
		"Flag=true": violated +
			"null at 'name' failed to satisfy constraint: Member must not be null",
		"Name=" + strings.Repeat("x", MaxText+1): violated + "at 'name'" + tooLong + "2048",
		"Name=a" + many.String():                 violated + "at 'names'" + tooLong + "200",
	} {
		if _, err := queryInto(new(queried), body); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.40s: %v, want %s", body, err, want)
		}
	}
	// What was read is shown even if a parameter is refused afterwards.
	if read, _ := queryInto(new(queried), "Name=a&Other=1"); read != 1 {
		t.Errorf("read was called %d times", read)
	}
}

func TestEncodeXML(t *testing.T) {
	const metadata = `<ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></DoResponse>`
	out, err := EncodeXML("urn:x", "Do", "id", struct{ Name string }{"<a>"})
	want := `<DoResponse xmlns="urn:x"><DoResult><Name>&lt;a&gt;</Name></DoResult>` + metadata
	if err != nil || string(out) != want {
		t.Errorf("%s, %v", out, err)
	}
	out, err = EncodeXML("urn:x", "Do", "id", nil)
	if want := `<DoResponse xmlns="urn:x">` + metadata; err != nil || string(out) != want {
		t.Errorf("%s, %v", out, err)
	}
}
