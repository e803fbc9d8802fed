// SPDX-License-Identifier: Apache-2.0

package access

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// document is a policy of the snapshot, parsed once however often it is attached.
type document struct {
	*policy.Document
	id int
	// personal says that the document asks who the caller is, so that principals
	// with the same policies can differ.
	personal bool
	mentions map[string]bool // whether an action is in a statement
}

// actor is a principal, with all that decides for it.
type actor struct {
	policy.Principal
	name     string // for people
	kind     Kind
	policies policy.Policies // identity policies and boundary
	docs     []*document     // of policies.Identity, and the boundary
	groups   []string        // names, of a user
	owner    *Identity       // nil for one that is not of the snapshot
	role     *Role
	tags     map[string]string
	openTags bool // a session can have more tags than the role
	// unread says which of its own policies are missing.
	unread []string
	// class is equal for principals that no question tells apart.
	class int
}

// world is a snapshot, ready for questions.
type world struct {
	*Snapshot
	actors   []*actor
	byARN    map[string]*actor
	docs     map[string]*document // by kind and text
	groups   map[string]*Group
	policyOf map[string]*document // of managed policies, by ARN
	keys     map[string]*keyWorld
	tables   []*tableWorld
	trusts   map[*actor]*policy.Document
	gaps     map[string][]Gap // by resource
	notes    []string
	missing  []Gap
	decided  map[questionKey]*Cell
	admin    policy.Attached
	open     map[policy.Kind]*policy.Document
	budget   int
	named    map[string]bool // principals that a resource's policy or grant names
	personal bool            // a resource's policy asks who the caller is
}

type keyWorld struct {
	*Key
	owner, region string
	policy        *policy.Document
	grants        []policy.Grant
	unread        []string
}

type tableWorld struct {
	*Table
	owner, region, partition string
	mode                     Mode
	key                      *keyWorld // nil: the AWS owned key
	items                    []*keyWorld
	policy, streamPolicy     *policy.Document
	unread, streamUnread     []string
	// closed are the reasons why it is not known who can open the items, or some of
	// them; plain is why a caller that reads the table reads in clear in spite of
	// client-side encryption.
	closed []string
	plain  string
}

// maxDecisions bounds the decisions of one analysis.
const maxDecisions = 4 << 20

const everything = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

