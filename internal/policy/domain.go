// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/base64"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxCandidates bounds the values that are tried for one key.
const maxCandidates = 32

// someValue and otherValue stand for values that the policies do not name.
const (
	someValue  = "other"
	otherValue = "another"
	// otherPair is a pair of an encryption context that the policies do not name.
	otherPair = "another-key"
)

// namesOfPairs returns the names of pairs of the encryption context that notes
// ask for, by the name in lower case.
func namesOfPairs(notes []note) map[string]string {
	pairs := map[string]string{}
	add := func(name string, grant bool) {
		// A grant's names are case-sensitive: its spelling counts.
		if lower := strings.ToLower(name); pairs[lower] == "" || grant {
			pairs[lower] = name
		}
	}
	for _, n := range notes {
		switch {
		case n.lower == encryptionContextKeys:
			add(otherPair, false)
			if n.condition != nil && n.elems == nil {
				for _, name := range n.condition.Values {
					add(strings.NewReplacer("*", "", "?", "x").Replace(name), false)
				}
			}
			if n.grant != nil {
				for name := range n.grant.EncryptionContextEquals {
					add(name, true)
				}
			}
		case strings.HasPrefix(n.lower, encryptionContextPrefix):
			add(n.key[len(encryptionContextPrefix):], n.grant != nil)
		}
	}
	delete(pairs, "")
	return pairs
}

// texts collects distinct values in order.
type texts []string

func (t *texts) add(all ...string) {
	for _, s := range all {
		if !slices.Contains(*t, s) {
			*t = append(*t, s)
		}
	}
}

// candidates returns the values to try for a key: one of each group that the
// noted conditions tell apart.
func (p *partial) candidates(lower string, domain *Domain, notes []note) [][]string {
	var all texts
	var conditions []*Condition
	free, many, variable := len(notes) == 0, false, false
	var like texts
	for _, n := range notes {
		c := n.condition
		switch {
		case n.grant != nil:
			all.add(n.grant.wanted(lower))
			free = true
			continue
		case n.elems != nil || c == nil:
			variable, free = true, true
			all.add(p.solutions(n, lower)...)
			continue
		}
		conditions = append(conditions, c)
		many = many || c.multi || c.operation.quantifier != scalar
		switch c.operation.op {
		case opBool:
			all.add("true", "false")
		case opNumeric, opDate, opNull:
			// Values beside the policy's are enough, and for Null any value.
		default:
			free = true
		}
		for i := range c.operands {
			found := p.witnesses(c, i)
			all.add(found...)
			if c.operation.op == opStringLike {
				like.add(found...)
			}
		}
	}
	if len(like) <= 8 { // one value can match two patterns
		for _, a := range like {
			for _, b := range like {
				all.add(a + b)
			}
		}
	}
	if free || len(all) == 0 {
		all.add(unnamed(conditions, p)...)
	}
	if variable {
		all.add(someValue, otherValue)
	}
	return combine(all, domain, many)
}

// unnamed returns a value that none of the conditions matches.
func unnamed(conditions []*Condition, p *partial) []string {
	for _, value := range []string{someValue, "arn:aws:other:::other", "192.0.2.1", "2001:db8::1", "AA==", "~"} {
		if !slices.ContainsFunc(conditions, func(c *Condition) bool { return c.matchValue(&p.evaluation, value) }) {
			return []string{value}
		}
	}
	return []string{someValue}
}

// combine makes the values of the domain from single texts: absent, each, and
// for a key with several values some sets.
func combine(all texts, domain *Domain, many bool) [][]string {
	var possible texts
	for _, s := range all {
		switch {
		case domain.has(s):
			possible.add(s)
		case domain.Prefix != "" && domain.has(domain.Prefix+s):
			possible.add(domain.Prefix + s)
		}
	}
	if len(possible) > maxCandidates {
		possible = possible[:maxCandidates]
	}
	var values [][]string
	if !domain.Present || len(possible) == 0 {
		values = append(values, nil)
	}
	for _, s := range possible {
		values = append(values, []string{s})
	}
	if many && len(possible) > 1 {
		if len(possible) <= 8 {
			for i := range possible {
				for j := range i {
					values = append(values, []string{possible[j], possible[i]})
				}
			}
		}
		if len(possible) > 2 {
			values = append(values, possible)
		}
	}
	return values
}

