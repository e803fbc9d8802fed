// SPDX-License-Identifier: Apache-2.0

package leastprivilege

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// Document is a policy, in the JSON form of IAM.
type Document struct {
	Version    string
	Statements []Statement `json:"Statement"`
}

// Statement is a statement of a policy, in the JSON form of IAM.
type Statement struct {
	Sid       string
	Effect    string
	Principal *Principal `json:",omitempty"`
	Action    []string
	Resource  []string
	// Condition has the values by operator and condition key.
	Condition map[string]map[string][]string `json:",omitempty"`
}

// Principal is the principal that a statement of a key policy names.
type Principal struct{ AWS string }

// KeyPolicy has the statements to add to the policy of a KMS key.
type KeyPolicy struct {
	Key        string      `json:"key"` // ARN
	Statements []Statement `json:"statements"`
}

// Policies are the least-privilege policies for purposes.
type Policies struct {
	Table    string    `json:"table"` // ARN
	Purposes []Purpose `json:"for"`
	// Identity is the policy for the user or role.
	Identity Document `json:"identityPolicy"`
	// Keys has the statements to add to the policies of KMS keys.
	Keys []KeyPolicy `json:"keyPolicies"`
	// Notes say what the policies do not cover.
	Notes []string `json:"notes,omitempty"`
	// Proofs say why each element is there.
	Proofs []Proof `json:"proofs"`
}

// version is the language of policies with variables and all operators.
const version = "2012-10-17"

// For writes the policies that the purposes need for a table. It proves that they
// are sufficient and that no part of them can be left out. The error matches
// [ErrTable] if no purpose is given, if the ARN of the table, a key or the
// principal is invalid, if the principal is of another account than the table, if
// a value in PartitionKeys is a pattern, or if a purpose does not fit:
// KeyStoreAdmin for a table without key stores, for example.
func For(t Table, o Options, purposes ...Purpose) (*Policies, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	w, err := newWriting(&t, &o)
	if err != nil {
		return nil, err
	}
	if len(purposes) == 0 {
		return nil, tableError("no purpose is given: choose among %v", Purposes())
	}
	for _, p := range purposes {
		if err := w.add(p); err != nil {
			return nil, err
		}
		if !slices.Contains(w.out.Purposes, p) {
			w.out.Purposes = append(w.out.Purposes, p)
		}
	}
	w.statements()
	w.note()
	if err := w.prove(); err != nil {
		return nil, err
	}
	return &w.out, nil
}

// writing writes one Policies.
type writing struct {
	table   *Table
	options *Options
	who     caller
	rules   rules
	out     Policies
}

func newWriting(t *Table, o *Options) (*writing, error) {
	w := &writing{table: t, options: o, out: Policies{Table: t.ARN, Identity: Document{Version: version},
		Keys: []KeyPolicy{}}}
	a, _ := arn.Parse(t.ARN) // checked
	var err error
	if w.who, err = newCaller(o.Principal, a); err != nil {
		return nil, err
	}
	for _, value := range o.PartitionKeys {
		if value == "" || strings.ContainsAny(value, "*?$") {
			return nil, tableError("partition key value %.64q would be a pattern: give the value itself", value)
		}
	}
	return w, nil
}

// add adds the rules of a purpose.
func (w *writing) add(p Purpose) error {
	t, o := w.table, w.options
	if len(o.PartitionKeys) > 0 && p != Reader && p != Writer {
		return tableError("a %s works on the whole table: leave out the partition keys", p)
	}
	switch p {
	case Reader:
		w.rules.reader(t, o)
	case Writer:
		w.rules.writer(t, o)
	case Migrator:
		w.rules.migrator(t, o)
	case KeyStoreAdmin:
		stores := slices.Clone(t.Items.Stores)
		if b := t.Items.Beacons; b != nil {
			stores = append(stores, *b)
		}
		if len(stores) == 0 {
			return tableError("%s has no key store: its configuration names none", t.name())
		}
		for i := range stores {
			w.rules.admin(&stores[i])
		}
	default:
		return tableError("%d is not a purpose", p)
	}
	return nil
}

