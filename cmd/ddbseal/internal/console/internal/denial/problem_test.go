// SPDX-License-Identifier: Apache-2.0

package denial

import (
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/localaws"
)

func TestKindOf(t *testing.T) {
	for _, c := range []struct {
		reason localaws.Reason
		want   string
	}{
		{localaws.Reason{Effect: "Deny", Applies: true}, "deny"},
		{localaws.Reason{Effect: "Deny", Missed: []string{"principal"}}, "other"},
		{localaws.Reason{Effect: "Allow", Missed: []string{"principal"}}, "near"},
		{localaws.Reason{Effect: "Allow", Missed: []string{"principal"}, Text: "its conditions held; StringEquals a held"}, "near"},
		{localaws.Reason{Effect: "Allow", Missed: []string{"principal", "action"}}, "other"},
		{localaws.Reason{Effect: "Allow", Missed: []string{"condition"}}, "other"},
		{localaws.Reason{Effect: "Allow", Applies: true}, "holds"},
		{localaws.Reason{Effect: "Allow", Missed: []string{"action"}, Text: "a Sid that says : Deny applies"}, "other"},
	} {
		if got := kindOf(c.reason); got != c.want {
			t.Errorf("%+v: %s, want %s", c.reason, got, c.want)
		}
	}
}

func denialOf(action, message string, reasons ...Reason) *Problem {
	return &Problem{Code: "AccessDeniedException", Message: message, Denied: true, Action: action,
		Resource: "arn:aws:kms:eu-west-1:111122223333:key/k", Reasons: reasons, Cure: &Cure{Text: "x"}}
}

// TestOnce: a problem that says the same as one before is not shown again, and one
// with the same reasons is shown without them.
func TestOnce(t *testing.T) {
	why := Reason{Text: "statement 1", Kind: "near"}
	var seen Seen
	table := denialOf("kms:Decrypt", throughTable+": request 1", why)
	if place := seen.Once(table); place != "" || table.ID == "" || table.Cure == nil {
		t.Errorf("%q, %+v", place, table)
	}
	if place := seen.Once(denialOf("kms:Decrypt", throughTable+": request 2", why)); place != table.ID {
		t.Errorf("the same denial is at %q", place)
	}
	item := denialOf("kms:Decrypt", "not authorized", why)
	if place := seen.Once(item); place != "" || item.Above != table.ID || item.Cure != nil || item.Reasons != nil {
		t.Errorf("%q, %+v", place, item)
	}
	again := denialOf("kms:Decrypt", "not authorized", why)
	if place := seen.Once(again); place != item.ID || item.ID == table.ID {
		t.Errorf("the next item's is at %q", place)
	}
	other := denialOf("kms:Decrypt", "not authorized", Reason{Text: "statement 2", Kind: "deny"})
	other.Resource += "2"
	if place := seen.Once(other); place != "" || other.Above != "" || other.Cure == nil {
		t.Errorf("another key: %q, %+v", place, other)
	}
	if place := seen.Once(&Problem{Message: "damaged"}); place != "" {
		t.Errorf("another kind is at %q", place)
	}
}

func TestTogether(t *testing.T) {
	a, b := Reason{Text: "statement 1"}, Reason{Text: "statement 2"}
	list, read := denialOf("kms:ListGrants", "m", a, b), denialOf("kms:GetKeyPolicy", "n", b)
	one := Together("u", "arn:aws:iam::111122223333:user/u", list, read)
	if one == nil || one.Action != "kms:ListGrants" || len(one.Also) != 1 || len(one.Reasons) != 2 ||
		!strings.Contains(one.Cure.Statement, "kms:GetKeyPolicy") || len(list.Also) != 0 {
		t.Errorf("%+v", one)
	}
	read.Resource += "2"
	for _, problems := range [][]*Problem{{list}, {list, read}, {list, {Code: "Throttled"}}, nil} {
		if one := Together("u", "arn", problems...); one != nil {
			t.Errorf("%+v of %d problems", one, len(problems))
		}
	}
}
