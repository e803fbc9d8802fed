// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// trailOf serves a request and returns what its audit event shows.
func (w *world) trailOf(operation string, in members) request.Trail {
	w.t.Helper()
	c := w.newCall(root(here), operation)
	c.Body, _ = json.Marshal(in)
	if _, err := w.kms.Serve(w.t.Context(), c); err != nil {
		w.t.Fatalf("%s: %v", operation, err)
	}
	return c.Trail
}

// trailCase is a request with the resources in its audit event and parts of its
// parameters and its answer there.
type trailCase struct {
	operation string
	in        members
	resources []string
	shows     []string
}

// checkTrails serves requests one after another.
func (w *world) checkTrails(cases []trailCase) {
	w.t.Helper()
	for _, c := range cases {
		trail := w.trailOf(c.operation, c.in)
		text, err := json.Marshal([]any{trail.RequestParameters, trail.ResponseElements})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, shows := range c.shows {
			if !strings.Contains(string(text), shows) {
				w.t.Errorf("%s: %s does not show %s", c.operation, text, shows)
			}
		}
		var resources []string
		for _, r := range trail.Resources {
			resources = append(resources, r.ARN)
			kind := "AWS::KMS::Key"
			if strings.Contains(r.ARN, ":alias/") {
				kind = "AWS::KMS::Alias"
			}
			if r.AccountID != here || r.Type != kind {
				w.t.Errorf("%s: resource %+v, want account %s and type %s", c.operation, r, here, kind)
			}
		}
		if strings.Join(resources, " ") != strings.Join(c.resources, " ") {
			w.t.Errorf("%s: resources %v, want %v", c.operation, resources, c.resources)
		}
	}
}

// TestTrails: an audit event says what was asked of which keys, and what came of
// it.
func TestTrails(t *testing.T) {
	w := newWorld(t)
	from, to := w.key(nil), w.key(nil)
	blob := w.do(root(here), "Encrypt",
		members{"KeyId": from, "Plaintext": []byte("x"), "EncryptionContext": members{"a": "1"}})["CiphertextBlob"]
	grant := func(name string) string {
		return w.grantOn(from, members{"GranteePrincipal": root(here).ARN, "Operations": []string{"Decrypt"},
			"Name": name})
	}
	first, second := grant("first"), grant("second")
	id := keyIDOf(from)
	w.checkTrails([]trailCase{
		{"ReEncrypt", members{"CiphertextBlob": blob, "SourceEncryptionContext": members{"a": "1"}, "DestinationKeyId": to, "DestinationEncryptionContext": members{"b": "2"}}, []string{from, to},
			[]string{`"sourceEncryptionContext":{"a":"1"}`, `"destinationKeyId":"` + to + `"`,
				`"destinationEncryptionContext":{"b":"2"}`}},
		{"ReEncrypt", members{"CiphertextBlob": blob, "SourceEncryptionContext": members{"a": "1"}, "DestinationKeyId": from, "SourceKeyId": id}, []string{from}, []string{`"sourceKeyId":"` + id + `"`}},
		{"GenerateRandom", members{"NumberOfBytes": 24}, nil, []string{`"numberOfBytes":24`}},
		{"GenerateDataKey", members{"KeyId": from, "KeySpec": "AES_128"}, []string{from}, []string{`"keySpec":"AES_128"`}},
		{"CreateGrant", members{"KeyId": id, "GranteePrincipal": root(here).ARN, "RetiringPrincipal": root(here).ARN, "Operations": []string{"Encrypt"}, "Name": "n", "Constraints": members{"EncryptionContextSubset": members{"a": "1"}}}, []string{from},
			[]string{`"keyId":"` + id + `"`, `"granteePrincipal":"` + root(here).ARN,
				`"retiringPrincipal":"` + root(here).ARN, `"operations":["Encrypt"]`,
				`"constraints":{"EncryptionContextSubset":{"a":"1"}}`, `"name":"n"`, `"grantId":"`}},
		{"ListGrants", members{"KeyId": id}, []string{from}, []string{`"keyId":"` + id + `"`}},
		{"RevokeGrant", members{"KeyId": from, "GrantId": first}, []string{from}, []string{`"grantId":"` + first + `"`}},
		{"RetireGrant", members{"KeyId": from, "GrantId": second}, []string{from}, []string{`"grantId":"` + second + `"`}},
		{"GetKeyPolicy", members{"KeyId": id}, []string{from}, []string{`"keyId":"` + id + `"`, `"policyName":"default"`}},
		{"PutKeyPolicy", members{"KeyId": id, "Policy": policyText(rootStatement())}, []string{from}, []string{`"policy":"`}},
		{"ListKeyPolicies", members{"KeyId": id}, []string{from}, []string{`"keyId":"` + id + `"`}},
		{"ScheduleKeyDeletion", members{"KeyId": id, "PendingWindowInDays": 9}, []string{from}, []string{`"pendingWindowInDays":9`, `"KeyState":"PendingDeletion"`}},
		{"CancelKeyDeletion", members{"KeyId": id}, []string{from}, []string{`"keyId":"` + id + `"`}},
	})
}

