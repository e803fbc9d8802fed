// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"encoding/json"
	"errors"
	"maps"
	"testing"
	"time"

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
		"DeriveSharedSecret":  {"KeyId": arn, "KeyAgreementAlgorithm": "ECDH", "PublicKey": []byte("x")},
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

// TestReadsDoNotWait: until something is due, a request that changes nothing does
// not wait for one that does, and what was due is done once.
func TestReadsDoNotWait(t *testing.T) {
	w := newWorld(t)
	doomed, rotating := w.key(nil), w.key(nil)
	reads := func(when string) {
		t.Helper()
		w.kms.writes.Lock()
		defer w.kms.writes.Unlock()
		select {
		case err := <-errorOf(func() error {
			_, err := w.try(root(here), "Encrypt", members{"KeyId": rotating, "Plaintext": []byte("x")})
			return err
		}):
			if err != nil {
				t.Errorf("%s: %v", when, err)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("%s a read waits for the end of a change", when)
		}
	}
	w.restart()
	reads("after a start")
	w.do(root(here), "ScheduleKeyDeletion", members{"KeyId": doomed, "PendingWindowInDays": 7})
	w.do(root(here), "EnableKeyRotation", members{"KeyId": rotating, "RotationPeriodInDays": 90})
	w.advance(7*day - time.Millisecond)
	reads("before the first deadline")
	w.advance(time.Millisecond)
	if _, ok := w.kms.KeyState(doomed); ok {
		t.Error("the key outlives its deadline")
	}
	reads("after the first deadline")
	w.advance(83*day - time.Millisecond)
	reads("before the second deadline")
	w.advance(time.Millisecond)
	if got := w.rotations(rotating); len(got) != 1 {
		t.Errorf("rotations %v", got)
	}
	reads("after the second deadline")
}

// TestEmptyAnswer: an operation without members in its answer answers nothing,
// not null.
func TestEmptyAnswer(t *testing.T) {
	w := newWorld(t)
	c := w.newCall(root(here), "DisableKey")
	c.Body, _ = json.Marshal(members{"KeyId": w.key(nil)})
	if body, err := w.kms.Serve(t.Context(), c); err != nil || len(body) != 0 {
		t.Errorf("%q, %v", body, err)
	}
}
