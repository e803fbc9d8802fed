// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"bytes"
	"encoding/base64"
	"math/big"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

type operator uint8

const (
	opString operator = iota + 1
	opStringFold
	opStringLike
	opNumeric
	opDate
	opBool
	opBinary
	opIP
	opARN
	opNull
)

// relation is what a number or date must be to the policy's value.
type relation uint8

const (
	relEqual relation = iota + 1
	relLess
	relLessEqual
	relGreater
	relGreaterEqual
)

func (r relation) holds(cmp int) bool {
	switch r {
	case relEqual:
		return cmp == 0
	case relLess:
		return cmp < 0
	case relLessEqual:
		return cmp <= 0
	case relGreater:
		return cmp > 0
	case relGreaterEqual:
		return cmp >= 0
	}
	return false
}

// quantifier is the prefix of an operator that makes it one over sets.
type quantifier uint8

const (
	scalar quantifier = iota
	forAll
	forAny
)

// operation is a condition operator, taken apart.
type operation struct {
	op         operator
	relation   relation
	negated    bool
	ifExists   bool
	quantifier quantifier
}

// operators are the names of operators without prefix and suffix.
var operators = map[string]operation{
	"StringEquals":              {op: opString},
	"StringNotEquals":           {op: opString, negated: true},
	"StringEqualsIgnoreCase":    {op: opStringFold},
	"StringNotEqualsIgnoreCase": {op: opStringFold, negated: true},
	"StringLike":                {op: opStringLike},
	"StringNotLike":             {op: opStringLike, negated: true},
	"NumericEquals":             {op: opNumeric, relation: relEqual},
	"NumericNotEquals":          {op: opNumeric, relation: relEqual, negated: true},
	"NumericLessThan":           {op: opNumeric, relation: relLess},
	"NumericLessThanEquals":     {op: opNumeric, relation: relLessEqual},
	"NumericGreaterThan":        {op: opNumeric, relation: relGreater},
	"NumericGreaterThanEquals":  {op: opNumeric, relation: relGreaterEqual},
	"DateEquals":                {op: opDate, relation: relEqual},
	"DateNotEquals":             {op: opDate, relation: relEqual, negated: true},
	"DateLessThan":              {op: opDate, relation: relLess},
	"DateLessThanEquals":        {op: opDate, relation: relLessEqual},
	"DateGreaterThan":           {op: opDate, relation: relGreater},
	"DateGreaterThanEquals":     {op: opDate, relation: relGreaterEqual},
	"Bool":                      {op: opBool},
	"BinaryEquals":              {op: opBinary},
	"IpAddress":                 {op: opIP},
	"NotIpAddress":              {op: opIP, negated: true},
	"ArnEquals":                 {op: opARN},
	"ArnNotEquals":              {op: opARN, negated: true},
	"ArnLike":                   {op: opARN},
	"ArnNotLike":                {op: opARN, negated: true},
	"Null":                      {op: opNull},
}

// parseOperator reads names such as "ForAnyValue:StringNotLikeIfExists".
func parseOperator(name string) (o operation, ok bool) {
	quantifier := scalar
	if rest, cut := strings.CutPrefix(name, "ForAllValues:"); cut {
		quantifier, name = forAll, rest
	} else if rest, cut := strings.CutPrefix(name, "ForAnyValue:"); cut {
		quantifier, name = forAny, rest
	}
	name, ifExists := strings.CutSuffix(name, "IfExists")
	if o, ok = operators[name]; !ok {
		return o, false
	}
	o.quantifier, o.ifExists = quantifier, ifExists
	if o.op == opNull {
		// Null asks for presence itself: "if exists" and sets mean nothing.
		return o, !ifExists && quantifier == scalar
	}
	return o, true
}

// operand is one value of a condition in a policy, compiled for its operator.
// A value that is not a number, date, … for an operator that wants one matches
// nothing; invalid says so for the reasons.
type operand struct {
	invalid bool
	pattern pattern
	arn     arnPattern
	number  number
	time    time.Time
	prefix  netip.Prefix
	binary  []byte
	truth   bool
}

