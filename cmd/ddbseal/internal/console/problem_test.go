package console

import (
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
