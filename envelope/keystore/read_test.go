// SPDX-License-Identifier: Apache-2.0

package keystore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/internal/fakekms"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// keeping is a KMS client that may change its answers, and keeps the plaintexts
// in them.
type keeping struct {
	*fakekms.Client
	change func(plaintext []byte) []byte
	kept   [][]byte
}

func (c *keeping) Decrypt(ctx context.Context, in *kms.DecryptInput,
	o ...func(*kms.Options)) (*kms.DecryptOutput, error) {
	out, err := c.Client.Decrypt(ctx, in, o...)
	if err == nil {
		if c.change != nil {
			out.Plaintext = c.change(out.Plaintext)
		}
		c.kept = append(c.kept, out.Plaintext)
	}
	return out, err
}

// An answer with a key of another length or of another key is refused, and no
// plaintext of any answer is left.
func TestAnswersAreCheckedAndWiped(t *testing.T) {
	w := newWorld(t)
	id := w.tenant(t, "tenant")
	version := w.active(t, w, id).Version
	want := bytes.Clone(w.active(t, w, id).Key())
	for name, c := range map[string]struct {
		change func([]byte) []byte
		keyID  string
		class  error
	}{
		"right":       {nil, kmsKey, nil},
		"short":       {func(p []byte) []byte { return p[:31] }, kmsKey, keystore.ErrInvalidRecord},
		"long":        {func(p []byte) []byte { return append(p, 7) }, kmsKey, keystore.ErrInvalidRecord},
		"empty":       {func([]byte) []byte { return nil }, kmsKey, keystore.ErrInvalidRecord},
		"another key": {nil, otherKey, keystore.ErrWrongKMSKey},
		"no key":      {nil, "", keystore.ErrWrongKMSKey},
	} {
		w.kms.Answer = func(string) string { return c.keyID }
		client := &keeping{Client: w.kms.Client(west), change: c.change}
		s := w.store(t, keystore.Config{KMSClient: client})
		active, err1 := s.Active(t.Context(), id)
		old, err2 := s.Version(t.Context(), id, version)
		beacon, err3 := s.BeaconKey(t.Context(), id)
		for i, err := range []error{err1, err2, err3} {
			var e *materials.KeyError
			if !errors.Is(err, c.class) || c.class != nil && (!errors.As(err, &e) || e.KeyID != id) {
				t.Errorf("%s: read %d: %v, want %v", name, i, err, c.class)
			}
		}
		if c.class != nil && (active != nil || old != nil || beacon != nil) {
			t.Errorf("%s: a key came with the error", name)
		}
		if c.class == nil {
			if !bytes.Equal(active.Key(), want) || !bytes.Equal(old.Key(), want) || active.Version != version ||
				old.Version != version || active.ID != id {
				t.Errorf("%s: other keys", name)
			}
			if beacon.ID != id || bytes.Equal(beacon.Key(), want) || bytes.Equal(beacon.Key(), make([]byte, 32)) {
				t.Errorf("%s: another beacon key", name)
			}
		}
		if len(client.kept) != 3 {
			t.Errorf("%s: %d answers", name, len(client.kept))
		}
		for i, p := range client.kept {
			if !bytes.Equal(p, make([]byte, len(p))) {
				t.Errorf("%s: plaintext %d is left: %x", name, i, p)
			}
		}
	}
}

// diverting is a storage that answers with another record than it was asked for.
type diverting struct {
	memoryStorage
	to func(id, kind string) (string, string)
}

func (s *diverting) Get(ctx context.Context, id, kind string) (keystore.Record, error) {
	if s.to != nil {
		id, kind = s.to(id, kind)
	}
	return s.memoryStorage.Get(ctx, id, kind)
}

