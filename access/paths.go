// SPDX-License-Identifier: Apache-2.0

package access

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// maxPaths bounds the paths of one principal.
const maxPaths = 8

// paths finds how principals come to read a table in clear.
type paths struct {
	*world
	table *tableWorld
	found map[*actor][]Path
	best  map[*actor]Verdict // of reading as it is or by a path
	// admins are the ways by which actors come to have every permission that nothing
	// denies them.
	admins map[*actor]*edit
}

func newPaths(w *world, t *tableWorld) *paths {
	return &paths{world: w, table: t, found: map[*actor][]Path{}, best: map[*actor]Verdict{},
		admins: map[*actor]*edit{}}
}

// find gives each row its paths.
func (p *paths) find(rows []Row) {
	for i, a := range p.actors {
		p.best[a] = rows[i].Cells.ReadClear.Verdict
		if p.best[a] < Yes && a.kind != KindService {
			p.powers(a)
			p.around(a)
		}
	}
	p.newcomers()
	p.giveAndBecome()
	p.become() // last: one who becomes a principal has its paths too
	for i, a := range p.actors {
		all := p.found[a]
		slices.SortStableFunc(all, func(x, y Path) int {
			return cmp.Or(int(y.Verdict)-int(x.Verdict), len(x.Why)-len(y.Why), len(x.Steps)-len(y.Steps))
		})
		if len(all) > maxPaths {
			all = all[:maxPaths]
		}
		rows[i].Paths = all
	}
}

// mentions reports whether a policy of the actor is about an action. If not, the
// policies of its own do not allow it.
func (p *paths) mentions(a *actor, actions ...string) bool {
	if a.kind != KindUser && a.kind != KindRole && a.kind != KindSession || len(a.unread) > 0 {
		return a.kind != KindService
	}
	for _, action := range actions {
		for _, d := range a.docs {
			known, ok := d.mentions[action]
			if !ok {
				known = d.Mentions(action)
				d.mentions[action] = known
			}
			if known {
				return true
			}
		}
	}
	return false
}

// add keeps a path unless its answer is no.
func (p *paths) add(a *actor, c *Cell, steps ...Step) {
	if c.Verdict == No {
		return
	}
	p.found[a] = append(p.found[a], Path{Verdict: c.Verdict, Steps: steps, Why: append(slices.Clone(c.If),
		c.Unread...)})
	p.best[a] = max(p.best[a], c.Verdict)
}

func (p *paths) readStep(a *actor, resource string) Step {
	return Step{a.name, "dynamodb:GetItem", resource, "reads in clear"}
}

// onIdentity is a call on an IAM user, group, role or policy.
func (p *paths) onIdentity(action, resource string) *question {
	return &question{action: action, resource: resource, owner: accountOf(resource), region: "us-east-1"}
}

// edit is a way by which an actor changes what it may do.
type edit struct {
	cell   *Cell
	step   Step
	change change
	more   []Step // that follow step
}

