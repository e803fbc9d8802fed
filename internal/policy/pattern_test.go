// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// TestPatterns: literals, wildcards and case, at their edges.
func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		operator, pattern, value string
		match                    bool
	}{
		{"StringEquals", "a?c", "abc", false},
		{"StringEquals", "a?c", "a?c", true},
		{"StringEquals", "a*", "a*", true},
		{"StringEquals", "", "", true},
		{"StringEquals", "", "a", false},
		{"StringEquals", "a", "", false},
		{"StringLike", "", "", true},
		{"StringLike", "", "a", false},
		{"StringLike", "*", "", true},
		{"StringLike", "**", "", true},
		{"StringLike", "?*", "", false},
		{"StringLike", "?*", "a", true},
		{"StringLike", "*?", "", false},
		{"StringLike", "*?", "abc", true},
		{"StringLike", "??", "a", false},
		{"StringLike", "?", "é", true},
		{"StringLike", "?", "日", true},
		{"StringLike", "??", "日", false},
		{"StringLike", "*?x", "日x", true},
		{"StringLike", "?x", "\u007fx", true},
		{"StringLike", "?x", "\u0080x", true},
		{"StringLike", "a*b*c", "aXbYbZc", true},
		{"StringLike", "a*b*c", "aXbYbZcd", false},
		{"StringLike", "a**b", "ab", true},
		{"StringLike", "a*a", "a", false},
		{"StringEqualsIgnoreCase", "AZaz", "azAZ", true},
		{"StringEqualsIgnoreCase", "Z", "z", true},
		{"StringEqualsIgnoreCase", "z", "Z", true},
		{"StringEqualsIgnoreCase", "@", "`", false},
		{"StringEqualsIgnoreCase", "[", "{", false},
		{"StringEqualsIgnoreCase", "?", "_", false},
		{"StringEqualsIgnoreCase", "_", "?", false},
		{"StringEqualsIgnoreCase", "0", "P", false},
		{"StringEqualsIgnoreCase", "0", "p", false},
		{"StringEqualsIgnoreCase", " ", "@", false},
		{"StringEqualsIgnoreCase", "É", "é", false}, // letters of ASCII only
		{"StringEqualsIgnoreCase", "k", "\u212a", false},
		{"ArnLike", "arn:*:*:*:*:*", "arn:aws", false},
		{"ArnLike", "arn:*:*:*:*:*", "arn:aws:s3:::", true},
		{"ArnLike", "arn:*:*:*:*:*", "arn:aws:s3::", false},
		{"ArnLike", "arn:aws:s3:::a", "arn:aws:s3:::a:b", false},
		{"ArnLike", "arn:aws:s3:::a*", "arn:aws:s3:::a:b", true},
		{"ArnLike", "arn:aws:*:x", "arn:aws:s3:::x", false},
		{"ArnLike", "arn:aws:*", "arn:aws:s3", true},
		{"ArnLike", "arn:aws:s3:::", "arn:aws:s3:::", true},
		{"ArnLike", "*", "urn:aws:s3:::a", false},
		{"ArnLike", "arn", "arn", false},
		{"ArnLike", "arn:aws", "arn:aws", true},
		{"ArnLike", "arn:aws:iam::*:user/a", "arn:aws:iam::1:group:user/a", false},
		{"ArnLike", "arn:aws:*:::a", "arn:aws:s3:x:::a", false},
		{"ArnLike", "arn:a?s:s3:::a", "arn:aws:s3:::a", true},
		{"ArnLike", "arn:aws:S3:::a", "arn:aws:s3:::a", false},
	} {
		if held, _ := ask(t, c.operator, c.pattern, c.value); held != c.match {
			t.Errorf("%s %q of %q: %t", c.operator, c.pattern, c.value, held)
		}
	}
}