// TestTrailsOfKeys is about the operations that make, change and list keys and
// aliases.
func TestTrailsOfKeys(t *testing.T) {
	w := newWorld(t)
	arn, other := w.key(members{"MultiRegion": true}), w.key(nil)
	id, otherID := keyIDOf(arn), keyIDOf(other)
	replica := strings.Replace(arn, region, "us-east-1", 1)
	const alias = "arn:aws:kms:" + region + ":" + here + ":alias/a"
	aliased := []string{`"aliasName":"alias/a"`, `"targetKeyId":"` + otherID + `"`}
	names := []string{`"keyId":"` + id + `"`}
	namesOther := []string{`"keyId":"` + otherID + `"`}
	w.checkTrails([]trailCase{
		{"CreateAlias", members{"AliasName": "alias/a", "TargetKeyId": other}, []string{other, alias}, aliased},
		{"UpdateAlias", members{"AliasName": "alias/a", "TargetKeyId": other}, []string{other, alias}, aliased},
		{"DescribeKey", members{"KeyId": "alias/a"}, []string{other}, []string{`"keyId":"alias/a"`}},
		{"DeleteAlias", members{"AliasName": "alias/a"}, []string{other, alias}, aliased},
		{"TagResource", members{"KeyId": id, "Tags": tagsWith("t", "v")}, []string{arn}, append(names, `"tags":[{"TagKey":"t","TagValue":"v"}]`)},
		{"ListResourceTags", members{"KeyId": id}, []string{arn}, names},
		{"UntagResource", members{"KeyId": id, "TagKeys": []string{"t"}}, []string{arn}, append(names, `"tagKeys":["t"]`)},
		{"UpdateKeyDescription", members{"KeyId": id, "Description": "d"}, []string{arn}, append(names, `"description":"d"`)},
		{"DisableKey", members{"KeyId": id}, []string{arn}, names},
		{"EnableKey", members{"KeyId": id}, []string{arn}, names},
		{"EnableKeyRotation", members{"KeyId": id, "RotationPeriodInDays": 100}, []string{arn}, append(names, `"rotationPeriodInDays":100`)},
		{"GetKeyRotationStatus", members{"KeyId": id}, []string{arn}, names},
		{"DisableKeyRotation", members{"KeyId": otherID}, []string{other}, namesOther},
		{"RotateKeyOnDemand", members{"KeyId": id}, []string{arn}, names},
		{"ListKeyRotations", members{"KeyId": id}, []string{arn}, names},
		{"GetKeyLastUsage", members{"KeyId": id}, []string{arn}, names},
		{"ReplicateKey", members{"KeyId": id, "ReplicaRegion": "us-east-1", "Description": "d", "Policy": policyText(rootStatement()),
			"Tags": tagsWith("t", "v"), "BypassPolicyLockoutSafetyCheck": true}, []string{arn, replica}, append(names,
			`"replicaRegion":"us-east-1"`, `"policy":"{`, `"description":"d"`, `"bypassPolicyLockoutSafetyCheck":true`,
			`"tags":[{"TagKey":"t","TagValue":"v"}]`)},
		{"UpdatePrimaryRegion", members{"KeyId": id, "PrimaryRegion": "us-east-1"}, []string{arn, replica}, append(names, `"primaryRegion":"us-east-1"`)},
	})
	trail := w.trailOf("CreateKey", members{"Description": "d", "Tags": tagsWith("t", "v"), "MultiRegion": true})
	made := trail.ResponseElements.(keyOutput).KeyMetadata
	if made.Description != "d" || len(trail.Resources) != 1 || trail.Resources[0].ARN != made.ARN {
		t.Errorf("CreateKey: %+v", trail)
	}
	text, err := json.Marshal(trail.RequestParameters)
	if want := `{"description":"d","keySpec":"SYMMETRIC_DEFAULT","keyUsage":"ENCRYPT_DECRYPT","origin":"AWS_KMS",` +
		`"multiRegion":true,"bypassPolicyLockoutSafetyCheck":false,"tags":[{"TagKey":"t","TagValue":"v"}]}`; err !=
		nil || string(text) != want {
		t.Errorf("CreateKey: %s, %v, want %s", text, err, want)
	}
}