// edits are the ways by which an actor changes its own permissions.
func (p *paths) edits(a *actor) []edit {
	var all []edit
	add := func(action, resource, does string, c change) {
		if !p.mentions(a, action) || resource == "" {
			return
		}
		cell := p.ask(a, p.onIdentity(action, resource))
		if action == "iam:SetDefaultPolicyVersion" && cell.Verdict > Unknown {
			cell = &Cell{Verdict: Unknown, Unread: []string{"what the other versions of the policy allow"}}
		}
		if cell.Verdict != No {
			all = append(all, edit{cell: cell, step: Step{a.name, action, resource, does}, change: c})
		}
	}
	switch a.kind {
	case KindUser:
		add("iam:PutUserPolicy", a.name, "puts a policy on itself", change{admin: true})
		add("iam:AttachUserPolicy", a.name, "attaches a policy to itself", change{admin: true})
	case KindRole, KindSession:
		add("iam:PutRolePolicy", a.RoleARN, "puts a policy on its own role", change{admin: true})
		add("iam:AttachRolePolicy", a.RoleARN, "attaches a policy to its own role", change{admin: true})
	}
	versions := func(e *Identity) {
		for _, id := range e.Attached {
			if accountOf(id) == a.AccountID {
				add("iam:CreatePolicyVersion", id, "writes a new version of a policy that it has", change{admin: true})
				add("iam:SetDefaultPolicyVersion", id, "goes back to another version of a policy that it has",
					change{admin: true})
			}
		}
	}
	if a.owner != nil {
		versions(a.owner)
	}
	for _, name := range a.groups {
		if g := p.groups[name]; g != nil {
			add("iam:PutGroupPolicy", g.ARN, "puts a policy on its group", change{admin: true})
			add("iam:AttachGroupPolicy", g.ARN, "attaches a policy to its group", change{admin: true})
			versions(&g.Identity)
		}
	}
	if a.kind == KindUser && p.mentions(a, "iam:AddUserToGroup") {
		for i := range p.Groups {
			if g := &p.Groups[i]; !slices.Contains(a.groups, lastPart(g.ARN)) {
				n := len(all)
				add("iam:AddUserToGroup", g.ARN, "joins a group", change{join: g})
				if len(all) == n || !p.mentions(a, "iam:PutGroupPolicy", "iam:AttachGroupPolicy") {
					continue
				}
				// The group can be given a policy first: later it could deny that.
				joins := all[n]
				if c, action, _ := p.either(a, g.ARN, []string{"iam:PutGroupPolicy",
					"iam:AttachGroupPolicy"}); c.Verdict != No {
					all = append(all, edit{and(c, joins.cell), Step{a.name, action, g.ARN, "gives permissions to"},
						change{admin: true, join: g}, []Step{joins.step}})
				}
			}
		}
	}
	return all
}

// unbinding is the step that removes an actor's permissions boundary; nil if it
// cannot.
func (p *paths) unbinding(a *actor) *edit {
	if a.policies.Boundary == nil || a.owner == nil {
		return nil
	}
	actions := []string{"iam:DeleteUserPermissionsBoundary", "iam:PutUserPermissionsBoundary"}
	if a.role != nil {
		actions = []string{"iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"}
	}
	for _, action := range actions {
		if p.mentions(a, action) {
			if c := p.ask(a, p.onIdentity(action, a.owner.ARN)); c.Verdict != No {
				return &edit{cell: c, change: change{unbounded: true},
					step: Step{a.name, action, a.owner.ARN, "removes its permissions boundary"}}
			}
		}
	}
	return nil
}

// stripping is the step by which an actor that has given itself every permission
// removes its other policies, with what they deny; nil if it cannot.
func (p *paths) stripping(a *actor, e *edit) *edit {
	var actions []string
	switch e.step.Action {
	case "iam:PutUserPolicy", "iam:AttachUserPolicy":
		actions = []string{"iam:DeleteUserPolicy", "iam:DetachUserPolicy"}
	case "iam:PutRolePolicy", "iam:AttachRolePolicy":
		actions = []string{"iam:DeleteRolePolicy", "iam:DetachRolePolicy"}
	default:
		return nil // what it has been given could go with the rest
	}
	c := e.change
	cell := e.cell
	for _, action := range actions {
		cell = and(cell, p.ask(a, c.apply(p.onIdentity(action, e.step.Resource))))
	}
	for _, name := range a.groups {
		if g := p.groups[name]; g != nil {
			cell = and(cell, p.ask(a, c.apply(p.onIdentity("iam:RemoveUserFromGroup", g.ARN))))
		}
	}
	if cell.Verdict == No {
		return nil
	}
	c.stripped = true
	return &edit{cell: cell, change: c, step: Step{a.name, actions[0], e.step.Resource, "removes its other policies"}}
}