// A record of another branch key, type or version is authentic, but it is not
// the one asked for. KMS is not asked about it.
func TestStorageThatAnswersAnotherRecord(t *testing.T) {
	w := newWorld(t)
	storage := &diverting{}
	s := w.store(t, keystore.Config{Storage: storage})
	for _, id := range []string{"tenant", "other"} {
		if _, err := s.CreateKey(t.Context(),
			keystore.CreateKeyInput{BranchKeyID: id, EncryptionContext: map[string]string{"k": "v"}}); err != nil {
			t.Fatal(err)
		}
	}
	first := w.active(t, s, "tenant").Version
	second, err := s.VersionKey(t.Context(), "tenant")
	if err != nil {
		t.Fatal(err)
	}
	const active, beacon, version = "branch:ACTIVE", "beacon:ACTIVE", "branch:version:"
	for name, c := range map[string]struct{ id, kind string }{
		"another key": {"other", ""}, "active": {"tenant", active}, "beacon": {"tenant", beacon},
		"first version": {"tenant", version + first}, "second version": {"tenant", version + second},
	} {
		storage.to = func(_, kind string) (string, string) {
			if c.kind == "" {
				return c.id, kind
			}
			return c.id, c.kind
		}
		for kind, read := range map[string]func() error{
			active:             func() error { return errOf(s.Active(t.Context(), "tenant")) },
			beacon:             func() error { return errOf(s.BeaconKey(t.Context(), "tenant")) },
			version + first:    func() error { return errOf(s.Version(t.Context(), "tenant", first)) },
			version + second:   func() error { return errOf(s.Version(t.Context(), "tenant", second)) },
			active + " rotate": func() error { return errOf(s.VersionKey(t.Context(), "tenant")) },
		} {
			if c.kind != "" && strings.HasPrefix(kind, c.kind) || c.kind == "" && strings.HasPrefix(kind, version) {
				continue // what was asked for; versions of the other key are not there
			}
			calls := len(w.kms.Calls())
			if err := read(); !errors.Is(err, keystore.ErrInvalidRecord) || len(w.kms.Calls()) != calls {
				t.Errorf("%s for %s: %v after %d KMS calls", name, kind, err, len(w.kms.Calls())-calls)
			}
		}
	}
}

// A version is a UUID in one form only, in a call and in a record.
func TestVersionsAreCanonical(t *testing.T) {
	w := newWorld(t)
	storage := &memoryStorage{}
	s := w.store(t, keystore.Config{Storage: storage})
	const version = "aaaaaaaa-1111-4111-8111-111111111111"
	for _, other := range []string{
		"", strings.ToUpper(version), strings.ReplaceAll(version, "-", ""), "{" + version + "}", "urn:uuid:" + version,
		version + " ", version[:35], "g" + version[1:],
	} {
		context := map[string]string{
			"branch-key-id": "tenant", "type": "branch:ACTIVE", "version": "branch:version:" + other, "kms-arn": kmsKey,
			"create-time": "2023-06-03T19:03:29.358Z", "hierarchy-version": "1",
		}
		record := keystore.Record{Attributes: context, Wrapped: w.wrap(t, context, 32)}
		storage.records = []keystore.Record{record}
		calls := len(w.kms.Calls())
		if _, err := s.Active(t.Context(), "tenant"); !errors.Is(err, keystore.ErrInvalidRecord) {
			t.Errorf("active of version %q: %v", other, err)
		}
		context["type"] = context["version"]
		delete(context, "version")
		if _, err := s.Version(t.Context(), "tenant", other); !errors.Is(err, keystore.ErrNotFound) {
			t.Errorf("version %q: %v", other, err)
		}
		if _, err := s.Versions(t.Context(), "tenant"); !errors.Is(err, keystore.ErrInvalidRecord) {
			t.Errorf("version %q is listed: %v", other, err)
		}
		if len(w.kms.Calls()) != calls {
			t.Errorf("version %q: KMS was asked", other)
		}
	}
}

