package kms

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// TestMembersAreChecked gives every member of the requests about use and grants
// of keys a value beyond its constraint. Each is named in the refusal, which
// comes before any authorization.
func TestMembersAreChecked(t *testing.T) {
	w := newWorld(t)
	stranger := w.user(here, "stranger")
	long := func(n int) string { return strings.Repeat("x", n) }
	tokens := func(n int) []string { return strings.Split(strings.Repeat("x,", n-1)+"x", ",") }
	type values map[string][]any
	keyID := []any{"", long(2049), nil}
	grants := []any{tokens(11), []string{""}, []string{long(8193)}}
	context := []any{members{"k": long(8192)}, members{long(8193): ""}, members{"a": long(5000), "b": long(5000)}}
	principal := []any{"", long(257)}
	for operation, c := range map[string]struct {
		good members
		bad  values
	}{
		"Encrypt": {members{"KeyId": "k", "Plaintext": []byte("x")}, values{
			"KeyId": keyID, "GrantTokens": grants, "EncryptionContext": context, "EncryptionAlgorithm": {"AES", ""}, "Plaintext": {nil, []byte{}, make([]byte, 4097)}}},
		"Decrypt": {members{"CiphertextBlob": []byte("x")}, values{
			"KeyId": {"", long(2049)}, "GrantTokens": grants, "EncryptionContext": context, "EncryptionAlgorithm": {"AES"}, "CiphertextBlob": {nil, []byte{}, make([]byte, 6145)}}},
		"ReEncrypt": {members{"CiphertextBlob": []byte("x"), "DestinationKeyId": "k"}, values{
			"DestinationKeyId": keyID, "SourceKeyId": {"", long(2049)},
			"CiphertextBlob": {nil, []byte{}, make([]byte, 6145)}, "GrantTokens": grants,
			"SourceEncryptionAlgorithm": {"AES"}, "DestinationEncryptionAlgorithm": {"AES"}, "SourceEncryptionContext": context, "DestinationEncryptionContext": context}},
		"GenerateDataKey": {members{"KeyId": "k", "KeySpec": "AES_256"}, values{
			"KeyId": keyID, "GrantTokens": grants, "EncryptionContext": context, "KeySpec": {"AES_192"}, "NumberOfBytes": {0, -1, 1025}}},
		"GenerateMac": {members{"KeyId": "k", "Message": []byte("x"), "MacAlgorithm": "HMAC_SHA_256"}, values{
			"KeyId": keyID, "GrantTokens": grants, "MacAlgorithm": {nil, "HMAC_MD5"}, "Message": {nil, []byte{}, make([]byte, 4097)}}},
		"VerifyMac": {members{"KeyId": "k", "Message": []byte("x"), "MacAlgorithm": "HMAC_SHA_256", "Mac": []byte("x")},
			values{
				"KeyId": keyID, "GrantTokens": grants, "MacAlgorithm": {nil, "HMAC_MD5"}, "Message": {nil, []byte{}}, "Mac": {nil, []byte{}, make([]byte, 6145)}}},
		"CreateGrant": {members{"KeyId": "k", "Operations": []string{"Decrypt"}, "GranteePrincipal": "p"}, values{
			"KeyId": keyID, "GrantTokens": grants, "Operations": {nil, []string{"Decrypt", "Nonsense"}},
			"GranteePrincipal":        principal,
			"GranteeServicePrincipal": principal, "RetiringPrincipal": principal, "RetiringServicePrincipal": principal, "Name": {"", long(257), "a b", "é"}}},
		"ListGrants": {members{"KeyId": "k"}, values{
			"KeyId": keyID, "Limit": {0, 101}, "Marker": {"", long(1025)}, "GrantId": {"", long(129)}, "GranteePrincipal": principal, "GranteeServicePrincipal": principal}},
		"ListRetirableGrants": {members{"RetiringPrincipal": "p"}, values{
			"Limit": {0, 101}, "Marker": {"", long(1025)}, "RetiringPrincipal": {nil, "", long(257)}, "RetiringServicePrincipal": principal}},
		"RevokeGrant":         {members{"KeyId": "k", "GrantId": "g"}, values{"KeyId": keyID, "GrantId": {nil, "", long(129)}}},
		"RetireGrant":         {members{"KeyId": "k", "GrantId": "g"}, values{"KeyId": {"", long(2049)}, "GrantId": {"", long(129)}, "GrantToken": {"", long(8193)}}},
		"GetKeyPolicy":        {members{"KeyId": "k"}, values{"KeyId": keyID, "PolicyName": {"", long(129)}}},
		"PutKeyPolicy":        {members{"KeyId": "k", "Policy": "{}"}, values{"KeyId": keyID, "PolicyName": {"", long(129)}, "Policy": {nil, ""}}},
		"ListKeyPolicies":     {members{"KeyId": "k"}, values{"KeyId": keyID, "Limit": {0, 1001}}},
		"ScheduleKeyDeletion": {members{"KeyId": "k"}, values{"KeyId": keyID, "PendingWindowInDays": {6, 31}}},
		"DisableKey":          {members{"KeyId": "k"}, values{"KeyId": keyID}},
		"GenerateRandom":      {members{"NumberOfBytes": 1}, values{"NumberOfBytes": {0, 1025}}},
	} {
		if _, err := w.try(stranger, operation, c.good); err != nil {
			var e *request.Error
			if errors.As(err, &e) && strings.Contains(e.Message, "validation error") {
				t.Errorf("%s: good members are refused: %v", operation, err)
			}
		}
		for member, bad := range c.bad {
			path := strings.ToLower(member[:1]) + member[1:]
			for i, v := range bad {
				in := maps.Clone(c.good)
				if in[member] = v; v == nil {
					delete(in, member)
				}
				_, err := w.try(stranger, operation, in)
				var e *request.Error
				if !errors.As(err, &e) || e.Code != "ValidationException" || !strings.Contains(e.Message, "'"+path) {
					t.Errorf("%s: bad value %d of %s: %v", operation, i, member, err)
				}
			}
		}
	}
	// At their limits they pass.
	arn := w.key(nil)
	w.do(root(here), "Encrypt",
		members{"KeyId": arn, "Plaintext": make([]byte, 4096), "EncryptionContext": members{"k": long(8191)}})
	w.fails(root(here), "Encrypt", members{"KeyId": arn, "Plaintext": []byte("x"), "GrantTokens": tokens(10)},
		"InvalidGrantTokenException", "")
}

