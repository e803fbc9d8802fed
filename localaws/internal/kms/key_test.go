// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"fmt"
	"strings"
	"testing"
)

func TestCreateAndDescribeKey(t *testing.T) {
	w := newWorld(t)
	arn := w.key(members{"Description": "orders", "Tags": []members{{"TagKey": "Team", "TagValue": "blue"}}})
	if !strings.HasPrefix(arn, "arn:aws:kms:eu-central-1:111122223333:key/") {
		t.Fatalf("ARN %s", arn)
	}
	w.do(root(here), "CreateAlias", members{"AliasName": "alias/orders", "TargetKeyId": arn})
	for _, id := range []string{arn, keyIDOf(arn), "alias/orders",
		"arn:aws:kms:eu-central-1:111122223333:alias/orders"} {
		m := w.describe(id)
		for name, want := range (members{"Arn": arn, "KeyId": keyIDOf(arn), "AWSAccountId": here, "Enabled": true,
			"KeyState": "Enabled", "KeyUsage": "ENCRYPT_DECRYPT",
			"KeySpec": "SYMMETRIC_DEFAULT", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "KeyManager": "CUSTOMER", "Origin": "AWS_KMS", "MultiRegion": false,
			"Description": "orders", "CreationDate": float64(w.clock().Unix())}) {
			if m[name] != want {
				t.Errorf("%s: %s is %v, want %v", id, name, m[name], want)
			}
		}
	}
	missing := "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-4000-8000-000000000000"
	for _, c := range []struct{ id, code, message string }{
		{missing, "NotFoundException", "Key '" + missing + "' does not exist"},
		{keyIDOf(missing), "NotFoundException", "Key '" + missing + "' does not exist"},
		{"alias/none", "NotFoundException", "Alias arn:aws:kms:eu-central-1:111122223333:alias/none is not found."},
		{"nonsense", "NotFoundException", "Invalid keyId 'nonsense'"},
		{"arn:aws:kms:us-east-1:111122223333:key/" + keyIDOf(arn), "NotFoundException", "Invalid arn us-east-1"},
		{"arn:aws:kms:eu-central-1:111122223333:nonsense", "InvalidArnException", "Invalid arn"},
		{"arn:aws:s3:eu-central-1:111122223333:key/x", "InvalidArnException", "Invalid arn"},
		{"", "ValidationException", "1 validation error detected: Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{strings.Replace(missing, here, abroad, 1), "AccessDeniedException", "because the resource does not exist in this Region"},
	} {
		w.fails(root(here), "DescribeKey", members{"KeyId": c.id}, c.code, c.message)
	}
	w.fails(root(here), "DescribeKey", members{}, "ValidationException",
		"Value null at 'keyId' failed to satisfy constraint: Member must not be null")
	w.fails(root(here), "DescribeKey", members{"KeyId": 7}, "SerializationException", "")
}

func TestCreateKeyRefusals(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		in            members
		code, message string
	}{
		"asymmetric":         {members{"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}, "UnsupportedOperationException", "RSA_2048"},
		"unknown spec":       {members{"KeySpec": "DES"}, "ValidationException", "Value 'DES' at 'keySpec'"},
		"external":           {members{"Origin": "EXTERNAL"}, "UnsupportedOperationException", "EXTERNAL"},
		"key store":          {members{"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": "cks-1"}, "UnsupportedOperationException", "AWS_CLOUDHSM"},
		"HMAC without usage": {members{"KeySpec": "HMAC_256"}, "ValidationException", "KeyUsage"},
		"HMAC to encrypt":    {members{"KeySpec": "HMAC_256", "KeyUsage": "ENCRYPT_DECRYPT"}, "ValidationException", "not compatible"},
		"reserved tag":       {members{"Tags": []members{{"TagKey": "aws:x", "TagValue": ""}}}, "TagException", "aws:"},
		"tag twice":          {members{"Tags": []members{{"TagKey": "x", "TagValue": ""}, {"TagKey": "x", "TagValue": "1"}}}, "TagException", "Duplicate"},
		"long description":   {members{"Description": strings.Repeat("x", 8193)}, "ValidationException", "at 'description'"},
	} {
		t.Run(name, func(t *testing.T) { w.fails(root(here), "CreateKey", c.in, c.code, c.message) })
	}
	// What is the default may be said.
	w.do(root(here), "CreateKey", members{"KeySpec": specSymmetric, "CustomerMasterKeySpec": specSymmetric,
		"KeyUsage": usageEncrypt, "Origin": "AWS_KMS"})
	w.fails(w.user(here, "missing"), "CreateKey", members{}, "AccessDeniedException",
		"because no identity-based policy allows the kms:CreateKey action")
	// Tags need a permission of their own.
	creator := w.user(here, "creator", "kms:CreateKey")
	w.do(creator, "CreateKey", members{})
	w.fails(creator, "CreateKey", members{"Tags": []members{{"TagKey": "x", "TagValue": "1"}}}, "AccessDeniedException",
		"kms:TagResource")
}

func TestStates(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	blob := w.do(root(here), "Encrypt", members{"KeyId": arn, "Plaintext": []byte("x")})["CiphertextBlob"]
	w.do(root(here), "DisableKey", members{"KeyId": arn})
	w.fails(root(here), "Decrypt", members{"CiphertextBlob": blob}, "DisabledException", arn+" is disabled.")
	w.fails(root(here), "RotateKeyOnDemand", members{"KeyId": arn}, "DisabledException", arn+" is disabled.")
	w.do(root(here), "UpdateKeyDescription", members{"KeyId": arn, "Description": "still editable"})
	w.do(root(here), "EnableKey", members{"KeyId": arn})
	w.do(root(here), "Decrypt", members{"CiphertextBlob": blob})
	w.fails(root(here), "CancelKeyDeletion", members{"KeyId": arn}, "KMSInvalidStateException",
		"is not pending deletion")
	w.do(root(here), "ScheduleKeyDeletion", members{"KeyId": arn, "PendingWindowInDays": 7})
	for _, c := range []struct {
		operation string
		in        members
	}{
		{"Decrypt", members{"CiphertextBlob": blob}}, {"EnableKey", nil}, {"DisableKey", nil}, {"EnableKeyRotation", nil}, {"UpdateKeyDescription", members{"Description": ""}},
		{"TagResource", members{"Tags": []members{}}}, {"UntagResource", members{"TagKeys": []string{}}}, {"ScheduleKeyDeletion", nil},
		{"CreateGrant", members{"GranteePrincipal": root(here).ARN, "Operations": []string{"Decrypt"}}},
	} {
		in := members{"KeyId": arn}
		for k, v := range c.in {
			in[k] = v
		}
		w.fails(root(here), c.operation, in, "KMSInvalidStateException", arn+" is pending deletion.")
	}
	w.fails(root(here), "CreateAlias", members{"AliasName": "alias/late", "TargetKeyId": arn},
		"KMSInvalidStateException", "pending deletion")
	w.do(root(here), "GetKeyPolicy", members{"KeyId": arn})
	w.do(root(here), "PutKeyPolicy", members{"KeyId": arn, "Policy": policyText(rootStatement())})
}

func TestTagsAndLists(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	for i := range 7 {
		w.do(root(here), "TagResource",
			members{"KeyId": arn, "Tags": []members{{"TagKey": fmt.Sprintf("tag%d", 6-i), "TagValue": "v"}}})
	}
	w.do(root(here), "TagResource", members{"KeyId": arn, "Tags": []members{{"TagKey": "tag3", "TagValue": "new"}}})
	w.do(root(here), "UntagResource", members{"KeyId": arn, "TagKeys": []string{"tag0", "absent"}})
	var got []string
	in := members{"KeyId": arn, "Limit": 4}
	for {
		out := w.do(root(here), "ListResourceTags", in)
		for _, t := range out["Tags"].([]any) {
			got = append(got, t.(members)["TagKey"].(string)+"="+t.(members)["TagValue"].(string))
		}
		if out["Truncated"] != true {
			break
		}
		in["Marker"] = out["NextMarker"]
	}
	if s := strings.Join(got, " "); s != "tag1=v tag2=v tag3=new tag4=v tag5=v tag6=v" {
		t.Errorf("tags %s", s)
	}
	// ListKeys pages over everything once, other accounts and Regions apart.
	want := map[string]bool{arn: true}
	for range 5 {
		want[w.key(nil)] = true
	}
	w.do(root(abroad), "CreateKey", nil)
	w.doIn("us-east-1", root(here), "CreateKey", nil)
	in = members{"Limit": 2}
	for pages := 1; ; pages++ {
		out := w.do(root(here), "ListKeys", in)
		for _, k := range out["Keys"].([]any) {
			arn := k.(members)["KeyArn"].(string)
			if !want[arn] {
				t.Errorf("%s listed, twice or wrongly", arn)
			}
			delete(want, arn)
		}
		if out["Truncated"] != true {
			if pages != 3 {
				t.Errorf("%d pages", pages)
			}
			break
		}
		in["Marker"] = out["NextMarker"]
	}
	if len(want) > 0 {
		t.Errorf("not listed: %v", want)
	}
	w.fails(root(here), "ListKeys", members{"Marker": "!"}, "InvalidMarkerException", "")
	w.fails(root(here), "ListKeys", members{"Limit": 1001}, "ValidationException", "Value '1001' at 'limit'")
}
