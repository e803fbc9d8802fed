// SPDX-License-Identifier: Apache-2.0

package tablename

import "testing"

func TestParse(t *testing.T) {
	for in, want := range map[string]string{
		"items":                                "items",
		"My_Table-1.x":                         "My_Table-1.x",
		"arn:aws:dynamodb:us-east-1:1:table/a": "a",
		"arn:aws-cn:dynamodb:cn-north-1:111122223333:table/My.Table": "My.Table",
	} {
		if got, err := Parse(in); err != nil || got != want {
			t.Errorf("%s: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "a b", "arn:aws:dynamodb", "arn:aws:s3:us-east-1:1:table/a",
		"arn:aws:dynamodb:us-east-1:1:table/", "arn:aws:dynamodb:us-east-1:1:a",
		"arn:aws:dynamodb:us-east-1:1:table/a/index/b", "arn:aws:dynamodb:us-east-1:1:table/a:b", "ünï"} {
		if got, err := Parse(in); err == nil {
			t.Errorf("%s: %q", in, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("items")
	f.Add("arn:aws:dynamodb:us-east-1:1:table/a")
	f.Fuzz(func(t *testing.T, in string) {
		name, err := Parse(in)
		if (err == nil) != Valid(name) {
			t.Errorf("%q: %q, %v", in, name, err)
		}
	})
}
