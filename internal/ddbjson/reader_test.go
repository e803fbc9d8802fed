// SPDX-License-Identifier: Apache-2.0

package ddbjson_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

func ExampleReader() {
	r := ddbjson.NewReader([]byte(
		`{"TableName": "t", "Limit": 5, "Key": {"id": {"S": "x"}}, "Other": [1, {"a": null}]}`))
	err := r.Object(func(name []byte) error {
		switch string(name) {
		case "TableName":
			table, err := r.ReadString()
			fmt.Println("table", table)
			return err
		case "Limit":
			limit, err := r.ReadInt()
			fmt.Println("limit", limit)
			return err
		case "Key":
			key, err := r.ReadItem()
			fmt.Println("attributes in key:", len(key))
			return err
		}
		fmt.Printf("skipped %s\n", name)
		return r.Skip()
	})
	fmt.Println(err, r.End(), r.Invalid())
	// Output:
	// table t
	// limit 5
	// attributes in key: 1
	// skipped Other
	// <nil> <nil> <nil>
}

func TestReaderScalars(t *testing.T) {
	r := ddbjson.NewReader([]byte(` [ -12 , true,false , null, "x", {"a":[1.5]}, 9223372036854775807 ] `))
	var got []string
	err := r.List(func(i int) error {
		switch i {
		case 0, 6:
			v, err := r.ReadInt()
			got = append(got, fmt.Sprint(v))
			return err
		case 1, 2:
			v, err := r.ReadBool()
			got = append(got, fmt.Sprint(v))
			return err
		case 3:
			v, err := r.ReadNull()
			got = append(got, fmt.Sprint("null ", v))
			return err
		case 4:
			none, err := r.ReadNull()
			if none || err != nil {
				return fmt.Errorf("null found: %v, %v", none, err)
			}
			v, err := r.ReadString()
			got = append(got, v)
			return err
		}
		v, err := r.Raw()
		got = append(got, string(v))
		return err
	})
	if err != nil || r.End() != nil {
		t.Fatal(err, r.End())
	}
	if want := `-12 true false null true x {"a":[1.5]} 9223372036854775807`; strings.Join(got, " ") != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestReaderRefuses(t *testing.T) {
	object := func(r *ddbjson.Reader) error { return r.Object(func([]byte) error { return r.Skip() }) }
	list := func(r *ddbjson.Reader) error { return r.List(func(int) error { return r.Skip() }) }
	text := func(r *ddbjson.Reader) error { _, err := r.ReadString(); return err }
	number := func(r *ddbjson.Reader) error { _, err := r.ReadInt(); return err }
	boolean := func(r *ddbjson.Reader) error { _, err := r.ReadBool(); return err }
	many := make([]string, 0, 20)
	for i := range 20 {
		many = append(many, fmt.Sprintf(`"n%d":1`, i))
	}
	for _, c := range []struct {
		in      string
		read    func(*ddbjson.Reader) error
		message string
	}{
		{`[]`, object, "Unexpected field type"},
		{`1`, object, "Unexpected field type"},
		{`{"a":1,"a":2}`, object, ""},
		{`{` + strings.Join(many, ",") + `,"n3":1}`, object, ""},
		{strings.Repeat(`{"a":`, 600) + "1" + strings.Repeat(`}`, 600), object, ""},
		{`{}`, list, "Start of structure or map found where not expected"},
		{strings.Repeat("[", 100_000), list, ""},
		{`null`, text, "NULL_VALUE cannot be converted to String"},
		{`"5"`, number, "STRING_VALUE cannot be converted to Integer"},
		{`5.0`, number, "DECIMAL_VALUE cannot be converted to Integer"},
		{`9223372036854775808`, number, "NUMBER_VALUE cannot be converted to Integer"},
		{`true`, number, "TRUE_VALUE cannot be converted to Integer"},
		{`[]`, number, "Unrecognized collection type class java.lang.Integer"},
		{`"true"`, boolean, "Unexpected token received from parser"},
		{`?`, boolean, ""},
	} {
		r := ddbjson.NewReader([]byte(c.in))
		var e *ddbjson.SerializationError
		if err := c.read(r); !errors.As(err, &e) || e.Message != c.message {
			t.Errorf("%.40q: %v, want %q", c.in, err, c.message)
		}
	}
	if err := object(ddbjson.NewReader([]byte(`{` + strings.Join(many, ",") + `}`))); err != nil {
		t.Error(err)
	}
	stop := errors.New("stop")
	r := ddbjson.NewReader([]byte(`{"a":1}`))
	if err := r.Object(func([]byte) error { return stop }); err != stop {
		t.Errorf("%v, want the callback's own error", err)
	}
}

// Short strings share copies of the document; they must be right wherever they
// stand, and must not change with the document.
func TestStringsAreCopies(t *testing.T) {
	var doc strings.Builder
	doc.WriteString(`{"L":[`)
	for i := range 500 {
		if i > 0 {
			doc.WriteByte(',')
		}
		fmt.Fprintf(&doc, `{"S":"%s%d"}`, strings.Repeat("x", i), i)
	}
	doc.WriteString(`]}`)
	data := []byte(doc.String())
	got, err := ddbjson.DecodeValue(data)
	if err != nil {
		t.Fatal(err)
	}
	clear(data)
	r, err := ddbjson.AppendValue(nil, got)
	if err != nil || string(r) != doc.String() {
		t.Fatalf("the strings changed: %v", err)
	}
}

func TestReadNumber(t *testing.T) {
	for text, want := range map[string]string{"0": "0", " -1.5e+3,": "-1.5e+3", `"1"`: "", "{}": "", "null": "",
		"01": "", "1.": "", "": ""} {
		got, err := ddbjson.NewReader([]byte(text)).ReadNumber()
		if string(got) != want || (err != nil) != (want == "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
		var shape *ddbjson.SerializationError
		if err != nil && !errors.As(err, &shape) {
			t.Errorf("%q: %T", text, err)
		}
	}
}
