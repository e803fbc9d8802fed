// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// TestGetKeyLastUsage: the last operation that succeeded, of each key. Dry runs,
// refusals and operations without cryptography do not count.
func TestGetKeyLastUsage(t *testing.T) {
	w := newWorld(t)
	w.advance(time.Hour)
	arn, other := w.key(nil), w.key(nil)
	mac := w.key(members{"KeySpec": "HMAC_256", "KeyUsage": usageMAC})
	created := float64(w.clock().Unix())
	usage := func(arn string) members {
		t.Helper()
		out := w.do(root(here), "GetKeyLastUsage", members{"KeyId": arn})
		if out["KeyId"] != keyIDOf(arn) || out["KeyCreationDate"] != created {
			t.Fatal(out)
		}
		return out
	}
	wants := func(arn, operation string, at time.Time) {
		t.Helper()
		last := usage(arn)["KeyLastUsage"].(members)
		if last["Operation"] != operation || last["Timestamp"] != float64(at.Unix()) ||
			last["KmsRequestId"] != "request" {
			t.Errorf("last usage %v, want %s at %v", last, operation, at)
		}
	}
	if out := usage(arn); len(out["KeyLastUsage"].(members)) != 0 || out["TrackingStartDate"] != created {
		t.Errorf("never used: %v", out)
	}
	w.advance(time.Minute)
	first := w.clock()
	blob := w.encrypt(arn)
	wants(arn, "Encrypt", first)
	w.advance(time.Minute)
	w.fails(root(here), "Encrypt", members{"KeyId": arn, "Plaintext": []byte("x"), "DryRun": true},
		"DryRunOperationException", "")
	w.fails(w.user(here, "stranger"), "Decrypt", members{"CiphertextBlob": blob}, "AccessDeniedException", "")
	w.describe(arn)
	wants(arn, "Encrypt", first)
	for _, c := range []struct {
		operation string
		in        members
		key       string
	}{
		{"Decrypt", members{"CiphertextBlob": blob}, arn},
		{"GenerateDataKey", members{"KeyId": arn, "KeySpec": "AES_256"}, arn},
		{"GenerateDataKeyWithoutPlaintext", members{"KeyId": arn, "KeySpec": "AES_256"}, arn},
		{"ReEncrypt", members{"CiphertextBlob": blob, "DestinationKeyId": other}, arn},
		{"GenerateMac", members{"KeyId": mac, "MacAlgorithm": "HMAC_SHA_256", "Message": []byte("x")}, mac},
	} {
		w.advance(time.Minute)
		w.do(root(here), c.operation, c.in)
		wants(c.key, c.operation, w.clock())
		if c.operation == "ReEncrypt" {
			wants(other, "ReEncrypt", w.clock())
		}
	}
	code := members{"KeyId": mac, "MacAlgorithm": "HMAC_SHA_256", "Message": []byte("x")}
	code["Mac"] = decoded(t, w.do(root(here), "GenerateMac", code)["Mac"])
	w.advance(time.Minute)
	w.do(root(here), "VerifyMac", code)
	wants(mac, "VerifyMac", w.clock())

	// A service of this server uses keys like anybody else.
	via := func() *request.Call { return w.newCall(root(here), "GetItem").Via("kms", "Decrypt", dynamo) }
	w.advance(time.Minute)
	if _, err := w.kms.Decrypt(t.Context(), via(), arn, decoded(t, blob), nil); err != nil {
		t.Fatal(err)
	}
	last := w.clock()
	wants(arn, "Decrypt", last)
	w.advance(time.Minute)
	if _, err := w.kms.Decrypt(t.Context(), via(), arn, decoded(t, blob), tableContext); err == nil {
		t.Error("another context opens the ciphertext")
	}
	wants(arn, "Decrypt", last)

	w.do(root(here), "DisableKey", members{"KeyId": other})
	if last := usage(other)["KeyLastUsage"].(members); last["Operation"] != "ReEncrypt" {
		t.Errorf("after a change of the key: %v", last)
	}
	w.fails(root(abroad), "GetKeyLastUsage", members{"KeyId": arn}, "AccessDeniedException", "")

	// What was used before a start is not known after it.
	w.restart()
	out := usage(arn)
	if len(out["KeyLastUsage"].(members)) != 0 || out["TrackingStartDate"] != float64(w.clock().Unix()) {
		t.Errorf("after a restart: %v", out)
	}
}
