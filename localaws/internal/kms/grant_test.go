// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// grantOn makes a grant as root and returns its id.
func (w *world) grantOn(arn string, in members) string {
	w.t.Helper()
	in["KeyId"] = arn
	return w.do(root(here), "CreateGrant", in)["GrantId"].(string)
}

func (w *world) listGrants(arn string, in members) []members {
	w.t.Helper()
	all := maps.Clone(in)
	if all == nil {
		all = members{}
	}
	all["KeyId"] = arn
	var list []members
	for _, g := range w.do(root(here), "ListGrants", all)["Grants"].([]any) {
		list = append(list, g.(members))
	}
	return list
}

// TestGrantOperations shows that a grant gives exactly its operations.
func TestGrantOperations(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	bound := members{"dept": "it"}
	blob := w.do(root(here), "Encrypt",
		members{"KeyId": arn, "Plaintext": []byte("x"), "EncryptionContext": bound})["CiphertextBlob"]
	requests := map[string]struct {
		operation string
		in        members
		needs     []string
	}{
		"Decrypt":                         {"Decrypt", members{"CiphertextBlob": blob, "EncryptionContext": bound}, []string{"Decrypt"}},
		"Encrypt":                         {"Encrypt", members{"Plaintext": []byte("x"), "EncryptionContext": bound}, []string{"Encrypt"}},
		"GenerateDataKey":                 {"GenerateDataKey", members{"KeySpec": "AES_256", "EncryptionContext": bound}, []string{"GenerateDataKey"}},
		"GenerateDataKeyWithoutPlaintext": {"GenerateDataKeyWithoutPlaintext", members{"KeySpec": "AES_256", "EncryptionContext": bound}, []string{"GenerateDataKeyWithoutPlaintext"}},
		"ReEncrypt":                       {"ReEncrypt", members{"CiphertextBlob": blob, "SourceEncryptionContext": bound, "DestinationKeyId": arn}, []string{"ReEncryptFrom", "ReEncryptTo"}},
		"DescribeKey":                     {"DescribeKey", members{}, []string{"DescribeKey"}},
		"GetKeyPolicy":                    {"GetKeyPolicy", members{}, []string{"never"}},
		"ListGrants":                      {"ListGrants", members{}, []string{"never"}},
		"ScheduleKeyDeletion":             {"ScheduleKeyDeletion", members{}, []string{"never"}},
	}
	for _, operations := range [][]string{{"Decrypt"}, {"Encrypt", "DescribeKey"}, {"ReEncryptFrom"},
		{"ReEncryptFrom", "ReEncryptTo"}, {"GenerateDataKey"}, {"GenerateDataKeyWithoutPlaintext"}, {"RetireGrant"}} {
		name := strings.Join(operations, "+")
		user := w.user(here, "user-"+strings.ReplaceAll(name, "+", "-"))
		id := w.grantOn(arn, members{"GranteePrincipal": user.ARN, "Operations": operations})
		for request, r := range requests {
			in := maps.Clone(r.in)
			in["KeyId"] = arn
			allowed := !slices.ContainsFunc(r.needs, func(n string) bool { return !slices.Contains(operations, n) })
			if _, err := w.try(user, r.operation, in); (err == nil) != allowed {
				t.Errorf("grant of %s, %s: %v", name, request, err)
			} else if err != nil {
				checkError(t, err, "AccessDeniedException", "because no identity-based policy allows")
			}
		}
		w.do(root(here), "RevokeGrant", members{"KeyId": arn, "GrantId": id})
		for request, r := range requests {
			in := maps.Clone(r.in)
			in["KeyId"] = arn
			if _, err := w.try(user, r.operation, in); err == nil {
				t.Errorf("grant of %s revoked, %s is still allowed", name, request)
			}
		}
	}
}

