// SPDX-License-Identifier: Apache-2.0

package ddbexpr

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Section is a clause of an update expression.
type Section uint8

// The sections. The zero Section is invalid.
const (
	SectionInvalid Section = iota
	SectionSet
	SectionRemove
	SectionAdd
	SectionDelete
)

// String returns the keyword of the section.
func (s Section) String() string {
	switch s {
	case SectionSet:
		return "SET"
	case SectionRemove:
		return "REMOVE"
	case SectionAdd:
		return "ADD"
	case SectionDelete:
		return "DELETE"
	}
	return "INVALID"
}

// Update is a parsed update expression.
type Update struct {
	actions []action // in the order of the text
	sorted  []Path   // the actions' paths in ascending order
	order   []int    // sorted[i] belongs to actions[order[i]]
	reads   []Path
}

// action changes what is at one path.
type action struct {
	section Section
	path    Path
	value   operand // of SET, ADD and DELETE
}

// Update parses an update expression. The error is an *Error.
func (s *Scope) Update(expression string) (*Update, error) {
	p, err := newParser(s, KindUpdate, expression)
	if err != nil {
		return nil, err
	}
	u := &Update{}
	if err := p.sections(u); err != nil {
		return nil, err
	}
	targets := make([]Path, len(u.actions))
	for i := range u.actions {
		targets[i] = u.actions[i].path
	}
	if message := findClash(targets); message != "" {
		p.report(rankClash, message)
	}
	if err := p.result(); err != nil {
		return nil, err
	}
	u.order = make([]int, len(targets))
	for i := range u.order {
		u.order[i] = i
	}
	slices.SortFunc(u.order, func(a, b int) int { return targets[a].compare(targets[b]) })
	u.sorted = make([]Path, len(targets))
	for i, j := range u.order {
		u.sorted[i] = targets[j]
	}
	for i := range u.actions {
		u.actions[i].value.walk(func(path Path) { u.reads = append(u.reads, path) })
	}
	return u, nil
}

// Targets returns the paths that the update changes, in the order of the text.
func (u *Update) Targets() []Path {
	targets := make([]Path, len(u.actions))
	for i := range u.actions {
		targets[i] = u.actions[i].path
	}
	return targets
}

// Sources returns the paths whose present value the update reads to compute new
// ones, in the order of the text. ADD and DELETE read their targets, which are
// not repeated here.
func (u *Update) Sources() []Path { return slices.Clone(u.reads) }

// Paths returns all paths, targets before sources.
func (u *Update) Paths() []Path { return append(u.Targets(), u.reads...) }

// TopLevelNames returns the names of all attributes that the update changes or
// reads, without duplicates, in ascending order.
func (u *Update) TopLevelNames() []string { return attributes(u.Paths()) }

// TargetNames returns the names of the attributes that the update changes, or
// changes something in, without duplicates, in ascending order.
func (u *Update) TargetNames() []string { return attributes(u.Targets()) }

// RemovesOnly tells whether the update sets nothing: DynamoDB then leaves an item
// that is not there alone, whatever the paths, and makes none.
func (u *Update) RemovesOnly() bool {
	return !slices.ContainsFunc(u.actions,
		func(a action) bool { return a.section == SectionSet || a.section == SectionAdd })
}

// ProjectTargets returns a new item with what item has at the paths that the
// update changes: UPDATED_OLD for the item before, UPDATED_NEW for that after.
func (u *Update) ProjectTargets(item map[string]types.AttributeValue) map[string]types.AttributeValue {
	return project(item, u.sorted)
}

// UpdateAction is one change that an update makes.
type UpdateAction struct {
	Section Section
	Path    Path
	// Value is the placeholder's value for SET path = :v, ADD and DELETE. It is
	// nil for REMOVE, and for SET when the new value depends on the item.
	Value types.AttributeValue
}

// Actions returns what the update does, in the order of the text.
func (u *Update) Actions() []UpdateAction {
	out := make([]UpdateAction, len(u.actions))
	for i := range u.actions {
		a := &u.actions[i]
		out[i] = UpdateAction{Section: a.section, Path: a.path, Value: a.value.value}
	}
	return out
}