// as asks what an actor may do as it is or, if that is nothing, with the
// permissions that it can give itself, and by which steps.
func (p *paths) as(a *actor, q *question) (*Cell, []Step) {
	cell := p.ask(a, q)
	e := p.admins[a]
	if cell.Verdict != No || e == nil {
		return cell, nil
	}
	c := e.change
	return and(p.ask(a, c.apply(q)), e.cell), append([]Step{e.step}, e.more...)
}

// opening is how an actor opens a key; nil if it cannot.
func (p *paths) opening(a *actor, k *keyWorld, c change) *edit {
	var best *edit
	for _, o := range []struct{ action, does string }{
		{"kms:PutKeyPolicy", "writes itself into the key policy"},
		{"kms:CreateGrant", "makes itself a grant for kms:Decrypt"},
	} {
		q := c.apply(&question{action: o.action, resource: k.ARN, owner: k.owner, region: k.region, key: k})
		if cell := p.ask(a, q); cell.Verdict != No && (best == nil || cell.Verdict > best.cell.Verdict) {
			best = &edit{cell: cell, step: Step{a.name, o.action, k.ARN, o.does}}
			if o.action == "kms:CreateGrant" { // it lifts nothing that the key policy denies
				best.change.grantKeys = []*keyWorld{k}
			} else {
				best.change.openKeys = []*keyWorld{k}
			}
		}
	}
	return best
}

// powers finds the paths on which an actor changes policies and stays who it is.
func (p *paths) powers(a *actor) {
	t := p.table
	try := func(c change, before *Cell, steps ...Step) bool {
		cell := p.readClear(a, t, &c)
		if before != nil {
			cell = and(before, cell)
		}
		p.add(a, cell, append(slices.Clip(steps), p.readStep(a, t.ARN))...)
		return cell.Verdict != No
	}
	// Keys and the table's policy, with the permissions that it has, or after each
	// way to have more.
	open := func(c change, before *Cell, steps ...Step) {
		have, cell := steps, before
		for _, k := range t.keys() {
			if p.usable(a, t, k, &c).Verdict > No {
				continue
			}
			e := p.opening(a, k, c)
			if e == nil {
				return
			}
			cell, have = and(cell, e.cell), append(slices.Clip(have), e.step)
			c.openKeys = append(slices.Clip(c.openKeys), e.change.openKeys...)
			c.grantKeys = append(slices.Clip(c.grantKeys), e.change.grantKeys...)
		}
		if len(c.openKeys)+len(c.grantKeys) > 0 && try(c, cell, have...) {
			return
		}
		q := c.apply(onTable(t, "dynamodb:PutResourcePolicy", t.ARN))
		if e := p.ask(a, q); e.Verdict != No {
			c.openTable = true
			try(c, and(cell, e), append(slices.Clip(have), Step{a.name, "dynamodb:PutResourcePolicy", t.ARN,
				"writes itself into the table's policy"})...)
		}
	}
	open(change{}, nil)
	for _, e := range p.edits(a) {
		steps := append([]Step{e.step}, e.more...)
		if best := p.admins[a]; e.change.admin && (best == nil || e.cell.Verdict > best.cell.Verdict) {
			p.admins[a] = &edit{e.cell, e.step, e.change, e.more}
		}
		if try(e.change, e.cell, steps...) {
			continue
		}
		if u := p.unbinding(a); u != nil {
			c := e.change
			c.unbounded = true
			if try(c, and(u.cell, e.cell), append([]Step{u.step}, steps...)...) {
				continue
			}
		}
		if s := p.stripping(a, &e); s != nil && try(s.change, s.cell, append(steps, s.step)...) {
			continue
		}
		open(e.change, e.cell, steps...)
	}
	if u := p.unbinding(a); u != nil {
		try(u.change, u.cell, u.step)
	}
}