// TestTrailOfNoConstraints: constraints that constrain nothing are not shown.
func TestTrailOfNoConstraints(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	for _, constraints := range []members{nil, {}, {"EncryptionContextSubset": members{}}, {"SourceArn": ""}} {
		trail := w.trailOf("CreateGrant", members{"KeyId": arn, "GranteePrincipal": root(here).ARN,
			"Operations": []string{"Encrypt"}, "Constraints": constraints})
		text, err := json.Marshal(trail.RequestParameters)
		if err != nil || strings.Contains(string(text), "constraints") {
			t.Errorf("%v: %s, %v", constraints, text, err)
		}
	}
}

// TestTrailsOfUse: an audit event of a use of a key says under which name and for
// what the key was used, whether the request was a dry run or not.
func TestTrailsOfUse(t *testing.T) {
	w := newWorld(t)
	arn, mac := w.key(nil), w.key(hmacKey("HMAC_256"))
	w.do(root(here), "CreateAlias", members{"AliasName": "alias/app", "TargetKeyId": arn})
	blob := w.do(root(here), "Encrypt",
		members{"KeyId": arn, "Plaintext": []byte("x"), "EncryptionContext": members{"a": "1"}})["CiphertextBlob"]
	tag := w.do(root(here), "GenerateMac",
		members{"KeyId": mac, "Message": []byte("x"), "MacAlgorithm": "HMAC_SHA_256"})["Mac"]
	for _, dry := range []bool{false, true} {
		for operation, c := range map[string]struct {
			in    members
			key   string
			shows []string
		}{
			"Encrypt":         {members{"KeyId": "alias/app", "Plaintext": []byte("x"), "EncryptionContext": members{"a": "1"}}, arn, []string{`"keyId":"alias/app"`, `"encryptionAlgorithm":"SYMMETRIC_DEFAULT"`, `"encryptionContext":{"a":"1"}`}},
			"Decrypt":         {members{"KeyId": "alias/app", "CiphertextBlob": blob, "EncryptionContext": members{"a": "1"}}, arn, []string{`"keyId":"alias/app"`, `"encryptionAlgorithm":"SYMMETRIC_DEFAULT"`, `"encryptionContext":{"a":"1"}`}},
			"GenerateDataKey": {members{"KeyId": "alias/app", "NumberOfBytes": 24, "EncryptionContext": members{"a": "1"}}, arn, []string{`"keyId":"alias/app"`, `"numberOfBytes":24`, `"encryptionContext":{"a":"1"}`}},
			"GenerateMac":     {members{"KeyId": mac, "Message": []byte("x"), "MacAlgorithm": "HMAC_SHA_256"}, mac, []string{`"keyId":"` + mac + `"`, `"macAlgorithm":"HMAC_SHA_256"`}},
			"VerifyMac":       {members{"KeyId": mac, "Message": []byte("x"), "MacAlgorithm": "HMAC_SHA_256", "Mac": tag}, mac, []string{`"keyId":"` + mac + `"`, `"macAlgorithm":"HMAC_SHA_256"`}},
			"ReEncrypt":       {members{"SourceKeyId": "alias/app", "CiphertextBlob": blob, "SourceEncryptionContext": members{"a": "1"}, "DestinationKeyId": arn}, arn, []string{`"sourceKeyId":"alias/app"`}},
		} {
			if c.in["DryRun"] = dry; dry {
				c.shows = append(c.shows, `"dryRun":true`)
			}
			call := w.newCall(root(here), operation)
			call.Body, _ = json.Marshal(c.in)
			if _, err := w.kms.Serve(t.Context(), call); (err != nil) != dry {
				t.Errorf("%s: %v", operation, err)
			}
			text, err := json.Marshal(call.Trail.RequestParameters)
			if err != nil {
				t.Fatal(err)
			}
			for _, shows := range c.shows {
				if !strings.Contains(string(text), shows) {
					t.Errorf("%s, dry run %t: %s does not show %s", operation, dry, text, shows)
				}
			}
			if !dry && strings.Contains(string(text), "dryRun") {
				t.Errorf("%s: %s", operation, text)
			}
			if r := call.Trail.Resources; len(r) != 1 || r[0].ARN != c.key {
				t.Errorf("%s, dry run %t: resources %v", operation, dry, r)
			}
		}
	}
}
