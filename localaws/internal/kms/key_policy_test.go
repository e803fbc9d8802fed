// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/kms/keypolicy"
)

func TestLockOut(t *testing.T) {
	w := newWorld(t)
	admin := w.user(here, "admin", "kms:CreateKey")
	user := w.user(here, "user")
	const lockedOut = "The new key policy will not allow you to update the key policy in the future."
	for name, c := range map[string]struct {
		policy string
		locked bool
	}{
		"names the caller":            {policyText(statement("Allow", admin.ARN, "kms:*")), false},
		"PutKeyPolicy only":           {policyText(statement("Allow", admin.ARN, "kms:PutKeyPolicy")), false},
		"names another":               {policyText(statement("Allow", user.ARN, "kms:*")), true},
		"not PutKeyPolicy":            {policyText(statement("Allow", admin.ARN, "kms:Decrypt")), true},
		"the account, no permission":  {policyText(rootStatement()), true},
		"denied":                      {policyText(statement("Allow", admin.ARN, "kms:*"), statement("Deny", "*", "kms:Put*")), true},
		"a statement without actions": {policyText(members{"Effect": "Allow", "Principal": members{"AWS": admin.ARN}, "Resource": "*"}), true},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.try(admin, "CreateKey", members{"Policy": c.policy})
			if c.locked {
				checkError(t, err, "MalformedPolicyDocumentException", lockedOut)
			} else if err != nil {
				t.Fatal(err)
			}
			w.do(admin, "CreateKey", members{"Policy": c.policy, "BypassPolicyLockoutSafetyCheck": true})
		})
	}
	// Without a policy there is no check: the account decides.
	w.do(admin, "CreateKey", nil)
	// The account with a permission is enough.
	w.do(w.user(here, "other", "kms:*"), "CreateKey", members{"Policy": policyText(rootStatement())})

	arn := w.key(nil)
	w.fails(root(here), "PutKeyPolicy",
		members{"KeyId": arn, "Policy": policyText(statement("Allow", user.ARN, "kms:*"))},
		"MalformedPolicyDocumentException", lockedOut)
	w.do(root(here), "PutKeyPolicy",
		members{"KeyId": arn, "Policy": policyText(statement("Allow", user.ARN, "kms:*")),
			"BypassPolicyLockoutSafetyCheck": true})
	// Now not even root may.
	w.fails(root(here), "GetKeyPolicy", members{"KeyId": arn}, "AccessDeniedException",
		"because no resource-based policy allows the kms:GetKeyPolicy action")
	w.do(user, "PutKeyPolicy",
		members{"KeyId": arn, "Policy": policyText(rootStatement(), statement("Allow", user.ARN, "kms:*"))})
	w.do(root(here), "GetKeyPolicy", members{"KeyId": arn})
}