// TestAbsentVariables: a pattern with a variable that has no value matches
// nothing, an empty value or an empty part of an ARN neither, and a default only
// stands in for an absent key.
func TestAbsentVariables(t *testing.T) {
	holds := func(operator, pattern string) string { return `{"` + operator + `":{"aws:x":"` + pattern + `"}}` }
	value := func(v string) policy.Context { return with("aws:x", v) }
	two := policy.Context{"aws:x": {"d"}, "aws:two": {"a", "b"}, "aws:tagkeys": {"a"}}
	runConditions(t, []conditionCase{
		{name: "StringLike of an empty value", condition: holds("StringLike", "${aws:none}"), context: value("")},
		{name: "StringLike with a star", condition: holds("StringLike", "${aws:none}*"), context: value("a")},
		{name: "StringEquals of an empty value", condition: holds("StringEquals", "${aws:none}"), context: value("")},
		{name: "ArnLike of an empty part", condition: holds("ArnLike", "arn:aws:iam::${aws:none}:x"), context: value("arn:aws:iam:::x")},
		{name: "ArnLike of an empty last part", condition: holds("ArnLike", "arn:aws:iam:::${aws:none}"), context: value("arn:aws:iam:::")},
		{name: "ArnLike with a wildcard behind the variable", condition: holds("ArnLike", "arn:aws:iam:::${aws:username}*"), context: value("arn:aws:iam:::alice7"), holds: true},
		{name: "ArnLike with a wildcard before the variable", condition: holds("ArnLike", "arn:aws:*:::${aws:username}"), context: value("arn:aws:iam:::alice"), holds: true},
		{name: "ArnLike with variable and wildcard, another user", condition: holds("ArnLike", "arn:aws:iam:::${aws:username}*"), context: value("arn:aws:iam:::bob")},
		{name: "default of an absent key", condition: holds("StringEquals", "${aws:none, 'd'}"), context: value("d"), holds: true},
		{name: "empty default", condition: holds("StringEquals", "${aws:none,''}"), context: value(""), holds: true},
		{name: "default with blanks inside", condition: holds("StringEquals", "${ aws:none , ' d ' }"), context: value(" d "), holds: true},
		{name: "default of a key with two values", condition: holds("StringEquals", "${aws:two, 'd'}"), context: two},
		{name: "default of a set with one value", condition: holds("StringEquals", "${aws:TagKeys, 'd'}"), context: two},
		{name: "value of a set with one value", condition: holds("StringEquals", "${aws:TagKeys}"), context: policy.Context{"aws:x": {"a"}, "aws:tagkeys": {"a"}}},
		{name: "an empty default after a wildcard", condition: holds("StringLike", "*${aws:none, ''}"), context: value("abc"), holds: true},
		{name: "an empty default between wildcards", condition: holds("StringLike", "?${aws:none, ''}*"), context: value("a"), holds: true},
		{name: "wildcard of a default is none", condition: holds("StringLike", "${aws:none, '*'}"), context: value("a")},
		{name: "no variable: a dollar", condition: holds("StringEquals", "$a}"), context: value("$a}"), holds: true},
		{name: "no variable: a dollar at the end", condition: holds("StringEquals", "a$"), context: value("a$"), holds: true},
		{name: "no variable: a brace", condition: holds("StringEquals", "{aws:username}"), context: value("{aws:username}"), holds: true},
	})
	allow := func(resource string) []string {
		return []string{`{"Effect":"Allow","Action":"*","Resource":"` + resource + `"}`}
	}
	run(t, []testCase{
		{name: "variable right behind the fifth colon", action: "s3:Get", resource: "arn:aws:s3:::alice", identity: allow("arn:aws:s3:::${aws:username}")},
		{name: "variable before the fifth colon", action: "s3:Get", resource: "arn:aws:s3::alice:a", identity: allow("arn:aws:s3::${aws:username}:a"), want: "identity"},
	})
	for _, variable := range []string{"${aws:none, '}", "${aws:none, }", "${aws:none,}", "${aws:none, x'}",
		"${aws:none, 'x}", "${aws:none, x}", "${", "${aws:none", "a${aws:username}${"} {
		for _, text := range []string{
			`{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::` + variable + `"}`,
			`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:x":"` + variable + `"}}}`,
			`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ArnLike":{"aws:x":"` + variable + `"}}}`,
		} {
			_, err := policy.Parse(document(text), policy.Identity)
			var refused *policy.ParseError
			if !errors.As(err, &refused) || !strings.Contains(refused.Detail, "variable") {
				t.Errorf("%s: %v", text, err)
			}
		}
	}
}
