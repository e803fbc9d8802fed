// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// Each operation has a permission of its own, and its algorithm is a condition.
func TestPairPermissions(t *testing.T) {
	w := newWorld(t)
	user := w.user(here, "user")
	policyWith := func(actions []string, condition members) string {
		s := statement("Allow", user.ARN, actions...)
		if condition != nil {
			s["Condition"] = condition
		}
		return policyText(rootStatement(), s)
	}
	key := func(spec, usage string, actions []string, condition members) string {
		return w.key(members{"KeySpec": spec, "KeyUsage": usage, "Policy": policyWith(actions, condition)})
	}
	equals := func(name, value string) members { return members{"StringEquals": members{name: value}} }
	other := w.publicKey(w.agreementKey("ECC_NIST_P256"))
	public := key("ECC_NIST_P256", "KEY_AGREEMENT", []string{"kms:GetPublicKey"}, nil)
	w.do(user, "GetPublicKey", members{"KeyId": public})
	w.fails(user, "DeriveSharedSecret", agree(public, other), "AccessDeniedException", "kms:DeriveSharedSecret")
	for condition, allows := range map[string]bool{
		"kms:KeyAgreementAlgorithm=ECDH": true, "kms:KeyAgreementAlgorithm=X": false,
		"kms:KeyUsage=KEY_AGREEMENT": true, "kms:KeyUsage=ENCRYPT_DECRYPT": false,
		"kms:KeySpec=ECC_NIST_P256": true, "kms:KeySpec=RSA_2048": false,
		"kms:KeyOrigin=AWS_KMS": true, "kms:CallerAccount=" + here: true, "kms:CallerAccount=" + abroad: false,
		"kms:MultiRegion=false": true, "kms:EncryptionAlgorithm=SYMMETRIC_DEFAULT": false,
	} {
		name, value, _ := strings.Cut(condition, "=")
		arn := key("ECC_NIST_P256", "KEY_AGREEMENT", []string{"kms:DeriveSharedSecret"}, equals(name, value))
		if _, err := w.try(user, "DeriveSharedSecret", agree(arn, other)); (err == nil) != allows {
			t.Errorf("%s: %v", condition, err)
		}
		w.fails(user, "GetPublicKey", members{"KeyId": arn}, "AccessDeniedException", "kms:GetPublicKey")
	}
	pair := key("RSA_2048", "ENCRYPT_DECRYPT", []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*"},
		equals("kms:EncryptionAlgorithm", oaep256))
	in := func(algorithm string) members {
		return members{"KeyId": pair, "Plaintext": []byte("x"), "EncryptionAlgorithm": algorithm}
	}
	blob := w.do(user, "Encrypt", in(oaep256))["CiphertextBlob"]
	w.fails(user, "Encrypt", in(oaep1), "AccessDeniedException", "kms:Encrypt")
	open := members{"KeyId": pair, "CiphertextBlob": blob, "EncryptionAlgorithm": oaep256}
	w.do(user, "Decrypt", open)
	open["EncryptionAlgorithm"] = oaep1
	w.fails(user, "Decrypt", open, "AccessDeniedException", "kms:Decrypt")
	for _, c := range []struct{ from, to, denied string }{{oaep256, oaep256, ""}, {oaep1, oaep256, "ReEncryptFrom"},
		{oaep256, oaep1, "ReEncryptTo"}} {
		in := members{"CiphertextBlob": blob, "SourceKeyId": pair, "DestinationKeyId": pair,
			"SourceEncryptionAlgorithm": c.from, "DestinationEncryptionAlgorithm": c.to}
		if c.denied == "" {
			w.do(user, "ReEncrypt", in)
			continue
		}
		w.fails(user, "ReEncrypt", in, "AccessDeniedException", "kms:"+c.denied)
	}
}

