// SPDX-License-Identifier: Apache-2.0

package access

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// question is one call that an actor may be allowed to make, in the world as it is
// or after a step of a path.
type question struct {
	action, resource string
	owner, region    string

	key    *keyWorld   // of a call to KMS
	table  *tableWorld // of a call to DynamoDB
	stream bool        // the call is on the table's stream
	target *actor      // of sts:AssumeRole

	// via says that DynamoDB makes the call to KMS for the actor.
	via bool
	// pairs is the encryption context as far as it is known; open says that it can
	// have more.
	pairs map[string]string
	open  bool

	// What a step of a path changes: the actor gets a policy that allows
	// everything, loses its boundary, joins a group; the policy of the resource
	// allows everything to everybody.
	admin, unbounded, opened bool
	granted                  bool // the actor has a grant for kms:Decrypt
	stripped                 bool // the actor has lost all policies of its own but that one
	join                     *Group

	// explain asks for the deciding statements.
	explain bool
}

// questionKey is a question of a class of actors.
type questionKey struct {
	class int
	id    string
}

func (q *question) id() string {
	flags := 0
	for i, b := range []bool{q.via, q.open, q.admin, q.unbounded, q.opened, q.explain, q.stream, q.stripped,
		q.granted} {
		if b {
			flags |= 1 << i
		}
	}
	id := strconv.Itoa(flags) + " " + q.action + " " + q.resource
	if q.pairs != nil {
		for _, name := range []string{"aws:dynamodb:tableName", "aws-crypto-table-name", "tablename"} {
			id += " " + q.pairs[name]
		}
	}
	if q.join != nil {
		id += " " + q.join.ARN
	}
	return id
}

// over is the cell for decisions that the bound of the analysis left out.
var over = &Cell{Verdict: Unknown, Unread: []string{"there are more decisions than one analysis makes"}}

// ask answers a question, once for each class of actors.
func (w *world) ask(a *actor, q *question) *Cell {
	k := questionKey{a.class, q.id()}
	if c := w.decided[k]; c != nil {
		return c
	}
	c := w.decide(a, q)
	w.decided[k] = c
	return c
}

func (w *world) decide(a *actor, q *question) *Cell {
	if w.budget--; w.budget < 0 {
		return over
	}
	if a.kind == KindService && q.key == nil && q.table == nil {
		return &Cell{Verdict: No}
	}
	r, u := w.request(a, q)
	p := w.policiesFor(a, q)
	answer := policy.Decide(r, p, u)
	c := &Cell{}
	switch answer.Verdict {
	case policy.Always:
		c.Verdict = Yes
	case policy.OnlyIf:
		c.Verdict = OnlyIf
		for _, d := range answer.Deciding {
			c.If = append(c.If, q.action+": "+condition(&d))
		}
	default:
		c.Verdict = No
		if unread := w.unreadFor(a, q); len(unread) > 0 {
			if policy.Decide(r, w.permissive(a, q, p), u).Verdict != policy.Never {
				c.Verdict, c.Unread = Unknown, unread
			}
		}
	}
	if a.kind == KindForeign && c.Verdict >= OnlyIf {
		c.Verdict = OnlyIf
		c.If = append(c.If, "the policies of account "+a.AccountID+" allow "+q.action)
	}
	if q.explain {
		c.Because = because(q, &answer)
	}
	return c
}

// policiesFor gathers what bears on a question.
func (w *world) policiesFor(a *actor, q *question) policy.Policies {
	p := a.policies
	if q.stripped {
		p.Identity = nil
	}
	if q.admin || q.join != nil {
		p.Identity = append([]policy.Attached(nil), p.Identity...)
	}
	if q.admin {
		p.Identity = append(p.Identity, w.admin)
	}
	if q.join != nil {
		var member actor
		w.attach(&member, &q.join.Identity, policy.SourceGroupInline, policy.SourceGroupManaged)
		p.Identity = append(p.Identity, member.policies.Identity...)
	}
	if q.unbounded {
		p.Boundary = nil
	}
	switch {
	case q.key != nil:
		p.Resource, p.ResourceMode, p.Grants = q.key.policy, policy.ModeKeyPolicy, q.key.grants
		if q.opened {
			p.Resource = w.open[policy.KeyPolicy]
		}
		if q.granted {
			p.Grants = append(p.Grants[:len(p.Grants):len(p.Grants)],
				policy.Grant{ID: "a new grant", Grantee: a.ARN, Operations: []string{"Decrypt"}})
		}
	case q.table != nil:
		p.Resource = q.table.policy
		if q.stream {
			p.Resource = q.table.streamPolicy
		}
		if q.opened {
			p.Resource = w.open[policy.Resource]
		}
	case q.target != nil:
		p.Resource, p.ResourceMode = w.trusts[q.target], policy.ModeTrustPolicy
		if q.opened {
			p.Resource = w.open[policy.KeyPolicy]
		}
	}
	return p
}