func TestPolicyRefusals(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	before := w.do(root(here), "GetKeyPolicy", members{"KeyId": arn})["Policy"]
	const invalid = "Policy contains a statement with one or more invalid principals."
	put := func(principal string) members {
		return members{"KeyId": arn,
			"Policy": policyText(rootStatement(), statement("Allow", principal, "kms:Decrypt"))}
	}
	for name, c := range map[string]struct {
		in            members
		code, message string
	}{
		"no JSON":           {members{"KeyId": arn, "Policy": "{"}, "MalformedPolicyDocumentException", ""},
		"unknown user":      {put("arn:aws:iam::" + here + ":user/missing"), "MalformedPolicyDocumentException", invalid},
		"unknown role":      {put("arn:aws:iam::" + here + ":role/missing"), "MalformedPolicyDocumentException", invalid},
		"unknown account":   {put("999999999999"), "MalformedPolicyDocumentException", invalid},
		"root of unknown":   {put("arn:aws:iam::999999999999:root"), "MalformedPolicyDocumentException", invalid},
		"other partition":   {put("arn:aws-cn:iam::" + here + ":root"), "MalformedPolicyDocumentException", invalid},
		"wildcard":          {put("arn:aws:iam::" + here + ":user/*"), "MalformedPolicyDocumentException", invalid},
		"other name":        {members{"KeyId": arn, "PolicyName": "mine", "Policy": policyText(rootStatement())}, "NotFoundException", ""},
		"too long":          {members{"KeyId": arn, "Policy": policyText(rootStatement()) + strings.Repeat(" ", maxPolicy)}, "LimitExceededException", "32768"},
		"one byte too long": {members{"KeyId": arn, "Policy": policyText(rootStatement()) + strings.Repeat(" ", maxPolicy+1-len(policyText(rootStatement())))}, "LimitExceededException", "32768"},
		"far too long":      {members{"KeyId": arn, "Policy": strings.Repeat(" ", 131073)}, "ValidationException", "at 'policy'"},
		"no policy":         {members{"KeyId": arn}, "ValidationException", "Value null at 'policy'"},
		"alias":             {members{"KeyId": "alias/x", "Policy": policyText(rootStatement())}, "InvalidArnException", "Key Aliases are not supported for this operation."},
		"another's account": {members{"KeyId": strings.Replace(arn, here, abroad, 1), "Policy": policyText(rootStatement())}, "AccessDeniedException", ""},
	} {
		t.Run(name, func(t *testing.T) { w.fails(root(here), "PutKeyPolicy", c.in, c.code, c.message) })
	}
	w.do(root(here), "PutKeyPolicy", put(abroad))
	w.do(root(here), "PutKeyPolicy",
		members{"KeyId": arn, "Policy": policyText(rootStatement()) + strings.Repeat(" ",
			maxPolicy-len(policyText(rootStatement())))})
	w.do(root(here), "PutKeyPolicy", put("*"))
	w.do(root(here), "PutKeyPolicy", members{"KeyId": arn, "Policy": before})
	list := w.do(root(here), "ListKeyPolicies", members{"KeyId": arn})
	if names := list["PolicyNames"].([]any); len(names) != 1 || names[0] != "default" || list["Truncated"] != false {
		t.Errorf("ListKeyPolicies: %v", list)
	}
	if got := w.do(root(here), "GetKeyPolicy", members{"KeyId": arn}); got["Policy"] != before ||
		got["PolicyName"] != "default" {
		t.Errorf("GetKeyPolicy: %v", got)
	}
}

// TestDeletedUser follows a user who is deleted and made again under the same
// name: the policy means the first one.
func TestDeletedUser(t *testing.T) {
	w := newWorld(t)
	first := w.user(here, "bob")
	arn := w.key(members{"Policy": policyText(rootStatement(), statement("Allow", first.ARN, "kms:DescribeKey"))})
	text := func() string {
		return w.do(root(here), "GetKeyPolicy", members{"KeyId": arn})["Policy"].(string)
	}
	put := text()
	w.do(first, "DescribeKey", members{"KeyId": arn})
	// Under another name it is the same user.
	renamed := "arn:aws:iam::" + here + ":user/robert"
	w.people[first.ARN].ARN = renamed
	if want := strings.Replace(put, first.ARN, renamed, 1); text() != want {
		t.Errorf("after renaming the policy is shown as\n%s, want\n%s", text(), want)
	}
	w.deleteUser(first)
	shown := text()
	if want := strings.Replace(put, first.ARN, first.UniqueID, 1); shown != want {
		t.Errorf("after deletion the policy is shown as\n%s, want\n%s", shown, want)
	}
	w.fails(root(here), "PutKeyPolicy", members{"KeyId": arn, "Policy": shown}, "MalformedPolicyDocumentException",
		"invalid principals")
	second := w.user(here, "bob")
	w.fails(second, "DescribeKey", members{"KeyId": arn}, "AccessDeniedException",
		"because no identity-based policy allows")
	w.restart()
	w.fails(second, "DescribeKey", members{"KeyId": arn}, "AccessDeniedException", "")
	if text() != shown {
		t.Errorf("after the name came back the policy is shown as %s", text())
	}
	w.do(root(here), "PutKeyPolicy", members{"KeyId": arn, "Policy": put})
	w.do(second, "DescribeKey", members{"KeyId": arn})
}

