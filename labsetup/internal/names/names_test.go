// SPDX-License-Identifier: Apache-2.0

package names_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/labsetup/internal/names"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		names names.Names
		says  string // "" is valid
	}{
		{names.Names{}, ""},
		{names.Names{}.Complete(), ""},
		{names.Names{Key: "alias/a", ServerTable: "t.1", ClientTable: "t_2", User: "a@b"}, ""},
		{names.Names{Key: "my-key"}, `the key alias "my-key" is not a name that AWS takes: alias/`},
		{names.Names{Key: "alias/aws/dynamodb"}, "not alias/aws/"},
		{names.Names{ServerTable: "ab"}, `the server-side table "ab" is not a name`},
		{names.Names{ClientTable: "a b c"}, `the client-side table "a b c" is not a name`},
		{names.Names{User: strings.Repeat("u", 65)}, "1 to 64 letters"},
		{names.Names{ServerTable: "same", ClientTable: "same"}, "has the name of the server-side table"},
		{names.Names{ServerTable: names.ClientTable, ClientTable: names.ServerTable}, "uses for something else"},
		{names.Names{User: "taken"}, `the user "taken" has a name that the lab uses for something else`},
	} {
		err := c.names.Check("taken")
		if c.says == "" && err != nil || c.says != "" && (!errors.Is(err, names.ErrName) ||
			!strings.Contains(err.Error(), c.says)) {
			t.Errorf("%+v: %v", c.names, err)
		}
	}
}

func TestReplacer(t *testing.T) {
	n := names.Names{Key: "alias/k", User: "robin"}
	got := n.Replacer().Replace("alias/nextwork-kms-key nextwork-kms-user nextwork-kms-table " + names.CredentialsFile)
	if got != "alias/k robin nextwork-kms-table "+names.CredentialsFile {
		t.Error(got)
	}
	if n.Actual(names.User) != "robin" || n.Actual("robin") != "robin" ||
		n.Actual(names.ServerTable) != names.ServerTable {
		t.Error("not the actual name")
	}
}