// keys are the keys of a table: its own, and those of its items, of which one is
// enough.
func (t *tableWorld) keys() []*keyWorld {
	var all []*keyWorld
	if t.key != nil {
		all = append(all, t.key)
	}
	if len(t.items) > 0 && t.plain == "" && t.items[0] != t.key {
		all = append(all, t.items[0])
	}
	return all
}

// usable is the answer for decrypting with a key of the table.
func (p *paths) usable(a *actor, t *tableWorld, k *keyWorld, c *change) *Cell {
	through := p.throughKey(a, t, c)
	if k == t.key && through.Verdict == No {
		return through
	}
	if len(t.items) > 0 && k == t.items[0] {
		return p.opensItems(a, t, c)
	}
	return through
}

// around finds the paths past the key of the table, and past the table itself.
// Items that are encrypted before they are sent stay encrypted on them, all others
// do not.
func (p *paths) around(a *actor) {
	t := p.table
	if !t.open() {
		return
	}
	none := &change{}
	through := p.throughKey(a, t, none)
	key := func(undocumented string) *Cell {
		if through == nil || through.Verdict != No {
			return through
		}
		return &Cell{Verdict: Unknown, Unread: []string{undocumented}}
	}
	const old = "AWS does not document whether DynamoDB asks for kms:Decrypt on the old key"
	ask := func(action, resource string) *Cell { return p.ask(a, onTable(t, action, resource)) }
	update := ask("dynamodb:UpdateTable", t.ARN)
	if t.key != nil && update.Verdict != No && through.Verdict == No {
		p.add(a, and(and(update, p.any(a, t.calls(reads, none)...)), key(old)),
			Step{a.name, "dynamodb:UpdateTable", t.ARN, "takes the table off its key"}, p.readStep(a, t.ARN))
	}
	// Another table of the account, with no policy of its own.
	elsewhere := func(arn string) *Cell {
		var all []*question
		for _, action := range reads {
			all = append(all, &question{action: action, resource: arn, owner: t.owner, region: accountRegion(arn)})
		}
		return p.any(a, all...)
	}
	copied := t.ARN + "-copy"
	for _, r := range []struct{ action, on, does string }{
		{"dynamodb:RestoreTableFromBackup", t.ARN + "/backup/01700000000000-00000000",
			"restores a backup under another key"},
		{"dynamodb:RestoreTableToPointInTime", t.ARN, "restores the table under another key"},
	} {
		p.add(a, both(and(ask(r.action, r.on), elsewhere(copied)), key(old)),
			Step{a.name, r.action, t.ARN, r.does}, p.readStep(a, copied))
	}
	if through == nil || through.Verdict != No {
		export := both(ask("dynamodb:ExportTableToPointInTime", t.ARN), through)
		p.add(a, onlyIf(export, "it can write to a bucket of S3 and read it"),
			Step{a.name, "dynamodb:ExportTableToPointInTime", t.ARN, "exports the table, and reads the bucket"})
		p.stream(a, through, update)
	}
	p.add(a, onlyIf(both(ask("dynamodb:EnableKinesisStreamingDestination", t.ARN),
		key("AWS does not document whether sending changes to Kinesis needs kms:Decrypt")),
		"it can write to a Kinesis stream and read it"),
		Step{a.name, "dynamodb:EnableKinesisStreamingDestination", t.ARN, "sends the changes to Kinesis"})
	replica := strings.Replace(t.ARN, ":"+t.region+":", ":"+otherRegion(t.region)+":", 1)
	p.add(a, both(and(and(update, ask("dynamodb:CreateTableReplica", t.ARN)), elsewhere(replica)), key(old)),
		Step{a.name, "dynamodb:CreateTableReplica", t.ARN, "adds a replica under another key"}, p.readStep(a, replica))
}

