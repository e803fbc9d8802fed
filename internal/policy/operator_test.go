// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// ask decides one condition operator with one operand on one value of aws:x. It
// also returns what the reasons say of the operand.
func ask(t *testing.T, operator, operand, value string) (held, invalid bool) {
	t.Helper()
	d := parse(t, fmt.Sprintf(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{%q:{"aws:x":%q}}}`, operator,
		operand), policy.Identity)
	answer := policy.Evaluate(policy.Request{Principal: alice, Action: "a:b", Context: with("aws:x", value)},
		policy.Policies{Identity: []policy.Attached{{Document: d}}})
	r := answer.Reasons()[0].Conditions[0]
	if r.Held != answer.Allowed {
		t.Errorf("%s %q of %q: held %t, allowed %t", operator, operand, value, r.Held, answer.Allowed)
	}
	if len(r.Invalid) > 0 && !slices.Equal(r.Invalid, []string{operand}) {
		t.Errorf("%s %q: invalid %q", operator, operand, r.Invalid)
	}
	return answer.Allowed, len(r.Invalid) > 0
}

// TestUnreadableOperands: a value that its operator cannot read matches nothing,
// above all not the operator's zero value, on either side. The negated operator
// holds then, so that a Deny with it applies.
func TestUnreadableOperands(t *testing.T) {
	numbers := []string{"", "abc", "inf", "-inf", "+Inf", "Infinity", "nan", "NaN", "0x10", "0x1p4", "0X0", "1_0",
		"0_0", "0b1", "0o7", "1e", "e1",
		".", "-", "+", "1.2.3", "1,5", " 1", "1 ", "0 0", "1e400", "٣", "${aws:zero}"}
	dates := []string{"", "abc", "now", "1970-13-01", "1970-01-32", "1970-01-01T", "1970-01-01T25:00:00Z",
		"1970-01-01 00:00:00", "0x0", "1_0",
		"1e3", "12.5", "1099511627776", "-1099511627776", "9223372036854775808", " 0", "0 "}
	families := []struct {
		operators []string
		zero      []string // texts of the zero value, and of what a failing parser may leave
		bad       []string
	}{
		{[]string{"NumericEquals", "NumericLessThanEquals", "NumericGreaterThanEquals"}, []string{"0", "0.0", "10", "16", "1"}, numbers},
		{[]string{"DateEquals", "DateLessThanEquals", "DateGreaterThanEquals"},
			[]string{"0", "1970-01-01", "0001-01-01T00:00:00Z"}, dates},
		{[]string{"Bool"}, []string{"false", "true"}, []string{"", "abc", "0", "1", "no", "yes", "f", "t", " false", "false ", "falsee", "tru"}},
		{[]string{"BinaryEquals"}, []string{"", "QUJD", "QUI="}, []string{"%", "QUJD!", "QUJDQ", "QUI", "QUJD QUJD!", "-_-_", "===="}},
		{[]string{"IpAddress"}, []string{"0.0.0.0", "::", "1.2.3.4", "10.0.0.0", "fe80::1"},
			[]string{"", "abc", "1.2.3", "1.2.3.4.5", "01.2.3.4", "0x10.0.0.0",
				"1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/", "1.2.3.4/08", "::/129", "10.0.0.0/8/8", "/8", "256.0.0.0", "10"}},
	}
	for _, f := range families {
		for _, operator := range f.operators {
			for _, bad := range f.bad {
				for _, good := range append(f.zero, bad) {
					if held, invalid := ask(t, operator, bad, good); held || !invalid {
						t.Errorf("%s %q of value %q: held %t, reported as invalid %t", operator, bad, good, held,
							invalid)
					}
					if held, _ := ask(t, operator, good, bad); held {
						t.Errorf("%s %q holds of value %q", operator, good, bad)
					}
				}
			}
		}
	}
	for negated, bad := range map[string]string{"NumericNotEquals": "abc", "DateNotEquals": "abc",
		"NotIpAddress": "abc"} {
		if held, _ := ask(t, negated, bad, "0.0.0.0"); !held {
			t.Errorf("%s of a value that cannot be read does not hold", negated)
		}
	}
	// An operand for one address has no zone; the zone of a caller's address does
	// not matter.
	if held, invalid := ask(t, "IpAddress", "fe80::1%eth0", "fe80::1"); held || !invalid {
		t.Error("an operand with a zone is read")
	}
	if held, _ := ask(t, "IpAddress", "fe80::/10", "fe80::1%eth0"); !held {
		t.Error("an address with a zone is not in its range")
	}
}

// TestNullOperands: Null reads true and false only.
func TestNullOperands(t *testing.T) {
	runConditions(t, []conditionCase{
		{name: "Null maybe of a present key", condition: `{"Null":{"aws:x":"maybe"}}`, context: with("aws:x", "a")},
		{name: "Null maybe of an absent key", condition: `{"Null":{"aws:x":"maybe"}}`},
		{name: "Null empty of a present key", condition: `{"Null":{"aws:x":""}}`, context: with("aws:x", "a")},
		{name: "Null of both", condition: `{"Null":{"aws:x":["maybe","true","false"]}}`, context: with("aws:x", "a"), holds: true},
		{name: "Null of no value", condition: `{"Null":{"aws:x":[]}}`},
	})
}

// relations are the operators that order, and whether each holds of a value that
// is less than, equal to or greater than the operand.
var relations = map[string][3]bool{
	"Equals": {false, true, false}, "NotEquals": {true, false, true}, "LessThan": {true, false, false}, "LessThanEquals": {true, true, false},
	"GreaterThan": {false, false, true}, "GreaterThanEquals": {false, true, true},
}

func TestRelations(t *testing.T) {
	for _, ordered := range []struct {
		family string
		equal  [][]string // texts of equal values, ascending
	}{
		{"Numeric", [][]string{{"-1e300"}, {"-9223372036854775808"}, {"-10", "-1e1"}, {"-0.5", "-.5"}, {"0", "-0", "0.0", "+0", "0e9"}, {"0.25"},
			{"9"}, {"10", "10.0", "1e1", "1E+1", "010"}, {"90"}, {"90.5"}, {"91"}, {"9007199254740992", "9007199254740992.0"}, {"9007199254740993"},
			{"9223372036854775807"}, {"1e300"}}},
		{"Date", [][]string{{"-1099511627775"}, {"0000"}, {"1969-12-31T23:59:59.999Z"}, {"0", "1970", "1970-01", "1970-01-01", "1970-01-01T00:00Z", "1970-01-01T01:00:00+01:00"},
			{"1"}, {"999"}, {"2025"}, {"2026", "2026-01-01", "1767225600"}, {"2026-01-01T00:00:00.5Z"}, {"1767225601"}, {"1099511627775"}}},
	} {
		for i, operands := range ordered.equal {
			for j, values := range ordered.equal {
				side := 1
				if j < i {
					side = 0
				} else if j > i {
					side = 2
				}
				for name, want := range relations {
					for _, operand := range operands {
						for _, value := range values {
							held, invalid := ask(t, ordered.family+name, operand, value)
							if held != want[side] || invalid {
								t.Errorf("%s%s %s of %s: held %t, invalid %t", ordered.family, name, operand, value,
									held, invalid)
							}
						}
					}
				}
			}
		}
	}
}

// TestMappedAddresses: an IPv4 address is the same inside of IPv6, in values, in
// operands and in ranges.
func TestMappedAddresses(t *testing.T) {
	for _, c := range []struct {
		operand, value string
		held           bool
	}{
		{"10.1.2.3", "10.1.2.3", true},
		{"10.1.2.3", "::ffff:10.1.2.3", true},
		{"::ffff:10.1.2.3", "10.1.2.3", true},
		{"::ffff:10.1.2.3", "::ffff:10.1.2.4", false},
		{"::ffff:10.0.0.0/104", "10.1.2.3", true},
		{"::ffff:10.0.0.0/104", "::ffff:10.255.255.255", true},
		{"::ffff:10.0.0.0/104", "11.0.0.0", false},
		{"::ffff:10.0.0.0/127", "10.0.0.1", true},
		{"::ffff:10.0.0.0/127", "10.0.0.2", false},
		{"::ffff:10.0.0.0/128", "10.0.0.0", true},
		{"::ffff:10.0.0.0/128", "10.0.0.1", false},
		{"::ffff:0.0.0.0/96", "203.0.113.9", true},
		{"::ffff:0.0.0.0/96", "2001:db8::1", false},
		{"::ffff:10.0.0.0/95", "10.0.0.1", false}, // a range of IPv6 addresses
		{"::ffff:10.0.0.0/8", "10.0.0.1", false},
		{"::ffff:10.0.0.0/8", "::1", true},
		{"::ffff:10.0.0.0/95", "::fffe:0:1", true},
		{"2001:db8::1/128", "2001:db8::2", false},
		{"2001:db8::/96", "2001:db8::ffff:ffff", true},
		{"2001:db8::/96", "2001:db8::1:0:0", false},
		{"::/0", "10.0.0.1", false},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"0.0.0.0/0", "::", false},
		{"0.0.0.0/0", "0.0.0.0", true},
		{"::/0", "2001:db8::1", true},
		{"2001:db8::1", "2001:db8::1", true},
		{"2001:db8::1", "2001:db8::2", false},
		{"2001:DB8:0::/33", "2001:db8:7fff::", true},
		{"2001:DB8:0::/33", "2001:db8:8000::", false},
	} {
		held, invalid := ask(t, "IpAddress", c.operand, c.value)
		if held != c.held || invalid {
			t.Errorf("IpAddress %s of %s: held %t, invalid %t", c.operand, c.value, held, invalid)
		}
		if held, _ := ask(t, "NotIpAddress", c.operand, c.value); held == c.held {
			t.Errorf("NotIpAddress %s of %s: held %t", c.operand, c.value, held)
		}
	}
}

// TestBinaryOperands: binary values are equal as bytes.
func TestBinaryOperands(t *testing.T) {
	values := [][]byte{{}, {0}, {0, 0}, []byte("ABC"), []byte("ABD"), []byte("ABCABC")}
	for _, a := range values {
		for _, b := range values {
			if held, invalid := ask(t, "BinaryEquals", base64.StdEncoding.EncodeToString(a),
				base64.StdEncoding.EncodeToString(b)); held != (string(a) == string(b)) || invalid {
				t.Errorf("BinaryEquals %q of %q: held %t", a, b, held)
			}
		}
	}
}

// TestDatesOfAnyZone: dates are compared as points in time.
func TestDatesOfAnyZone(t *testing.T) {
	at := time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC)
	for _, offset := range []int{-12, -1, 0, 1, 14} {
		zone := time.FixedZone("", offset*3600)
		if held, _ := ask(t, "DateEquals", at.In(zone).Format(time.RFC3339), at.Format(time.RFC3339)); !held {
			t.Errorf("offset %d", offset)
		}
	}
}
