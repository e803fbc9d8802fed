// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
)

func TestParse(t *testing.T) {
	d, err := policy.Parse([]byte(
		`{"Version":"2012-10-17","Id":"x","Statement":{"Sid":"A","Effect":"Deny","NotAction":["kms:*"],"NotResource":"*",
"Condition":{"NumericEquals":{"a:b":[1,"2",true]}}}}`), policy.Identity)
	if err != nil {
		t.Fatal(err)
	}
	s := d.Statements[0]
	if d.Version != "2012-10-17" || d.ID != "x" || d.Kind() != policy.Identity || len(d.Statements) != 1 ||
		s.Sid != "A" || s.Effect != policy.Deny || !s.NotAction || !s.NotResource ||
		!slices.Equal(s.Actions, []string{"kms:*"}) || !slices.Equal(s.Resources, []string{"*"}) ||
		s.Conditions[0].Operator != "NumericEquals" || s.Conditions[0].Key != "a:b" ||
		!slices.Equal(s.Conditions[0].Values, []string{"1", "2", "true"}) {
		t.Errorf("%+v", d)
	}
	old, err := policy.Parse([]byte(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`), policy.Boundary)
	if err != nil || old.Version != "2008-10-17" {
		t.Errorf("no Version: %v, %v", old, err)
	}
}

func TestParseAccepts(t *testing.T) {
	for _, tt := range []struct {
		kind policy.Kind
		text string
	}{
		{policy.KeyPolicy, console(alice.ARN)},
		{policy.KeyPolicy, awsManaged},
		{policy.KeyPolicy, `{"Effect":"Allow","Principal":"*","Resource":"*"}`},
		{policy.KeyPolicy, `{"Effect":"Allow","Principal":"*","Action":"kms:*"}`},
		{policy.KeyPolicy, `{"Sid":"same","Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"},{"Sid":"same","Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}`},
		{policy.KeyPolicy, keyFor("arn:aws-cn:iam::111122223333:user/a")},
		{policy.KeyPolicy, keyFor("arn:aws:sts::111122223333:federated-user/a")},
		{policy.Trust, `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com.cn"},"Action":["sts:AssumeRole","sts:TagSession"]}`},
		{policy.Identity, `{"Sid":"","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"","Effect":"Allow","Action":"*","Resource":"*"}`},
		{policy.Identity, " \n\t{\"Effect\" : \"\\u0041llow\" , \"Action\" : \"kms:\\u002a\" , \"Resource\" : [ \"*\" ] } "},
		{policy.Session, adminAccess},
	} {
		if _, err := policy.Parse(document(tt.text), tt.kind); err != nil {
			t.Errorf("%v %s: %v", tt.kind, tt.text, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const (
		syntax   = "Syntax errors in policy."
		invalid  = "Policy contains a statement with one or more invalid principals."
		prefaced = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
	)
	// What comes before the statement's last brace is added to a statement
	// that is good without it.
	identity := func(more string) string { return `{"Effect":"Allow","Action":"*","Resource":"*"` + more + `}` }
	tests := []struct {
		name   string
		kind   policy.Kind
		text   string
		reason string
	}{
		{"empty", policy.Identity, `{"Version"`, syntax},
		{"no kind", 0, adminAccess, syntax},
		{"text after", policy.Identity, `{"Version":"2012-10-17","Statement":[` + adminAccess + `]} x`, syntax},
		{"version", policy.Identity, `{"Version":"2020-01-01","Statement":[` + adminAccess + `]}`, syntax},
		{"version no string", policy.Identity, `{"Version":2012,"Statement":[` + adminAccess + `]}`, syntax},
		{"id no string", policy.Identity, `{"Version":"2012-10-17","Id":1,"Statement":[` + adminAccess + `]}`, syntax},
		{"unknown element", policy.Identity, `{"Version":"2012-10-17","Statements":[]}`, syntax},
		{"no statement", policy.Identity, `{"Version":"2012-10-17"}`, syntax},
		{"empty statement", policy.Identity, ``, syntax},
		{"statement no object", policy.Identity, `"x"`, syntax},
		{"duplicate name", policy.Identity, identity(`,"Effect":"Deny"`), syntax},
		{"duplicate name by escape", policy.Identity, identity(`,"\u0045ffect":"Deny"`), syntax},
		{"duplicate condition key", policy.Identity, identity(`,"Condition":{"StringEquals":{"a:b":"1","a:b":"2"}}`), syntax},
		{"unknown statement element", policy.Identity, identity(`,"Actions":"*"`), syntax},
		{"effect in another case", policy.Identity, `{"Effect":"allow","Action":"*","Resource":"*"}`, syntax},
		{"no effect", policy.Identity, `{"Action":"*","Resource":"*"}`, syntax},
		{"no effect in a trust policy", policy.Trust, `{"Principal":"*","Action":"sts:AssumeRole"}`, "Missing required field Effect"},
		{"no action", policy.Identity, `{"Effect":"Allow","Resource":"*"}`, "Policy statement must contain actions."},
		{"empty actions", policy.Boundary, `{"Effect":"Allow","Action":[],"Resource":"*"}`, "Policy statement must contain actions."},
		{"no resource", policy.Identity, `{"Effect":"Allow","Action":"*"}`, "Policy statement must contain resources."},
		{"action and NotAction", policy.Identity, identity(`,"NotAction":"*"`), syntax},
		{"resource and NotResource", policy.Session, identity(`,"NotResource":"*"`), syntax},
		{"principal in an identity policy", policy.Identity, identity(`,"Principal":"*"`), "Policy document should not specify a principal."},
		{"NotPrincipal in a boundary", policy.Boundary, identity(`,"NotPrincipal":"*"`), "Policy document should not specify a principal."},
		{"action without vendor", policy.Identity, `{"Effect":"Allow","Action":"Decrypt","Resource":"*"}`, prefaced},
		{"action with two colons", policy.Identity, `{"Effect":"Allow","Action":"kms:a:b","Resource":"*"}`, "Actions/Condition can contain only one colon."},
		{"action with bad vendor", policy.Identity, `{"Effect":"Allow","Action":"k s:a","Resource":"*"}`, "Vendor k s is not valid"},
		{"action no string", policy.Identity, `{"Effect":"Allow","Action":1,"Resource":"*"}`, syntax},
		{"action list with no string", policy.Identity, `{"Effect":"Allow","Action":[1],"Resource":"*"}`, syntax},
		{"resource no ARN", policy.Identity, `{"Effect":"Allow","Action":"*","Resource":"key/1"}`, `Resource key/1 must be in ARN format or "*".`},
		{"variable without end", policy.Identity, `{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username"}`, syntax},
		{"default without quotes", policy.Identity, `{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username, x}"}`, syntax},
		{"condition variable without end", policy.Identity, identity(`,"Condition":{"ArnLike":{"a:b":"${"}}`), syntax},
		{"condition no object", policy.Identity, identity(`,"Condition":[]`), syntax},
		{"operator no object", policy.Identity, identity(`,"Condition":{"Bool":"true"}`), syntax},
		{"unknown operator", policy.Identity, identity(`,"Condition":{"StringEqual":{"a:b":"c"}}`), "Invalid Condition type : StringEqual"},
		{"operator in another case", policy.Identity, identity(`,"Condition":{"stringEquals":{"a:b":"c"}}`), "Invalid Condition type : stringEquals"},
		{"unknown numeric operator", policy.Identity, identity(`,"Condition":{"NumericLess":{"a:b":"1"}}`), "Invalid Condition type : NumericLess"},
		{"NullIfExists", policy.Identity, identity(`,"Condition":{"NullIfExists":{"a:b":"true"}}`), "Invalid Condition type : NullIfExists"},
		{"ForAnyValue of Null", policy.Identity, identity(`,"Condition":{"ForAnyValue:Null":{"a:b":"true"}}`), "Invalid Condition type : ForAnyValue:Null"},
		{"condition key without vendor", policy.Identity, identity(`,"Condition":{"Bool":{"secure":"true"}}`), prefaced},
		{"condition value null", policy.Identity, identity(`,"Condition":{"Bool":{"a:b":null}}`), syntax},
		{"condition value object", policy.Identity, identity(`,"Condition":{"Bool":{"a:b":{}}}`), syntax},
		{"sid with a blank", policy.Identity, identity(`,"Sid":"a b"`), "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"},
		{"sid twice", policy.Identity, identity(`,"Sid":"a"`) + "," + identity(`,"Sid":"a"`), "Statement IDs (SID) in a single policy must be unique."},
		{"sid no string", policy.KeyPolicy, `{"Sid":1,"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}`, syntax},
		{"key policy without principal", policy.KeyPolicy, `{"Effect":"Allow","Action":"kms:*","Resource":"*"}`, invalid},
		{"key policy with empty principal", policy.KeyPolicy, naming("Allow", "Principal", `{}`), invalid},
		{"key policy with a name", policy.KeyPolicy, keyFor("alice"), invalid},
		{"key policy with a wildcard ARN", policy.KeyPolicy, keyFor("arn:aws:iam::111122223333:user/*"), invalid},
		{"key policy with a group", policy.KeyPolicy, keyFor("arn:aws:iam::111122223333:group/g"), invalid},
		{"key policy with a short account", policy.KeyPolicy, keyFor("11112222333"), invalid},
		{"key policy with a session without name", policy.KeyPolicy, keyFor("arn:aws:sts::111122223333:assumed-role/Worker/"), invalid},
		{"key policy with an unknown partition", policy.KeyPolicy, keyFor("arn:gcp:iam::111122223333:user/a"), invalid},
		{"key policy with a plain string", policy.KeyPolicy, naming("Allow", "Principal", `"111122223333"`), invalid},
		{"key policy with an unknown member", policy.KeyPolicy, naming("Allow", "Principal", `{"Aws":"*"}`), invalid},
		{"key policy with a bad service", policy.KeyPolicy, naming("Allow", "Principal", `{"Service":"dynamodb"}`), invalid},
		{"key policy with a number", policy.KeyPolicy, naming("Allow", "Principal", `{"AWS":111122223333}`), syntax},
		{"key policy with an array", policy.KeyPolicy, naming("Allow", "Principal", `["*"]`), syntax},
		{"trust policy with resource", policy.Trust, `{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}`, "Has prohibited field Resource"},
		{"trust policy with NotPrincipal", policy.Trust, `{"Effect":"Deny","NotPrincipal":"*","Action":"sts:AssumeRole"}`, "Has prohibited field NotPrincipal"},
		{"trust policy without principal", policy.Trust, `{"Effect":"Allow","Action":"sts:AssumeRole"}`, "Missing required field Principal"},
		{"trust policy without action", policy.Trust, `{"Effect":"Allow","Principal":"*"}`, "Missing required field Action"},
		{"trust policy with another action", policy.Trust, `{"Effect":"Allow","Principal":"*","Action":"kms:Decrypt"}`, "AssumeRole policy may only specify STS AssumeRole actions."},
		{"trust policy with an unknown form", policy.Trust, `{"Effect":"Allow","Principal":{"AWS":"alice"},"Action":"sts:AssumeRole"}`, `Invalid principal in policy: "AWS":"alice"`},
		{"resource policy without effect", policy.Resource, `{"Principal":"*","Action":"*","Resource":"*"}`, "Missing required field Effect"},
		{"resource policy without principal", policy.Resource, `{"Effect":"Deny","Action":"*","Resource":"*"}`, "Missing required field Principal"},
		{"resource policy without action", policy.Resource, `{"Effect":"Deny","Principal":"*","Resource":"*"}`, "Missing required field Action"},
		{"resource policy without resource", policy.Resource, `{"Effect":"Deny","Principal":"*","Action":"*"}`, "Missing required field Resource"},
		{"resource policy with an empty list", policy.Resource, `{"Effect":"Deny","Principal":"*","Action":"*","Resource":[]}`, "Missing required field Resource"},
		{"resource policy with a sid twice", policy.Resource, naming("Deny", "Principal", `"*","Sid":"a b"`) + "," + naming("Deny", "Principal", `"*","Sid":"a b"`), "The Statement Ids in the policy are not unique"},
		{"resource policy with an unknown form", policy.Resource, naming("Allow", "Principal", `{"AWS":"alice"}`), `Invalid principal in policy: "AWS":"alice"`},
		{"resource policy that is not JSON", policy.Resource, `{`, "This policy contains invalid Json"},
		{"resource policy without statements", policy.Resource, ``, "Could not parse the policy: Statement is empty!"},
		{"too long", policy.Identity, `{"Version":"2012-10-17","Id":"` + strings.Repeat("x", 131072) + `","Statement":[` + adminAccess + `]}`, syntax},
		{"too deep", policy.Identity, strings.Repeat("[", 100000), syntax},
		{"invalid UTF-8", policy.Identity, identity(",\"Sid\":\"\xff\""), syntax},
		{"control character", policy.Identity, identity(",\"Sid\":\"\n\""), syntax},
		{"bad escape", policy.Identity, identity(`,"Sid":"\x"`), syntax},
		{"bad number", policy.Identity, identity(`,"Condition":{"NumericEquals":{"a:b":01}}`), syntax},
		{"comma at the end", policy.Identity, `{"Effect":"Allow","Action":["*",],"Resource":"*"}`, syntax},
		{"comma at the start", policy.Identity, `{,"Effect":"Allow","Action":"*","Resource":"*"}`, syntax},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := policy.Parse(document(tt.text), tt.kind)
			var refused *policy.ParseError
			if !errors.As(err, &refused) {
				t.Fatalf("error %v", err)
			}
			if refused.Reason != tt.reason {
				t.Errorf("reason %q, want %q (%v)", refused.Reason, tt.reason, err)
			}
			if len(err.Error()) > 600 {
				t.Errorf("error of %d bytes", len(err.Error()))
			}
		})
	}
}

// TestParseDetails: the detail of a refusal says which statement and what is
// wrong with it.
func TestParseDetails(t *testing.T) {
	good := `{"Effect":"Allow","Action":"*","Resource":"*"}`
	for _, c := range []struct {
		kind         policy.Kind
		text, detail string
	}{
		{0, good, "kind of policy not given"},
		{policy.Resource + 1, good, "kind of policy not given"},
		{policy.Identity, `{"Version":"2012-10-17","Statement":[` + good + `]}x`, "at byte"},
		{policy.Identity, good + `,"x"`, "Statement 2: is not an object"},
		{policy.Identity, good + `,[]`, "Statement 2: is not an object"},
		{policy.Identity, good + `,{"Effect":"Permit","Action":"*","Resource":"*"}`, "Statement 2: Effect is neither Allow nor Deny"},
		{policy.Identity, `{"Effect":true,"Action":"*","Resource":"*"}`, "Statement 1: Effect is neither Allow nor Deny"},
		{policy.Identity, `{"Effect":["Allow"],"Action":"*","Resource":"*"}`, "Statement 1: Effect is neither Allow nor Deny"},
		{policy.Identity, good + `,{"Action":"*","Resource":"*"}`, "Statement 2: no Effect"},
		{policy.Identity, `{"Effect":"Allow","Action":{},"Resource":"*"}`, "Statement 1: Action is neither string nor array"},
		{policy.Identity, `{"Effect":"Allow","NotAction":["*",1],"Resource":"*"}`, "Statement 1: NotAction has a value that is not a string"},
		{policy.Identity, `{"Effect":"Allow","Action":"*","Resource":1}`, "Statement 1: Resource is neither string nor array"},
		{policy.KeyPolicy, `{"Effect":"Allow","Principal":"*","Action":"*","NotResource":[{}]}`, "Statement 1: NotResource has a value that is not a string"},
		{policy.Identity, `{"Effect":"Allow","Action":":x","Resource":"*"}`, `Statement 1: Action ":x"`},
		{policy.Identity, `{"Effect":"Allow","Action":"kms:","Resource":"*"}`, `Statement 1: Action "kms:"`},
		{policy.Identity, `{"Effect":"Allow","Action":"*:","Resource":"*"}`, `Statement 1: Action "*:"`},
		{policy.Identity, `{"Effect":"Allow","Action":"k*:x","Resource":"*"}`, `Statement 1: Action "k*:x"`},
		{policy.Identity, `{"Effect":"Allow","Action":["kms:a","kms:a:"],"Resource":"*"}`, `Statement 1: Action "kms:a:"`},
	} {
		_, err := policy.Parse(document(c.text), c.kind)
		var refused *policy.ParseError
		if !errors.As(err, &refused) || !strings.Contains(refused.Detail, c.detail) ||
			err.Error() != refused.Reason+" ("+refused.Detail+")" {
			t.Errorf("%s: %v, want %q", c.text, err, c.detail)
		}
	}
	for text, detail := range map[string]string{`[]`: "not an object", `"x"`: "not an object", ``: "",
		`{"Id":[],"Statement":[]}`: "Id is not a string", `{"Statement":[]}`: "no Statement"} {
		_, err := policy.Parse([]byte(text), policy.Identity)
		var refused *policy.ParseError
		if !errors.As(err, &refused) || !strings.Contains(refused.Detail, detail) || text == "" &&
			strings.Contains(refused.Detail, "not an object") {
			t.Errorf("%s: %v, want %q", text, err, detail)
		}
	}
	if got := (&policy.ParseError{Reason: "reason"}).Error(); got != "reason" {
		t.Errorf("without a detail: %q", got)
	}
}

// TestSids: a statement ID of IAM has letters and digits of ASCII only.
func TestSids(t *testing.T) {
	for c := range rune(0x100) {
		good := strings.ContainsRune("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", c)
		text := fmt.Sprintf(`{"Sid":"a\u%04x","Effect":"Allow","Action":"*","Resource":"*"}`, c)
		_, err := policy.Parse(document(text), policy.Identity)
		if (err == nil) != good {
			t.Errorf("%q: %v", c, err)
		}
	}
}

// TestParseDepth: ten levels are read, and not one more.
func TestParseDepth(t *testing.T) {
	deep := func(levels int) error {
		// Four levels stand around a condition's value.
		value := strings.Repeat("[", levels-5) + "1" + strings.Repeat("]", levels-5)
		_, err := policy.Parse(document(
			`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericEquals":{"a:b":`+value+`}}}`),
			policy.Identity)
		return err
	}
	for levels, want := range map[int]string{10: "not a string, number or boolean", 11: "deep"} {
		var refused *policy.ParseError
		if err := deep(levels); !errors.As(err, &refused) || !strings.Contains(refused.Detail, want) {
			t.Errorf("%d levels: %v, want %q", levels, err, want)
		}
	}
}

// TestConditionTexts: the text of a condition value is kept as it is, and a string
// that spells a literal is a string.
func TestConditionTexts(t *testing.T) {
	d := parse(t,
		`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"a:b":["null","true",true,1e3,"1e3",-0]}}}`, policy.Identity)
	if got, want := d.Statements[0].Conditions[0].Values,
		[]string{"null", "true", "true", "1e3", "1e3", "-0"}; !slices.Equal(got, want) {
		t.Errorf("values %q, want %q", got, want)
	}
	_, err := policy.Parse(document(
		`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"a:b":["a",null]}}}`),
		policy.Identity)
	if err == nil {
		t.Error("null is accepted")
	}
}

// TestMap rewrites principals and nothing else of the text.
func TestMap(t *testing.T) {
	const text = `{"Version" : "2012-10-17",
  "Statement": [
    {"Principal": {"Service": "dynamodb.amazonaws.com", "AWS": [ "arn:aws:iam::111122223333:user/alice" , "*", "111122223333"]},
     "Effect": "Allow", "Action": "kms:*", "Resource": "*"},
    {"Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:user\/alice"}, "Action": "kms:*", "Resource": "*"},
    {"Effect": "Allow", "Principal": "*", "Action": "kms:Encrypt", "Resource": "*"} ] }
`
	d := parse(t, text, policy.KeyPolicy)
	if d.Text() != string(document(text)) {
		t.Fatal("the text is not kept")
	}
	if got, want := d.PrincipalARNs(), []string{alice.ARN, account}; !slices.Equal(got, want) {
		t.Errorf("PrincipalARNs %q, want %q", got, want)
	}
	if got := len(d.Principals()); got != 6 {
		t.Errorf("%d principals", got)
	}
	replace := func(from, to string) func(policy.PrincipalEntry) policy.PrincipalEntry {
		return func(x policy.PrincipalEntry) policy.PrincipalEntry {
			if x.Value == "*" {
				t.Error("Map asks about *")
			}
			if x.Value == from {
				x.Value = to
			}
			return x
		}
	}
	before := d.Text()
	gone := d.Map(replace(alice.ARN, alice.UniqueID))
	want := strings.ReplaceAll(strings.ReplaceAll(before, `user\/`, `user/`), alice.ARN, alice.UniqueID)
	if gone.Text() != want {
		t.Errorf("text\n%s\nwant\n%s", gone.Text(), want)
	}
	if d.Text() != before || d.PrincipalARNs()[0] != alice.ARN {
		t.Error("Map changed its receiver")
	}
	if got := gone.PrincipalARNs(); !slices.Equal(got, []string{alice.UniqueID, account}) {
		t.Errorf("PrincipalARNs after Map %q", got)
	}
	// Back again, which needs the moved offsets, and with a value to escape.
	back := gone.Map(replace(alice.UniqueID, `a"b`)).Map(replace(`a"b`, alice.ARN))
	if back.Text() != strings.ReplaceAll(before, `user\/`, `user/`) {
		t.Errorf("text after the way back\n%s", back.Text())
	}
	again := parse(t, gone.Text(), policy.KeyPolicy)
	if !reflect.DeepEqual(again.Principals(), gone.Principals()) {
		t.Errorf("principals parsed again %+v, want %+v", again.Principals(), gone.Principals())
	}
}

func TestContextKeys(t *testing.T) {
	d := parse(t,
		`{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:PrincipalTag/a}/${saml:sub, 'x'}","Condition":{
"StringEquals":{"KMS:viaservice":"${aws:username}","aws:PrincipalOrgID":"o"},"Null":{"kms:ViaService":"false"},"ArnLike":{"aws:SourceArn":"arn:aws:s3:::${aws:userid}"}}}`, policy.Identity)
	want := []string{"aws:PrincipalTag/a", "saml:sub", "KMS:viaservice", "aws:username", "aws:PrincipalOrgID",
		"aws:SourceArn", "aws:userid"}
	if got := d.ContextKeys(); !slices.Equal(got, want) {
		t.Errorf("ContextKeys %q, want %q", got, want)
	}
	if got, want := d.UnsuppliedKeys(), []string{"saml:sub", "aws:PrincipalOrgID"}; !slices.Equal(got, want) {
		t.Errorf("UnsuppliedKeys %q, want %q", got, want)
	}
}

func TestContext(t *testing.T) {
	c := policy.Context{}
	c.Set("aws:TagKeys", "a")
	c.Add("AWS:tagkeys", "b")
	if got := c.Get("aws:tagKEYS"); !slices.Equal(got, []string{"a", "b"}) || len(c) != 1 {
		t.Errorf("context %v", c)
	}
}

// TestMessageWithoutResource leaves the resource out, as KMS does for
// kms:TagResource in CreateKey.
func TestMessageWithoutResource(t *testing.T) {
	r := policy.Request{Principal: alice, Action: "kms:TagResource"}
	got := policy.Evaluate(r, policy.Policies{}).Message(r)
	want := "User: " + alice.ARN +
		" is not authorized to perform: kms:TagResource because no identity-based policy allows the kms:TagResource " +
		"action"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	r.Principal = root
	if d := policy.Evaluate(r, policy.Policies{}); !d.Allowed || d.Message(r) != "" {
		t.Errorf("root: %s", d.Explain())
	}
	var zero policy.Decision
	if zero.Allowed || zero.Message(r) == "" {
		t.Error("the zero Decision allows")
	}
}

// TestParseReasonOfJSON: IAM words a trust policy that is not JSON in its own
// way.
func TestParseReasonOfJSON(t *testing.T) {
	for kind, want := range map[policy.Kind]string{
		policy.Trust: "This policy contains invalid Json", policy.Identity: "Syntax errors in policy.",
	} {
		var e *policy.ParseError
		if _, err := policy.Parse([]byte("{"), kind); !errors.As(err, &e) || !strings.HasPrefix(e.Reason, want) {
			t.Errorf("kind %v: %v", kind, err)
		}
	}
}
