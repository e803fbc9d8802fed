package kms

import (
	"bytes"
	"testing"
)

// TestPlaintextIsWiped: no copy of a plaintext that this package has made
// outlives its answer, whether the request succeeded or not.
func TestPlaintextIsWiped(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	zero := func(name string, b []byte) {
		t.Helper()
		if !bytes.Equal(b, make([]byte, len(b))) {
			t.Errorf("%s: %q is left", name, b)
		}
	}
	for name, in := range map[string]*encryptInput{
		"encrypted": {KeyID: &arn},
		"dry run":   {KeyID: &arn, DryRun: true},
		"invalid":   {},
		"denied":    {KeyID: &arn},
	} {
		in.Plaintext = []byte("a data key")
		who := root(here)
		if name == "denied" {
			who = w.user(here, "stranger")
		}
		_, err := w.kms.encrypt(t.Context(), w.newCall(who, "Encrypt"), in)
		if (err == nil) != (name == "encrypted") {
			t.Errorf("%s: %v", name, err)
		}
		zero(name, in.Plaintext)
	}
	for _, out := range []any{&decryptOutput{Plaintext: []byte("secret")}, &dataKeyOutput{Plaintext: []byte("secret")},
		&randomOutput{Plaintext: []byte("secret")}} {
		body, err := encode(out)
		if err != nil || !bytes.Contains(body, []byte(`"Plaintext":"c2VjcmV0"`)) {
			t.Fatalf("%s %v", body, err)
		}
		switch x := out.(type) {
		case *decryptOutput:
			zero("decrypt", x.Plaintext)
		case *dataKeyOutput:
			zero("data key", x.Plaintext)
		case *randomOutput:
			zero("random", x.Plaintext)
		}
	}
}