// TestUnsupportedMembers: what this server does not do is refused, not ignored.
func TestUnsupportedMembers(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	blob := w.do(root(here), "Encrypt", members{"KeyId": arn, "Plaintext": []byte("x")})["CiphertextBlob"]
	recipient := members{"AttestationDocument": []byte("x")}
	for _, c := range []struct {
		operation string
		in        members
		says      string
	}{
		{"Decrypt", members{"CiphertextBlob": blob, "Recipient": recipient}, "Recipient"},
		{"Decrypt", members{"CiphertextBlob": blob, "DryRunModifiers": []string{"IGNORE_CIPHERTEXT"}}, "DryRunModifiers"},
		{"ReEncrypt", members{"CiphertextBlob": blob, "DestinationKeyId": arn, "DryRunModifiers": []string{"IGNORE_CIPHERTEXT"}}, "DryRunModifiers"},
		{"GenerateDataKey", members{"KeyId": arn, "KeySpec": "AES_256", "Recipient": recipient}, "Recipient"},
		{"GenerateRandom", members{"NumberOfBytes": 1, "Recipient": recipient}, "Recipient"},
		{"GenerateRandom", members{"NumberOfBytes": 1, "CustomKeyStoreId": "cks-1"}, "CustomKeyStoreId"},
	} {
		w.fails(root(here), c.operation, c.in, "UnsupportedOperationException", c.says)
	}
	asymmetric := "RSAES_OAEP_SHA_256"
	w.fails(root(here), "Decrypt", members{"CiphertextBlob": blob, "EncryptionAlgorithm": asymmetric},
		"InvalidKeyUsageException", "incompatible")
	for _, member := range []string{"SourceEncryptionAlgorithm", "DestinationEncryptionAlgorithm"} {
		w.fails(root(here), "ReEncrypt", members{"CiphertextBlob": blob, "DestinationKeyId": arn, member: asymmetric},
			"InvalidKeyUsageException", "incompatible")
		w.do(root(here), "ReEncrypt",
			members{"CiphertextBlob": blob, "DestinationKeyId": arn, member: "SYMMETRIC_DEFAULT"})
	}
	w.do(root(here), "Encrypt",
		members{"KeyId": arn, "Plaintext": []byte("x"), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"})
	w.do(root(here), "Decrypt", members{"CiphertextBlob": blob, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"})
	unknown := members{"GrantTokens": []string{"made up"}}
	for operation, in := range map[string]members{
		"Encrypt": {"KeyId": arn, "Plaintext": []byte("x")}, "Decrypt": {"CiphertextBlob": blob}, "ReEncrypt": {"CiphertextBlob": blob, "DestinationKeyId": arn},
		"GenerateDataKey": {"KeyId": arn, "KeySpec": "AES_256"}, "CreateGrant": {"KeyId": arn, "GranteePrincipal": root(here).ARN, "Operations": []string{"Decrypt"}},
		"GenerateMac": {"KeyId": w.key(hmacKey("HMAC_256")), "Message": []byte("x"), "MacAlgorithm": "HMAC_SHA_256"},
	} {
		maps.Copy(in, unknown)
		w.fails(root(here), operation, in, "InvalidGrantTokenException", "")
	}
}

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
