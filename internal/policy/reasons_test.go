// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// TestConditionResultTexts: a result says whether the condition held, and why it
// did not.
func TestConditionResultTexts(t *testing.T) {
	for _, c := range []struct {
		result policy.ConditionResult
		want   string
	}{
		{policy.ConditionResult{Held: true, Wanted: []string{"a"}, Got: []string{"a"}}, "Bool aws:x held"},
		{policy.ConditionResult{Wanted: []string{"a", "b"}, Got: []string{"c"}}, `Bool aws:x not held: wanted ["a" "b"], got ["c"]`},
		{policy.ConditionResult{}, "Bool aws:x not held"}, // the contents of an item
		{policy.ConditionResult{Absent: true}, "Bool aws:x not held: condition key not supplied"},
		{policy.ConditionResult{Absent: true, Held: true}, "Bool aws:x held: condition key not supplied"},
		{policy.ConditionResult{Absent: true, NeverSupplied: true}, "Bool aws:x not held: condition key not supplied, with this or any request"},
		{policy.ConditionResult{Wanted: []string{"a"}, Got: []string{"b"}, Invalid: []string{"a"}},
			`Bool aws:x not held: wanted ["a"], got ["b"] (the operator cannot read ["a"])`},
	} {
		c.result.Operator, c.result.Key = "Bool", "aws:x"
		if got := c.result.String(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// TestTexts: each value of an enumeration has its text, and others say that they
// are none.
func TestTexts(t *testing.T) {
	for i, want := range []string{"invalid outcome", "allowed", "implicitDeny", "explicitDeny", "invalid outcome"} {
		if got := policy.Outcome(i).String(); got != want {
			t.Errorf("Outcome %d is %q", i, got)
		}
	}
	for i, want := range []string{"invalid kind of policy", "identity-based policy", "key policy", "role trust policy",
		"permissions boundary", "session policy", "resource-based policy", "invalid kind of policy"} {
		if got := policy.Kind(i).String(); got != want {
			t.Errorf("Kind %d is %q", i, got)
		}
	}
	for i, want := range []string{"identity-based policy", "inline policy", "managed policy", "group's inline policy",
		"group's managed policy", "permissions boundary",
		"session policy", "resource-based policy", "grant", "invalid source"} {
		if got := policy.Source(i).String(); got != want {
			t.Errorf("Source %d is %q", i, got)
		}
	}
	for i, want := range []string{"invalid principal type", "Account", "User", "AssumedRole", "Service", "Anonymous",
		"invalid principal type"} {
		if got := policy.PrincipalType(i).String(); got != want {
			t.Errorf("PrincipalType %d is %q", i, got)
		}
	}
	for i, want := range []string{"none", "identity-based policy", "permissions boundary", "session policy",
		"resource-based policy", "role trust policy", "none"} {
		if got := policy.Layer(i).String(); got != want {
			t.Errorf("Layer %d is %q", i, got)
		}
	}
	for i, want := range []string{"invalid element", "principal", "action", "resource", "condition",
		"encryption context", "source ARN", "invalid element"} {
		if got := policy.Element(i).String(); got != want {
			t.Errorf("Element %d is %q", i, got)
		}
	}
}
