// SPDX-License-Identifier: Apache-2.0

package keypolicy_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
)

const (
	account = "111122223333"
	ann     = "arn:aws:iam::111122223333:user/ann"
	bob     = "arn:aws:iam::111122223333:user/bob"
	deleted = "AIDAEXAMPLEEXAMPLE123"
)

func parse(t testing.TB, text string) *keypolicy.Policy {
	t.Helper()
	p, err := keypolicy.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// wrap puts statements into a policy with a layout and members of its author's.
func wrap(statements string) string {
	return "{ \"Note\" : [1,2 , {\"a\":null}],\n\t\"Statement\":" + statements + "  , \"Version\":\"2012-10-17\"}\n"
}

// use is a statement for key users with a principal as written.
func use(principal string) string {
	return `{"Mine": 1e2,  "Sid":"Allow\u0020use of the key","Principal":` + principal +
		`,"Effect":"Allow", "Action":[ "kms:*" ]}`
}

const other = `{"Sid":"other",
 "Effect":"Deny","Principal":"*"}`

func TestAdd(t *testing.T) {
	for name, c := range map[string]struct {
		before, after string
		err           error
	}{
		"a string":                {`[` + use(`{"AWS":"`+ann+`"}`) + `]`, `[` + use(`{"AWS":["`+ann+`", "`+bob+`"]}`) + `]`, nil},
		"a list of one":           {`[` + use(`{"AWS":[ "`+ann+`" ]}`) + `]`, `[` + use(`{"AWS":[ "`+ann+`", "`+bob+`" ]}`) + `]`, nil},
		"a list":                  {`[` + use(`{"AWS":["a","`+ann+`"]}`) + `]`, `[` + use(`{"AWS":["a","`+ann+`","`+bob+`"]}`) + `]`, nil},
		"an empty list":           {`[` + use(`{"AWS":[ ]}`) + `]`, `[` + use(`{"AWS":["`+bob+`"]}`) + `]`, nil},
		"a deleted user":          {`[` + use(`{"AWS":"`+deleted+`"}`) + `]`, `[` + use(`{"AWS":["`+deleted+`", "`+bob+`"]}`) + `]`, nil},
		"there already":           {`[` + use(`{"AWS":["`+ann+`","`+bob+`"]}`) + `]`, "", nil},
		"there, written escaped":  {`[` + use(`{"AWS":"`+strings.ReplaceAll(bob, "/", `\/`)+`"}`) + `]`, "", nil},
		"one statement":           {use(`{"AWS":"` + ann + `"}`), use(`{"AWS":["` + ann + `", "` + bob + `"]}`), nil},
		"between others":          {`[` + other + `,` + use(`{"AWS":"`+ann+`"}`) + `,` + other + `]`, `[` + other + `,` + use(`{"AWS":["`+ann+`", "`+bob+`"]}`) + `,` + other + `]`, nil},
		"the Sid twice":           {`[` + use(`{"AWS":"`+ann+`"}`) + `,` + use(`{"AWS":"`+ann+`"}`) + `]`, `[` + use(`{"AWS":["`+ann+`", "`+bob+`"]}`) + `,` + use(`{"AWS":"`+ann+`"}`) + `]`, nil},
		"in the Sid's second":     {`[` + use(`{"AWS":"`+ann+`"}`) + `,` + use(`{"AWS":"`+bob+`"}`) + `]`, "", nil},
		"the Sid's first is full": {`[` + use(`"*"`) + `,` + use(`{"AWS":"`+ann+`"}`) + `]`, `[` + use(`"*"`) + `,` + use(`{"AWS":["`+ann+`", "`+bob+`"]}`) + `]`, nil},
		"no such Sid":             {`[` + other + `]`, "", keypolicy.ErrNoStatement},
		"no statements":           {`[]`, "", keypolicy.ErrNoStatement},
		"everyone":                {`[` + use(`"*"`) + `]`, "", keypolicy.ErrForm},
		"every AWS principal":     {`[` + use(`{"AWS":"*"}`) + `]`, "", keypolicy.ErrForm},
		"a service":               {`[` + use(`{"Service":"x.amazonaws.com"}`) + `]`, "", keypolicy.ErrForm},
		"a service too":           {`[` + use(`{"AWS":"`+ann+`","Service":"x.amazonaws.com"}`) + `]`, "", keypolicy.ErrForm},
		"numbers":                 {`[` + use(`{"AWS":[1]}`) + `]`, "", keypolicy.ErrForm},
		"a Deny": {`[` + strings.Replace(use(`{"AWS":"`+ann+`"}`), `"Allow",`, `"Deny",`, 1) + `]`, "",
			keypolicy.ErrForm},
		"NotPrincipal": {`[` + strings.Replace(use(`{"AWS":"`+ann+`"}`), `"Principal"`, `"NotPrincipal"`, 1) + `]`, "",
			keypolicy.ErrForm},
	} {
		t.Run(name, func(t *testing.T) {
			before := wrap(c.before)
			p := parse(t, before)
			changed, err := p.Add(keypolicy.SidUsers, bob)
			if !errors.Is(err, c.err) || changed != (c.after != "") {
				t.Fatal(changed, err)
			}
			if want := wrap(c.after); changed && p.Text() != want {
				t.Errorf("%s\nis not\n%s", p.Text(), want)
			}
			if !changed && p.Text() != before {
				t.Errorf("changed without saying so: %s", p.Text())
			}
		})
	}
	for _, who := range []string{"", "*", "arn:aws:iam::111122223333:user/*", "\xff"} {
		p := parse(t, wrap(`[`+use(`{"AWS":"`+ann+`"}`)+`]`))
		if _, err := p.Add(keypolicy.SidUsers, who); !errors.Is(err, keypolicy.ErrForm) {
			t.Errorf("%q: %v", who, err)
		}
		if _, err := p.AddAsConsole(who, keypolicy.SidAttachment); !errors.Is(err, keypolicy.ErrForm) {
			t.Errorf("%q in a new statement: %v", who, err)
		}
	}
}

func TestRemove(t *testing.T) {
	both := use(`{"AWS":["` + ann + `","` + bob + `"]}`)
	for name, c := range map[string]struct {
		before, after string
		err           error
	}{
		"of two":            {`[` + both + `]`, `[` + use(`{"AWS":"`+ann+`"}`) + `]`, nil},
		"the first":         {`[` + use(`{"AWS":["`+bob+`", "a" , "b"]}`) + `]`, `[` + use(`{"AWS":["a" , "b"]}`) + `]`, nil},
		"in the middle":     {`[` + use(`{"AWS":["a" , "`+bob+`", "b"]}`) + `]`, `[` + use(`{"AWS":["a", "b"]}`) + `]`, nil},
		"repeated":          {`[` + use(`{"AWS":["`+bob+`","a","`+bob+`","`+bob+`","b","`+bob+`"]}`) + `]`, `[` + use(`{"AWS":["a","b"]}`) + `]`, nil},
		"the last of all":   {`[` + other + `, ` + use(`{"AWS":"`+bob+`"}`) + `]`, `[` + other + `]`, nil},
		"the first of all":  {`[ ` + use(`{"AWS":["`+bob+`"]}`) + `, ` + other + ` ]`, `[ ` + other + ` ]`, nil},
		"the only":          {`[ ` + use(`{"AWS":"`+bob+`"}`) + ` ]`, `[]`, nil},
		"the Sid twice":     {`[` + both + `,` + other + `,` + use(`{"AWS":"`+bob+`"}`) + `,` + both + `]`, `[` + use(`{"AWS":"`+ann+`"}`) + `,` + other + `,` + use(`{"AWS":"`+ann+`"}`) + `]`, nil},
		"from everyone":     {`[` + use(`{"AWS":["*","`+bob+`"]}`) + `]`, `[` + use(`{"AWS":"*"}`) + `]`, nil},
		"beside a deleted":  {`[` + use(`{"AWS":["`+deleted+`","`+bob+`"]}`) + `]`, `[` + use(`{"AWS":"`+deleted+`"}`) + `]`, nil},
		"not there":         {`[` + use(`{"AWS":"`+ann+`"}`) + `]`, "", nil},
		"another statement": {`[` + strings.Replace(both, "Allow\\u0020use", "x", 1) + `]`, "", nil},
		"a Deny":            {`[` + strings.Replace(both, `"Allow",`, `"Deny",`, 1) + `]`, "", nil},
		"everyone":          {`[` + use(`"*"`) + `]`, "", keypolicy.ErrForm},
		"a service too":     {`[` + use(`{"AWS":"`+bob+`","Service":"x.amazonaws.com"}`) + `]`, "", keypolicy.ErrForm},
		"a single object":   {use(`{"AWS":"` + bob + `"}`), "", keypolicy.ErrForm},
	} {
		t.Run(name, func(t *testing.T) {
			before := wrap(c.before)
			p := parse(t, before)
			changed, err := p.Remove(bob, keypolicy.SidAttachment, keypolicy.SidUsers)
			if !errors.Is(err, c.err) || changed != (c.after != "") {
				t.Fatal(changed, err)
			}
			if want := wrap(c.after); changed && p.Text() != want {
				t.Errorf("%s\nis not\n%s", p.Text(), want)
			}
			if !changed && p.Text() != before {
				t.Errorf("changed without saying so: %s", p.Text())
			}
		})
	}
}

func TestRemoveDeleted(t *testing.T) {
	const role = "AROAEXAMPLEEXAMPLE123"
	p := parse(t, wrap(`[`+use(`{"AWS":["`+deleted+`","`+ann+`"]}`)+`,`+
		strings.Replace(use(`{"AWS":"`+role+`"}`), `"Allow",`, `"Deny",`, 1)+`,`+other+`]`))
	if got := p.Deleted(); !slices.Equal(got, []string{deleted, role}) {
		t.Fatal(got)
	}
	if changed, err := p.RemoveDeleted(); err != nil || !changed {
		t.Fatal(changed, err)
	}
	if want := wrap(`[` + use(`{"AWS":"`+ann+`"}`) + `,` + other + `]`); p.Text() != want {
		t.Errorf("%s\nis not\n%s", p.Text(), want)
	}
	if changed, err := p.RemoveDeleted(); err != nil || changed || len(p.Deleted()) > 0 {
		t.Error(changed, err)
	}
}

func TestAppend(t *testing.T) {
	added := keypolicy.AllowDecrypt("new", ann, nil)
	compact := `{"Sid":"new","Effect":"Allow","Principal":{"AWS":"` + ann +
		`"},"Action":["kms:Decrypt","kms:DescribeKey"],"Resource":"*"}`
	if p := parse(t, `{"Statement":{"Sid":"x"}}`); p.Append(added) != nil ||
		p.Text() != `{"Statement":[{"Sid":"x"},`+compact+`]}` {
		t.Error("to a single object:", p.Text())
	}
	if p := parse(t, `{"Statement":[]}`); p.Append(added) != nil || p.Text() != `{"Statement":[`+compact+`]}` {
		t.Error("to none:", p.Text())
	}
	// As KMS lays policies out.
	p := parse(t, "{\n  \"Statement\" : [ {\n    \"Sid\" : \"x\"\n  } ]\n}")
	if err := p.Append(keypolicy.Statement{Sid: "new", Effect: "Deny", Principal: keypolicy.Principals{ann},
		Action: keypolicy.Strings{"kms:*"}, Resource: "*"}); err != nil {
		t.Fatal(err)
	}
	want := "{\n  \"Statement\" : [ {\n    \"Sid\" : \"x\"\n  }, {\n    \"Sid\": \"new\",\n    \"Effect\": " +
		"\"Deny\",\n    \"Principal\": {\n      \"AWS\": \"" + ann +
		"\"\n    },\n    \"Action\": \"kms:*\",\n    \"Resource\": \"*\"\n  } ]\n}"
	if p.Text() != want {
		t.Errorf("%s\nis not\n%s", p.Text(), want)
	}
}

// TestSize: an edit that makes the policy too large for KMS changes nothing.
func TestSize(t *testing.T) {
	text := keypolicy.Console{Account: account, Users: []string{ann}}.Text()
	full := text + strings.Repeat(" ", keypolicy.MaxSize-len(text))
	if _, err := keypolicy.Parse(full + " "); !errors.Is(err, keypolicy.ErrTooLarge) {
		t.Error("a byte more than KMS accepts:", err)
	}
	p := parse(t, full)
	if _, err := p.Add(keypolicy.SidUsers, bob); !errors.Is(err, keypolicy.ErrTooLarge) {
		t.Error("add:", err)
	}
	if err := p.Append(keypolicy.AllowDecrypt("new", bob, nil)); !errors.Is(err, keypolicy.ErrTooLarge) {
		t.Error("append:", err)
	}
	if p.Text() != full || !slices.Equal(p.Principals(keypolicy.SidUsers), []string{ann}) {
		t.Error("a refused edit changed the policy")
	}
}

// statements draws statements in the forms that people write.
func statements(t *rapid.T) []string {
	principal := rapid.StringMatching(`arn:aws:iam::111122223333:(user|role)/[a-z]{1,5}`)
	space := rapid.SampledFrom([]string{"", " ", "\n", "\n\t "})
	var all []string
	for range rapid.IntRange(1, 5).Draw(t, "statements") {
		names := rapid.SliceOfN(principal, 1, 4).Draw(t, "names")
		who := rapid.SampledFrom([]string{`"*"`, `{"Service":"x.amazonaws.com"}`, ""}).Draw(t, "form")
		if text, _ := json.Marshal(names); who == "" && len(names) > 1 {
			who = `{"AWS":` + strings.ReplaceAll(string(text), ",", space.Draw(t, "space")+", ") + `}`
		} else if who == "" {
			who = `{"AWS":"` + names[0] + `"}`
		}
		sid := rapid.SampledFrom([]string{keypolicy.SidUsers, keypolicy.SidAttachment, "mine"}).Draw(t, "sid")
		effect := rapid.SampledFrom([]string{"Allow", "Allow", "Deny"}).Draw(t, "effect")
		all = append(all, space.Draw(t, "before")+`{`+space.Draw(t, "within")+`"Sid":"`+sid+`","Principal":`+who+
			`,"Unknown":{"a":[1, 2]},"Effect":"`+effect+`"}`+space.Draw(t, "after"))
	}
	return all
}

// TestAddAndRemove: removing what was added gives back every byte.
func TestAddAndRemove(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := wrap(`[` + strings.Join(statements(t), ",") + `]`)
		fresh := "arn:aws:iam::111122223333:user/" + rapid.StringMatching(`[A-Z]{1,8}`).Draw(t, "fresh")
		p, err := keypolicy.Parse(before)
		if err != nil {
			t.Fatal(err)
		}
		sids := []string{keypolicy.SidUsers, keypolicy.SidAttachment}
		changed, err := p.AddAsConsole(fresh, sids...)
		if err != nil {
			if !errors.Is(err, keypolicy.ErrForm) || p.Text() != before {
				t.Fatal(err, p.Text())
			}
			t.Skip("no statement takes a principal")
		}
		added := p.Text()
		if again, err := p.AddAsConsole(fresh, sids...); !changed || again || err != nil || p.Text() != added {
			t.Fatal(changed, again, err)
		}
		for _, sid := range sids {
			if got := p.Principals(sid); !slices.Contains(got, fresh) {
				t.Fatal(got)
			}
		}
		if changed, err := p.Remove(fresh, sids...); err != nil && errors.Is(err, keypolicy.ErrForm) {
			t.Skip("another statement of the Sid names everyone")
		} else if err != nil || !changed || p.Text() != before {
			t.Fatalf("%v, %v:\n%s\nis not\n%s", changed, err, p.Text(), before)
		}
	})
}