// Grants hold the operations of the key's usage, and no encryption context.
func TestPairGrants(t *testing.T) {
	w := newWorld(t)
	user := w.user(here, "user")
	pair, agreement, symmetric := w.rsaKey(), w.agreementKey("ECC_NIST_P256"), w.key(nil)
	other := w.publicKey(agreement)
	grant := func(arn string, operations ...string) members {
		return members{"KeyId": arn, "GranteePrincipal": user.ARN, "Operations": operations}
	}
	w.do(root(here), "CreateGrant", grant(agreement, "DeriveSharedSecret", "GetPublicKey", "DescribeKey",
		"CreateGrant", "RetireGrant"))
	w.do(user, "DeriveSharedSecret", agree(agreement, other))
	w.do(user, "GetPublicKey", members{"KeyId": agreement})
	w.do(root(here), "CreateGrant", grant(pair, "Encrypt", "Decrypt", "GetPublicKey", "ReEncryptFrom",
		"ReEncryptTo", "DescribeKey", "CreateGrant", "RetireGrant"))
	blob := w.do(user, "Encrypt", members{"KeyId": pair, "Plaintext": []byte("x"),
		"EncryptionAlgorithm": oaep256})["CiphertextBlob"]
	w.do(user, "Decrypt", members{"KeyId": pair, "CiphertextBlob": blob, "EncryptionAlgorithm": oaep256})
	for arn, operations := range map[string][]string{
		pair:      {"GenerateDataKey", "DeriveSharedSecret", "Sign", "GenerateMac"},
		agreement: {"Encrypt", "Decrypt", "Verify"},
		symmetric: {"GetPublicKey", "DeriveSharedSecret"},
	} {
		for _, operation := range operations {
			w.fails(root(here), "CreateGrant", grant(arn, operation), "ValidationException",
				"Operation "+operation+" is not supported for a grant on a KMS key")
		}
	}
	for _, arn := range []string{pair, agreement} {
		in := grant(arn, "GetPublicKey")
		in["Constraints"] = members{"EncryptionContextSubset": members{"a": "b"}}
		w.fails(root(here), "CreateGrant", in, "ValidationException",
			"EncryptionContext is supported only when creating a grant for a symmetric encryption KMS key.")
	}
}

// The audit has key and algorithms, and no secret, plaintext or public key.
func TestPairTrails(t *testing.T) {
	w := newWorld(t)
	pair, agreement := w.rsaKey(), w.agreementKey("ECC_NIST_P256")
	other := w.publicKey(agreement)
	for _, c := range []struct {
		operation string
		in        members
		want      string
	}{
		{"DeriveSharedSecret", agree(agreement, other),
			fmt.Sprintf(`{"keyId":%q,"keyAgreementAlgorithm":"ECDH"}`, agreement)},
		{"GetPublicKey", members{"KeyId": agreement}, fmt.Sprintf(`{"keyId":%q}`, agreement)},
		{"Encrypt", members{"KeyId": pair, "Plaintext": []byte("x"), "EncryptionAlgorithm": oaep1},
			fmt.Sprintf(`{"keyId":%q,"encryptionAlgorithm":%q}`, pair, oaep1)},
	} {
		body, err := json.Marshal(c.in)
		if err != nil {
			t.Fatal(err)
		}
		call := w.newCall(root(here), c.operation)
		call.Body = body
		if _, err := w.kms.Serve(t.Context(), call); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(call.Trail.RequestParameters)
		if err != nil || string(text) != c.want || len(call.Trail.Resources) != 1 ||
			call.Trail.Resources[0].ARN != c.in["KeyId"] || call.Trail.ResponseElements != nil {
			t.Errorf("%s: %s, %+v, %v", c.operation, text, call.Trail, err)
		}
	}
	call := w.newCall(root(here), "DeriveSharedSecret")
	call.Body, _ = json.Marshal(members{"KeyId": agreement, "KeyAgreementAlgorithm": "ECDH", "PublicKey": other,
		"DryRun": true})
	if _, err := w.kms.Serve(t.Context(), call); err == nil {
		t.Error("a dry run succeeded")
	}
	if text, _ := json.Marshal(call.Trail.RequestParameters); !strings.Contains(string(text), `"dryRun":true`) {
		t.Errorf("a dry run appears as %s", text)
	}
	for _, c := range []struct{ arn, operation string }{{agreement, "DeriveSharedSecret"}, {pair, "Encrypt"}} {
		use := w.do(root(here), "GetKeyLastUsage", members{"KeyId": c.arn})["KeyLastUsage"].(members)
		if use["Operation"] != c.operation {
			t.Errorf("last use of the key for %s: %v", c.operation, use)
		}
	}
}
