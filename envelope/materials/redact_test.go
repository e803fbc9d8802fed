// SPDX-License-Identifier: Apache-2.0

package materials

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// TestBranchKeyDoesNotPrint tries every verb on a branch key and on a copy of
// what it points to.
func TestBranchKeyDoesNotPrint(t *testing.T) {
	k := NewBranchKey("tenant", "version", [32]byte([]byte(strings.Repeat("k", 32))))
	for _, v := range []any{k, *k, struct{ K BranchKey }{*k}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
			if text := fmt.Sprintf(verb, v); !strings.Contains(text, "[branch key]") || strings.Contains(text, "107") ||
				strings.Contains(text, "6b6b") {
				t.Errorf("%s of %T prints %s", verb, v, text)
			}
		}
		if text, err := json.Marshal(v); err == nil {
			t.Errorf("%T marshals to %s", v, text)
		}
	}
}

// TestRedacted: every type with secrets prints as a constant, and the error of
// its marshaler says why it fails.
func TestRedacted(t *testing.T) {
	for _, v := range []interface {
		fmt.Formatter
		json.Marshaler
	}{&Encryption{}, &Decryption{}, Recipient{}, BranchKey{}, BeaconKey{}} {
		want := redacted
		switch v.(type) {
		case BranchKey:
			want = "[branch key]"
		case BeaconKey:
			want = redactedBeaconKey
		}
		if got := fmt.Sprint(v); got != want {
			t.Errorf("%T prints as %q", v, got)
		}
		if _, err := v.MarshalJSON(); err == nil {
			t.Errorf("%T marshals to JSON", v)
		}
	}
}

// TestNames: a branch key keeps its names, and a suite has its official one.
func TestNames(t *testing.T) {
	if k := NewBranchKey("tenant", "version", [32]byte{}); k.ID != "tenant" || k.Version != "version" {
		t.Errorf("branch key %q, version %q", k.ID, k.Version)
	}
	for suite, want := range map[AlgorithmSuite]string{
		SuiteSymmetricSignature: "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_SYMSIG_HMAC_SHA384",
		SuiteDigitalSignature:   "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384_SYMSIG_HMAC_SHA384",
		0:                       "AlgorithmSuite(0x0000)",
	} {
		if got := suite.String(); got != want {
			t.Errorf("suite %s, want %s", got, want)
		}
	}
}

// Secrets do not print, and no encoder takes them.
func TestSecretsDoNotShow(t *testing.T) {
	e, err := NewEncryption(SuiteSymmetricSignature, EncryptionContext{"shown": "no"}, nil, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.SetDataKey(secret); err != nil {
		t.Fatal(err)
	}
	d, err := NewDecryption(SuiteSymmetricSignature, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.SetDataKey(secret, secret); err != nil {
		t.Fatal(err)
	}
	branch, part := NewBranchKey("id", "v", [32]byte(secret)), recipient(secret)
	beacon := NewBeaconKey("id", [32]byte(secret))
	nested := struct{ Keys []BranchKey }{[]BranchKey{*branch}}
	for _, v := range []any{e, d, branch, *branch, nested, part, &part, []Recipient{part}, beacon, *beacon} {
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, timeless)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&log, timeless)).Info("m", "v", v)
		text := log.String()
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			text += fmt.Sprintf(verb, v)
		}
		for _, form := range []string{"167", "a7a7", "A7A7", "p6en", "\xa7"} {
			if strings.Contains(text, form) {
				t.Errorf("%T shows its secret: %q", v, text)
			}
		}
		if _, err := json.Marshal(v); err == nil {
			t.Errorf("%T is marshalled to JSON", v)
		}
		if _, err := xml.Marshal(v); err == nil {
			t.Errorf("%T is marshalled to XML", v)
		}
		if err := gob.NewEncoder(&log).Encode(v); err == nil {
			t.Errorf("%T is marshalled by gob", v)
		}
	}
}

// timeless leaves the time out of a log line: its digits may be those of a key.
var timeless = &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}}