// FuzzEdit: whatever the text, an edit ends with a policy that parses again, or
// with an error and no change; a principal that was added is there, and one that
// was removed is not.
func FuzzEdit(f *testing.F) {
	f.Add(keypolicy.Console{Account: account, Administrators: []string{ann}, Users: []string{ann, bob},
		Attachers: []string{bob}}.Text(), ann)
	f.Add(wrap(`[`+use(`{"AWS":["`+deleted+`", "*"]}`)+`,`+other+`]`), bob)
	f.Add(wrap(use(`{"AWS":"`+ann+`"}`)), ann)
	f.Add(`{"Statement":[]}`, "x")
	f.Fuzz(func(t *testing.T, text, who string) {
		p, err := keypolicy.Parse(text)
		if err != nil {
			if !errors.Is(err, keypolicy.ErrForm) && !errors.Is(err, keypolicy.ErrTooLarge) {
				t.Fatal(err)
			}
			return
		}
		sid := keypolicy.SidUsers
		holds := func(step string, changed bool, err error, before string) {
			if (err != nil || !changed) && p.Text() != before || changed && p.Text() == before {
				t.Fatalf("%s: %v, %v: %q became %q", step, changed, err, before, p.Text())
			}
			if _, err := keypolicy.Parse(p.Text()); err != nil {
				t.Fatalf("%s: %v: %q", step, err, p.Text())
			}
			if l := keypolicy.Layout(p.Text()); keypolicy.Layout(l) != l || !json.Valid([]byte(l)) {
				t.Fatalf("%s: layout %q", step, l)
			}
		}
		before := p.Text()
		changed, err := p.AddAsConsole(who, sid)
		holds("add", changed, err, before)
		if err == nil && !slices.Contains(p.Principals(sid), who) {
			t.Fatal("not added")
		}
		before = p.Text()
		changed, err = p.Remove(who, sid)
		holds("remove", changed, err, before)
		if err == nil && slices.Contains(p.Principals(sid), who) {
			t.Fatal("not removed")
		}
		before = p.Text()
		changed, err = p.RemoveDeleted()
		holds("remove deleted", changed, err, before)
		if err == nil && len(p.Deleted()) > 0 {
			t.Fatal("deleted principals are left")
		}
	})
}
