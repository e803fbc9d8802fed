package access

import (
	"slices"
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
	editsOfRole = []string{"iam:PutRolePolicy", "iam:AttachRolePolicy"}
	editsOfUser = []string{"iam:PutUserPolicy", "iam:AttachUserPolicy"}
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
func (p *paths) edge(from, to *actor, w way) *Cell {
	if from == to || from.kind == KindService || w.action == "sts:AssumeRole" && from.kind == KindRoot {
		return noCell // AWS does not let root assume roles
	}
	if w.action != "sts:AssumeRole" {
		if !p.mentions(from, w.action) {
			return noCell
		}
		return p.ask(from, p.onIdentity(w.action, to.name))
	}
	if !p.mentions(from, w.action) && !p.trusted(from, to) {
		return noCell
	}
	return p.ask(from, &question{action: w.action, resource: to.RoleARN, owner: to.AccountID, region: p.Region, target: to})
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
					cell := p.edge(from, to, w)
					if cell.Verdict >= level {
						p.step(from, to, w, cell)
						queue = append(queue, from)
						return true
					}
				}
				return false
			})
		}
	}
	p.editAndBecome()
}

// step adds the path of an actor that becomes another and goes on as that one.
func (p *paths) step(from, to *actor, w way, cell *Cell) {
	rest := Path{Verdict: Yes, Steps: []Step{p.readStep(to, p.table.ARN)}}
	own := p.readClear(to, p.table, &change{})
	if all := p.found[to]; own.Verdict < p.best[to] && len(all) > 0 {
		rest = slices.MaxFunc(all, func(a, b Path) int { return int(a.Verdict) - int(b.Verdict) })
	} else {
		rest.Verdict, rest.Why = own.Verdict, append(slices.Clone(own.If), own.Unread...)
	}
	c := and(cell, &Cell{Verdict: rest.Verdict, If: rest.Why})
	p.add(from, c, append([]Step{{from.name, w.action, to.name, w.does}}, rest.Steps...)...)
}

// editAndBecome finds the paths of actors that give another principal permissions
// and become it.
func (p *paths) editAndBecome() {
	for _, from := range p.actors {
		if p.best[from] == Yes || !p.mentions(from, editsOfRole...) && !p.mentions(from, editsOfUser...) {
			continue
		}
		for _, to := range p.actors {
			if p.budget--; p.budget < 0 {
				return
			}
			actions := editsOfRole
			if to.kind == KindUser {
				actions = editsOfUser
			}
			if to == from || to.owner == nil || to.kind == KindSession || !p.mentions(from, actions...) {
				continue
			}
			cell := p.any(from, p.onIdentity(actions[0], to.name), p.onIdentity(actions[1], to.name))
			if cell.Verdict == No {
				continue
			}
			reads := p.readClear(to, p.table, &change{admin: true})
			if reads.Verdict == No {
				continue
			}
			for _, w := range waysTo(to) {
				if c := and(and(cell, p.edge(from, to, w)), reads); c.Verdict != No {
					p.add(from, c, Step{from.name, actions[0], to.name, "gives it permissions"},
						Step{from.name, w.action, to.name, w.does}, p.readStep(to, p.table.ARN))
					break
				}
			}
			if p.best[from] == Yes {
				break
			}
		}
	}
}

// headlines are the lines that come first.
func (w *world) headlines(t *tableWorld, rows []Row, p *paths) []string {
	var lines []string
	if t.key != nil && len(t.items) == 0 && !t.RawKeys {
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
		count(others, "other")+" can come to by a known path.")
}