// wrap has KMS draw a key for the attributes of a record.
func (w *world) wrap(t testing.TB, attributes map[string]string, bytes int32) []byte {
	t.Helper()
	context := map[string]string{"tablename": "logical-keys"}
	for k, v := range attributes {
		context[k] = v
	}
	out, err := w.kms.Client(west).GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{
		KeyId: aws.String(kmsKey), NumberOfBytes: aws.Int32(bytes), EncryptionContext: context,
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.CiphertextBlob
}

// Each attribute that a record must have is missed, and no record has what it
// must not have.
func TestRecordsAreComplete(t *testing.T) {
	w := newWorld(t)
	storage := &memoryStorage{}
	s := w.store(t, keystore.Config{Storage: storage})
	const version = "branch:version:aaaaaaaa-1111-4111-8111-111111111111"
	for kind, read := range map[string]func() error{
		"branch:ACTIVE": func() error { return errOf(s.Active(t.Context(), "tenant")) },
		"beacon:ACTIVE": func() error { return errOf(s.BeaconKey(t.Context(), "tenant")) },
		version: func() error {
			return errOf(s.Version(t.Context(), "tenant",
				version[len("branch:version:"):]))
		},
	} {
		put := func(change func(map[string]string)) {
			attributes := map[string]string{
				"branch-key-id": "tenant", "type": kind, "kms-arn": kmsKey, "create-time": "2023-06-03T19:03:29.358Z",
				"hierarchy-version": "1",
			}
			if kind == "branch:ACTIVE" {
				attributes["version"] = version
			}
			change(attributes)
			storage.records = []keystore.Record{{Attributes: attributes, Wrapped: w.wrap(t, attributes, 32)}}
		}
		put(func(map[string]string) {})
		if err := read(); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		for name, change := range map[string]func(map[string]string){
			"kms-arn": func(a map[string]string) { delete(a, "kms-arn") }, "create-time": func(a map[string]string) { delete(a, "create-time") },
			"hierarchy-version":  func(a map[string]string) { delete(a, "hierarchy-version") },
			"empty create-time":  func(a map[string]string) { a["create-time"] = "" },
			"hierarchy 2":        func(a map[string]string) { a["hierarchy-version"] = "2" },
			"logical name":       func(a map[string]string) { a["tablename"] = "logical-keys" },
			"version turned":     func(a map[string]string) { turn(a, "version", version) },
			"alias":              func(a map[string]string) { a["kms-arn"] = "alias/x" },
			"hierarchy as empty": func(a map[string]string) { a["hierarchy-version"] = "" },
		} {
			put(change)
			if err := read(); !errors.Is(err, keystore.ErrInvalidRecord) {
				t.Errorf("%s: %s: %v", kind, name, err)
			}
		}
		put(func(map[string]string) {})
		storage.records[0].Wrapped = nil
		if err := read(); !errors.Is(err, keystore.ErrInvalidRecord) {
			t.Errorf("%s: nothing wrapped: %v", kind, err)
		}
	}
}

// turn removes a member, or adds it.
func turn(m map[string]string, name, value string) {
	if _, has := m[name]; has {
		delete(m, name)
	} else {
		m[name] = value
	}
}

// Grant tokens go with every call for a key.
func TestGrantTokensAreSent(t *testing.T) {
	w := newWorld(t)
	s := w.store(t, keystore.Config{GrantTokens: []string{"g"}})
	id, err := s.CreateKey(t.Context(), keystore.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.VersionKey(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	w.active(t, s, id)
	if len(w.kms.Calls()) != 7 {
		t.Errorf("%d calls", len(w.kms.Calls()))
	}
	for _, c := range w.kms.Calls() {
		if len(c.GrantTokens) != 1 || c.GrantTokens[0] != "g" {
			t.Errorf("%s: tokens %q", c.Operation, c.GrantTokens)
		}
	}
}

func TestBeaconKeysAreNotMarshalled(t *testing.T) {
	w := newWorld(t)
	k, err := w.BeaconKey(t.Context(), w.tenant(t, "tenant"))
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(k, *k); text != "[beacon key] [beacon key]" {
		t.Errorf("printed as %s", text)
	}
	for name, marshal := range map[string]func() ([]byte, error){"JSON": k.MarshalJSON, "text": k.MarshalText,
		"gob": k.GobEncode} {
		if b, err := marshal(); err == nil || b != nil {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
}
