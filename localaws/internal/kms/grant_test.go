package kms

import (
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
		"context for MACs":     {members{"KeyId": mac, "GranteePrincipal": me, "Operations": []string{"GenerateMac"}, "Constraints": members{"EncryptionContextSubset": members{"a": "b"}}}, "ValidationException", "not supported"},
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
	// The grant is alice's own, not of whoever bears the name next.
	w.deleteUser(alice)
	if got := w.listGrants(arn, members{"GrantId": id})[0]["GranteePrincipal"]; got != alice.UniqueID {
		t.Errorf("deleted grantee shown as %v", got)
	}
	w.fails(w.user(here, "alice"), "Encrypt", members{"KeyId": arn, "Plaintext": []byte("x")}, "AccessDeniedException",
		"")
}

func TestRetireGrant(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	grantee, retirer, other := w.user(here, "grantee"), w.user(here, "retirer"),
		w.user(here, "other", "kms:RetireGrant")
	foreign := w.user(abroad, "foreign", "kms:*")
	make := func(operations ...string) members {
		out := w.do(root(here), "CreateGrant",
			members{"KeyId": arn, "GranteePrincipal": grantee.ARN, "RetiringPrincipal": retirer.ARN,
				"Operations": operations})
		out["KeyId"] = arn
		return out
	}
	byID := func(g members) members { return members{"KeyId": g["KeyId"], "GrantId": g["GrantId"]} }
	byToken := func(g members) members { return members{"GrantToken": g["GrantToken"]} }
	w.do(retirer, "RetireGrant", byID(make("Decrypt")))
	w.do(retirer, "RetireGrant", byToken(make("Decrypt")))
	w.do(grantee, "RetireGrant", byToken(make("Decrypt", "RetireGrant")))
	w.fails(grantee, "RetireGrant", byToken(make("Decrypt")), "AccessDeniedException", "kms:RetireGrant")
	w.do(other, "RetireGrant", byID(make("Decrypt"))) // its account made the grant, and lets it
	w.do(root(here), "RetireGrant", byID(make("Decrypt")))
	g := make("Decrypt")
	w.do(root(here), "PutKeyPolicy",
		members{"KeyId": arn, "Policy": policyText(rootStatement(), statement("Allow", root(abroad).ARN, "kms:*"))})
	w.fails(foreign, "RetireGrant", byID(g), "AccessDeniedException", "kms:RetireGrant")
	w.do(root(here), "PutKeyPolicy",
		members{"KeyId": arn, "Policy": policyText(rootStatement(), statement("Deny", retirer.ARN, "kms:RetireGrant"))})
	w.fails(retirer, "RetireGrant", byID(g), "AccessDeniedException", "explicit deny in a resource-based policy")

	list := w.do(root(here), "ListRetirableGrants", members{"RetiringPrincipal": retirer.ARN})["Grants"].([]any)
	if len(list) != 2 {
		t.Errorf("%d retirable grants", len(list))
	}
	if list := w.do(root(here), "ListRetirableGrants",
		members{"RetiringPrincipal": grantee.ARN})["Grants"].([]any); len(list) != 0 {
		t.Errorf("%d grants that the grantee retires", len(list))
	}
	w.fails(root(here), "ListRetirableGrants", members{"RetiringPrincipal": foreign.ARN}, "AccessDeniedException",
		"another account")
	w.fails(root(here), "ListRetirableGrants", members{"RetiringPrincipal": root(abroad).ARN + "x"},
		"AccessDeniedException", "another account")
	w.fails(root(here), "ListRetirableGrants", members{}, "ValidationException", "retiringPrincipal")
	const service = "example.amazonaws.com"
	w.grantOn(arn, members{"GranteePrincipal": root(here).ARN, "RetiringServicePrincipal": service,
		"Operations": []string{"Decrypt"}})
	w.fails(root(abroad), "ListRetirableGrants", members{"RetiringServicePrincipal": service}, "AccessDeniedException",
		"service principal")
	w.fails(root(here), "ListRetirableGrants",
		members{"RetiringPrincipal": retirer.ARN, "RetiringServicePrincipal": service}, "ValidationException",
		"not both")
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