// statements writes the documents.
func (w *writing) statements() {
	for i := range w.rules.list {
		r := &w.rules.list[i]
		s := Statement{Sid: r.sid, Effect: "Allow", Action: r.actions, Resource: r.resources}
		for _, c := range r.conditions {
			if s.Condition == nil {
				s.Condition = map[string]map[string][]string{}
			}
			if s.Condition[c.operator] == nil {
				s.Condition[c.operator] = map[string][]string{}
			}
			s.Condition[c.operator][c.key] = c.values
		}
		if w.byIdentity(r) {
			w.identity(s)
		}
		if r.key == "" {
			continue
		}
		s.Resource = []string{"*"} // in a key policy, the key
		s.Principal = &Principal{w.who.inKeyPolicy()}
		at := slices.IndexFunc(w.out.Keys, func(k KeyPolicy) bool { return k.Key == r.key })
		if at < 0 {
			at = len(w.out.Keys)
			w.out.Keys = append(w.out.Keys, KeyPolicy{Key: r.key})
		}
		w.out.Keys[at].Statements = appendStatement(w.out.Keys[at].Statements, s)
	}
}

// byIdentity reports whether a rule is in the identity policy: one about a table,
// and one about a key whose policy alone does not suffice.
func (w *writing) byIdentity(r *rule) bool {
	a, _ := arn.Parse(r.key) // checked
	return r.key == "" || w.who.given == "" || w.who.AccountID != a.AccountID
}

func (w *writing) identity(s Statement) {
	w.out.Identity.Statements = appendStatement(w.out.Identity.Statements, s)
}

// appendStatement appends a statement under a Sid that the others do not have.
func appendStatement(all []Statement, s Statement) []Statement {
	taken := func(sid string) bool {
		return slices.ContainsFunc(all, func(o Statement) bool { return o.Sid == sid })
	}
	for n, sid := 2, s.Sid; taken(s.Sid); n++ {
		s.Sid = sid + strconv.Itoa(n)
	}
	return append(all, s)
}

// Sizes that IAM allows, in characters without white space.
const (
	maxInline  = 2048 // of all inline policies of a user
	maxManaged = 6144
)

// note says what the policies do not cover.
func (w *writing) note() {
	t, notes := w.table, &w.out.Notes
	add := func(text string) { *notes = append(*notes, text) }
	has := func(p Purpose) bool { return slices.Contains(w.out.Purposes, p) }
	if has(Writer) && !has(Reader) {
		add("Update, UpdateOrCreate, PutOld and DeleteOld read an item: they need reader too")
	}
	if t.Managed {
		add("the table is under the AWS managed key, whose policy cannot be changed: it lets in every principal of " +
			"the account that may use the table")
	}
	if n := len(t.Items.Keys) + len(t.Items.Stores); n > 1 && (has(Reader) || has(Migrator)) {
		add("the items are encrypted under " + strconv.Itoa(n) +
			" keys, and the first one is enough to read them: the policies leave out the others for reading")
	}
	if t.Items.RawKeys || t.Former.RawKeys {
		add("no policy guards the keys that are not in KMS")
	}
	switch text, err := json.Marshal(w.out.Identity); {
	case err != nil: // strings always marshal
	case len(text) > maxManaged:
		add(fmt.Sprintf("the policy has %d characters, and a managed policy at most %d: split it", len(text),
			maxManaged))
	case len(text) > maxInline:
		add(fmt.Sprintf("the policy has %d characters, and the inline policies of a user at most %d: make it a "+
			"managed policy, or give it to a role", len(text), maxInline))
	}
	if len(w.options.PartitionKeys) > 0 && has(Reader) {
		add("the reader cannot scan the table and cannot use its indexes, which have other partition keys")
	}
	if slices.ContainsFunc(w.out.Keys, func(k KeyPolicy) bool { return strings.Contains(k.Key, ":key/mrk-") }) {
		add("a multi-Region key has a policy in each Region: a program in another Region needs the same statements " +
			"on the replica there")
	}
	if len(w.out.Keys) > 0 && w.who.given == "" {
		add("the key policies hand these permissions to the IAM policies of account " + w.who.AccountID +
			": name a principal to give them to it alone")
	}
}