// stream finds the paths through the table's stream, whose readers need the key.
func (p *paths) stream(a *actor, through, update *Cell) {
	t := p.table
	on := t.StreamARN
	if on == "" {
		on = t.ARN + "/stream/2026-01-01T00:00:00.000"
	}
	q := onTable(t, "dynamodb:GetRecords", on)
	q.stream = true
	records := both(p.ask(a, q), through)
	step := Step{a.name, "dynamodb:GetRecords", on, "reads the changes from the stream"}
	if t.StreamARN != "" {
		p.add(a, records, step)
		return
	}
	p.add(a, and(update, records), Step{a.name, "dynamodb:UpdateTable", t.ARN, "turns on a stream"}, step)
}

// onlyIf makes an answer depend on something outside the policies that were read.
func onlyIf(c *Cell, text string) *Cell {
	if c.Verdict == No {
		return c
	}
	return and(c, &Cell{Verdict: OnlyIf, If: []string{text}})
}

func accountRegion(arn string) string {
	parts := strings.SplitN(arn, ":", 5)
	if len(parts) < 5 {
		return ""
	}
	return parts[3]
}

func otherRegion(region string) string {
	if region == "eu-west-1" {
		return "eu-central-1"
	}
	return "eu-west-1"
}

// newcomers finds the paths of actors that create a principal with more
// permissions.
func (p *paths) newcomers() {
	for _, a := range p.actors {
		if p.best[a] == Yes || a.AccountID != p.Account {
			continue
		}
		prefix := "arn:" + p.Partition + ":iam::" + a.AccountID + ":"
		for _, n := range []struct {
			kind          Kind
			arn           string
			create        []string
			does          string
			edits, become []string
		}{
			{KindRole, prefix + "role/new-role", []string{"iam:CreateRole"}, "creates a role that it may assume",
				[]string{"iam:PutRolePolicy", "iam:AttachRolePolicy"}, nil},
			{KindUser, prefix + "user/new-user", []string{"iam:CreateUser"}, "creates a user with an access key",
				[]string{"iam:PutUserPolicy", "iam:AttachUserPolicy"}, []string{"iam:CreateAccessKey"}},
		} {
			if p.admins[a] == nil && (!p.mentions(a, n.create...) || !p.mentions(a, n.edits...)) {
				continue
			}
			if n.kind == KindRole && a.Type == policy.Root {
				continue // AWS does not let root assume roles
			}
			cell, steps := p.as(a, p.onIdentity(n.create[0], n.arn))
			action := ""
			for i, gives := range n.edits {
				c, before := p.as(a, p.onIdentity(gives, n.arn))
				if c.Verdict != No || i == len(n.edits)-1 {
					cell, action = and(cell, c), gives
					steps = longer(steps, before)
					break
				}
			}
			for _, becomes := range n.become {
				c, before := p.as(a, p.onIdentity(becomes, n.arn))
				cell, steps = and(cell, c), longer(steps, before)
			}
			made := &actor{name: n.arn, kind: n.kind, class: -int(n.kind),
				Principal: policy.Principal{Type: policy.User,
					AccountID: a.AccountID, ARN: n.arn, UniqueID: "AIDANEWNEWNEWNEWNEW0"}}
			if n.kind == KindRole {
				made.Principal = policy.Principal{Type: policy.AssumedRole, AccountID: a.AccountID, RoleARN: n.arn,
					RoleUniqueID: "AROANEWNEWNEWNEWNEW0", UniqueID: "AROANEWNEWNEWNEWNEW0:" + anySession,
					ARN: "arn:" + p.Partition + ":sts::" + a.AccountID + ":assumed-role/new-role/" + anySession}
			}
			p.add(a, and(cell, p.readClear(made, p.table, &change{admin: true})), append(steps,
				Step{a.name, n.create[0], n.arn, n.does}, Step{a.name, action, n.arn, "gives permissions to"},
				p.readStep(made, p.table.ARN))...)
		}
	}
}

// longer is the longer of the steps that come before two calls of one actor: they
// are none or the same.
func longer(a, b []Step) []Step {
	if len(b) > len(a) {
		return b
	}
	return a
}
