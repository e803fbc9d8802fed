// SPDX-License-Identifier: Apache-2.0

package access

import (
	"slices"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// way is how one actor becomes another: a call, or an edit and a call.
type way struct {
	action string
	does   string
	edits  bool // after it, the target's trust policy names the actor
}

var (
	waysToRole = []way{
		{"sts:AssumeRole", "assumes the role", false},
		{"iam:UpdateAssumeRolePolicy", "edits the trust policy of the role and assumes it", true},
	}
	waysToUser = []way{
		{"iam:CreateAccessKey", "creates an access key for the user", false},
		{"iam:CreateLoginProfile", "sets a password for the user", false},
		{"iam:UpdateLoginProfile", "changes the user's password", false},
	}
)

func waysTo(target *actor) []way {
	switch target.kind {
	case KindRole:
		return waysToRole
	case KindUser:
		return waysToUser
	}
	return nil
}

// edge is the answer for one way from an actor to another. Edges are asked for
// each class of policies, not for each pair of principals.
func (p *paths) edge(from, to *actor, w way) (*Cell, []Step) {
	if from == to || from.kind == KindService || to.kind == KindRole && from.Type == policy.Root {
		return noCell, nil // AWS does not let root assume roles
	}
	able := p.admins[from] != nil
	if w.action != "sts:AssumeRole" {
		if !able && (!p.mentions(from, w.action) || !p.mayAllow(from, w.action, to.name)) {
			return noCell, nil
		}
		cell, steps := p.as(from, p.onIdentity(w.action, to.name))
		if w.edits && cell.Verdict != No {
			// The new trust policy names the actor, whose own policies may still deny.
			cell = and(cell, p.ask(from, &question{action: "sts:AssumeRole", resource: to.RoleARN, owner: to.AccountID,
				region: p.Region, target: to, opened: true}))
		}
		return cell, steps
	}
	if !able && !p.trusted(from, to) && (!p.mentions(from, w.action) || !p.mayAllow(from, w.action, to.RoleARN)) {
		return noCell, nil
	}
	return p.as(from, &question{action: w.action, resource: to.RoleARN, owner: to.AccountID, region: p.Region,
		target: to})
}

var noCell = &Cell{Verdict: No}

// trusted reports whether a role's trust policy may let an actor in that has no
// permission of its own: it names the actor or everybody.
func (p *paths) trusted(from, to *actor) bool {
	d := p.trusts[to]
	if d == nil {
		return true
	}
	for i := range d.Statements {
		for _, e := range d.Statements[i].Principals {
			switch e.Value {
			case "*", from.ARN, from.UniqueID, from.RoleARN, from.RoleUniqueID:
				return true
			}
		}
	}
	return false
}

// become finds the paths of actors that become one that reads, over as many steps
// as it takes: first those that certainly do, then the rest.
func (p *paths) become() {
	for level := Yes; level > No; level-- {
		var queue, pending []*actor
		for _, a := range p.actors {
			if p.best[a] >= level {
				queue = append(queue, a)
			} else if a.kind != KindService {
				pending = append(pending, a)
			}
		}
		for len(queue) > 0 && len(pending) > 0 {
			to := queue[0]
			queue = queue[1:]
			pending = slices.DeleteFunc(pending, func(from *actor) bool {
				if p.budget--; p.budget < 0 {
					return false
				}
				for _, w := range waysTo(to) {
					cell, before := p.edge(from, to, w)
					if cell.Verdict >= level {
						p.step(from, to, w, cell, before)
						queue = append(queue, from)
						return true
					}
				}
				return false
			})
		}
	}
}

// step adds the path of an actor that becomes another and goes on as that one.
func (p *paths) step(from, to *actor, w way, cell *Cell, before []Step) {
	rest := Path{Verdict: Yes, Steps: []Step{p.readStep(to, p.table.ARN)}}
	own := p.readClear(to, p.table, &change{})
	if all := p.found[to]; own.Verdict < p.best[to] && len(all) > 0 {
		rest = slices.MaxFunc(all, func(a, b Path) int { return int(a.Verdict) - int(b.Verdict) })
	} else {
		rest.Verdict, rest.Why = own.Verdict, append(slices.Clone(own.If), own.Unread...)
	}
	c := and(cell, &Cell{Verdict: rest.Verdict, If: rest.Why})
	steps := append(slices.Clone(before), Step{from.name, w.action, to.name, w.does})
	p.add(from, c, append(steps, rest.Steps...)...)
}

// either answers for the best of several actions on an identity, and which it is.
func (p *paths) either(a *actor, on string, actions []string) (best *Cell, which string, before []Step) {
	best = noCell
	for _, action := range actions {
		if c, steps := p.as(a, p.onIdentity(action, on)); c.Verdict > best.Verdict || which == "" {
			best, which, before = c, action, steps
		}
	}
	return best, which, before
}

// gift is what an actor can do for another before it becomes that one.
type gift struct {
	cell   *Cell
	steps  []Step
	change change
}

// opens are the gifts of keys and of the table's policy; they do not depend on who
// gets them.
func (p *paths) opens(from *actor) []gift {
	var all []gift
	open := gift{}
	for _, k := range p.table.keys() {
		if e := p.opening(from, k, change{}); e != nil {
			step := e.step
			step.Does = "opens the key to another principal"
			open.cell, open.steps = and(open.cell, e.cell), append(open.steps, step)
			open.change.openKeys = append(open.change.openKeys, e.change.openKeys...)
			open.change.grantKeys = append(open.change.grantKeys, e.change.grantKeys...)
		}
	}
	if len(open.steps) > 0 {
		all = append(all, open)
	}
	t := p.table
	if c := p.ask(from, onTable(t, "dynamodb:PutResourcePolicy", t.ARN)); c.Verdict != No {
		step := Step{from.name, "dynamodb:PutResourcePolicy", t.ARN, "opens the table to another principal"}
		both := gift{and(open.cell, c), append(slices.Clone(open.steps), step), open.change}
		both.change.openTable = true
		all = append(all, gift{c, []Step{step}, change{openTable: true}})
		if len(open.steps) > 0 {
			all = append(all, both)
		}
	}
	return all
}

// edited is the best way for an actor to give another one permissions; nil if it
// has none.
func (p *paths) edited(from, to *actor) *gift {
	var best *gift
	try := func(resource string, actions ...string) {
		if p.admins[from] == nil && !p.mentions(from, actions...) {
			return
		}
		c, action, before := p.either(from, resource, actions)
		if c.Verdict != No && (best == nil || c.Verdict > best.cell.Verdict) {
			best = &gift{c, append(slices.Clone(before), Step{from.name, action, resource, "gives permissions to"}),
				change{admin: true}}
		}
	}
	versions := func(e *Identity) {
		for _, id := range e.Attached {
			if accountOf(id) == to.AccountID {
				try(id, "iam:CreatePolicyVersion")
			}
		}
	}
	if to.kind == KindUser {
		try(to.name, "iam:PutUserPolicy", "iam:AttachUserPolicy")
	} else {
		try(to.name, "iam:PutRolePolicy", "iam:AttachRolePolicy")
	}
	versions(to.owner)
	for _, name := range to.groups {
		if g := p.groups[name]; g != nil {
			try(g.ARN, "iam:PutGroupPolicy", "iam:AttachGroupPolicy")
			versions(&g.Identity)
		}
	}
	return best
}

// givings are the actions by which one principal gives another permissions.
var givings = []string{"iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutUserPolicy", "iam:AttachUserPolicy",
	"iam:PutGroupPolicy", "iam:AttachGroupPolicy", "iam:CreatePolicyVersion"}

// giveAndBecome finds the paths of actors that give another principal permissions
// and become it.
func (p *paths) giveAndBecome() {
	for _, from := range p.actors {
		if p.best[from] == Yes || from.kind == KindService {
			continue
		}
		opens, gives := p.opens(from), p.admins[from] != nil || p.mentions(from, givings...)
		if len(opens) == 0 && !gives {
			continue
		}
		for _, to := range p.actors {
			if p.budget--; p.budget < 0 {
				return
			}
			if to == from || to.owner == nil || to.kind == KindSession {
				continue
			}
			way, reached, before := p.bestWay(from, to)
			if reached.Verdict == No {
				continue
			}
			if and(reached, p.readClear(to, p.table, &change{})).Verdict == Yes {
				break // become finds the path, which needs no gift
			}
			gifts := opens
			if gives {
				if e := p.edited(from, to); e != nil {
					gifts = []gift{*e}
					for _, o := range opens {
						both := gift{and(e.cell, o.cell), append(slices.Clone(e.steps), o.steps...), o.change}
						both.change.admin = true
						gifts = append(gifts, both)
					}
				}
			}
			for _, g := range gifts {
				c := and(and(g.cell, reached), p.readClear(to, p.table, &g.change))
				if c.Verdict != No {
					p.add(from, c, append(withOnce(before, g.steps),
						Step{from.name, way.action, to.name, way.does}, p.readStep(to, p.table.ARN))...)
					break
				}
			}
			if p.best[from] == Yes {
				break
			}
		}
	}
}

// mayAllow reports whether a policy of the actor may allow an action on a
// resource: it spares the decision where none does.
func (p *paths) mayAllow(a *actor, action, resource string) bool {
	if a.kind != KindUser && a.kind != KindRole && a.kind != KindSession || len(a.unread) > 0 {
		return true
	}
	return slices.ContainsFunc(a.docs, func(d *document) bool { return d.MayAllow(action, resource) })
}

// withOnce puts the steps that a way needs before those of a gift, unless they are
// there already.
func withOnce(before, steps []Step) []Step {
	if len(before) > 0 && len(steps) > 0 && before[0] == steps[0] {
		return slices.Clone(steps)
	}
	return slices.Concat(before, steps)
}

// bestWay is the best way from an actor to another.
func (p *paths) bestWay(from, to *actor) (best way, cell *Cell, before []Step) {
	cell = noCell
	for _, w := range waysTo(to) {
		if c, steps := p.edge(from, to, w); c.Verdict > cell.Verdict {
			best, cell, before = w, c, steps
		}
	}
	return best, cell, before
}

// headlines are the lines that come first.
func (w *world) headlines(t *tableWorld, rows []Row, p *paths) []string {
	var lines []string
	if t.key != nil && t.open() {
		guarded, sure, open := 0, []string(nil), []string(nil)
		for _, a := range w.actors {
			if a.kind == KindService {
				continue
			}
			through := w.throughKey(a, t, &change{})
			if through.Verdict == No && w.any(a, t.calls(reads, &change{})...).Verdict > No {
				guarded++
			}
			if w.ask(a, onTable(t, "dynamodb:UpdateTable", t.ARN)).Verdict > No {
				if through.Verdict > No {
					sure = append(sure, a.name)
				} else {
					open = append(open, a.name)
				}
			}
		}
		if guarded > 0 && len(sure)+len(open) > 0 {
			lines = append(lines, "The key alone keeps "+count(guarded, "principal")+" from reading "+t.Name+
				", and a principal can take the table off the key (dynamodb:UpdateTable): "+names(sure, open)+".")
		}
	}
	for _, k := range []struct {
		kind Kind
		text string
	}{{KindEverybody, "Everybody"}, {KindForeign, "Other accounts"}} {
		var found []string
		worst := No
		for i := range rows {
			if r := &rows[i]; r.Kind == k.kind && r.Reads() > No {
				found = append(found, r.Principal)
				worst = max(worst, r.Reads())
			}
		}
		if len(found) > 0 {
			lines = append(lines, k.text+" can read "+t.Name+" in clear ("+worst.String()+"): "+names(found, nil)+".")
		}
	}
	if t.sealed() && t.plain != "" {
		lines = append(lines, "Some items are not encrypted before they are sent ("+t.plain+
			"): a principal that reads ciphertext reads them in clear.")
	}
	readers, others := 0, 0
	for i := range rows {
		switch r := &rows[i]; {
		case r.Cells.ReadClear.Verdict > No:
			readers++
		case r.Reads() > No:
			others++
		}
	}
	return append(lines, count(readers, "principal")+" can read "+t.Name+" in clear or may be able to; "+
		count(others, "other")+" can gain that by a known path.")
}