func TestGrantConstraints(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	for name, c := range map[string]struct {
		constraints members
		context     members
		allowed     bool
	}{
		"equals":               {members{"EncryptionContextEquals": members{"a": "1"}}, members{"a": "1"}, true},
		"equals, more":         {members{"EncryptionContextEquals": members{"a": "1"}}, members{"a": "1", "b": "2"}, false},
		"equals, other":        {members{"EncryptionContextEquals": members{"a": "1"}}, members{"a": "2"}, false},
		"equals, none":         {members{"EncryptionContextEquals": members{"a": "1"}}, nil, false},
		"subset":               {members{"EncryptionContextSubset": members{"a": "1"}}, members{"a": "1", "b": "2"}, true},
		"subset, other":        {members{"EncryptionContextSubset": members{"a": "1"}}, members{"b": "2"}, false},
		"source, direct calls": {members{"SourceArn": "arn:aws:dynamodb:eu-central-1:111122223333:table/t"}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			user := w.user(here, "c-"+strings.ReplaceAll(name, " ", ""))
			w.grantOn(arn, members{"GranteePrincipal": user.ARN, "Operations": []string{"Encrypt", "DescribeKey"},
				"Constraints": c.constraints})
			_, err := w.try(user, "Encrypt",
				members{"KeyId": arn, "Plaintext": []byte("x"), "EncryptionContext": c.context})
			if (err == nil) != c.allowed {
				t.Errorf("Encrypt: %v", err)
			}
			if _, ok := c.constraints["SourceArn"]; !ok {
				w.do(user, "DescribeKey", members{"KeyId": arn}) // has no encryption context to constrain
			}
		})
	}
}

func TestGrantRefusals(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	mac := w.key(members{"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"})
	me := root(here).ARN
	many := members{}
	for i := range 9 {
		many[fmt.Sprint(i)] = "x"
	}
	const service = "dynamodb.eu-central-1.amazonaws.com"
	source := members{"SourceArn": "arn:aws:dynamodb:eu-central-1:111122223333:table/t"}
	for name, c := range map[string]struct {
		in            members
		code, message string
	}{
		"no operations":        {members{"GranteePrincipal": me}, "ValidationException", "Value null at 'operations'"},
		"empty operations":     {members{"GranteePrincipal": me, "Operations": []string{}}, "ValidationException", "at least one"},
		"unknown operation":    {members{"GranteePrincipal": me, "Operations": []string{"PutKeyPolicy"}}, "ValidationException", "Value 'PutKeyPolicy' at 'operations'"},
		"operation of MACs":    {members{"GranteePrincipal": me, "Operations": []string{"GenerateMac"}}, "ValidationException", "GenerateMac"},
		"no grantee":           {members{"Operations": []string{"Decrypt"}}, "ValidationException", "GranteePrincipal"},
		"two grantees":         {members{"GranteePrincipal": me, "GranteeServicePrincipal": service, "Operations": []string{"Decrypt"}}, "ValidationException", "GranteePrincipal"},
		"unknown grantee":      {members{"GranteePrincipal": me + "x", "Operations": []string{"Decrypt"}}, "InvalidArnException", "ARN does not refer to a valid principal: " + me + "x"},
		"unknown retirer":      {members{"GranteePrincipal": me, "RetiringPrincipal": "arn:aws:iam::" + here + ":user/no", "Operations": []string{"Decrypt"}}, "InvalidArnException", "ARN does not refer to a valid principal"},
		"service as principal": {members{"GranteePrincipal": service, "Operations": []string{"Decrypt"}}, "InvalidArnException", service},
		"service, no source":   {members{"GranteeServicePrincipal": service, "RetiringPrincipal": me, "Operations": []string{"Decrypt"}}, "ValidationException", "SourceArn"},
		"service, no retirer":  {members{"GranteeServicePrincipal": service, "Constraints": source, "Operations": []string{"Decrypt"}}, "ValidationException", "Retiring"},
		"two retirers":         {members{"GranteePrincipal": me, "RetiringPrincipal": me, "RetiringServicePrincipal": service, "Operations": []string{"Decrypt"}}, "ValidationException", "RetiringServicePrincipal"},
		"nine pairs":           {members{"GranteePrincipal": me, "Operations": []string{"Decrypt"}, "Constraints": members{"EncryptionContextSubset": many}}, "ValidationException", "8"},
		"long value":           {members{"GranteePrincipal": me, "Operations": []string{"Decrypt"}, "Constraints": members{"EncryptionContextSubset": members{"a": strings.Repeat("x", 385)}}}, "ValidationException", "384"},
		"two constraints":      {members{"GranteePrincipal": me, "Operations": []string{"Decrypt"}, "Constraints": members{"EncryptionContextSubset": members{"a": "b"}, "EncryptionContextEquals": members{"a": "b"}}}, "ValidationException", "both"},
		"name":                 {members{"GranteePrincipal": me, "Operations": []string{"Decrypt"}, "Name": "a b"}, "ValidationException", "at 'name'"},
		"alias":                {members{"KeyId": "alias/x", "GranteePrincipal": me, "Operations": []string{"Decrypt"}}, "InvalidArnException", "Key Aliases are not supported for this operation."},
		"context for MACs":     {members{"KeyId": mac, "GranteePrincipal": me, "Operations": []string{"GenerateMac"}, "Constraints": members{"EncryptionContextSubset": members{"a": "b"}}}, "ValidationException", "EncryptionContext is supported only when creating a grant for a symmetric encryption KMS key."},
	} {
		t.Run(name, func(t *testing.T) {
			in := maps.Clone(c.in)
			if in["KeyId"] == nil {
				in["KeyId"] = arn
			}
			w.fails(root(here), "CreateGrant", in, c.code, c.message)
		})
	}
	w.grantOn(arn, members{"GranteeServicePrincipal": service, "RetiringServicePrincipal": service,
		"Constraints": source, "Operations": []string{"Decrypt"}})
	g := w.listGrants(arn, members{"GranteeServicePrincipal": service})
	if len(g) != 1 || g[0]["GranteeServicePrincipal"] != service || g[0]["RetiringServicePrincipal"] != service ||
		g[0]["GranteePrincipal"] != nil {
		t.Errorf("grant of a service: %v", g)
	}
	w.fails(root(here), "RevokeGrant", members{"KeyId": arn, "GrantId": "none"}, "NotFoundException",
		"Grant ID none not found")
	w.fails(root(here), "RetireGrant", members{"KeyId": arn}, "ValidationException", "grant token")
	w.fails(root(here), "RetireGrant", members{"GrantToken": "made up"}, "InvalidGrantTokenException", "")
}

