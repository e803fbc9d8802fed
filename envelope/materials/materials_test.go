package materials

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
)

var secret = bytes.Repeat([]byte{0xA7}, 32)

func recipient(intermediate []byte) Recipient {
	return Recipient{ProviderID: "p", ProviderInfo: []byte("i"), IntermediateKey: intermediate, WrappedIntermediateKey: []byte("wrapped")}
}

// localKeyring "wraps" by handing out a constant key: enough to see what
// passes.
type localKeyring struct {
	nothing bool
	err     error
	calls   int
}

func (k *localKeyring) OnEncrypt(_ context.Context, m *Encryption) error {
	k.calls++
	if k.err != nil || k.nothing {
		return k.err
	}
	return m.AddRecipient(recipient(secret))
}

func (k *localKeyring) OnDecrypt(_ context.Context, m *Decryption, keys []EncryptedDataKey) error {
	k.calls++
	if k.err != nil || k.nothing {
		return k.err
	}
	return m.Open(secret, keys[0])
}

func newCMM(t *testing.T, k Keyring) CMM {
	t.Helper()
	cmm, err := NewDefaultCMM(k)
	if err != nil {
		t.Fatal(err)
	}
	return cmm
}

func TestMaterialsOpenWhatTheyWrapped(t *testing.T) {
	for _, suite := range []AlgorithmSuite{SuiteSymmetricSignature, SuiteDigitalSignature} {
		cmm := newCMM(t, &localKeyring{})
		m, err := cmm.EncryptionMaterials(t.Context(), EncryptionRequest{Suite: suite, Context: EncryptionContext{"a": "b"}, RequiredKeys: []string{"a"}})
		if err != nil {
			t.Fatal(err)
		}
		if (m.SigningKey() != nil) != suite.Signed() {
			t.Errorf("%v: signing key %v", suite, m.SigningKey() != nil)
		}
		stored := EncryptionContext{}
		if suite.Signed() {
			stored[ContextPublicKey] = m.Context()[ContextPublicKey]
			point, err := base64.StdEncoding.DecodeString(stored[ContextPublicKey])
			if err != nil {
				t.Fatal(err)
			}
			if x, _ := elliptic.UnmarshalCompressed(elliptic.P384(), point); x == nil || x.Cmp(m.SigningKey().X) != 0 {
				t.Error("the public key of the context is not the signing key's")
			}
		}
		r := DecryptionRequest{Suite: suite, Stored: stored, Reproduced: EncryptionContext{"a": "b"}, EncryptedDataKeys: m.EncryptedDataKeys()}
		d, err := cmm.DecryptionMaterials(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(d.DataKey(), m.DataKey()) || !bytes.Equal(d.SymmetricSigningKey(), m.SymmetricSigningKeys()[0]) {
			t.Error("other keys came out")
		}
		if !bytes.Equal(d.SerializedContext(), m.SerializedContext()) {
			t.Error("other contexts")
		}
		if err := d.Open(secret, m.EncryptedDataKeys()[0]); !errors.Is(err, ErrMaterials) {
			t.Errorf("a second data key: %v", err)
		}
		r.Reproduced = EncryptionContext{"a": "c"}
		if _, err := cmm.DecryptionMaterials(t.Context(), r); !errors.Is(err, ErrMaterials) {
			t.Errorf("another context: %v", err)
		}
		r.Stored["a"] = "b"
		if _, err := cmm.DecryptionMaterials(t.Context(), r); !errors.Is(err, ErrMaterials) {
			t.Errorf("contexts that disagree: %v", err)
		}
	}
}

func TestDefaultCMMRefuses(t *testing.T) {
	if _, err := NewDefaultCMM(nil); !errors.Is(err, ErrConfiguration) {
		t.Errorf("no keyring: %v", err)
	}
	own := errors.New("no key today")
	key := EncryptedDataKey{ProviderID: "p", Ciphertext: make([]byte, 60)}
	for name, c := range map[string]struct {
		keyring localKeyring
		r       EncryptionRequest
		d       DecryptionRequest
		class   error
		called  bool
	}{
		"keyring fails":       {localKeyring{err: own}, EncryptionRequest{Suite: SuiteSymmetricSignature}, DecryptionRequest{Suite: SuiteSymmetricSignature, EncryptedDataKeys: []EncryptedDataKey{key}}, own, true},
		"keyring does nought": {localKeyring{nothing: true}, EncryptionRequest{Suite: SuiteSymmetricSignature}, DecryptionRequest{Suite: SuiteSymmetricSignature, EncryptedDataKeys: []EncryptedDataKey{key}}, ErrMaterials, true},
		"unknown suite":       {localKeyring{}, EncryptionRequest{Suite: 1}, DecryptionRequest{Suite: 1, EncryptedDataKeys: []EncryptedDataKey{key}}, ErrConfiguration, false},
		"public key given": {localKeyring{}, EncryptionRequest{Suite: SuiteDigitalSignature, Context: EncryptionContext{ContextPublicKey: "x"}},
			DecryptionRequest{Suite: SuiteDigitalSignature, EncryptedDataKeys: []EncryptedDataKey{key}}, ErrConfiguration, false},
		"long context": {localKeyring{}, EncryptionRequest{Suite: SuiteSymmetricSignature, Context: EncryptionContext{"k": strings.Repeat("v", math.MaxUint16+1)}},
			DecryptionRequest{Suite: SuiteSymmetricSignature, Reproduced: EncryptionContext{strings.Repeat("k", math.MaxUint16+1): ""}, EncryptedDataKeys: []EncryptedDataKey{key}}, ErrConfiguration, false},
		"key limit": {localKeyring{}, EncryptionRequest{Suite: SuiteSymmetricSignature, MaxEncryptedDataKeys: 256},
			DecryptionRequest{Suite: SuiteSymmetricSignature, MaxEncryptedDataKeys: 256, EncryptedDataKeys: []EncryptedDataKey{key}}, ErrConfiguration, false},
	} {
		t.Run(name, func(t *testing.T) {
			k := c.keyring
			cmm := newCMM(t, &k)
			if _, err := cmm.EncryptionMaterials(t.Context(), c.r); !errors.Is(err, c.class) {
				t.Errorf("encryption: got %v, want %v", err, c.class)
			}
			if _, err := cmm.DecryptionMaterials(t.Context(), c.d); !errors.Is(err, c.class) {
				t.Errorf("decryption: got %v, want %v", err, c.class)
			}
			if (k.calls > 0) != c.called {
				t.Errorf("%d calls of the keyring", k.calls)
			}
		})
	}
	k := &localKeyring{}
	for limit, keys := range map[int]int{1: 2, 0: 0, 3: 255} {
		d := DecryptionRequest{Suite: SuiteSymmetricSignature, EncryptedDataKeys: make([]EncryptedDataKey, keys), MaxEncryptedDataKeys: limit}
		if _, err := newCMM(t, k).DecryptionMaterials(t.Context(), d); !errors.Is(err, ErrMaterials) || k.calls > 0 {
			t.Errorf("%d keys of at most %d: %v, %d calls", keys, limit, err, k.calls)
		}
	}
}

func TestRequiredContextCMM(t *testing.T) {
	if _, err := NewRequiredContextCMM(nil, "a"); !errors.Is(err, ErrConfiguration) {
		t.Errorf("nothing to wrap: %v", err)
	}
	inner := newCMM(t, &localKeyring{})
	for _, keys := range [][]string{nil, {""}} {
		if _, err := NewRequiredContextCMM(inner, keys...); !errors.Is(err, ErrConfiguration) {
			t.Errorf("keys %q: %v", keys, err)
		}
	}
	cmm, err := NewRequiredContextCMM(inner, "tenant")
	if err != nil {
		t.Fatal(err)
	}
	r := EncryptionRequest{Suite: SuiteSymmetricSignature, Context: EncryptionContext{"tenant": "t1"}, RequiredKeys: []string{"x"}}
	m, err := cmm.EncryptionMaterials(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(m.RequiredKeys()); got != "[x tenant]" {
		t.Errorf("required are %s", got)
	}
	d := DecryptionRequest{Suite: SuiteSymmetricSignature, Reproduced: EncryptionContext{"tenant": "t1"}, EncryptedDataKeys: m.EncryptedDataKeys()}
	if _, err := cmm.DecryptionMaterials(t.Context(), d); err != nil {
		t.Error(err)
	}
	d.Stored, d.Reproduced = d.Reproduced, nil
	if _, err := cmm.DecryptionMaterials(t.Context(), d); !errors.Is(err, ErrMaterials) {
		t.Errorf("not reproduced: %v", err)
	}
	r.Context = nil
	if _, err := cmm.EncryptionMaterials(t.Context(), r); !errors.Is(err, ErrMaterials) {
		t.Errorf("no pair: %v", err)
	}
}

// carelessCMM changes what passes through it.
type carelessCMM struct {
	CMM
	write func(*EncryptionRequest) bool // false returns nothing
	read  func(*DecryptionRequest) bool
}

func (c carelessCMM) EncryptionMaterials(ctx context.Context, r EncryptionRequest) (*Encryption, error) {
	if !c.write(&r) {
		return nil, nil
	}
	return c.CMM.EncryptionMaterials(ctx, r)
}

func (c carelessCMM) DecryptionMaterials(ctx context.Context, r DecryptionRequest) (*Decryption, error) {
	if !c.read(&r) {
		return nil, nil
	}
	return NewDecryption(r.Suite, r.Reproduced)
}

func TestRequiredContextCMMWatchesTheWrappedOne(t *testing.T) {
	for name, c := range map[string]carelessCMM{
		"nothing": {write: func(*EncryptionRequest) bool { return false }, read: func(*DecryptionRequest) bool { return false }},
		"dropped": {
			write: func(r *EncryptionRequest) bool { r.RequiredKeys = nil; return true },
			read:  func(r *DecryptionRequest) bool { r.Reproduced = nil; return true },
		},
		"dropped in place": {
			write: func(r *EncryptionRequest) bool { clear(r.RequiredKeys); return true },
			read:  func(r *DecryptionRequest) bool { clear(r.Reproduced); return true },
		},
		"changed in place": {
			write: func(r *EncryptionRequest) bool { clear(r.RequiredKeys); return true },
			read:  func(r *DecryptionRequest) bool { r.Reproduced["tenant"] = "t2"; return true },
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.CMM = newCMM(t, &localKeyring{})
			cmm, err := NewRequiredContextCMM(c, "tenant")
			if err != nil {
				t.Fatal(err)
			}
			r := EncryptionRequest{Suite: SuiteSymmetricSignature, Context: EncryptionContext{"tenant": "t1"}, RequiredKeys: []string{"tenant"}}
			if _, err := cmm.EncryptionMaterials(t.Context(), r); !errors.Is(err, ErrMaterials) {
				t.Errorf("writing: %v", err)
			}
			d := DecryptionRequest{Suite: SuiteSymmetricSignature, Reproduced: EncryptionContext{"tenant": "t1"}, EncryptedDataKeys: make([]EncryptedDataKey, 1)}
			if _, err := cmm.DecryptionMaterials(t.Context(), d); !errors.Is(err, ErrMaterials) {
				t.Errorf("reading: %v", err)
			}
		})
	}
}

func TestRecipients(t *testing.T) {
	m, err := NewEncryption(SuiteSymmetricSignature, nil, nil, nil, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Complete(); !errors.Is(err, ErrMaterials) {
		t.Errorf("empty materials: %v", err)
	}
	for name, change := range map[string]func(*Recipient){
		"short key":   func(r *Recipient) { r.IntermediateKey = secret[1:] },
		"no provider": func(r *Recipient) { r.ProviderID = "" },
		"long info":   func(r *Recipient) { r.ProviderInfo = make([]byte, math.MaxUint16+1) },
		"no wrapped":  func(r *Recipient) { r.WrappedIntermediateKey = nil },
		"long wrapped": func(r *Recipient) {
			r.WrappedIntermediateKey = make([]byte, math.MaxUint16-WrappedDataKeyLength+1)
		},
	} {
		r := recipient(secret)
		change(&r)
		if err := m.AddRecipient(r); !errors.Is(err, ErrMaterials) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range 3 {
		if err := m.AddRecipient(recipient(secret)); (err != nil) != (i == 2) {
			t.Errorf("recipient %d: %v", i, err)
		}
	}
	if err := m.SetDataKey(secret); !errors.Is(err, ErrMaterials) {
		t.Errorf("a second data key: %v", err)
	}
	if len(m.EncryptedDataKeys()) != 2 || len(m.SymmetricSigningKeys()) != 2 {
		t.Errorf("%d keys", len(m.EncryptedDataKeys()))
	}
}

func TestSerializedContext(t *testing.T) {
	got, err := EncryptionContext{"b": "2", "a": "", "é": "3"}.AppendSerialized(nil)
	want := "\x00\x03\x00\x01a\x00\x00\x00\x01b\x00\x012\x00\x02\xc3\xa9\x00\x013"
	if err != nil || string(got) != want {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err = EncryptionContext(nil).AppendSerialized([]byte("x")); err != nil || string(got) != "x\x00\x00" {
		t.Errorf("got %q, %v", got, err)
	}
}

// Each item gets a signing key of its own, those too that were drawn ahead.
func TestSigningKeysAreFresh(t *testing.T) {
	keys := newSigningKeys(2)
	var private, public [][]byte
	for range fresh.Draws {
		k, err := keys.next()
		if err != nil {
			t.Fatal(err)
		}
		b, err := k.key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		private, public = append(private, b), append(public, []byte(k.public)[2:66]) // between the sign and the padding
	}
	fresh.Bytes(t, "signing key", private)
	fresh.Bytes(t, "public key", public)
}

func TestDataKeysAreFresh(t *testing.T) {
	var keys [][]byte
	for range fresh.Draws {
		m, err := NewEncryption(SuiteSymmetricSignature, nil, nil, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		// The same intermediate key, so that the data key alone makes the difference.
		if err := m.AddRecipient(recipient(secret)); err != nil {
			t.Fatal(err)
		}
		first := bytes.Clone(m.DataKey())
		if err := m.AddRecipient(recipient(secret)); err != nil || !bytes.Equal(m.DataKey(), first) {
			t.Fatalf("the second recipient has another data key, %v", err)
		}
		keys = append(keys, first)
	}
	fresh.Bytes(t, "data key", keys)
	if len(keys[0]) != DataKeyLength {
		t.Errorf("%d bytes", len(keys[0]))
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
	nested := struct{ Keys []BranchKey }{[]BranchKey{*branch}}
	for _, v := range []any{e, d, branch, *branch, nested, part, &part, []Recipient{part}} {
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

func TestWipe(t *testing.T) {
	m, err := newCMM(t, &localKeyring{}).EncryptionMaterials(t.Context(), EncryptionRequest{Suite: SuiteDigitalSignature})
	if err != nil {
		t.Fatal(err)
	}
	dataKey, signing := m.DataKey(), m.SymmetricSigningKeys()[0]
	m.Wipe()
	m.Wipe()
	(*Encryption)(nil).Wipe()
	(*Decryption)(nil).Wipe()
	for _, k := range [][]byte{dataKey, signing} {
		if len(bytes.Trim(k, "\x00")) != 0 {
			t.Error("a key is still there")
		}
	}
	if m.DataKey() != nil || m.SigningKey() != nil || m.Complete() == nil {
		t.Error("wiped materials are still of use")
	}
}

func TestSuiteAndSigningKeyFit(t *testing.T) {
	key, err := drawSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		suite   AlgorithmSuite
		context EncryptionContext
		key     *ecdsa.PrivateKey
	}{
		{SuiteDigitalSignature, EncryptionContext{ContextPublicKey: key.public}, nil},
		{SuiteDigitalSignature, nil, key.key},
		{SuiteSymmetricSignature, nil, key.key},
		{SuiteSymmetricSignature, EncryptionContext{ContextPublicKey: key.public}, nil},
	} {
		if _, err := NewEncryption(c.suite, c.context, nil, c.key, 0); !errors.Is(err, ErrConfiguration) {
			t.Errorf("%v: %v", c, err)
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
