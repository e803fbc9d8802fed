// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
)

// TestDerivedKeys: a derived key is remembered, apart for every secret, date,
// region and service.
func TestDerivedKeys(t *testing.T) {
	v := new(Verifier)
	s := &Signature{Date: "20260301", Region: "us-east-1", Service: "kms"}
	other := []*Signature{
		{Date: "20260302", Region: "us-east-1", Service: "kms"},
		{Date: "20260301", Region: "us-east-2", Service: "kms"},
		{Date: "20260301", Region: "us-east-1", Service: "sts"},
	}
	first := v.key(s, "secret")
	macs := map[[32]byte]bool{first.mac(nil): true, v.key(s, "another").mac(nil): true}
	for _, o := range other {
		macs[v.key(o, "secret").mac(nil)] = true
	}
	if len(macs) != 2+len(other) {
		t.Errorf("%d different keys, want %d", len(macs), 2+len(other))
	}
	if v.key(s, "secret") != first || len(v.keys) != 2+len(other) {
		t.Error("the key is derived again")
	}
	for i := len(v.keys); i < maxKeys; i++ {
		v.key(s, strings.Repeat("x", i))
	}
	if len(v.keys) != maxKeys || v.key(s, "secret") != first {
		t.Errorf("%d keys are remembered", len(v.keys))
	}
}

// TestUnsignedHeaders: no header with AWS's prefix passes without a signature.
func TestUnsignedHeaders(t *testing.T) {
	for name, refused := range map[string]bool{
		"X-Amz-": true, "X-Amz-A": true, "x-amz-target": true, "X-AMZ-META": true, "X-Amz": false,
		"X-Amzn-Trace": false, "X": false, "Amz-Sdk-Request": false,
	} {
		r := decrypt(t)
		r.Header[name] = []string{"a"}
		if name == "x-amz-target" {
			delete(r.Header, "X-Amz-Target")
		}
		err := check(r, now, "kms", signer.SecretAccessKey)
		if (err != nil) != refused || refused && kindOf(err) != Mismatch {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestVerifyAnnounced: the body's digest counts, not the body, and everything
// else as for Verify.
func TestVerifyAnnounced(t *testing.T) {
	r := decrypt(t)
	s, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(r.Body)
	payload := hex.EncodeToString(sum[:])
	r.Body = nil
	v := new(Verifier)
	if err := v.VerifyAnnounced(r, s, signer.SecretAccessKey, payload); err != nil {
		t.Errorf("with the body's digest: %v", err)
	}
	if err := v.VerifyAnnounced(r, s, "another", payload); kindOf(err) != Mismatch {
		t.Errorf("under another secret: %v", err)
	}
	empty := sha256.Sum256(nil)
	for _, payload := range []string{"", "UNSIGNED-PAYLOAD", hex.EncodeToString(empty[:]), payload[:63]} {
		if err := v.VerifyAnnounced(r, s, signer.SecretAccessKey, payload); kindOf(err) != Mismatch {
			t.Errorf("with the digest %q: %v", payload, err)
		}
	}
}
