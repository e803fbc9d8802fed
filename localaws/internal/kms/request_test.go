// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// values are values of members of a request, by the name of the member; nil
// stands for a missing member.
type values map[string][]any

// memberCase is an operation with good members, with values beyond their
// constraints, and with values that are just within.
type memberCase struct {
	good        members
	bad, limits values
}

func long(n int) string { return strings.Repeat("x", n) }

// checkMembers gives every member of some operations its bad values and its
// limits. A refusal of a bad value names the member and comes before any
// authorization; a value at a limit is not refused for its length.
func checkMembers(t *testing.T, cases map[string]memberCase) {
	t.Helper()
	w := newWorld(t)
	stranger := w.user(here, "stranger")
	refused := func(operation string, in members) *request.Error {
		var e *request.Error
		_, err := w.try(stranger, operation, in)
		if errors.As(err, &e) && strings.Contains(e.Message, "validation error") {
			return e
		}
		return nil
	}
	for operation, c := range cases {
		if e := refused(operation, c.good); e != nil {
			t.Errorf("%s: good members are refused: %v", operation, e)
		}
		with := func(member string, v any) members {
			in := maps.Clone(c.good)
			if in[member] = v; v == nil {
				delete(in, member)
			}
			return in
		}
		for member, bad := range c.bad {
			path := strings.ToLower(member[:1]) + member[1:]
			for i, v := range bad {
				e := refused(operation, with(member, v))
				if e == nil || e.Code != "ValidationException" || !strings.Contains(e.Message, "'"+path) {
					t.Errorf("%s: bad value %d of %s: %v", operation, i, member, e)
				}
			}
		}
		for member, limits := range c.limits {
			for i, v := range limits {
				if e := refused(operation, with(member, v)); e != nil {
					t.Errorf("%s: limit %d of %s: %v", operation, i, member, e)
				}
			}
		}
	}
}

func tokens(n int) []string { return strings.Split(strings.Repeat("x,", n-1)+"x", ",") }

// What several operations have.
var (
	badKeyID, badMarker = []any{"", long(2049), nil}, []any{"", long(1025)}
	badTokens           = []any{tokens(11), []string{""}, []string{long(8193)}}
	shortAndLongKeyID   = []any{"k", long(2048)}
	shortAndLongMarker  = []any{"m", long(1024)}
	badTags             = []any{tagsWith("", "v"), tagsWith(long(129), "v"), tagsWith("k", long(257)),
		[]members{{"TagKey": "k"}}}
	shortAndLongTags     = []any{tagsWith("k", ""), tagsWith(long(128), long(256))}
	badText, longestText = []any{long(8193)}, []any{"", long(8192)}
)

func tagsWith(key, value string) []members { return []members{{"TagKey": key, "TagValue": value}} }