// unreadFor says what was not read and may decide a question.
func (w *world) unreadFor(a *actor, q *question) []string {
	all := a.unread
	switch {
	case q.key != nil:
		all = append(all[:len(all):len(all)], q.key.unread...)
	case q.table != nil && q.stream:
		all = append(all[:len(all):len(all)], q.table.streamUnread...)
	case q.table != nil:
		all = append(all[:len(all):len(all)], q.table.unread...)
	case q.target != nil && w.trusts[q.target] == nil:
		all = append(all[:len(all):len(all)], w.unread(q.target.name)...)
	}
	return all
}

// permissive puts in the place of what was not read what allows the most.
func (w *world) permissive(a *actor, q *question, p policy.Policies) policy.Policies {
	if len(a.unread) > 0 {
		p.Identity = append(append([]policy.Attached(nil), p.Identity...), w.admin)
	}
	switch {
	case q.key != nil && len(q.key.unread) > 0:
		p.Resource = w.open[policy.KeyPolicy]
	case q.table != nil && (q.stream && len(q.table.streamUnread) > 0 || !q.stream && len(q.table.unread) > 0):
		p.Resource = w.open[policy.Resource]
	case q.target != nil && w.trusts[q.target] == nil:
		p.Resource, p.ResourceMode = w.open[policy.KeyPolicy], policy.ModeOrdinary
	}
	return p
}

// request returns the evaluator's request of a question.
func (w *world) request(a *actor, q *question) (policy.Request, policy.Unknowns) {
	context := policy.Context{"aws:requestedregion": {q.region}}
	r := policy.Request{Principal: a.Principal, Action: q.action, Resource: q.resource, ResourceAccountID: q.owner,
		Context: context, EncryptionContext: q.pairs}
	via := "false"
	if q.via {
		via = "true"
		const service = "dynamodb.amazonaws.com"
		context["kms:viaservice"] = []string{"dynamodb." + q.region + ".amazonaws.com"}
		for _, key := range []string{"aws:calledvia", "aws:calledviafirst", "aws:calledvialast"} {
			context[key] = []string{service}
		}
	}
	context["aws:viaawsservice"] = []string{via}
	var tags map[string]string
	tagsUnread := false
	switch {
	case q.key != nil:
		k := q.key
		tags, tagsUnread = k.Tags, len(w.unread(k.ARN, "kms:ListResourceTags")) > 0
		if k.Spec != "" {
			context["kms:keyspec"], context["kms:customermasterkeyspec"] = []string{k.Spec}, []string{k.Spec}
			context["kms:keyusage"], context["kms:customermasterkeyusage"] = []string{k.Usage}, []string{k.Usage}
			context["kms:keyorigin"] = []string{k.Origin}
			context["kms:multiregion"] = []string{strconv.FormatBool(k.MultiRegion)}
		}
		context["kms:encryptionalgorithm"] = []string{"SYMMETRIC_DEFAULT"}
		if q.action == "kms:CreateGrant" {
			context["kms:grantisforawsresource"] = []string{"false"}
		}
	case q.table != nil:
		tags, tagsUnread = q.table.Tags, len(w.unread(q.table.ARN, "dynamodb:ListTagsOfResource")) > 0
	case q.target != nil && q.target.owner != nil:
		tags = q.target.owner.Tags
	}
	for k, v := range tags {
		context.Set("aws:ResourceTag/"+k, v)
	}
	for k, v := range a.tags {
		if !a.openTags {
			context.Set("aws:PrincipalTag/"+k, v)
		}
	}
	return r, policy.Unknowns{EncryptionContext: q.open, Key: func(lower string) (policy.Domain, bool) {
		return w.unknown(a, q, lower, tagsUnread)
	}}
}

