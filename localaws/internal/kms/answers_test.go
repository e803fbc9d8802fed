// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// TestRefusals compares refusals with AWS's, text by text.
func TestRefusals(t *testing.T) {
	w := newWorld(t)
	arn, mac := w.key(nil), w.key(members{"KeySpec": "HMAC_256", "KeyUsage": usageMAC})
	blob := w.encrypt(arn)
	tagged := func(key, value string) members {
		return members{"KeyId": arn, "Tags": []members{{"TagKey": "a", "TagValue": "b"},
			{"TagKey": key, "TagValue": value}}}
	}
	const (
		detected  = "1 validation error detected: "
		incorrect = "The key ID in the request does not identify a CMK that can perform this operation."
		usage     = " key usage is GENERATE_VERIFY_MAC which is not valid for ReEncrypt."
		reserved  = "Tags beginning with aws: are reserved"
		stores    = "CustomKeyStoreId and XksKeyId are not supported by this server: it makes its keys itself."
		noAlias   = "Key Aliases are not supported for this operation."
		missing   = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-4000-8000-000000000000"
	)
	for _, c := range []struct {
		operation  string
		in         members
		code, text string
	}{
		{"Decrypt", members{"KeyId": mac, "CiphertextBlob": blob}, "IncorrectKeyException", incorrect},
		{"Decrypt", members{"KeyId": mac, "CiphertextBlob": []byte("x")}, "IncorrectKeyException", incorrect},
		{"ReEncrypt", members{"SourceKeyId": mac, "DestinationKeyId": arn, "CiphertextBlob": blob}, "IncorrectKeyException", incorrect},
		{"ReEncrypt", members{"DestinationKeyId": mac, "CiphertextBlob": blob}, "InvalidKeyUsageException", mac + usage},
		{"GenerateRandom", members{}, "ValidationException", "NumberOfBytes is required."},
		{"TagResource", tagged("aws:x", ""), "TagException", reserved},
		{"TagResource", tagged("AWS:x", ""), "TagException", reserved},
		{"CreateKey", members{"Tags": []members{{"TagKey": "aws:x", "TagValue": ""}}}, "TagException", reserved},
		{"TagResource", tagged("", "b"), "ValidationException", detected +
			"Value '' at 'tags.2.member.tagKey' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"TagResource", tagged("c", long(257)), "ValidationException", detected +
			"Value '" + long(256) + "…' at 'tags.2.member.tagValue' failed to satisfy constraint: Member must have length less than or equal to 256"},
		{"ReplicateKey", members{"KeyId": arn, "ReplicaRegion": "us-east-1"}, "UnsupportedOperationException", arn + " is not a multi-region primary key."},
		{"UpdatePrimaryRegion", members{"KeyId": arn, "PrimaryRegion": "us-east-1"}, "UnsupportedOperationException", arn + " is not a multi-region primary key."},
		{"GetKeyPolicy", members{"KeyId": arn, "PolicyName": "other"}, "NotFoundException", "No such policy exists"},
		{"Encrypt", members{"KeyId": arn, "Plaintext": []byte("x"), "EncryptionContext": members{"k": long(8192)}},
			"ValidationException", detected +
				"Value at 'encryptionContext' failed to satisfy constraint: Member must have length less than or equal to 8192"},
		{"Encrypt", members{"KeyId": arn, "Plaintext": []byte("x"), "GrantTokens": tokens(11)},
			"ValidationException", detected +
				"Value at 'grantTokens' failed to satisfy constraint: Member must have length less than or equal to 10"},
		{"ReplicateKey", members{"KeyId": arn, "ReplicaRegion": "u"}, "ValidationException", detected +
			`Value 'u' at 'replicaRegion' failed to satisfy constraint: Member must satisfy regular expression pattern: ^([a-z]+-){2,3}\d+$`},
		{"ReplicateKey", members{"KeyId": arn, "ReplicaRegion": "us-" + long(28) + "-1"},
			"ValidationException", detected +
				"Value 'us-" + long(28) + "-1' at 'replicaRegion' failed to satisfy constraint: Member must have length less than or equal to 32"},
		{"ReplicateKey", members{"KeyId": arn, "ReplicaRegion": "us-east-1", "Tags": tagsWith("aws:x", "")}, "TagException", reserved},
		{"CreateKey", members{"KeySpec": specSymmetric, "CustomerMasterKeySpec": "HMAC_256"}, "ValidationException",
			"You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated."},
		{"CreateKey", members{"KeySpec": "HMAC_256"}, "ValidationException",
			"You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."},
		{"CreateKey", members{"KeyUsage": usageMAC}, "ValidationException", "KeyUsage GENERATE_VERIFY_MAC is not compatible with KeySpec SYMMETRIC_DEFAULT"},
		{"CreateKey", members{"CustomKeyStoreId": "cks-1"}, "UnsupportedOperationException", stores},
		{"CreateKey", members{"XksKeyId": "1"}, "UnsupportedOperationException", stores},
		{"CreateKey", members{"Policy": "{}"}, "MalformedPolicyDocumentException", "Syntax errors in policy."},
		{"CreateKey", members{"Tags": append(manyTags(2), manyTags(1)...)}, "TagException", "Duplicate tag keys"},
		{"CreateKey", members{"Tags": manyTags(51)}, "TagException", "Too many tags"},
		{"CreateAlias", members{"AliasName": "alias/a", "TargetKeyId": missing}, "NotFoundException", "Key '" + missing + "' does not exist"},
		{"ListAliases", members{"KeyId": "alias/a"}, "InvalidArnException", noAlias},
		{"RetireGrant", members{"KeyId": "alias/a", "GrantId": "g"}, "InvalidArnException", noAlias},
		{"ListKeyRotations", members{"KeyId": mac}, "UnsupportedOperationException",
			mac + " key usage is GENERATE_VERIFY_MAC which is not valid for ListKeyRotations."},
		{"DisableKeyRotation", members{"KeyId": mac}, "UnsupportedOperationException",
			mac + " key usage is GENERATE_VERIFY_MAC which is not valid for DisableKeyRotation."},
		{"CreateGrant", members{"KeyId": arn, "GranteePrincipal": here, "Operations": []string{"Decrypt"}}, "InvalidArnException",
			"ARN does not refer to a valid principal: " + here},
		{"CreateGrant", members{"KeyId": mac, "GranteePrincipal": root(here).ARN, "Operations": []string{"GenerateMac"},
			"Constraints": members{"EncryptionContextEquals": members{"a": "b"}}}, "ValidationException",
			"EncryptionContext is supported only when creating a grant for a symmetric encryption KMS key."},
	} {
		_, err := w.try(root(here), c.operation, c.in)
		var e *request.Error
		if !errors.As(err, &e) || e.Code != c.code || e.Message != c.text {
			t.Errorf("%s %v:\n got %v\nwant %s: %s", c.operation, c.in, err, c.code, c.text)
		}
	}
	for range maxOnDemand {
		w.do(root(here), "RotateKeyOnDemand", members{"KeyId": arn})
	}
	w.fails(root(here), "RotateKeyOnDemand", members{"KeyId": arn}, "LimitExceededException",
		"The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be "+
			"performed for this key: "+arn)
}

