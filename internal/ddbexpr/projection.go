// SPDX-License-Identifier: Apache-2.0

package ddbexpr

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Projection is a parsed projection expression.
type Projection struct {
	paths  []Path // in the order of the text
	sorted []Path
}

// Projection parses a projection expression. The error is an *Error.
func (s *Scope) Projection(expression string) (*Projection, error) {
	p, err := newParser(s, KindProjection, expression)
	if err != nil {
		return nil, err
	}
	for {
		if _, err := p.path(); err != nil {
			return nil, err
		}
		if !p.accept(",") {
			break
		}
	}
	if err := p.finish(); err != nil {
		return nil, err
	}
	if message := findClash(p.paths); message != "" {
		return nil, p.error(message)
	}
	return &Projection{paths: p.paths, sorted: sortPaths(p.paths)}, nil
}

// NewProjection returns the projection on whole attributes, as the parameter
// AttributesToGet asks for it.
func NewProjection(names ...string) *Projection {
	paths := make([]Path, len(names))
	for i, name := range names {
		paths[i] = Path{{Name: name}}
	}
	sorted := slices.CompactFunc(sortPaths(paths), func(a, b Path) bool { return a.compare(b) == 0 })
	return &Projection{paths: paths, sorted: sorted}
}

func sortPaths(paths []Path) []Path {
	sorted := slices.Clone(paths)
	slices.SortFunc(sorted, Path.compare)
	return sorted
}

// Paths returns the document paths in the order of the text.
func (p *Projection) Paths() []Path { return slices.Clone(p.paths) }

// TopLevelNames returns the names of the attributes that the projection takes
// from, without duplicates, in ascending order.
func (p *Projection) TopLevelNames() []string { return attributes(p.paths) }

// Apply returns a new item with what the paths find in item; paths that lead
// nowhere leave nothing behind. Elements taken from a list come in the list's
// order, without gaps. The result shares values with item and is never nil.
func (p *Projection) Apply(item map[string]types.AttributeValue) map[string]types.AttributeValue {
	return project(item, p.sorted)
}

// project takes sorted paths, none of which leads through another, from item.
func project(item map[string]types.AttributeValue, sorted []Path) map[string]types.AttributeValue {
	out := make(map[string]types.AttributeValue, len(sorted))
	for group := range groups(sorted, 0) {
		name := group[0][0].Name
		if v := projectValue(item[name], group, 1); v != nil {
			out[name] = v
		}
	}
	return out
}

// projectValue takes what paths name below depth from v, nil if there is
// nothing.
func projectValue(v types.AttributeValue, paths []Path, depth int) types.AttributeValue {
	if len(paths[0]) == depth {
		return v
	}
	switch v := v.(type) {
	case *types.AttributeValueMemberM:
		m := make(map[string]types.AttributeValue)
		for group := range groups(paths, depth) {
			if e := projectValue(child(v, group[0][depth]), group, depth+1); e != nil {
				m[group[0][depth].Name] = e
			}
		}
		if len(m) > 0 {
			return &types.AttributeValueMemberM{Value: m}
		}
	case *types.AttributeValueMemberL:
		var l []types.AttributeValue
		for group := range groups(paths, depth) {
			if e := projectValue(child(v, group[0][depth]), group, depth+1); e != nil {
				l = append(l, e)
			}
		}
		if len(l) > 0 {
			return &types.AttributeValueMemberL{Value: l}
		}
	}
	return nil
}

// groups yields the runs of sorted paths that have the same element at depth.
func groups(sorted []Path, depth int) func(yield func([]Path) bool) {
	return func(yield func([]Path) bool) {
		for start := 0; start < len(sorted); {
			end := start + 1
			for end < len(sorted) && sorted[end][depth] == sorted[start][depth] {
				end++
			}
			if !yield(sorted[start:end]) {
				return
			}
			start = end
		}
	}
}