func compileOperand(o operation, text string, variables bool) (v operand, err error) {
	switch o.op {
	case opString, opStringFold, opStringLike:
		v.pattern, err = compile(text,
			syntax{wildcards: o.op == opStringLike, variables: variables, fold: o.op == opStringFold})
	case opARN:
		v.arn, err = compileARN(text, variables)
	case opNumeric:
		var ok bool
		v.number, ok = parseNumber(text)
		v.invalid = !ok
	case opDate:
		var ok bool
		v.time, ok = parseDate(text)
		v.invalid = !ok
	case opBool, opNull:
		var ok bool
		v.truth, ok = parseBool(text)
		v.invalid = !ok
	case opBinary:
		var bad error
		v.binary, bad = base64.StdEncoding.DecodeString(text)
		v.invalid = bad != nil
	case opIP:
		var ok bool
		v.prefix, ok = parsePrefix(text)
		v.invalid = !ok
	}
	return v, err
}

// matchValue reports whether value stands in the operator's positive relation
// to one of the operands.
func (c *Condition) matchValue(e *evaluation, value string) bool {
	switch c.operation.op {
	case opString, opStringFold, opStringLike:
		for i := range c.operands {
			if c.operands[i].pattern.match(e, value) {
				return true
			}
		}
	case opARN:
		for i := range c.operands {
			if c.operands[i].arn.match(e, value) {
				return true
			}
		}
	case opNumeric:
		n, ok := parseNumber(value)
		for i := range c.operands {
			if o := &c.operands[i]; ok && !o.invalid && c.operation.relation.holds(n.compare(o.number)) {
				return true
			}
		}
	case opDate:
		t, ok := parseDate(value)
		for i := range c.operands {
			if o := &c.operands[i]; ok && !o.invalid && c.operation.relation.holds(t.Compare(o.time)) {
				return true
			}
		}
	case opBool:
		b, ok := parseBool(value)
		for i := range c.operands {
			if o := &c.operands[i]; ok && !o.invalid && b == o.truth {
				return true
			}
		}
	case opBinary:
		b, err := base64.StdEncoding.DecodeString(value)
		for i := range c.operands {
			if o := &c.operands[i]; err == nil && !o.invalid && bytes.Equal(b, o.binary) {
				return true
			}
		}
	case opIP:
		a, err := netip.ParseAddr(value)
		a = a.Unmap().WithZone("")
		for i := range c.operands {
			if o := &c.operands[i]; err == nil && !o.invalid && o.prefix.Contains(a) {
				return true
			}
		}
	}
	return false
}

// number is exact where it matters: 64-bit integers do not go through floating
// point.
type number struct {
	whole   int64
	float   float64 // if it is not whole
	isWhole bool
}

func parseNumber(s string) (number, bool) {
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return number{whole: i, isWhole: true}, true
	}
	f, err := strconv.ParseFloat(s, 64)
	// ParseFloat also takes "inf", "nan", hexadecimal and underscores.
	if err != nil || strings.Trim(s, "+-.0123456789eE") != "" {
		return number{}, false
	}
	return number{float: f}, true
}

func (n number) compare(m number) int {
	if n.isWhole && m.isWhole {
		switch {
		case n.whole < m.whole:
			return -1
		case n.whole > m.whole:
			return 1
		}
		return 0
	}
	return n.big().Cmp(m.big())
}

func (n number) big() *big.Float {
	if n.isWhole {
		return new(big.Float).SetInt64(n.whole)
	}
	return big.NewFloat(n.float)
}

// parseDate reads the W3C forms of ISO 8601 and seconds since 1970. Four
// digits are a year.
func parseDate(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", time.DateOnly, "2006-01", "2006"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > -1<<40 && n < 1<<40 {
		return time.Unix(n, 0), true
	}
	return time.Time{}, false
}

func parseBool(s string) (value, ok bool) {
	if strings.EqualFold(s, "true") {
		return true, true
	}
	return false, strings.EqualFold(s, "false")
}

// parsePrefix reads a CIDR range or one address.
func parsePrefix(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		return p.Masked(), true
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	a = a.Unmap()
	return netip.PrefixFrom(a, a.BitLen()), true
}
