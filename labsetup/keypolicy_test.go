package labsetup

import "testing"

func TestPolicyEditing(t *testing.T) {
	p := keyPolicy{Statement: []statement{allow("a", "x", nil), allow("b", "x", nil)}}
	if !p.find("a").add("y") || p.find("a").add("y") || p.find("c") != nil {
		t.Error("add")
	}
	if !p.remove("x", "a", "b") || p.remove("x", "a", "b") {
		t.Error("remove")
	}
	if len(p.Statement) != 1 || len(p.Statement[0].names()) != 1 || p.Statement[0].names()[0] != "y" {
		t.Errorf("%+v", p)
	}
}
