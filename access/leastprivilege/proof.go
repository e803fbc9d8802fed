// SPDX-License-Identifier: Apache-2.0

package leastprivilege

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// Proof says why a policy needs one of its elements.
type Proof struct {
	// Policy is "identity policy" or the ARN of a key.
	Policy string `json:"policy"`
	Sid    string `json:"sid"`
	// Element is an action, a resource or a condition key. Empty: the whole statement.
	Element string `json:"element,omitempty"`
	// Without says what goes wrong without the element.
	Without string `json:"without"`
}

// String returns the proof as one line.
func (p Proof) String() string {
	of := strings.Replace(p.Policy, "arn:", "policy of arn:", 1)
	return "without " + p.Part() + " of the " + of + ": " + p.Without
}

// Part returns the name of the statement, or of its element.
func (p Proof) Part() string {
	if p.Element != "" {
		return p.Element + " in statement " + p.Sid
	}
	return "statement " + p.Sid
}

const identityPolicy = "identity policy"

// caller is the principal that the policies are for.
type caller struct {
	policy.Principal
	given     string // as the options name it; empty: any of the account
	partition string
}

// newCaller reads a principal. table is the ARN of the table.
func newCaller(text string, table arn.ARN) (caller, error) {
	c := caller{given: text, partition: table.Partition}
	if text == "" {
		c.Principal = policy.Principal{Type: policy.User, AccountID: table.AccountID, UniqueID: "AIDALEASTPRIVILEGE000",
			ARN: "arn:" + table.Partition + ":iam::" + table.AccountID + ":user/any"}
		return c, nil
	}
	a, err := arn.Parse(text)
	kind, name, _ := strings.Cut(a.Resource, "/")
	if err != nil || a.Service != "iam" || len(a.AccountID) != 12 || name == "" || kind != "user" && kind != "role" {
		return c, tableError("principal %.256q is not the ARN of a user or role", text)
	}
	if a.AccountID != table.AccountID {
		return c, tableError("principal %s is of another account than table %s: the table needs a resource policy "+
			"too, and DynamoDB knows the table by its ARN only", text, table.Resource)
	}
	c.Principal = policy.Principal{Type: policy.User, AccountID: a.AccountID, ARN: text,
		UniqueID: "AIDALEASTPRIVILEGE000"}
	if kind == "role" {
		c.Principal = policy.Principal{Type: policy.AssumedRole, AccountID: a.AccountID, RoleARN: text,
			RoleUniqueID: "AROALEASTPRIVILEGE000", UniqueID: "AROALEASTPRIVILEGE000:s",
			ARN: "arn:" + a.Partition + ":sts::" + a.AccountID + ":assumed-role/" +
				name[strings.LastIndexByte(name, '/')+1:] + "/s"}
	}
	return c, nil
}

// inKeyPolicy is how a key policy names the caller.
func (c *caller) inKeyPolicy() string {
	if c.given != "" {
		return c.given
	}
	return "arn:" + c.partition + ":iam::" + c.AccountID + ":root"
}

// call is a call that the policies must allow, or must not.
type call struct {
	rule             *rule
	action, resource string
	via              bool
	pairs            map[string]string
	leading          []string
	// breaks is the condition key that alone keeps out a call that no rule is for.
	breaks string
}

func (c *call) String() string {
	text := c.action + " on " + c.resource
	if c.via {
		text += " through DynamoDB"
	}
	for _, name := range slices.Sorted(maps.Keys(c.pairs)) {
		text += ", " + name + "=" + c.pairs[name]
	}
	if len(c.leading) > 0 {
		text += fmt.Sprintf(", partition key %q", c.leading)
	}
	return text
}

// calls are the calls that a rule is for.
func (r *rule) calls() []call {
	var all []call
	for _, action := range r.actions {
		for _, resource := range r.resources {
			c := call{rule: r, action: action, resource: resource, via: r.via, pairs: r.pairs}
			if len(r.leading) > 0 {
				for _, value := range r.leading {
					c.leading = []string{value}
					all = append(all, c)
				}
				continue
			}
			all = append(all, c)
		}
	}
	return all
}

// strangers are calls that a rule is not for: one for each condition, which alone
// keeps it out.
func (r *rule) strangers() []call {
	var all []call
	for _, c := range r.conditions {
		s := call{rule: r, action: r.actions[0], resource: r.resources[0], via: r.via, pairs: r.pairs, breaks: c.key}
		if len(r.leading) > 0 {
			s.leading = r.leading[:1]
		}
		switch pair, isPair := strings.CutPrefix(c.key, contextKey); {
		case isPair:
			s.pairs = maps.Clone(r.pairs)
			s.pairs[pair] = "another"
		case c.key == viaService:
			s.via = false
		default:
			s.leading = []string{"another"}
		}
		all = append(all, s)
	}
	return all
}

// documents are policies to evaluate.
type documents struct {
	identity *policy.Document
	keys     map[string]*policy.Document
}

// allows evaluates a call.
func (d *documents) allows(who *caller, c *call) bool {
	owner, _ := arn.Parse(c.resource) // checked
	r := policy.Request{Principal: who.Principal, Action: c.action, Resource: c.resource,
		ResourceAccountID: owner.AccountID, EncryptionContext: c.pairs, Context: policy.Context{}}
	if c.via {
		r.Context.Set(viaService, "dynamodb."+c.rule.region+".amazonaws.com")
		r.Context.Set("aws:CalledVia", "dynamodb.amazonaws.com")
	}
	if len(c.leading) > 0 {
		r.Context.Set(leadingKeys, c.leading...)
	}
	p := policy.Policies{Identity: []policy.Attached{{Source: policy.SourceInline, Document: d.identity}}}
	if c.rule.key != "" {
		p.Resource, p.ResourceMode = d.keys[c.rule.key], policy.ModeKeyPolicy
	}
	return policy.Evaluate(r, p).Allowed
}