// TestMembersAreChecked is about the requests for the use of keys, their grants,
// and their policies.
func TestMembersAreChecked(t *testing.T) {
	keyID, grants := badKeyID, badTokens
	context := []any{members{"k": long(8192)}, members{long(8193): ""}, members{"a": long(5000), "b": long(5000)}}
	principal, goodPrincipal := []any{"", long(257)}, []any{"p", long(256)}
	checkMembers(t, map[string]memberCase{
		"Encrypt": {members{"KeyId": "k", "Plaintext": []byte("x")}, values{
			"KeyId": keyID, "GrantTokens": grants, "EncryptionContext": context, "EncryptionAlgorithm": {"AES", ""},
			"Plaintext": {nil, []byte{}, make([]byte, 4097)}},
			values{"KeyId": shortAndLongKeyID, "Plaintext": {make([]byte, 4096)}}},
		"Decrypt": {members{"CiphertextBlob": []byte("x")}, values{
			"KeyId": {"", long(2049)}, "GrantTokens": grants, "EncryptionContext": context, "EncryptionAlgorithm": {"AES"},
			"CiphertextBlob": {nil, []byte{}, make([]byte, 6145)}}, values{"KeyId": shortAndLongKeyID}},
		"ReEncrypt": {members{"CiphertextBlob": []byte("x"), "DestinationKeyId": "k"}, values{
			"DestinationKeyId": keyID, "SourceKeyId": {"", long(2049)},
			"CiphertextBlob": {nil, []byte{}, make([]byte, 6145)}, "GrantTokens": grants,
			"SourceEncryptionAlgorithm": {"AES"}, "DestinationEncryptionAlgorithm": {"AES"},
			"SourceEncryptionContext": context, "DestinationEncryptionContext": context},
			values{"SourceKeyId": shortAndLongKeyID}},
		"GenerateDataKey": {members{"KeyId": "k", "KeySpec": "AES_256"}, values{
			"KeyId": keyID, "GrantTokens": grants, "EncryptionContext": context, "KeySpec": {"AES_192"},
			"NumberOfBytes": {0, -1, 1025}}, values{"NumberOfBytes": {1, 1024}}},
		"GenerateMac": {members{"KeyId": "k", "Message": []byte("x"), "MacAlgorithm": "HMAC_SHA_256"}, values{
			"KeyId": keyID, "GrantTokens": grants, "MacAlgorithm": {nil, "HMAC_MD5"},
			"Message": {nil, []byte{}, make([]byte, 4097)}}, nil},
		"VerifyMac": {members{"KeyId": "k", "Message": []byte("x"), "MacAlgorithm": "HMAC_SHA_256", "Mac": []byte("x")},
			values{"KeyId": keyID, "GrantTokens": grants, "MacAlgorithm": {nil, "HMAC_MD5"}, "Message": {nil, []byte{}},
				"Mac": {nil, []byte{}, make([]byte, 6145)}}, nil},
		"CreateGrant": {members{"KeyId": "k", "Operations": []string{"Decrypt"}, "GranteePrincipal": "p"}, values{
			"KeyId": keyID, "GrantTokens": grants, "Operations": {nil, []string{"Decrypt", "Nonsense"}},
			"GranteePrincipal": principal, "GranteeServicePrincipal": principal, "RetiringPrincipal": principal,
			"RetiringServicePrincipal": principal, "Name": {"", long(257), "a b", "é"}},
			values{"GranteePrincipal": goodPrincipal, "GranteeServicePrincipal": goodPrincipal,
				"RetiringPrincipal": goodPrincipal, "RetiringServicePrincipal": goodPrincipal,
				"Name": {"n", long(256), "azAZ09:/_-"}}},
		"ListGrants": {members{"KeyId": "k"}, values{
			"KeyId": keyID, "Limit": {0, 101}, "Marker": badMarker, "GrantId": {"", long(129)},
			"GranteePrincipal": principal, "GranteeServicePrincipal": principal},
			values{"Limit": {1, 100}, "Marker": shortAndLongMarker, "GrantId": {"g", long(128)},
				"GranteePrincipal": goodPrincipal, "GranteeServicePrincipal": goodPrincipal}},
		"ListRetirableGrants": {members{"RetiringPrincipal": "p"}, values{
			"Limit": {0, 101}, "Marker": badMarker, "RetiringPrincipal": {nil, "", long(257)},
			"RetiringServicePrincipal": principal},
			values{"Limit": {1, 100}, "Marker": shortAndLongMarker, "RetiringPrincipal": goodPrincipal,
				"RetiringServicePrincipal": goodPrincipal}},
		"RevokeGrant": {members{"KeyId": "k", "GrantId": "g"}, values{"KeyId": keyID, "GrantId": {nil, "", long(129)}}, nil},
		"RetireGrant": {members{"KeyId": "k", "GrantId": "g"},
			values{"KeyId": {"", long(2049)}, "GrantId": {"", long(129)}, "GrantToken": {"", long(8193)}}, nil},
		"GetKeyPolicy": {members{"KeyId": "k"}, values{"KeyId": keyID, "PolicyName": {"", long(129)}},
			values{"PolicyName": {"p", long(128)}}},
		"PutKeyPolicy": {members{"KeyId": "k", "Policy": "{}"},
			values{"KeyId": keyID, "PolicyName": {"", long(129)}, "Policy": {nil, ""}}, nil},
		"ListKeyPolicies": {members{"KeyId": "k"}, values{"KeyId": keyID, "Limit": {0, 1001}}, values{"Limit": {1, 1000}}},
		"GenerateRandom":  {members{"NumberOfBytes": 1}, values{"NumberOfBytes": {0, 1025}}, values{"NumberOfBytes": {1024}}},
	})
	// At their limits they pass.
	w := newWorld(t)
	arn := w.key(nil)
	w.do(root(here), "Encrypt",
		members{"KeyId": arn, "Plaintext": make([]byte, 4096), "EncryptionContext": members{"k": long(8191)}})
	w.fails(root(here), "Encrypt", members{"KeyId": arn, "Plaintext": []byte("x"), "GrantTokens": tokens(10)},
		"InvalidGrantTokenException", "")
}