// TestRecreatedRole is the same for a role and its sessions.
func TestRecreatedRole(t *testing.T) {
	w := newWorld(t)
	role := "arn:aws:iam::" + here + ":role/app"
	make := func(id string) policy.Principal {
		w.people[role] = &person{Principal: policy.Principal{ARN: role, UniqueID: id}}
		return policy.Principal{Type: policy.AssumedRole, AccountID: here,
			ARN: "arn:aws:sts::" + here + ":assumed-role/app/s", UniqueID: id + ":s", RoleARN: role, RoleUniqueID: id}
	}
	first := make("AROA0000000000000001")
	arn := w.key(members{"Policy": policyText(rootStatement(), statement("Allow", role, "kms:DescribeKey"))})
	w.do(first, "DescribeKey", members{"KeyId": arn})
	second := make("AROA0000000000000002")
	w.fails(second, "DescribeKey", members{"KeyId": arn}, "AccessDeniedException",
		"User: "+second.ARN+" is not authorized")
	if text := w.do(root(here), "GetKeyPolicy", members{"KeyId": arn})["Policy"].(string); !strings.Contains(text,
		`"AROA0000000000000001"`) || strings.Contains(text, role) {
		t.Errorf("policy %s", text)
	}
}

// TestCrossAccount: the key's policy and the caller's own account must both
// allow, and some operations stay at home whatever they say.
func TestCrossAccount(t *testing.T) {
	w := newWorld(t)
	arn := w.key(members{"Policy": policyText(rootStatement(), statement("Allow", root(abroad).ARN, "kms:*"))})
	private := w.key(nil)
	allowed, not := w.user(abroad, "allowed", "kms:*"), w.user(abroad, "not")
	blob := w.do(allowed, "Encrypt", members{"KeyId": arn, "Plaintext": []byte("x")})["CiphertextBlob"]
	w.do(allowed, "Decrypt", members{"CiphertextBlob": blob})
	w.do(allowed, "DescribeKey", members{"KeyId": arn})
	w.do(allowed, "CreateGrant",
		members{"KeyId": arn, "GranteePrincipal": allowed.ARN, "Operations": []string{"Decrypt"}})
	w.fails(not, "Decrypt", members{"CiphertextBlob": blob}, "AccessDeniedException",
		"because no identity-based policy allows")
	w.fails(allowed, "DescribeKey", members{"KeyId": private}, "AccessDeniedException",
		"because the resource does not exist in this Region, no resource-based policies allow access")
	for _, operation := range []string{"ScheduleKeyDeletion", "DisableKey", "GetKeyPolicy", "ListResourceTags",
		"EnableKeyRotation"} {
		w.fails(allowed, operation, members{"KeyId": arn}, "AccessDeniedException", "kms:"+operation)
	}
	// A bare id means the caller's own account.
	w.fails(allowed, "DescribeKey", members{"KeyId": keyIDOf(arn)}, "NotFoundException", "does not exist")
	// An alias of another account can be named by its ARN.
	w.do(root(here), "CreateAlias", members{"AliasName": "alias/open", "TargetKeyId": arn})
	w.do(allowed, "Encrypt", members{"KeyId": "arn:aws:kms:" + region + ":" + here + ":alias/open",
		"Plaintext": []byte("x")})
}

