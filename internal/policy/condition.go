// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"strings"
)

// Condition is one line of a statement's Condition element. All conditions of
// a statement must hold; of the values of one condition, one must match (none
// for a negated operator).
type Condition struct {
	Operator string // as written: "ForAnyValue:StringLikeIfExists"
	Key      string // as written; names of keys are not case-sensitive
	Values   []string

	operation operation
	lower     string
	multi     bool
	operands  []operand
}

func newCondition(name, key string, values []string, variables bool) (Condition, error) {
	c := Condition{Operator: name, Key: key, Values: values, lower: strings.ToLower(key)}
	c.operation, _ = parseOperator(name)
	c.multi = multiValued(c.lower)
	c.operands = make([]operand, len(values))
	for i, v := range values {
		var err error
		if c.operands[i], err = compileOperand(c.operation, v, variables); err != nil {
			return c, err
		}
	}
	return c, nil
}

// holds decides the condition. See the package comment of the rules for an
// absent key: a negated operator is true then, or a Deny would never fire.
func (c *Condition) holds(e *evaluation) bool {
	v := e.lookup(c.Key, c.lower)
	n := v.len()
	o := &c.operation
	if o.op == opNull {
		for i := range c.operands {
			if x := &c.operands[i]; !x.invalid && x.truth == (n == 0) {
				return true
			}
		}
		return false
	}
	if n == 0 {
		switch {
		case o.ifExists:
			return true
		case o.quantifier != scalar:
			return o.quantifier == forAll
		}
		return o.negated
	}
	switch o.quantifier {
	case forAll:
		for i := range n {
			if c.matchValue(e, v.at(i)) == o.negated {
				return false
			}
		}
		return true
	case forAny:
		for i := range n {
			if c.matchValue(e, v.at(i)) != o.negated {
				return true
			}
		}
		return false
	}
	// A set never matches an operator for single values, negated or not.
	if n > 1 || c.multi {
		return false
	}
	return c.matchValue(e, v.at(0)) != o.negated
}

// values are the values of one condition key, without a slice for a single one.
type values struct {
	one    string
	single bool
	list   []string
}

func (v *values) len() int {
	if v.single {
		return 1
	}
	return len(v.list)
}

func (v *values) at(i int) string {
	if v.single {
		return v.one
	}
	return v.list[i]
}

func (v *values) all() []string {
	if v.single {
		return []string{v.one}
	}
	return slices.Clone(v.list)
}

func one(s string) values { return values{one: s, single: s != ""} }

const encryptionContextPrefix = "kms:encryptioncontext:"

// lookup finds the values of a condition key: in the context, else from the
// request itself. key is as written in the policy, lower the same in lower
// case.
func (e *evaluation) lookup(key, lower string) values {
	r := e.request
	if v := r.Context[lower]; len(v) > 0 {
		return values{list: v}
	}
	p := &r.Principal
	switch lower {
	case "aws:principalarn":
		if p.Type == AssumedRole {
			return one(p.RoleARN)
		}
		if p.Type != Service {
			return one(p.ARN)
		}
	case "aws:principalaccount", "kms:calleraccount":
		return one(p.AccountID)
	case "aws:principaltype":
		if p.Type != Service && p.Type != 0 {
			return one(p.Type.String())
		}
	case "aws:principalisawsservice":
		if p.Type == Service {
			return one("true")
		}
		return one("false")
	case "aws:principalservicename":
		if p.Type == Service {
			return one(p.ARN)
		}
	case "aws:userid":
		return one(p.UniqueID)
	case "aws:username":
		if p.Type == User {
			return one(p.userName())
		}
	case "aws:resourceaccount":
		if r.ResourceAccountID != "" {
			return one(r.ResourceAccountID)
		}
		if r.Resource != "" && r.Resource != "*" {
			return one(p.AccountID)
		}
	case "kms:encryptioncontextkeys":
		if len(r.EncryptionContext) > 0 {
			keys := make([]string, 0, len(r.EncryptionContext))
			for k := range r.EncryptionContext {
				keys = append(keys, k)
			}
			slices.Sort(keys)
			return values{list: keys}
		}
	default:
		if len(r.EncryptionContext) > 0 && strings.HasPrefix(lower, encryptionContextPrefix) &&
			len(key) >= len(encryptionContextPrefix) {
			return e.encryptionContext(key[len(encryptionContextPrefix):])
		}
	}
	return values{}
}

// encryptionContext finds a pair by a name in any case: names of condition keys
// are not case-sensitive. The exact spelling comes first, then the first in
// byte order, so that the answer does not depend on the map.
func (e *evaluation) encryptionContext(name string) values {
	pairs := e.request.EncryptionContext
	if v, ok := pairs[name]; ok {
		return values{one: v, single: true}
	}
	found, have := "", false
	for k := range pairs {
		if strings.EqualFold(k, name) && (!have || k < found) {
			found, have = k, true
		}
	}
	if !have {
		return values{}
	}
	return values{one: pairs[found], single: true}
}
