// SPDX-License-Identifier: Apache-2.0

package userform

import (
	"encoding/csv"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/password"
)

func TestParse(t *testing.T) {
	good := url.Values{"name": {" robin "}, "console": {"yes"}, "kind": {"own"}, "password": {"Correct-horse-1"},
		"policy": {"full"}}
	d, err := Parse(good)
	if want := (Draft{"robin", true, true, "Correct-horse-1", "full"}); err != nil || d != want {
		t.Fatal(d, err)
	}
	for name, c := range map[string]struct{ field, value, wrong string }{
		"no name":         {"name", "", "name"},
		"bad name":        {"name", "robin/x", "name"},
		"markup":          {"name", "<b>", "name"},
		"long name":       {"name", strings.Repeat("x", MaxName+1), "name"},
		"root":            {"name", "Root", "name"},
		"short password":  {"password", "Aa1-", "password"},
		"long password":   {"password", "Aa1-" + strings.Repeat("x", MaxPassword), "password"},
		"simple password": {"password", "correcthorse1", "password"},
		"ignored":         {"kind", "generated", "password"},
		"no policy":       {"policy", "", "policy"},
		"other policy":    {"policy", "AdministratorAccess", "policy"},
	} {
		form := url.Values{}
		for k, v := range good {
			form[k] = v
		}
		form.Set(c.field, c.value)
		kept, err := Parse(form)
		var wrong *Error
		if !errors.As(err, &wrong) || wrong.Field != c.wrong {
			t.Errorf("%s: %v", name, err)
		} else if c.field == "password" && strings.Contains(err.Error(), c.value) {
			t.Errorf("%s: the error holds the password", name)
		}
		if kept.Own == (c.field == "kind") || !kept.Console {
			t.Errorf("%s: the form would lose what was typed", name)
		}
	}
	// A password counts only where it is used.
	form := url.Values{"name": {"robin"}, "kind": {"own"}, "password": {"x"}, "policy": {"none"}}
	if d, err := Parse(form); err != nil || d.Password != "" {
		t.Error(d, err)
	}
}

func TestGeneratedPassword(t *testing.T) {
	if err := CheckPassword(password.New()); err != nil {
		t.Error(err)
	}
}

func TestFiles(t *testing.T) {
	const awkward = `a,"b" 'c`
	f, err := PasswordFile("robin", awkward, "http://127.0.0.1:8765/c-1/")
	if err != nil || f.Name != "robin_credentials.csv" {
		t.Fatal(f.Name, err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(f.Content))).ReadAll()
	if err != nil || len(rows) != 2 || strings.Join(rows[0], "|") != "User name|Password|Console sign-in URL" ||
		rows[1][0] != "robin" || rows[1][1] != awkward || rows[1][2] != "http://127.0.0.1:8765/c-1/" {
		t.Errorf("%q, %v", rows, err)
	}
	k, err := AccessKeyFile("robin", "AKIA", "secret")
	if err != nil || k.Name != "robin_accessKeys.csv" ||
		string(k.Content) != "Access key ID,Secret access key\nAKIA,secret\n" {
		t.Errorf("%q, %v", k.Content, err)
	}
}
