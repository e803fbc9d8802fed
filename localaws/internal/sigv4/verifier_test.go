package sigv4

import (
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
