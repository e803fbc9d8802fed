// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
)

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
	w.fails(root(here), "ListRetirableGrants", members{"RetiringPrincipal": "arn:aws:iam::" + abroad + ":user/a:b"},
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

// TestConcerns: only those whom a grant names, and its account, may retire it.
func TestConcerns(t *testing.T) {
	g := &grant{Grant: policy.Grant{Grantee: "AIDA1", RetiringPrincipal: "AROA2", IssuingAccount: here}}
	byARN := &grant{Grant: policy.Grant{Grantee: "arn:session", RetiringPrincipal: root(abroad).ARN,
		IssuingAccount: here}}
	empty := &grant{Grant: policy.Grant{Grantee: "AIDA1"}}
	for name, c := range map[string]struct {
		g    *grant
		p    policy.Principal
		want bool
	}{
		"issuing account":    {g, policy.Principal{AccountID: here}, true},
		"another account":    {g, policy.Principal{AccountID: abroad, UniqueID: "AIDA9", ARN: "arn:x"}, false},
		"grantee":            {g, policy.Principal{AccountID: abroad, UniqueID: "AIDA1"}, true},
		"role of a session":  {g, policy.Principal{AccountID: abroad, UniqueID: "AROA2:s", RoleUniqueID: "AROA2"}, true},
		"session by ARN":     {byARN, policy.Principal{AccountID: "999999999999", ARN: "arn:session"}, true},
		"account by its ARN": {byARN, policy.Principal{AccountID: abroad, UniqueID: "AIDA9"}, true},
		"empty principal":    {empty, policy.Principal{}, false},
		"no retirer":         {empty, policy.Principal{Type: policy.Service, ARN: dynamo}, false},
	} {
		if got := c.g.concerns(&c.p); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestListedGrants: a listing shows each grant as it was made, and only those
// that were asked for.
func TestListedGrants(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	user := w.user(here, "user")
	const service = "example.amazonaws.com"
	source := members{"SourceArn": "arn:aws:dynamodb:eu-central-1:111122223333:table/t"}
	plain := w.grantOn(arn, members{"GranteePrincipal": user.ARN,
		"Operations": []string{"Decrypt", "Decrypt", "Encrypt"}})
	subset := w.grantOn(arn, members{"GranteePrincipal": user.ARN, "Operations": []string{"Decrypt"},
		"Constraints": members{"EncryptionContextSubset": members{"a": "1"}}})
	equals := w.grantOn(arn, members{"GranteePrincipal": root(here).ARN, "RetiringPrincipal": user.ARN,
		"Operations": []string{"Decrypt"}, "Constraints": members{"EncryptionContextEquals": members{"a": "1"}}})
	from := w.grantOn(arn, members{"GranteePrincipal": user.ARN, "Operations": []string{"Decrypt"},
		"Constraints": source})
	served := w.grantOn(arn, members{"GranteeServicePrincipal": service, "RetiringServicePrincipal": service,
		"Operations": []string{"Decrypt"}, "Constraints": source})
	abroadKey := w.doIn("us-east-1", root(here), "CreateKey", nil)["KeyMetadata"].(members)["Arn"].(string)
	w.doIn("us-east-1", root(here), "CreateGrant",
		members{"KeyId": abroadKey, "GranteePrincipal": user.ARN, "RetiringPrincipal": user.ARN,
			"Operations": []string{"Decrypt"}})
	shown := make(map[string]members)
	for _, g := range w.listGrants(arn, nil) {
		shown[g["GrantId"].(string)] = g
	}
	for id, want := range map[string]string{
		plain: "<nil>", subset: "map[EncryptionContextSubset:map[a:1]]",
		equals: "map[EncryptionContextEquals:map[a:1]]",
		from:   "map[SourceArn:" + source["SourceArn"].(string) + "]",
		served: "map[SourceArn:" + source["SourceArn"].(string) + "]",
	} {
		if got := fmt.Sprint(shown[id]["Constraints"]); got != want {
			t.Errorf("constraints %s, want %s", got, want)
		}
	}
	if got := fmt.Sprint(shown[plain]["Operations"]); got != "[Decrypt Encrypt]" {
		t.Errorf("operations %s", got)
	}
	if g := shown[equals]; g["GranteePrincipal"] != root(here).ARN || g["RetiringPrincipal"] != user.ARN ||
		shown[plain]["RetiringPrincipal"] != nil {
		t.Errorf("principals of %v", g)
	}
	for name, c := range map[string]struct {
		in   members
		want []string
	}{
		"all": {nil, []string{plain, subset, equals, from, served}}, "one": {members{"GrantId": subset}, []string{subset}}, "none": {members{"GrantId": "none"}, nil},
		"grantee": {members{"GranteePrincipal": user.ARN}, []string{plain, subset, from}}, "grantee by id": {members{"GranteePrincipal": user.UniqueID}, []string{plain, subset, from}},
		"account": {members{"GranteePrincipal": root(here).ARN}, []string{equals}}, "service": {members{"GranteeServicePrincipal": service}, []string{served}},
		"service as principal": {members{"GranteePrincipal": service}, nil}, "another service": {members{"GranteeServicePrincipal": "other.amazonaws.com"}, nil},
		"user as service": {members{"GranteeServicePrincipal": user.UniqueID}, nil}, "both": {members{"GrantId": equals, "GranteePrincipal": user.ARN}, nil},
	} {
		var got []string
		for _, g := range w.listGrants(arn, c.in) {
			got = append(got, g["GrantId"].(string))
		}
		if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(c.want))) {
			t.Errorf("%s: %d grants, want %d", name, len(got), len(c.want))
		}
	}
	retirable := func(region, principal string) (ids []string) {
		for _, g := range w.doIn(region, root(here), "ListRetirableGrants",
			members{"RetiringPrincipal": principal})["Grants"].([]any) {
			ids = append(ids, g.(members)["GrantId"].(string))
		}
		return ids
	}
	if got := retirable(region, user.ARN); !slices.Equal(got, []string{equals}) {
		t.Errorf("the user retires %v", got)
	}
	if got := retirable("us-east-1", user.ARN); len(got) != 1 || got[0] == equals {
		t.Errorf("the user retires %v in another Region", got)
	}
	w.fails(root(here), "ListRetirableGrants", members{"RetiringPrincipal": "arn:aws:iam::" + here + ":user/missing"},
		"InvalidArnException", "")
	w.fails(root(here), "ListRetirableGrants", members{"RetiringPrincipal": service}, "InvalidArnException", "")
}

// TestGrantPages: a page has 50 grants unless the request says otherwise.
func TestGrantPages(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	var want []string
	for range 51 {
		want = append(want, w.grantOn(arn, members{"GranteePrincipal": root(here).ARN,
			"RetiringPrincipal": root(here).ARN, "Operations": []string{"Decrypt"}}))
		w.advance(time.Millisecond)
	}
	for operation, in := range map[string]members{"ListGrants": {"KeyId": arn},
		"ListRetirableGrants": {"RetiringPrincipal": root(here).ARN}} {
		page := w.do(root(here), operation, in)
		list := page["Grants"].([]any)
		if len(list) != 50 || page["Truncated"] != true {
			t.Fatalf("%s: a page of %d, truncated %v", operation, len(list), page["Truncated"])
		}
		in["Marker"] = page["NextMarker"]
		page = w.do(root(here), operation, in)
		if list = append(list, page["Grants"].([]any)...); page["Truncated"] != false || page["NextMarker"] != nil {
			t.Errorf("%s: the last page: %v", operation, page)
		}
		var got []string
		for _, g := range list {
			got = append(got, g.(members)["GrantId"].(string))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: grants %v, want %v", operation, got, want)
		}
	}
}

// TestTokens: a grant token retires a grant in the Region of its key only, and as
// it was given.
func TestTokens(t *testing.T) {
	w := newWorld(t)
	in := members{"KeyId": w.key(nil), "GranteePrincipal": root(here).ARN, "Operations": []string{"Decrypt"}}
	token := members{"GrantToken": w.do(root(here), "CreateGrant", in)["GrantToken"]}
	w.failsIn("us-east-1", root(here), "RetireGrant", token, "NotFoundException", "Invalid arn "+region)
	for _, more := range []string{"!", "=", "A", "AAAA"} {
		w.fails(root(here), "RetireGrant", members{"GrantToken": token["GrantToken"].(string) + more},
			"InvalidGrantTokenException", "")
	}
	w.do(root(here), "RetireGrant", token)
}