// TestMembersOfKeysAreChecked is about the requests that make, change and list
// keys and aliases.
func TestMembersOfKeysAreChecked(t *testing.T) {
	onKey := memberCase{members{"KeyId": "k"}, values{"KeyId": badKeyID}, values{"KeyId": shortAndLongKeyID}}
	aliasName := []any{nil, "", "alias/" + long(251), "alias/a b"}
	ofAlias := memberCase{members{"AliasName": "alias/a", "TargetKeyId": "k"},
		values{"AliasName": aliasName, "TargetKeyId": badKeyID},
		values{"AliasName": {"a", "alias/" + long(250)}, "TargetKeyId": shortAndLongKeyID}}
	checkMembers(t, map[string]memberCase{
		"CreateAlias": ofAlias, "UpdateAlias": ofAlias,
		"DeleteAlias": {members{"AliasName": "alias/a"}, values{"AliasName": aliasName}, values{"AliasName": {"a"}}},
		"ListAliases": {members{}, values{"KeyId": {"", long(2049)}, "Limit": {0, 101}, "Marker": badMarker},
			values{"KeyId": shortAndLongKeyID, "Limit": {1, 100}, "Marker": shortAndLongMarker}},
		"CreateKey": {members{}, values{"KeySpec": {"DES"}, "CustomerMasterKeySpec": {"DES"}, "KeyUsage": {"SIGN"},
			"Origin": {"ELSEWHERE"}, "Description": badText, "Policy": {"", long(131073)}, "Tags": badTags},
			values{"KeySpec": {"ML_DSA_87"}, "CustomerMasterKeySpec": {"SM2"}, "KeyUsage": {"KEY_AGREEMENT"},
				"Origin": {"EXTERNAL_KEY_STORE"}, "Description": longestText, "Policy": {"p", long(131072)},
				"Tags": shortAndLongTags}},
		"DescribeKey": {members{"KeyId": "k"}, values{"KeyId": badKeyID, "GrantTokens": badTokens},
			values{"KeyId": shortAndLongKeyID, "GrantTokens": {tokens(10)}}},
		"UpdateKeyDescription": {members{"KeyId": "k", "Description": "d"},
			values{"KeyId": badKeyID, "Description": {nil, long(8193)}}, values{"Description": longestText}},
		"ListKeys": {members{}, values{"Limit": {0, 1001}, "Marker": badMarker},
			values{"Limit": {1, 1000}, "Marker": shortAndLongMarker}},
		"ReplicateKey": {members{"KeyId": "k", "ReplicaRegion": "us-east-1"},
			values{"KeyId": badKeyID, "ReplicaRegion": {nil, "", long(33)}, "Description": badText,
				"Policy": {"", long(131073)}, "Tags": badTags},
			values{"KeyId": shortAndLongKeyID, "ReplicaRegion": {"us-" + long(27) + "-1"}, "Description": longestText,
				"Policy": {"p", long(131072)}, "Tags": shortAndLongTags}},
		"UpdatePrimaryRegion": {members{"KeyId": "k", "PrimaryRegion": "us-east-1"},
			values{"KeyId": badKeyID, "PrimaryRegion": {nil, "", long(33)}}, values{"PrimaryRegion": {"r", long(32)}}},
		"EnableKeyRotation": {members{"KeyId": "k"}, values{"KeyId": badKeyID, "RotationPeriodInDays": {89, 2561}},
			values{"RotationPeriodInDays": {90, 2560}}},
		"ListKeyRotations": {members{"KeyId": "k"}, values{"KeyId": badKeyID, "Limit": {0, 1001}, "Marker": badMarker,
			"IncludeKeyMaterial": {"ALL"}}, values{"Limit": {1, 1000}, "Marker": shortAndLongMarker,
			"IncludeKeyMaterial": {"ALL_KEY_MATERIAL", "ROTATIONS_ONLY"}}},
		"TagResource": {members{"KeyId": "k", "Tags": tagsWith("k", "v")},
			values{"KeyId": badKeyID, "Tags": append([]any{nil}, badTags...)}, values{"Tags": shortAndLongTags}},
		"UntagResource": {members{"KeyId": "k", "TagKeys": []string{"k"}},
			values{"KeyId": badKeyID, "TagKeys": {nil, []string{"a", ""}, []string{long(129)}}},
			values{"TagKeys": {[]string{"k"}, []string{long(128)}}}},
		"ListResourceTags": {members{"KeyId": "k"}, values{"KeyId": badKeyID, "Limit": {0, 51}, "Marker": badMarker},
			values{"Limit": {1, 50}, "Marker": shortAndLongMarker}},
		"ScheduleKeyDeletion": {members{"KeyId": "k"}, values{"KeyId": badKeyID, "PendingWindowInDays": {6, 31}},
			values{"PendingWindowInDays": {7, 30}}},
		"CancelKeyDeletion": onKey, "DisableKey": onKey, "EnableKey": onKey, "DisableKeyRotation": onKey,
		"RotateKeyOnDemand": onKey, "GetKeyRotationStatus": onKey, "GetKeyLastUsage": onKey,
	})
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
		"DescribeKey": {"KeyId": arn},
		"GenerateMac": {"KeyId": w.key(hmacKey("HMAC_256")), "Message": []byte("x"), "MacAlgorithm": "HMAC_SHA_256"},
	} {
		maps.Copy(in, unknown)
		w.fails(root(here), operation, in, "InvalidGrantTokenException", "")
	}
}