func TestConditions(t *testing.T) {
	w := newWorld(t)
	user := w.user(here, "user")
	with := func(action string, condition members) string {
		return policyText(rootStatement(),
			members{"Effect": "Allow", "Principal": members{"AWS": user.ARN}, "Action": action, "Resource": "*",
				"Condition": condition})
	}
	arn := w.key(members{"Tags": []members{{"TagKey": "Stage", "TagValue": "test"}}})
	w.do(root(here), "CreateAlias", members{"AliasName": "alias/app", "TargetKeyId": arn})
	grantee := root(here).ARN
	for name, c := range map[string]struct {
		condition members
		operation string
		yes, no   members
	}{
		"context":          {members{"StringEquals": members{"kms:EncryptionContext:dept": "it"}}, "Encrypt", members{"EncryptionContext": members{"dept": "it", "x": "y"}}, members{"EncryptionContext": members{"dept": "hr"}}},
		"context keys":     {members{"ForAllValues:StringEquals": members{"kms:EncryptionContextKeys": "dept"}}, "Encrypt", members{"EncryptionContext": members{"dept": "it"}}, members{"EncryptionContext": members{"other": "x"}}},
		"request alias":    {members{"StringEquals": members{"kms:RequestAlias": "alias/app"}}, "DescribeKey", members{"KeyId": "alias/app"}, members{}},
		"resource aliases": {members{"ForAnyValue:StringEquals": members{"kms:ResourceAliases": "alias/app"}}, "DescribeKey", members{}, nil},
		"tag":              {members{"StringEquals": members{"aws:ResourceTag/stage": "test"}}, "DescribeKey", members{}, nil},
		"origin and spec":  {members{"StringEquals": members{"kms:KeyOrigin": "AWS_KMS", "kms:KeySpec": "SYMMETRIC_DEFAULT", "kms:KeyUsage": "ENCRYPT_DECRYPT", "kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}, "Bool": members{"kms:MultiRegion": "false"}}, "Encrypt", members{}, nil},
		"window":           {members{"NumericGreaterThanEquals": members{"kms:ScheduleKeyDeletionPendingWindowInDays": "20"}}, "ScheduleKeyDeletion", nil, members{"PendingWindowInDays": 19}},
		"bypass":           {members{"Bool": members{"kms:BypassPolicyLockoutSafetyCheck": "false"}}, "PutKeyPolicy", nil, members{"BypassPolicyLockoutSafetyCheck": true, "Policy": policyText(rootStatement())}},
		"period":           {members{"NumericLessThan": members{"kms:RotationPeriodInDays": "200"}}, "EnableKeyRotation", members{"RotationPeriodInDays": 180}, members{}},
		"request tags":     {members{"StringEquals": members{"aws:RequestTag/a": "1"}, "ForAllValues:StringEquals": members{"aws:TagKeys": []string{"a"}}}, "TagResource", members{"Tags": []members{{"TagKey": "a", "TagValue": "1"}}}, members{"Tags": []members{{"TagKey": "a", "TagValue": "1"}, {"TagKey": "b", "TagValue": "1"}}}},
		"grant operations": {members{"ForAllValues:StringEquals": members{"kms:GrantOperations": []string{"Encrypt", "Decrypt"}}}, "CreateGrant", members{"GranteePrincipal": grantee, "Operations": []string{"Decrypt"}}, members{"GranteePrincipal": grantee, "Operations": []string{"Decrypt", "CreateGrant"}}},
		"grantee":          {members{"StringEquals": members{"kms:GranteePrincipal": grantee, "kms:RetiringPrincipal": grantee}}, "CreateGrant", members{"GranteePrincipal": grantee, "RetiringPrincipal": grantee, "Operations": []string{"Decrypt"}}, members{"GranteePrincipal": user.ARN, "RetiringPrincipal": grantee, "Operations": []string{"Decrypt"}}},
		"constraint":       {members{"StringEquals": members{"kms:GrantConstraintType": "EncryptionContextSubset"}}, "CreateGrant", members{"GranteePrincipal": grantee, "Operations": []string{"Decrypt"}, "Constraints": members{"EncryptionContextSubset": members{"a": "b"}}}, members{"GranteePrincipal": grantee, "Operations": []string{"Decrypt"}}},
		"for AWS":          {members{"Bool": members{"kms:GrantIsForAWSResource": "true"}}, "CreateGrant", nil, members{"GranteePrincipal": grantee, "Operations": []string{"Decrypt"}}},
		"re-encrypt":       {members{"Bool": members{"kms:ReEncryptOnSameKey": "true"}}, "ReEncrypt", members{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w.do(root(here), "PutKeyPolicy", members{"KeyId": arn, "Policy": with("kms:"+c.operation+"*", c.condition)})
			blob := w.do(root(here), "Encrypt", members{"KeyId": arn, "Plaintext": []byte("x")})["CiphertextBlob"]
			complete := func(in members) members {
				all := members{"KeyId": arn, "Plaintext": []byte("x"), "CiphertextBlob": blob, "DestinationKeyId": arn}
				for k, v := range in {
					all[k] = v
				}
				return all
			}
			if c.yes != nil {
				w.do(user, c.operation, complete(c.yes))
			}
			if c.no != nil {
				w.fails(user, c.operation, complete(c.no), "AccessDeniedException", "kms:"+c.operation)
			}
		})
	}
}

func TestPolicyTexts(t *testing.T) {
	w := newWorld(t)
	for _, text := range []string{keypolicy.Default(here), keypolicy.Managed(here, region, "dynamodb")} {
		var p struct{ ID string }
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if p.ID != "key-default-1" && p.ID != "auto-dynamodb-1" {
			t.Errorf("Id %s", p.ID)
		}
		if _, err := w.kms.parsePolicy(text); err != nil {
			t.Error(err)
		}
	}
}

// What another account is told of a key or an alias is the same whether there
// is one or not, by every operation.
func TestStrangersCannotTellWhetherAKeyExists(t *testing.T) {
	w := newWorld(t)
	arn, mac := w.key(nil), w.key(members{"KeySpec": "HMAC_256", "KeyUsage": usageMAC})
	w.do(root(here), "CreateAlias", members{"AliasName": "alias/there", "TargetKeyId": keyIDOf(arn)})
	alias := strings.Replace(arn, "key/"+keyIDOf(arn), "alias/there", 1)
	stranger := w.user(abroad, "stranger", "kms:*")
	blob := w.encrypt(w.key(nil))
	answer := func(operation, id string, in members) string {
		call := members{"KeyId": id}
		for name, value := range in {
			call[name] = value
		}
		if operation == "ReEncrypt" {
			call["SourceKeyId"], call["DestinationKeyId"] = id, id
		}
		_, err := w.try(stranger, operation, call)
		if err == nil {
			t.Errorf("%s is allowed", operation)
			return ""
		}
		return strings.ReplaceAll(err.Error(), id, "ID")
	}
	compare := func(operation, there string, in members) {
		missing := strings.Replace(alias, "there", "gone", 1)
		if there != alias {
			missing = there[:len(there)-12] + "000000000000"
		}
		if x, y := answer(operation, there, in),
			answer(operation, missing, in); x != y || strings.Contains(x, keyIDOf(arn)) {
			t.Errorf("%s: %q and %q", operation, x, y)
		}
	}
	for operation, in := range map[string]members{
		"DescribeKey": nil, "Encrypt": {"Plaintext": []byte("x")}, "Decrypt": {"CiphertextBlob": blob}, "ReEncrypt": {"CiphertextBlob": blob},
		"GenerateDataKey": {"KeySpec": "AES_256"},
	} {
		compare(operation, arn, in)
		compare(operation, alias, in)
	}
	compare("Decrypt", arn, members{"CiphertextBlob": blob, "GrantTokens": []string{"bad"}})
	for operation, in := range map[string]members{
		"EnableKey": nil, "DisableKey": nil, "ScheduleKeyDeletion": nil, "CancelKeyDeletion": nil, "GetKeyPolicy": nil, "PutKeyPolicy": {"Policy": policyText(rootStatement())},
		"GetKeyRotationStatus": nil, "EnableKeyRotation": nil, "RotateKeyOnDemand": nil, "ListGrants": nil,
		"ListResourceTags": nil, "ListKeyPolicies": nil, "ListAliases": nil,
		"CreateGrant": {"GranteePrincipal": root(abroad).ARN, "Operations": []string{"Decrypt"}}, "RevokeGrant": {"GrantId": "x"}, "RetireGrant": {"GrantId": "x"},
		"TagResource": {"Tags": []tag{{"a", "b"}}}, "UpdateKeyDescription": {"Description": ""},
	} {
		compare(operation, arn, in)
	}
	compare("GenerateMac", mac, members{"Message": []byte("x"), "MacAlgorithm": "HMAC_SHA_256"})
}

// TestIdentify: a policy or grant names a principal that exists, in one of the
// forms that AWS knows.
func TestIdentify(t *testing.T) {
	w := newWorld(t)
	user := w.user(here, "user")
	for text, want := range map[string]string{
		here: "", root(here).ARN: "", root(abroad).ARN: "", user.ARN: user.UniqueID,
		"arn:aws:sts::" + here + ":federated-user/x": "",
	} {
		if id, ok := w.kms.identify(text); !ok || id != want {
			t.Errorf("%s: %q, %t", text, id, ok)
		}
	}
	for _, text := range []string{
		"", "*", "999999999999", "arn:aws:iam::999999999999:root", "arn:aws:iam::" + here,
		"arn:aws:iam::" + here + ":rooty", "arn:aws:iam::" + here + ":group/x",
		"arn:aws-cn:iam::" + here + ":root", "urn:aws:iam::" + here + ":root", "arn:aws:sts::" + here + ":root",
		"arn:aws:sts::" + here + ":user/user",
		"arn:aws:iam::" + here + ":assumed-role/x/y", "arn:aws:iam::" + here + ":federated-user/x",
		"arn:aws:sts::" + here + ":federated-user/", "arn:aws:sts::" + here + ":federated-user",
		"arn:aws:iam::" + here + ":user/missing", "arn:aws:iam::1111:root", "arn:aws:iam:root",
		strings.Replace(user.ARN, ":iam:", ":sts:", 1), strings.Replace(user.ARN, ":iam:", ":s3:", 1),
	} {
		if id, ok := w.kms.identify(text); ok {
			t.Errorf("%q is known as %q", text, id)
		}
	}
}

// TestOwnerOfTheKey: the account of the key decides what is across accounts. A
// key policy that names a user of another account is not enough for that user.
func TestOwnerOfTheKey(t *testing.T) {
	w := newWorld(t)
	bob, carol := w.user(abroad, "bob"), w.user(abroad, "carol", "kms:Encrypt")
	own := w.user(here, "dan")
	arn := w.key(members{"Policy": policyText(rootStatement(), statement("Allow", bob.ARN, "kms:Encrypt"),
		statement("Allow", carol.ARN, "kms:Encrypt"), statement("Allow", own.ARN, "kms:Encrypt"))})
	in := members{"KeyId": arn, "Plaintext": []byte("x")}
	w.fails(bob, "Encrypt", in, "AccessDeniedException", "because no identity-based policy allows")
	w.do(carol, "Encrypt", in)
	w.do(own, "Encrypt", in)
}

// TestLockOutAsksWithoutBypass: the next PutKeyPolicy, which the check is about,
// does not skip it.
func TestLockOutAsksWithoutBypass(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	for value, code := range map[string]string{"false": "", "true": "MalformedPolicyDocumentException"} {
		s := statement("Allow", root(here).ARN, "kms:*")
		s["Condition"] = members{"Bool": members{"kms:BypassPolicyLockoutSafetyCheck": value}}
		others := statement("Allow", root(here).ARN, "kms:GetKeyPolicy", "kms:Encrypt")
		_, err := w.try(root(here), "PutKeyPolicy", members{"KeyId": arn, "Policy": policyText(s, others)})
		if code == "" && err != nil {
			t.Errorf("with %s: %v", value, err)
		} else if code != "" {
			checkError(t, err, code, "will not allow you to update the key policy")
		}
	}
}

// TestAccountOfListings: an operation on no key in particular is on the caller's
// account.
func TestAccountOfListings(t *testing.T) {
	w := newWorld(t)
	for account, allowed := range map[string]bool{here: true, abroad: false} {
		doc, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:ListKeys",`+
			`"Resource":"*","Condition":{"StringEquals":{"aws:ResourceAccount":"`+account+`"}}}}`), policy.Identity)
		if err != nil {
			t.Fatal(err)
		}
		eve := w.user(here, "eve", "kms:ListKeys")
		w.people[eve.ARN].identity = doc
		if _, err := w.try(eve, "ListKeys", nil); (err == nil) != allowed {
			t.Errorf("resources of %s: %v", account, err)
		}
	}
}