func TestGrantIdentity(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	alice, bob := w.user(here, "alice"), w.user(here, "bob")
	in := members{"GranteePrincipal": alice.ARN, "RetiringPrincipal": bob.ARN,
		"Operations": []string{"Encrypt", "Decrypt"}, "Name": "app"}
	id := w.grantOn(arn, in)
	if again := w.grantOn(arn, in); again != id {
		t.Error("the same name and parameters made another grant")
	}
	in["Operations"] = []string{"Decrypt", "Encrypt"}
	if again := w.grantOn(arn, in); again != id {
		t.Error("the order of operations made another grant")
	}
	in["Operations"] = []string{"Decrypt"}
	if again := w.grantOn(arn, in); again == id {
		t.Error("other parameters under the same name are the same grant")
	}
	delete(in, "Name")
	if unnamed := w.grantOn(arn, in); unnamed == w.grantOn(arn, in) {
		t.Error("grants without a name are one")
	}
	list := w.listGrants(arn, members{"GrantId": id})
	if len(list) != 1 {
		t.Fatalf("%d grants", len(list))
	}
	for name, want := range (members{"GrantId": id, "Name": "app", "GranteePrincipal": alice.ARN,
		"RetiringPrincipal": bob.ARN, "KeyId": arn, "IssuingAccount": "arn:aws:iam::" + here + ":root"}) {
		if list[0][name] != want {
			t.Errorf("%s is %v, want %v", name, list[0][name], want)
		}
	}
	if n := len(w.listGrants(arn, members{"GranteePrincipal": alice.ARN})); n != 4 {
		t.Errorf("%d grants of the grantee", n)
	}
	if n := len(w.listGrants(arn, members{"GranteePrincipal": bob.ARN})); n != 0 {
		t.Errorf("%d grants of another", n)
	}
	page := w.do(root(here), "ListGrants", members{"KeyId": arn, "Limit": 3})
	rest := w.do(root(here), "ListGrants", members{"KeyId": arn, "Marker": page["NextMarker"]})
	if page["Truncated"] != true || rest["Truncated"] != false || len(rest["Grants"].([]any)) != 1 {
		t.Errorf("pages %v and %v", page, rest)
	}
	// The grant is alice's own, not of the next user of that name.
	w.deleteUser(alice)
	if got := w.listGrants(arn, members{"GrantId": id})[0]["GranteePrincipal"]; got != alice.UniqueID {
		t.Errorf("deleted grantee shown as %v", got)
	}
	w.fails(w.user(here, "alice"), "Encrypt", members{"KeyId": arn, "Plaintext": []byte("x")}, "AccessDeniedException",
		"")
}