// TestMembers: empty lists are there, keys are named by ARN, and the one policy
// of a key needs no name.
func TestMembers(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	if tags, ok := w.do(root(here), "ListResourceTags", members{"KeyId": arn})["Tags"].([]any); !ok || len(tags) != 0 {
		t.Errorf("tags of a key without any: %v", tags)
	}
	for operation, in := range map[string]members{
		"RotateKeyOnDemand":   {"KeyId": keyIDOf(arn)},
		"ScheduleKeyDeletion": {"KeyId": keyIDOf(w.key(nil)), "PendingWindowInDays": 7},
	} {
		if got, _ := w.do(root(here), operation, in)["KeyId"].(string); !strings.HasSuffix(got,
			":key/"+in["KeyId"].(string)) {
			t.Errorf("%s answers %q", operation, got)
		}
	}
	multi := w.key(members{"MultiRegion": true})
	replica := w.do(root(here), "ReplicateKey", members{"KeyId": multi, "ReplicaRegion": "us-east-1"})
	if tags, ok := replica["ReplicaTags"].([]any); !ok || len(tags) != 0 {
		t.Errorf("tags of a replica without any: %v", replica["ReplicaTags"])
	}
	w.do(root(here), "PutKeyPolicy", members{"KeyId": arn, "Policy": policyText(rootStatement())})
	w.do(root(here), "PutKeyPolicy", members{"KeyId": arn, "PolicyName": "default",
		"Policy": policyText(rootStatement())})
	for _, in := range []members{{"KeyId": arn}, {"KeyId": arn, "PolicyName": "default"}} {
		if out := w.do(root(here), "GetKeyPolicy", in); out["PolicyName"] != "default" ||
			out["Policy"] != policyText(rootStatement()) {
			t.Errorf("GetKeyPolicy %v: %v", in, out)
		}
	}
	_, err := w.try(root(here), "PutKeyPolicy", members{"KeyId": arn, "Policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Maybe","Principal":"*"}]}`})
	var e *request.Error
	if !errors.As(err, &e) || e.Message != "Syntax errors in policy." ||
		e.Hint != "Statement 1: Effect is neither Allow nor Deny" {
		t.Errorf("a broken policy: %v", err)
	}
}

// manyTags returns n tags whose keys differ.
func manyTags(n int) (tags []members) {
	for i := range n {
		tags = append(tags, tagsWith(fmt.Sprint("k", i), "v")...)
	}
	return tags
}