// unknown says whether a condition key of a question is unknown.
func (w *world) unknown(a *actor, q *question, lower string, tagsUnread bool) (policy.Domain, bool) {
	present := policy.Domain{Present: true}
	switch lower {
	case "aws:currenttime", "aws:epochtime", "aws:securetransport":
		return present, true
	case "aws:userid":
		if a.kind == KindRole {
			return policy.Domain{Present: true, Prefix: a.RoleUniqueID + ":"}, true
		}
		return policy.Domain{}, a.kind == KindEverybody || a.kind == KindForeign
	case "aws:principalarn", "aws:username":
		// Everybody is not a principal of this account.
		return policy.Domain{Possible: func(v string) bool { return !strings.Contains(v, ":"+w.Account+":") }},
			a.kind == KindEverybody || a.kind == KindForeign && a.Type == policy.Root
	case "kms:viaservice", "aws:calledvia", "aws:calledviafirst", "aws:calledvialast":
		return policy.Domain{}, false // known, or absent in a direct call
	case "aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip", "aws:useragent", "aws:referer":
		return policy.Domain{}, !q.via // a service that calls has none of the caller's
	case "aws:sourcearn", "aws:sourceaccount":
		return policy.Domain{}, a.kind == KindService
	case "aws:tagkeys", "kms:grantisforawsresource":
		return policy.Domain{}, false
	case "aws:tokenissuetime":
		return present, a.Type == policy.AssumedRole
	case "aws:principalaccount", "aws:principaltype", "aws:principalisawsservice", "aws:principalservicename",
		"aws:principalservicenameslist", "aws:resourceaccount", "kms:calleraccount":
		return policy.Domain{}, false // they follow from the request
	}
	switch {
	case strings.HasPrefix(lower, "aws:resourcetag/"):
		return policy.Domain{}, tagsUnread
	case strings.HasPrefix(lower, "aws:requesttag/"):
		return policy.Domain{}, false
	case strings.HasPrefix(lower, "aws:principaltag/"):
		if a.openTags {
			return policy.Domain{}, true
		}
		return policy.Domain{}, a.kind == KindForeign || a.kind == KindEverybody || len(a.unread) > 0
	}
	return policy.Domain{}, true
}

// condition is a deciding condition as one clause.
func condition(d *policy.Deciding) string {
	var b strings.Builder
	if d.Effect == policy.Deny {
		b.WriteString("not ")
	}
	b.WriteString(strings.TrimSpace(d.Operator + " " + d.Key))
	if len(d.Wanted) > 0 {
		b.WriteString(" " + strings.Join(d.Wanted, " or "))
	}
	b.WriteString(" (" + d.Source.String())
	if d.Policy != "" {
		b.WriteString(" " + strconv.Quote(d.Policy))
	}
	if d.GrantID != "" {
		b.WriteString(" " + d.GrantID)
	} else {
		b.WriteString(", statement " + strconv.Itoa(d.Statement))
	}
	if d.Sid != "" {
		b.WriteString(", " + d.Sid)
	}
	b.WriteString(")")
	return b.String()
}

// maxBecause bounds the statements that explain one question.
const maxBecause = 8

// because lists the statements and grants that decide, or says that none allows.
func because(q *question, answer *policy.Answer) []string {
	var all []string
	d := answer.Decision
	effect := policy.Deny
	if d.Allowed {
		effect = policy.Allow
	}
	reasons := slices.DeleteFunc(d.Reasons(), func(r policy.Reason) bool { return !r.Applies || r.Effect != effect })
	// A statement that leaves the decision to IAM policies decides nothing beside one
	// that names the caller.
	direct := slices.ContainsFunc(reasons, func(r policy.Reason) bool {
		return (r.Source == policy.SourceResource || r.Source == policy.SourceGrant) && !r.Delegates
	})
	for _, r := range reasons {
		if len(all) < maxBecause && !(direct && r.Delegates) {
			r.Conditions = nil
			all = append(all, q.action+": "+r.String())
		}
	}
	if len(all) == 0 && !d.Allowed {
		text := q.action + ": no " + d.Cause.String() + " allows it"
		if d.Cause == policy.LayerNone {
			text = q.action + ": nothing allows it"
		}
		all = append(all, text)
	}
	return all
}
