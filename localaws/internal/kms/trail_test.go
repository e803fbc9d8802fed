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
	for _, c := range []struct {
		operation string
		in        members
		keys      []string
		shows     []string
	}{
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
	} {
		trail := w.trailOf(c.operation, c.in)
		text, err := json.Marshal([]any{trail.RequestParameters, trail.ResponseElements})
		if err != nil {
			t.Fatal(err)
		}
		for _, shows := range c.shows {
			if !strings.Contains(string(text), shows) {
				t.Errorf("%s: %s does not show %s", c.operation, text, shows)
			}
		}
		var keys []string
		for _, r := range trail.Resources {
			keys = append(keys, r.ARN)
		}
		if strings.Join(keys, " ") != strings.Join(c.keys, " ") {
			t.Errorf("%s: keys %v, want %v", c.operation, keys, c.keys)
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