const everyone = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`

func newWorld(s *Snapshot) (*world, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	w := &world{Snapshot: s, byARN: map[string]*actor{}, docs: map[string]*document{}, groups: map[string]*Group{},
		policyOf: map[string]*document{}, keys: map[string]*keyWorld{}, trusts: map[*actor]*policy.Document{},
		gaps: map[string][]Gap{}, decided: map[questionKey]*Cell{}, budget: maxDecisions, named: map[string]bool{},
		open: map[policy.Kind]*policy.Document{}}
	admin, err := policy.Parse([]byte(everything), policy.Identity)
	if err != nil {
		return nil, err
	}
	w.admin = policy.Attached{Name: "any policy", Source: policy.SourceIdentity, Document: admin}
	for _, kind := range []policy.Kind{policy.KeyPolicy, policy.Resource} {
		if w.open[kind], err = policy.Parse([]byte(everyone), kind); err != nil {
			return nil, err
		}
	}
	for _, g := range s.NotRead {
		w.gaps[g.Resource] = append(w.gaps[g.Resource], g)
	}
	w.readKeys()
	if err := w.readTables(); err != nil {
		return nil, err
	}
	for i := range s.Policies {
		p := &s.Policies[i]
		if d, err := w.parse(p.Document, policy.Identity); err == nil {
			w.policyOf[p.ARN] = d
		} else {
			w.miss(p.ARN, err)
		}
	}
	for i := range s.Groups {
		w.groups[lastPart(s.Groups[i].ARN)] = &s.Groups[i]
	}
	w.readUsers()
	w.readRoles()
	w.readOthers()
	w.classify()
	return w, nil
}

func lastPart(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// parse parses a document, or finds it among those already parsed.
func (w *world) parse(text string, kind policy.Kind) (*document, error) {
	id := string(rune(kind)) + text
	if d, ok := w.docs[id]; ok {
		return d, nil
	}
	parsed, err := policy.Parse([]byte(text), kind)
	if err != nil {
		return nil, err
	}
	d := &document{Document: parsed, id: len(w.docs), mentions: map[string]bool{}}
	d.personal = slices.ContainsFunc(parsed.ContextKeys(), personal)
	w.docs[id] = d
	return d, nil
}

// personal reports whether a condition key differs between principals with the
// same policies.
func personal(key string) bool {
	key = strings.ToLower(key)
	return key == "aws:principalarn" || key == "aws:username" || key == "aws:userid" ||
		strings.HasPrefix(key, "aws:principaltag/")
}

// miss notes that a document cannot be used.
func (w *world) miss(resource string, err error) {
	g := Gap{Permission: "policy", Resource: resource, Reason: "the policy cannot be read: " + err.Error()}
	w.missing = append(w.missing, g)
	w.gaps[resource] = append(w.gaps[resource], g)
}

// unread returns the gaps of a resource in words; permissions limits them to
// those that begin so.
func (w *world) unread(resource string, permissions ...string) []string {
	var all []string
	for _, g := range w.gaps[resource] {
		if g.Permission == "policy" || slices.ContainsFunc(permissions,
			func(p string) bool { return strings.HasPrefix(g.Permission, p) }) {
			all = append(all, g.String())
		}
	}
	return all
}

// String returns the gap as one line.
func (g Gap) String() string {
	text := g.Permission
	if g.Resource != "" {
		text += " of " + g.Resource
	}
	return text + ": " + g.Reason
}

func (w *world) readKeys() {
	for i := range w.Keys {
		k := &keyWorld{Key: &w.Keys[i]}
		a, _ := arn.Parse(k.ARN) // checked
		k.owner, k.region = a.AccountID, a.Region
		if k.Policy != "" {
			if d, err := w.parse(k.Policy, policy.KeyPolicy); err == nil {
				k.policy = d.Document
				w.names(d)
			} else {
				w.miss(k.ARN, err)
			}
		} else if len(w.gaps[k.ARN]) == 0 {
			w.miss(k.ARN, fmt.Errorf("the snapshot has none"))
		}
		k.unread = w.unread(k.ARN, "kms:GetKeyPolicy", "kms:ListGrants")
		for _, g := range k.Grants {
			k.grants = append(k.grants, policy.Grant{ID: g.ID, Name: g.Name, Grantee: g.Grantee,
				RetiringPrincipal: g.Retiring, Operations: g.Operations, EncryptionContextEquals: g.Equals,
				EncryptionContextSubset: g.Subset, SourceARN: g.SourceARN, IssuingAccount: g.Issuer})
			w.named[g.Grantee] = true
		}
		w.keys[k.ARN] = k
	}
}

// key returns a key of the snapshot; one that it lacks is unread.
func (w *world) key(id string) (*keyWorld, error) {
	if k := w.keys[id]; k != nil {
		return k, nil
	}
	a, err := arn.Parse(id)
	if err != nil || len(a.AccountID) != 12 {
		return nil, snapshotError("%.256q is not the ARN of a key", id)
	}
	k := &keyWorld{Key: &Key{ARN: id}, owner: a.AccountID, region: a.Region}
	w.miss(id, fmt.Errorf("the snapshot does not have the key"))
	k.unread = w.unread(id)
	w.keys[id] = k
	return k, nil
}

func (w *world) readTables() (err error) {
	for i := range w.Tables {
		t := &tableWorld{Table: &w.Tables[i]}
		a, _ := arn.Parse(t.ARN) // checked
		t.owner, t.region, t.partition = a.AccountID, a.Region, a.Partition
		t.mode = Owned
		if t.KeyARN != "" {
			if t.key, err = w.key(t.KeyARN); err != nil {
				return err
			}
			t.mode = CustomerKey
			if t.key.Managed {
				t.mode = Managed
			}
		}
		for _, k := range t.ItemKeys {
			key, err := w.key(k.ARN)
			if err != nil {
				return err
			}
			t.items = append(t.items, key)
		}
		if t.apply(); t.sealed() {
			if t.mode == CustomerKey {
				t.mode = Both
			} else {
				t.mode = ClientSide
			}
		}
		for _, p := range []struct {
			text, of string
			to       **policy.Document
		}{{t.Policy, t.ARN, &t.policy}, {t.StreamPolicy, t.StreamARN, &t.streamPolicy}} {
			if p.text == "" {
				continue
			}
			d, err := w.parse(p.text, policy.Resource)
			if err != nil {
				w.miss(p.of, err)
				continue
			}
			*p.to = d.Document
			w.names(d)
		}
		t.unread = w.unread(t.ARN, "dynamodb:GetResourcePolicy")
		if t.StreamARN != "" {
			t.streamUnread = w.unread(t.StreamARN, "dynamodb:GetResourcePolicy")
		}
		w.tables = append(w.tables, t)
	}
	return nil
}

// names notes the principals of a resource's policy.
func (w *world) names(d *document) {
	for _, p := range d.Principals() {
		w.named[p.Value] = true
	}
	w.personal = w.personal || d.personal
}

// attach gives an actor the policies of an identity.
func (w *world) attach(a *actor, e *Identity, inline, attached policy.Source) {
	a.unread = append(a.unread, w.unread(e.ARN, "iam:")...)
	for _, p := range e.Inline {
		d, err := w.parse(p.Document, policy.Identity)
		if err != nil {
			w.miss(e.ARN, fmt.Errorf("policy %s: %w", p.Name, err))
			a.unread = append(a.unread, w.unread(e.ARN)...)
			continue
		}
		a.docs = append(a.docs, d)
		a.policies.Identity = append(a.policies.Identity, policy.Attached{Name: p.Name, Source: inline,
			Document: d.Document})
	}
	for _, id := range e.Attached {
		d := w.policyOf[id]
		if d == nil {
			a.unread = append(a.unread, w.lacking(id)...)
			continue
		}
		a.docs = append(a.docs, d)
		a.policies.Identity = append(a.policies.Identity, policy.Attached{Name: lastPart(id), ARN: id, Source: attached,
			Document: d.Document})
	}
}

// lacking says that a managed policy is not in the snapshot.
func (w *world) lacking(id string) []string {
	if len(w.gaps[id]) == 0 {
		w.miss(id, fmt.Errorf("the snapshot does not have the policy"))
	}
	return w.unread(id, "iam:")
}

// bound gives an actor its permissions boundary. One that is missing limits
// nothing: it could only take away.
func (w *world) bound(a *actor, id string) {
	if id == "" {
		return
	}
	d := w.policyOf[id]
	if d == nil {
		w.lacking(id)
		return
	}
	a.docs = append(a.docs, d)
	a.policies.Boundary = &policy.Attached{Name: lastPart(id), ARN: id, Source: policy.SourceBoundary,
		Document: d.Document}
}

func (w *world) add(a *actor) {
	if w.byARN[a.name] == nil {
		w.actors, w.byARN[a.name] = append(w.actors, a), a
	}
}

func (w *world) readUsers() {
	for i := range w.Users {
		u := &w.Users[i]
		a := &actor{name: u.ARN, kind: KindUser, owner: &u.Identity, groups: u.Groups, tags: u.Tags,
			Principal: policy.Principal{Type: policy.User, AccountID: accountOf(u.ARN), ARN: u.ARN, UniqueID: u.ID}}
		for _, name := range u.Groups {
			if g := w.groups[name]; g != nil {
				w.attach(a, &g.Identity, policy.SourceGroupInline, policy.SourceGroupManaged)
			} else {
				a.unread = append(a.unread, "group "+name+": the snapshot does not have it")
			}
		}
		w.attach(a, &u.Identity, policy.SourceInline, policy.SourceManaged)
		w.bound(a, u.Boundary)
		w.add(a)
	}
}

func (w *world) readRoles() {
	for i := range w.Roles {
		r := &w.Roles[i]
		account := accountOf(r.ARN)
		a := &actor{name: r.ARN, kind: KindRole, owner: &r.Identity, role: r, tags: r.Tags,
			Principal: policy.Principal{Type: policy.AssumedRole, AccountID: account, RoleARN: r.ARN,
				RoleUniqueID: r.ID,
				ARN: "arn:" + w.Partition + ":sts::" + account + ":assumed-role/" + lastPart(
					r.ARN) + "/" + anySession,
				UniqueID: r.ID + ":" + anySession}}
		w.attach(a, &r.Identity, policy.SourceInline, policy.SourceManaged)
		w.bound(a, r.Boundary)
		d, err := w.parse(r.Trust, policy.Trust)
		if err != nil {
			w.miss(r.ARN, fmt.Errorf("trust policy: %w", err))
		} else {
			w.trusts[a] = d.Document
			w.names(d)
			a.openTags = d.Mentions("sts:TagSession")
		}
		w.add(a)
	}
}

// anySession is the name of a session that no policy names.
const anySession = "any-session"

func accountOf(text string) string {
	a, _ := arn.Parse(text) // checked where it matters
	return a.AccountID
}

// classify gives the same number to the actors that no question tells apart, and
// whose reasons have the same words: a policy of another name is another one.
func (w *world) classify() {
	numbers := map[string]int{}
	for _, a := range w.actors {
		personal := w.personal || a.kind != KindUser && a.kind != KindRole || len(a.unread) > 0
		ids := make([]string, len(a.docs))
		for i, d := range a.docs {
			ids[i] = strconv.Itoa(d.id)
			if i < len(a.policies.Identity) { // the last may be the boundary
				p := &a.policies.Identity[i]
				ids[i] += " " + strconv.Itoa(int(p.Source)) + " " + p.Name + " " + p.ARN
			}
			personal = personal || d.personal
		}
		for _, name := range []string{a.ARN, a.UniqueID, a.RoleARN, a.RoleUniqueID} {
			personal = personal || w.named[name]
		}
		key := a.name
		if !personal {
			slices.Sort(ids)
			key = fmt.Sprint(a.kind, a.AccountID, a.policies.Boundary != nil, slices.Compact(ids), a.openTags)
			if a.policies.Boundary != nil {
				key += a.policies.Boundary.ARN
			}
		}
		n, ok := numbers[key]
		if !ok {
			n = len(numbers)
			numbers[key] = n
		}
		a.class = n
	}
}
