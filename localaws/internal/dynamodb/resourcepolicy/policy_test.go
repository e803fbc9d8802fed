// SPDX-License-Identifier: Apache-2.0

package resourcepolicy_test

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/resourcepolicy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

const (
	account = "111122223333"
	table   = "arn:aws:dynamodb:us-east-1:" + account + ":table/orders"
	alice   = "arn:aws:iam::" + account + ":user/alice"
	root    = "arn:aws:iam::" + account + ":root"
)

// directory has the unique ids of the principals that exist.
type directory map[string]string

func (d directory) UniqueID(arn string) (string, bool) { id, ok := d[arn]; return id, ok }

func (d directory) ARN(id string) (string, bool) {
	for arn, has := range d {
		if has == id {
			return arn, true
		}
	}
	return "", false
}

func people() directory {
	return directory{alice: "AIDAALICEALICEALICE", root: account, account: account}
}

// statement is one statement that allows alice something, with members replaced by
// those of change; an empty one is left out.
func statement(change map[string]string) string {
	members := map[string]string{"Effect": `"Allow"`, "Principal": `{"AWS":"` + alice + `"}`,
		"Action": `"dynamodb:GetItem"`, "Resource": `"` + table + `"`}
	maps.Copy(members, change)
	var list []string
	for name, value := range members {
		if value != "" {
			list = append(list, `"`+name+`":`+value)
		}
	}
	return "{" + strings.Join(list, ",") + "}"
}