const (
	everything = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	delegation = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"%s"},"Action":"*",` +
		`"Resource":"*"}}`
)

func parse(statements []Statement, kind policy.Kind) (*policy.Document, error) {
	if len(statements) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(Document{version, statements})
	if err != nil {
		return nil, err
	}
	return policy.Parse(text, kind)
}

// prove proves that the policies are enough, and that each element is needed.
func (w *writing) prove() error {
	whole, err := w.documents()
	if err != nil {
		return err
	}
	for i := range w.rules.list {
		r := &w.rules.list[i]
		for _, c := range r.calls() {
			if !whole.allows(&w.who, &c) {
				return fmt.Errorf("the policies do not allow %s", &c)
			}
		}
		for _, c := range r.strangers() {
			if whole.allows(&w.who, &c) {
				return fmt.Errorf("the policies allow %s", &c)
			}
		}
	}
	if err := w.proveNeeded(identityPolicy, w.out.Identity.Statements); err != nil {
		return err
	}
	for _, k := range w.out.Keys {
		if err := w.proveNeeded(k.Key, k.Statements); err != nil {
			return err
		}
	}
	return nil
}

func (w *writing) documents() (*documents, error) {
	d := &documents{keys: map[string]*policy.Document{}}
	var err error
	if d.identity, err = parse(w.out.Identity.Statements, policy.Identity); err != nil {
		return nil, err
	}
	for _, k := range w.out.Keys {
		if d.keys[k.Key], err = parse(k.Statements, policy.KeyPolicy); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// around is what stands beside one policy in a proof: the other side allows
// everything, as an administrator's policy and AWS's default key policy do. So an
// element is needed whatever the other side is.
func (w *writing) around() (*documents, error) {
	d := &documents{keys: map[string]*policy.Document{}}
	var err error
	if d.identity, err = policy.Parse([]byte(everything), policy.Identity); err != nil {
		return nil, err
	}
	root := "arn:" + w.who.partition + ":iam::" + w.who.AccountID + ":root"
	for _, k := range w.out.Keys {
		if d.keys[k.Key], err = policy.Parse(fmt.Appendf(nil, delegation, root), policy.KeyPolicy); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// proveNeeded proves each element of one policy.
func (w *writing) proveNeeded(name string, all []Statement) error {
	for i := range all {
		for _, v := range variants(&all[i]) {
			statements := slices.Concat(all[:i], v.left, all[i+1:])
			d, err := w.around()
			if err != nil {
				return err
			}
			kind := policy.KeyPolicy
			if name == identityPolicy {
				kind = policy.Identity
			}
			changed, err := parse(statements, kind)
			if err != nil {
				return err
			}
			if name == identityPolicy {
				d.identity = changed
			} else {
				d.keys[name] = changed
			}
			without := w.difference(d, name, v)
			if without == "" {
				return fmt.Errorf("%s in statement %s of %s is not needed", v.element, all[i].Sid, name)
			}
			w.out.Proofs = append(w.out.Proofs, Proof{name, all[i].Sid, v.element, without})
		}
	}
	return nil
}

// difference says what a policy without one element denies, or allows if the
// element was a condition. Empty: nothing.
func (w *writing) difference(d *documents, name string, v variant) string {
	for i := range w.rules.list {
		r := &w.rules.list[i]
		if name == identityPolicy && !w.byIdentity(r) || name != identityPolicy && r.key != name {
			continue
		}
		if v.loosens {
			for _, c := range r.strangers() {
				if c.breaks == v.element && d.allows(&w.who, &c) {
					return c.String() + " is allowed"
				}
			}
			continue
		}
		for _, c := range r.calls() {
			if !d.allows(&w.who, &c) {
				return c.String() + " is denied"
			}
		}
	}
	return ""
}

// variant is a statement without one of its elements; left is empty for one that
// is left out as a whole.
type variant struct {
	element string
	left    []Statement
	loosens bool
}

func variants(s *Statement) []variant {
	all := []variant{{}}
	without := func(list []string, i int) []string { return slices.Concat(list[:i], list[i+1:]) }
	for i, a := range s.Action {
		v := variant{element: a}
		if len(s.Action) > 1 {
			left := *s
			left.Action = without(s.Action, i)
			v.left = []Statement{left}
		}
		all = append(all, v)
	}
	for i, r := range s.Resource {
		if len(s.Resource) > 1 {
			left := *s
			left.Resource = without(s.Resource, i)
			all = append(all, variant{element: r, left: []Statement{left}})
		}
	}
	for _, operator := range slices.Sorted(maps.Keys(s.Condition)) {
		for _, key := range slices.Sorted(maps.Keys(s.Condition[operator])) {
			left := *s
			left.Condition = map[string]map[string][]string{}
			for o, keys := range s.Condition {
				keys = maps.Clone(keys)
				if o == operator {
					delete(keys, key)
				}
				if len(keys) > 0 {
					left.Condition[o] = keys
				}
			}
			all = append(all, variant{element: key, left: []Statement{left}, loosens: true})
		}
	}
	return all
}
