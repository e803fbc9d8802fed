package kms

import (
	"encoding/json"
	"errors"
	"maps"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// TestEveryOperationAsks sends one good request of every operation as a user who
// has no policies: each is denied, and nothing is filed.
func TestEveryOperationAsks(t *testing.T) {
	w := newWorld(t)
	arn := w.key(members{"MultiRegion": true})
	mac := w.key(members{"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"})
	w.do(root(here), "CreateAlias", members{"AliasName": "alias/a", "TargetKeyId": arn})
	granted := w.do(root(here), "CreateGrant", members{"KeyId": arn, "GranteePrincipal": root(here).ARN,
		"Operations": []string{"Decrypt"}})
	policyText, err := json.Marshal(members{"Version": "2012-10-17", "Statement": []members{rootStatement()}})
	if err != nil {
		t.Fatal(err)
	}
	// Members that an operation does not have are not read.
	base := members{
		"KeyId": arn, "AliasName": "alias/a", "TargetKeyId": arn, "Plaintext": []byte("x"),
		"CiphertextBlob": w.encrypt(arn),
		"NumberOfBytes":  16, "Policy": string(policyText), "Tags": []members{{"TagKey": "a", "TagValue": "b"}},
		"TagKeys":     []string{"a"},
		"Description": "x", "PendingWindowInDays": 7, "ReplicaRegion": "us-west-2", "PrimaryRegion": "us-west-2",
		"GrantId": granted["GrantId"], "GranteePrincipal": root(here).ARN, "Operations": []string{"Decrypt"},
		"DestinationKeyId": arn, "SourceKeyId": arn,
	}
	others := map[string]members{
		"GenerateMac":         {"KeyId": mac, "MacAlgorithm": "HMAC_SHA_256", "Message": []byte("x")},
		"VerifyMac":           {"KeyId": mac, "MacAlgorithm": "HMAC_SHA_256", "Message": []byte("x"), "Mac": []byte("x")},
		"CreateKey":           {},
		"ListAliases":         {},
		"ListRetirableGrants": {"RetiringPrincipal": root(here).ARN},
	}
	stranger := w.user(here, "stranger")
	filed := w.filed
	for _, operation := range operations.Names() {
		in := others[operation]
		if in == nil {
			in = maps.Clone(base)
		}
		_, err := w.try(stranger, operation, in)
		var e *request.Error
		if !errors.As(err, &e) || e.Code != "AccessDeniedException" {
			t.Errorf("%s by a stranger: %v", operation, err)
		}
	}
	if w.filed != filed {
		t.Error("a denied operation has filed something")
	}
}