func document(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

// TestRefusals: what AWS refuses of a document, in its words.
func TestRefusals(t *testing.T) {
	const prefix, invalid = "One or more parameter values were invalid: ", "Invalid policy document: "
	const open = "Resource-based policy grants unbounded access in one or more elements. Please revise the policy " +
		"to ensure least-privilege form of access"
	one := func(name, value string) string { return document(statement(map[string]string{name: value})) }
	everyone := func(condition string) string {
		return document(statement(map[string]string{"Principal": `{"AWS":"*"}`, "Condition": condition}))
	}
	for _, c := range []struct{ name, text, want string }{
		{"too long", strings.Repeat(" ", 20_481-len(document(statement(nil)))) + document(statement(nil)),
			prefix + "Maximum policy size of 20480 bytes exceeded"},
		{"not JSON", `{`, prefix + invalid + "This policy contains invalid Json"},
		{"empty", ``, prefix + invalid + "This policy contains invalid Json"},
		{"no statement", document(), prefix + invalid + "Could not parse the policy: Statement is empty!"},
		{"no resource", one("Resource", ""), prefix + invalid + "Missing required field Resource"},
		{"one Sid twice", document(statement(map[string]string{"Sid": `"a"`}), statement(map[string]string{"Sid": `"a"`})),
			prefix + invalid + "The Statement Ids in the policy are not unique"},
		{"actions of streams and others",
			one("Action", `["dynamodb:GetRecords","dynamodb:GetItem","dynamodb:ListTables","dynamodb:GetRecords"]`),
			prefix + invalid + `The following action names are invalid: "dynamodb:GetRecords", "dynamodb:ListTables"`},
		{"an action of tables of another service", one("Action", `"s3:GetItem"`),
			prefix + invalid + `The following action names are invalid: "s3:GetItem"`},
		{"a resource that no table matches", one("Resource", `"arn:aws:dynamodb:us-east-1:111122223333:tb*"`),
			prefix + invalid + `The relative-id "tb*" is invalid for ARN ` +
				`"arn:aws:dynamodb:us-east-1:111122223333:tb*"`},
		{"an action of another service", one("Action", `"s3:GetObject"`),
			prefix + invalid + `The following action names are invalid: "s3:GetObject"`},
		{"a wildcard without a match", one("Action", `"dynamodb:Gt*"`),
			prefix + invalid + `The following action names are invalid: "dynamodb:Gt*"`},
		{"a resource that is not a table", one("Resource", `"arn:aws:dynamodb:us-east-1:111122223333:backup/x"`),
			prefix + invalid + `The relative-id "backup/x" is invalid for ARN ` +
				`"arn:aws:dynamodb:us-east-1:111122223333:backup/x"`},
		{"a resource with a colon that is not a table", one("Resource", `"arn:aws:dynamodb:us-east-1:111122223333:a:b"`),
			prefix + invalid + `The relative-id "a:b" is invalid for ARN "arn:aws:dynamodb:us-east-1:111122223333:a:b"`},
		{"a resource without a name", one("Resource", `"arn:aws:dynamodb:us-east-1:111122223333:table/"`),
			prefix + invalid + `The relative-id "table/" is invalid for ARN ` +
				`"arn:aws:dynamodb:us-east-1:111122223333:table/"`},
		{"an unknown user", one("Principal", `{"AWS":"arn:aws:iam::111122223333:user/bob"}`),
			prefix + "Invalid principal in policy document."},
		{"an unknown account", one("Principal", `{"AWS":"444455556666"}`),
			prefix + "Invalid principal in policy document."},
		{"a principal of an unknown form", one("Principal", `{"AWS":"alice"}`),
			prefix + "Invalid principal in policy document."},
		{"everyone", one("Principal", `"*"`), open},
		{"everyone under AWS", everyone(`{}`), open},
		{"everyone but one", document(statement(map[string]string{"Principal": "", "NotPrincipal": `{"AWS":"` + alice + `"}`})), open},
		{"everyone by a wildcard", everyone(`{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/*"}}`), open},
		{"everyone from everywhere", everyone(`{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}`), open},
		{"everyone by a key that may be absent", everyone(`{"StringEqualsIfExists":{"aws:PrincipalAccount":"111122223333"}}`), open},
		{"everyone but an account", everyone(`{"StringNotEquals":{"aws:PrincipalAccount":"111122223333"}}`), open},
		{"everyone by another key", everyone(`{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}`), open},
	} {
		_, err := resourcepolicy.Read(c.text, people())
		var e *request.Error
		if !errors.As(err, &e) || e.Code != "ValidationException" || e.Message != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.name, err, c.want)
		}
	}
	var hinted *request.Error
	for text, hint := range map[string]string{`{`: "at byte", one("Effect", `"Permit"`): "Statement 1: Effect"} {
		if _, err := resourcepolicy.Read(text, people()); !errors.As(err, &hinted) ||
			!strings.Contains(hinted.Hint, hint) {
			t.Errorf("%s: the hint is %q", text, hinted.Hint)
		}
	}
	for name, text := range map[string]string{
		"another table":              one("Resource", `"arn:aws:dynamodb:us-east-1:111122223333:table/others"`),
		"every resource":             one("Resource", `"*"`),
		"an index":                   one("Resource", `"`+table+`/index/*"`),
		"every table":                one("Resource", `"arn:aws:dynamodb:*:*:*"`),
		"a wildcard in table":        one("Resource", `"arn:aws:dynamodb:us-east-1:111122223333:tab?e/orders"`),
		"a name of wildcards":        one("Resource", `"arn:aws:dynamodb:us-east-1:111122223333:table/*"`),
		"a name with a colon":        one("Resource", `"arn:aws:dynamodb:us-east-1:111122223333:table/a:b"`),
		"another service's resource": one("Resource", `"arn:aws:s3:::bucket"`),
		"every action":               one("Action", `"*"`),
		"actions by wildcards":       one("Action", `["dynamodb:*","DynamoDB:get*","dynamodb:?etItem"]`),
		"deny to everyone":           document(statement(map[string]string{"Effect": `"Deny"`, "Principal": `"*"`})),
		"everyone of one account":    everyone(`{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}`),
		"as long as possible":        strings.Repeat(" ", 20_480-len(document(statement(nil)))) + document(statement(nil)),
		"a service":                  one("Principal", `{"Service":"replication.dynamodb.amazonaws.com"}`),
		"one statement, not a list":  `{"Statement":` + statement(nil) + `}`,
	} {
		if _, err := resourcepolicy.Read(text, people()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSame: white space, the order of members, lists of one, and the names of an
// account do not make another policy; everything else does.
func TestSame(t *testing.T) {
	read := func(text string, who directory) *resourcepolicy.Policy {
		t.Helper()
		p, err := resourcepolicy.Read(text, who)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return p
	}
	const want = `{"Version":"2008-10-17","Id":"<1>","Statement":[{"Sid":"s","Effect":"Deny","Principal":` +
		`{"AWS":"` + root + `","Federated":["123","abcdefghijkl"],"Service":"a.amazonaws.com"},"Action":"dynamodb:GetItem","Resource":["*","` + table +
		`"],"Condition":{"Bool":{"aws:SecureTransport":"true"},"StringEquals":{"a:b":["1","x"],"a:c":"y"}}}]}`
	first := read(` { "Id" : "<1>", "Statement" : { "Condition":{"StringEquals":{"a:c":["y"],"a:b":[1,"x"]},
		"Bool":{"aws:SecureTransport":true}}, "Resource":["*","`+table+`"], "Action":["dynamodb:GetItem"],
		"Principal":{"Service":["a.amazonaws.com"],"Federated":["123","abcdefghijkl"],"AWS":"`+account+`"}, "Effect":"Deny", "Sid":"s" } }`, people())
	if first.Text != want {
		t.Errorf("kept as\n%s, want\n%s", first.Text, want)
	}
	if again := read(want, people()); !first.Same(again) {
		t.Errorf("%s is another policy than %s", again.Text, first.Text)
	}
	for name, other := range map[string]string{
		"an effect":          strings.Replace(want, "Deny", "Allow", 1),
		"a version":          strings.Replace(want, "2008-10-17", "2012-10-17", 1),
		"an order of a list": strings.Replace(want, `"*","`+table+`"`, `"`+table+`","*"`, 1),
	} {
		if first.Same(read(other, people())) {
			t.Errorf("%s does not make another policy", name)
		}
	}
	var none *resourcepolicy.Policy
	if !none.Same(nil) || none.Same(first) || first.Same(nil) || none.Evaluated() != nil {
		t.Error("no policy is like a policy")
	}
	named := read(document(statement(nil)), people())
	if named.Same(read(document(statement(nil)), directory{alice: "AIDAANOTHERALICE"})) {
		t.Error("a policy means the new user of a name")
	}
}

// TestBound: a policy means the user that it named when it was put, and shows the
// unique id once that user is deleted, also after it was stored.
func TestBound(t *testing.T) {
	p, err := resourcepolicy.Read(document(statement(nil)), people())
	if err != nil {
		t.Fatal(err)
	}
	stored, err := json.Marshal(p.WithRevision("1700000000000"))
	if err != nil {
		t.Fatal(err)
	}
	restored := new(resourcepolicy.Policy)
	if err := json.Unmarshal(stored, restored); err != nil || restored.Revision != "1700000000000" ||
		!restored.Same(p) {
		t.Fatalf("stored and read: %v, %v", restored, err)
	}
	if got := restored.Show(people()); got != p.Text {
		t.Errorf("shown as %s", got)
	}
	const renamed = "arn:aws:iam::" + account + ":user/renamed"
	if got := restored.Show(directory{renamed: "AIDAALICEALICEALICE"}); !strings.Contains(got,
		`{"AWS":"`+renamed+`"}`) {
		t.Errorf("after alice is renamed: %s", got)
	}
	const role = "arn:aws:iam::" + account + ":role/job"
	several, err := resourcepolicy.Read(document(statement(map[string]string{
		"Principal": `{"AWS":["` + root + `","` + role + `"]}`})), directory{root: account, role: "AROAJOBJOBJOBJOBJ"})
	if err != nil {
		t.Fatal(err)
	}
	if len(several.Bound) != 1 || several.Bound[role] != "AROAJOBJOBJOBJOBJ" {
		t.Errorf("bound to %v", several.Bound)
	}
	if got := several.Show(directory{}); !strings.Contains(got, `{"AWS":["`+root+`","AROAJOBJOBJOBJOBJ"]}`) {
		t.Errorf("after the role is deleted: %s", got)
	}
	if got := restored.Show(directory{}); !strings.Contains(got, `{"AWS":"AIDAALICEALICEALICE"}`) {
		t.Errorf("after alice is deleted: %s", got)
	}
	for id, allowed := range map[string]bool{"AIDAALICEALICEALICE": true, "AIDAANOTHERALICE": false} {
		d := policy.Evaluate(policy.Request{Principal: policy.Principal{Type: policy.User, AccountID: account,
			ARN: alice, UniqueID: id}, Action: "dynamodb:GetItem", Resource: table, ResourceAccountID: account},
			policy.Policies{Resource: restored.Evaluated()})
		if d.Allowed != allowed {
			t.Errorf("the user %s: %v", id, d.Explain())
		}
	}
	if err := json.Unmarshal([]byte(`{"Text":"{"}`), restored); err == nil {
		t.Error("read a stored policy that is not one")
	}
	if err := json.Unmarshal([]byte(`{"Text":1}`), restored); err == nil {
		t.Error("read a stored policy that is not a text")
	}
}

// FuzzRead: every document that is taken is kept in a form that means the same and
// is its own canonical form.
func FuzzRead(f *testing.F) {
	for _, text := range []string{document(statement(nil)), `{"Statement":[]}`, document(statement(map[string]string{
		"Condition": `{"StringEquals":{"a:b":["<",1,true]}}`, "Principal": `{"AWS":["111122223333","*"]}`}))} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := resourcepolicy.Read(text, people())
		if err != nil {
			return
		}
		again, err := resourcepolicy.Read(p.Text, people())
		if err != nil && len(p.Text) <= 20_480 {
			t.Fatalf("the kept form %s: %v", p.Text, err)
		}
		if err == nil && !again.Same(p) {
			t.Fatalf("%s became %s", p.Text, again.Text)
		}
	})
}