// wanted is the value of a pair, or of the source ARN, that a grant asks for.
func (g *Grant) wanted(lower string) string {
	name, ok := strings.CutPrefix(lower, encryptionContextPrefix)
	if !ok {
		return g.SourceARN
	}
	for _, pairs := range []map[string]string{g.EncryptionContextEquals, g.EncryptionContextSubset} {
		for k, v := range pairs {
			if strings.ToLower(k) == name {
				return v
			}
		}
	}
	return someValue
}

// witnesses returns values that an operand of a condition tells apart.
func (p *partial) witnesses(c *Condition, i int) []string {
	o := &c.operands[i]
	if o.invalid {
		return nil
	}
	switch c.operation.op {
	case opString, opStringFold, opStringLike:
		return []string{p.fill(o.pattern.elems, ""), p.fill(o.pattern.elems, "x")}
	case opARN:
		var short, long []string
		for _, segment := range o.arn.segments {
			short, long = append(short, p.fill(segment, "")), append(long, p.fill(segment, "x"))
		}
		return []string{strings.Join(short, ":"), strings.Join(long, ":")}
	case opNumeric:
		if n := o.number; n.isWhole {
			return []string{strconv.FormatInt(n.whole-1, 10), strconv.FormatInt(n.whole, 10),
				strconv.FormatInt(n.whole+1, 10)}
		}
		f := o.number.float
		return []string{strconv.FormatFloat(f-1, 'f', -1, 64), strconv.FormatFloat(f, 'f', -1, 64),
			strconv.FormatFloat(f+1, 'f', -1, 64)}
	case opDate:
		t := o.time.UTC()
		return []string{t.Add(-time.Second).Format(time.RFC3339Nano), t.Format(time.RFC3339Nano),
			t.Add(time.Second).Format(time.RFC3339Nano)}
	case opBool:
		return []string{strconv.FormatBool(o.truth)}
	case opBinary:
		return []string{base64.StdEncoding.EncodeToString(o.binary)}
	case opIP:
		return outside(o.prefix)
	}
	return nil
}

// outside returns the first address of a prefix and, if there is one, the address
// before it.
func outside(prefix netip.Prefix) []string {
	all := []string{prefix.Addr().String()}
	if before := prefix.Addr().Prev(); before.IsValid() {
		all = append(all, before.String())
	}
	return all
}

// fill writes a text that the elements match.
func (p *partial) fill(elems []elem, star string) string {
	var b strings.Builder
	for i := range elems {
		switch x := &elems[i]; x.kind {
		case elemLiteral:
			b.WriteString(x.text)
		case elemStar:
			b.WriteString(star)
		case elemOne:
			b.WriteString("x")
		case elemVariable:
			v := p.lookup(x.text, x.lower)
			switch {
			case v.len() == 1:
				b.WriteString(v.at(0))
			case p.open(x.lower):
				b.WriteString(someValue)
			default:
				b.WriteString(x.fallback)
			}
		}
	}
	return b.String()
}

// solutions returns values of a variable with which the elements of a note match
// what they are compared with.
func (p *partial) solutions(n note, lower string) []string {
	var b strings.Builder
	b.WriteString("(?s)^")
	if n.fold {
		b.WriteString("(?i)")
	}
	for i := range n.elems {
		switch x := &n.elems[i]; {
		case x.kind == elemLiteral:
			b.WriteString(regexp.QuoteMeta(x.text))
		case x.kind == elemOne:
			b.WriteString(".")
		case x.kind == elemVariable && x.lower == lower:
			b.WriteString("(.*)")
		case x.kind == elemVariable && !p.open(x.lower):
			b.WriteString(regexp.QuoteMeta(p.fill(n.elems[i:i+1], "")))
		default:
			b.WriteString(".*")
		}
	}
	pattern, err := regexp.Compile(b.String() + "$")
	if err != nil {
		return nil // not from quoted text
	}
	subjects := []string{p.request.Resource}
	if c := n.condition; c != nil {
		v := p.lookup(c.Key, c.lower)
		subjects = v.all()
		if c.operation.op == opARN { // compared segment by segment
			for _, s := range subjects {
				subjects = append(subjects, strings.SplitN(s, ":", 6)...)
			}
		}
	}
	var all texts
	for _, s := range subjects {
		if m := pattern.FindStringSubmatch(s); len(m) > 1 {
			all.add(m[1])
		}
	}
	return all
}