// TestGrantThroughGrant: one parent must have all operations, and the child is
// at least as strict.
func TestGrantThroughGrant(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	child := w.user(here, "child")
	for name, c := range map[string]struct {
		parents []members
		child   members
		allowed bool
	}{
		"all operations":       {[]members{{"Operations": []string{"Decrypt", "CreateGrant"}}}, members{"Operations": []string{"Decrypt"}}, true},
		"CreateGrant too":      {[]members{{"Operations": []string{"Decrypt", "CreateGrant"}}}, members{"Operations": []string{"Decrypt", "CreateGrant"}}, true},
		"more operations":      {[]members{{"Operations": []string{"Decrypt", "CreateGrant"}}}, members{"Operations": []string{"Decrypt", "Encrypt"}}, false},
		"without CreateGrant":  {[]members{{"Operations": []string{"Decrypt"}}}, members{"Operations": []string{"Decrypt"}}, false},
		"two parents together": {[]members{{"Operations": []string{"Decrypt", "CreateGrant"}}, {"Operations": []string{"Encrypt", "CreateGrant"}}}, members{"Operations": []string{"Decrypt", "Encrypt"}}, false},
		"looser":               {[]members{{"Operations": []string{"Decrypt", "CreateGrant"}, "Constraints": members{"EncryptionContextSubset": members{"a": "1"}}}}, members{"Operations": []string{"Decrypt"}}, false},
		"as strict":            {[]members{{"Operations": []string{"Decrypt", "CreateGrant"}, "Constraints": members{"EncryptionContextSubset": members{"a": "1"}}}}, members{"Operations": []string{"Decrypt"}, "Constraints": members{"EncryptionContextSubset": members{"a": "1"}}}, true},
		"stricter":             {[]members{{"Operations": []string{"Decrypt", "CreateGrant"}, "Constraints": members{"EncryptionContextSubset": members{"a": "1"}}}}, members{"Operations": []string{"Decrypt"}, "Constraints": members{"EncryptionContextEquals": members{"a": "1", "b": "2"}}}, true},
		"equals to subset":     {[]members{{"Operations": []string{"Decrypt", "CreateGrant"}, "Constraints": members{"EncryptionContextEquals": members{"a": "1"}}}}, members{"Operations": []string{"Decrypt"}, "Constraints": members{"EncryptionContextSubset": members{"a": "1"}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			parent := w.user(here, "p-"+strings.ReplaceAll(name, " ", ""))
			for _, p := range c.parents {
				p["GranteePrincipal"] = parent.ARN
				w.grantOn(arn, p)
			}
			c.child["KeyId"], c.child["GranteePrincipal"] = arn, child.ARN
			_, err := w.try(parent, "CreateGrant", c.child)
			if c.allowed && err != nil {
				t.Fatal(err)
			} else if !c.allowed {
				checkError(t, err, "AccessDeniedException", "kms:CreateGrant")
			}
		})
	}
}

// TestGranteeKinds: an account, a role and its session, a service.
func TestGranteeKinds(t *testing.T) {
	w := newWorld(t)
	arn := w.key(members{"Policy": policyText(statement("Allow", root(here).ARN, "kms:*"))})
	role := "arn:aws:iam::" + here + ":role/app"
	session := policy.Principal{Type: policy.AssumedRole, AccountID: here,
		ARN: "arn:aws:sts::" + here + ":assumed-role/app/s1", UniqueID: "AROA0000000000000001:s1", RoleARN: role,
		RoleUniqueID: "AROA0000000000000001"}
	other := session
	other.ARN, other.UniqueID = strings.Replace(session.ARN, "s1", "s2", 1), "AROA0000000000000001:s2"
	w.people[role] = &person{Principal: policy.Principal{ARN: role, UniqueID: "AROA0000000000000001"}}
	w.people[session.ARN] = &person{Principal: session}
	encrypt := members{"KeyId": arn, "Plaintext": []byte("x")}
	w.grantOn(arn, members{"GranteePrincipal": session.ARN, "Operations": []string{"Encrypt"}})
	w.do(session, "Encrypt", encrypt)
	w.fails(other, "Encrypt", encrypt, "AccessDeniedException", "")
	w.grantOn(arn, members{"GranteePrincipal": role, "Operations": []string{"Encrypt"}})
	w.do(other, "Encrypt", encrypt)
	w.do(session, "Encrypt", encrypt) // both grants are looked at
	stranger, guest := w.user(abroad, "stranger"), w.user(abroad, "guest", "kms:Encrypt")
	w.fails(guest, "Encrypt", encrypt, "AccessDeniedException", "")
	w.grantOn(arn, members{"GranteePrincipal": root(abroad).ARN, "Operations": []string{"Encrypt"}})
	w.do(guest, "Encrypt", encrypt)
	w.do(root(abroad), "Encrypt", encrypt)
	w.fails(stranger, "Encrypt", encrypt, "AccessDeniedException", "because no identity-based policy allows")
}

func TestGrantLimit(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	user := w.user(here, "user")
	for range maxGrantsPerGrantee {
		w.grantOn(arn, members{"GranteePrincipal": user.ARN, "Operations": []string{"Decrypt"}})
	}
	w.fails(root(here), "CreateGrant",
		members{"KeyId": arn, "GranteePrincipal": user.ARN, "Operations": []string{"Decrypt"}},
		"LimitExceededException", "")
	w.grantOn(arn, members{"GranteePrincipal": root(here).ARN, "Operations": []string{"Decrypt"}})
}

// TestSameGrant: two requests with one name ask for the same grant only if they
// agree in everything.
func TestSameGrant(t *testing.T) {
	base := func() *grant {
		return &grant{Grant: policy.Grant{
			Name: "n", Grantee: "AIDA1", RetiringPrincipal: "AIDA2", SourceARN: "arn", IssuingAccount: here,
			Operations:              []string{"Decrypt"},
			EncryptionContextEquals: map[string]string{"a": "1"}, EncryptionContextSubset: map[string]string{"b": "2"},
		}}
	}
	if !base().same(base()) {
		t.Error("equal grants differ")
	}
	for name, change := range map[string]func(*grant){
		"name": func(g *grant) { g.Name = "m" }, "grantee": func(g *grant) { g.Grantee = "AIDA2" }, "retirer": func(g *grant) { g.RetiringPrincipal = "AIDA1" },
		"source": func(g *grant) { g.SourceARN = "" }, "account": func(g *grant) { g.IssuingAccount = abroad }, "operations": func(g *grant) { g.Operations = []string{"Encrypt"} },
		"grantee's kind": func(g *grant) { g.granteeService = true }, "retirer's kind": func(g *grant) { g.retiringService = true },
		"equals": func(g *grant) { g.EncryptionContextEquals = map[string]string{"a": "2"} }, "subset": func(g *grant) { g.EncryptionContextSubset = nil },
	} {
		g := base()
		if change(g); g.same(base()) || base().same(g) {
			t.Errorf("another %s: the same grant", name)
		}
	}
}

func TestGranteeIndex(t *testing.T) {
	for grantee, want := range map[string]string{
		root(here).ARN: here, "AIDA1": "AIDA1", here: here, "": "", dynamo: dynamo,
		"arn:aws:iam::" + here + ":user/x": "arn:aws:iam::" + here + ":user/x", "x:root": "x:root",
	} {
		if got := granteeIndex(grantee); got != want {
			t.Errorf("%q is found under %q, want %q", grantee, got, want)
		}
	}
}

// TestGrantTablesShrink: what ends leaves nothing behind, and the number of
// grants in a place is theirs.
func TestGrantTablesShrink(t *testing.T) {
	w := newWorld(t)
	arn, other := w.key(nil), w.key(nil)
	user := w.user(here, "user")
	at := w.kms.keys[arn].Place
	count := func(want int) {
		t.Helper()
		if got := w.kms.places[at].grants; got != want {
			t.Errorf("%d grants are counted, want %d", got, want)
		}
	}
	var ids []string
	for _, name := range []string{"a", "a", "", "b"} {
		in := members{"GranteePrincipal": user.ARN, "Operations": []string{"Decrypt"}}
		if name != "" {
			in["Name"] = name
		}
		if len(ids) == 1 {
			in["Operations"] = []string{"Encrypt"}
		}
		ids = append(ids, w.grantOn(arn, in))
	}
	w.grantOn(other, members{"GranteePrincipal": user.ARN, "Operations": []string{"Decrypt"}})
	count(5)
	table := w.kms.grants[arn]
	for i, want := range []struct{ names, grantees int }{{2, 1}, {1, 1}, {1, 1}, {0, 0}} {
		w.do(root(here), "RevokeGrant", members{"KeyId": arn, "GrantId": ids[i]})
		count(4 - i)
		if len(table.byName) != want.names || len(table.byGrantee) != want.grantees || len(table.byID) != 3-i {
			t.Errorf("after %d: %d names, %d grantees, %d grants", i+1, len(table.byName), len(table.byGrantee),
				len(table.byID))
		}
	}
	if w.kms.grants[arn] != nil || w.kms.grants[other] == nil {
		t.Error("a table without grants is kept, or one with some is not")
	}
	g := &grant{Grant: policy.Grant{ID: ids[0]}, keyARN: arn}
	for range 2 { // a grant that is gone, and a key without grants
		if err := w.kms.write(func(ch *change) error { ch.dropGrant(g); return nil }); err != nil {
			t.Fatal(err)
		}
		count(1)
		g.keyARN = other
	}
	w.restart()
	count(1)
}

// TestGrantsOfAPrincipal: a principal has the grants of its unique id, its role,
// its ARN, its account and, as a service, its general name, each once.
func TestGrantsOfAPrincipal(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	k := w.kms
	for i, grantee := range []string{"AROA1:s", "AROA1", "arn:s", root(here).ARN, "dynamodb.amazonaws.com", dynamo,
		"s3.amazonaws.com", "AIDA2", root(abroad).ARN} {
		g := &grant{Grant: policy.Grant{ID: fmt.Sprint(i), Grantee: grantee}, keyARN: arn}
		k.mu.Lock()
		k.addGrant(g)
		k.mu.Unlock()
	}
	for name, c := range map[string]struct {
		p    policy.Principal
		want []string
	}{
		"session":          {policy.Principal{Type: policy.AssumedRole, UniqueID: "AROA1:s", RoleUniqueID: "AROA1", ARN: "arn:s", AccountID: here}, []string{"0", "1", "2", "3"}},
		"user":             {policy.Principal{Type: policy.User, UniqueID: "AIDA2", ARN: "arn:u", AccountID: here}, []string{"3", "7"}},
		"root":             {root(here), []string{"3"}},
		"root abroad":      {root(abroad), []string{"8"}},
		"regional service": {policy.Principal{Type: policy.Service, ARN: dynamo}, []string{"4", "5"}},
		"general service":  {policy.Principal{Type: policy.Service, ARN: "dynamodb.amazonaws.com"}, []string{"4"}},
		"another service":  {policy.Principal{Type: policy.Service, ARN: "s3.eu-central-1.amazonaws.com"}, []string{"6"}},
		"user like one":    {policy.Principal{Type: policy.User, ARN: "s3.eu-central-1.amazonaws.com"}, nil},
		"stranger":         {policy.Principal{Type: policy.User, UniqueID: "AIDA9", ARN: "arn:x", AccountID: "999999999999"}, nil},
	} {
		var got []string
		for _, g := range k.grantsOf(arn, &c.p) {
			got = append(got, g.ID)
		}
		if slices.Sort(got); !slices.Equal(got, c.want) {
			t.Errorf("%s has %q, want %q", name, got, c.want)
		}
	}
	if got := k.grantsOf(arn+"0", &policy.Principal{UniqueID: "AROA1"}); got != nil {
		t.Errorf("a key without grants has %v", got)
	}
	// Two decisions at once do not share memory, even if the table's list has room
	// for more.
	for i := range 3 {
		k.mu.Lock()
		k.addGrant(&grant{Grant: policy.Grant{ID: fmt.Sprint("s", i), Grantee: "AROA1:t"}, keyARN: arn})
		k.mu.Unlock()
	}
	one := k.grantsOf(arn, &policy.Principal{UniqueID: "AROA1:t", RoleUniqueID: "AROA1"})
	two := k.grantsOf(arn, &policy.Principal{UniqueID: "AROA1:t", RoleUniqueID: "AIDA2"})
	if len(one) != 4 || len(two) != 4 || one[3].ID != "1" || two[3].ID != "7" {
		t.Errorf("%v and %v", one, two)
	}
	// What a decision looks at is not what the next one changes.
	session := policy.Principal{UniqueID: "AROA1:s", RoleUniqueID: "AROA1", ARN: "arn:s"}
	before := k.grantsOf(arn, &session)
	before[0].ID = "changed"
	if after := k.grantsOf(arn, &session); after[0].ID == "changed" {
		t.Error("a decision changed the table")
	}
}

// TestGrantTokens: a token names a grant that exists, in one form.
func TestGrantTokens(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	out := w.do(root(here), "CreateGrant",
		members{"KeyId": arn, "GranteePrincipal": root(here).ARN, "Operations": []string{"Decrypt"}})
	token, id := out["GrantToken"].(string), out["GrantId"].(string)
	encrypt := func(tokens ...string) members {
		return members{"KeyId": arn, "Plaintext": []byte("x"), "GrantTokens": tokens}
	}
	w.do(root(here), "Encrypt", encrypt(token))
	text := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, bad := range []string{"x", text("x"), text("r|" + arn), text("r|" + arn + "|" + id + "|x"),
		text("r|" + arn + "|" + id[1:]), text("r|" + arn + "0|" + id), "!" + token} {
		w.fails(root(here), "Encrypt", encrypt(token, bad), "InvalidGrantTokenException", "")
		w.fails(root(here), "RetireGrant", members{"GrantToken": bad}, "InvalidGrantTokenException", "")
	}
	for _, in := range []members{
		{}, {"GrantToken": token, "KeyId": arn}, {"GrantToken": token, "GrantId": id}, {"GrantToken": token, "KeyId": arn, "GrantId": id}, {"KeyId": arn}, {"GrantId": id},
	} {
		w.fails(root(here), "RetireGrant", in, "ValidationException",
			"either a grant token, or a key ID and a grant ID")
	}
	w.fails(root(here), "RetireGrant", members{"KeyId": arn, "GrantId": id[1:]}, "NotFoundException", "")
	w.fails(root(here), "RetireGrant", members{"KeyId": arn + "0", "GrantId": id}, "NotFoundException", "")
	w.do(root(here), "RetireGrant", members{"GrantToken": token})
	w.fails(root(here), "Encrypt", encrypt(token), "InvalidGrantTokenException", "")
}

// TestGrantQuotas: a key and a place hold so many grants, and no more.
func TestGrantQuotas(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	w.grantOn(arn, members{"GranteePrincipal": root(here).ARN, "Operations": []string{"Decrypt"}})
	k := w.kms.keys[arn]
	more := func() error {
		_, err := w.try(root(here), "CreateGrant",
			members{"KeyId": arn, "GranteePrincipal": root(here).ARN, "Operations": []string{"Decrypt"}})
		return err
	}
	p := w.kms.places[k.Place]
	p.grants = maxGrantsPerPlace
	checkError(t, more(), "LimitExceededException", "")
	if p.grants = maxGrantsPerPlace - 1; more() != nil {
		t.Error("the last grant of a place is refused")
	}
	checkError(t, more(), "LimitExceededException", "")
	p.grants = 0
	table := w.kms.grants[arn]
	for i := len(table.byID); i < maxGrants-1; i++ {
		table.byID[fmt.Sprint(i)] = nil
	}
	if err := more(); err != nil {
		t.Errorf("the last grant of a key is refused: %v", err)
	}
	checkError(t, more(), "LimitExceededException", "")
}
