package keystore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/internal/fakekms"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
)

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

func text(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return "S:" + v.Value
	case *types.AttributeValueMemberN:
		return "N:" + v.Value
	case *types.AttributeValueMemberB:
		return fmt.Sprintf("B:%d", len(v.Value))
	}
	return "?"
}

// The three records of a new key, attribute by attribute, and the contexts
// that KMS saw, are those of the specification.
func TestCreateKeyRecords(t *testing.T) {
	w := newWorld(t)
	s := w.store(t, keystore.Config{Now: func() time.Time { return testTime }, GrantTokens: []string{"grant"}})
	id, err := s.CreateKey(t.Context(), keystore.CreateKeyInput{BranchKeyID: "tenant", EncryptionContext: map[string]string{"department": "admin"}})
	if err != nil || id != "tenant" {
		t.Fatal(id, err)
	}
	var version string
	for n := range w.table.items {
		if v, ok := strings.CutPrefix(n, "tenant|branch:version:"); ok {
			version = v
		}
	}
	if len(version) != 36 || len(w.table.items) != 3 {
		t.Fatalf("%d records, version %q", len(w.table.items), version)
	}
	common := map[string]string{
		"branch-key-id": "S:tenant", "kms-arn": "S:" + kmsKey, "create-time": "S:2026-03-04T05:06:07.089123Z",
		"hierarchy-version": "N:1", "aws-crypto-ec:department": "S:admin", "enc": "B:60",
	}
	with := func(more ...string) map[string]string {
		m := maps.Clone(common)
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = "S:" + more[i+1]
		}
		return m
	}
	want := map[string]map[string]string{
		"tenant|branch:ACTIVE":             with("type", "branch:ACTIVE", "version", "branch:version:"+version),
		"tenant|branch:version:" + version: with("type", "branch:version:"+version),
		"tenant|beacon:ACTIVE":             with("type", "beacon:ACTIVE"),
	}
	for n, i := range w.table.items {
		got := map[string]string{}
		for k, v := range i {
			got[k] = text(v)
		}
		if !maps.Equal(got, want[n]) {
			t.Errorf("%s: %v", n, got)
		}
	}
	var operations []string
	for _, c := range w.kms.Calls() {
		operations = append(operations, c.Operation)
		if c.KeyID != kmsKey || c.Context["tablename"] != "logical-keys" || c.Context["hierarchy-version"] != "1" || c.Context["enc"] != "" || !reflect.DeepEqual(c.GrantTokens, []string{"grant"}) {
			t.Errorf("call %+v", c)
		}
		record := want["tenant|"+c.Context["type"]]
		if len(c.Context) != len(record) { // enc goes, tablename comes
			t.Errorf("context %v", c.Context)
		}
	}
	if want := []string{"GenerateDataKeyWithoutPlaintext", "ReEncrypt", "GenerateDataKeyWithoutPlaintext"}; !slices.Equal(operations, want) {
		t.Errorf("calls %v", operations)
	}
}

func TestCreateAndRead(t *testing.T) {
	w := newWorld(t)
	id, err := w.CreateKey(t.Context(), keystore.CreateKeyInput{})
	if err != nil || len(id) != 36 {
		t.Fatal(id, err)
	}
	before := w.Stats()
	active := w.active(t, w, id)
	if after := w.Stats(); after.KMSCalls != before.KMSCalls+1 || after.StorageCalls != before.StorageCalls+1 {
		t.Fatalf("%+v then %+v", before, after)
	}
	version, err := w.Version(t.Context(), id, active.Version)
	if err != nil || version.ID != id || version.Version != active.Version || !bytes.Equal(version.Key(), active.Key()) {
		t.Fatal("the active version is another key", err)
	}
	beacon, err := w.BeaconKey(t.Context(), id)
	if err != nil || bytes.Equal(beacon.Key(), active.Key()) || bytes.Equal(beacon.Key(), make([]byte, 32)) {
		t.Fatal("beacon key", err)
	}
	if s := fmt.Sprintf("%v %+v %s %x", beacon, *beacon, beacon, beacon); s != "[beacon key] [beacon key] [beacon key] [beacon key]" {
		t.Fatalf("a beacon key prints: %s", s)
	}
	if _, err := beacon.MarshalJSON(); err == nil {
		t.Fatal("a beacon key marshals")
	}
	beacon.Wipe()
	if !bytes.Equal(beacon.Key(), make([]byte, 32)) {
		t.Fatal("not wiped")
	}
}

func TestCreateKeyRefuses(t *testing.T) {
	w := newWorld(t)
	for name, in := range map[string]keystore.CreateKeyInput{
		"own id without context": {BranchKeyID: "tenant"},
		"empty key":              {EncryptionContext: map[string]string{"": "v"}},
		"empty value":            {EncryptionContext: map[string]string{"k": ""}},
		"no UTF-8":               {EncryptionContext: map[string]string{"k": "\xff"}},
		"long id":                {BranchKeyID: strings.Repeat("x", 2049), EncryptionContext: map[string]string{"k": "v"}},
	} {
		if _, err := w.CreateKey(t.Context(), in); !errors.Is(err, materials.ErrConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(w.kms.Calls()) != 0 {
		t.Error("KMS was asked")
	}
	w.tenant(t, "tenant")
	old := w.active(t, w, "tenant")
	_, err := w.CreateKey(t.Context(), keystore.CreateKeyInput{BranchKeyID: "tenant", EncryptionContext: map[string]string{"k": "v"}})
	var e *materials.KeyError
	if !errors.Is(err, keystore.ErrExists) || !errors.As(err, &e) || e.KeyID != "tenant" {
		t.Fatalf("%v", err)
	}
	if now := w.active(t, w, "tenant"); now.Version != old.Version || len(w.table.items) != 3 {
		t.Fatal("an existing key was touched")
	}
}

func TestUnknownKeys(t *testing.T) {
	w := newWorld(t)
	id := w.tenant(t, "tenant")
	for name, f := range map[string]func() error{
		"no such id":      func() error { _, err := w.Active(t.Context(), "nobody"); return err },
		"empty id":        func() error { _, err := w.Active(t.Context(), ""); return err },
		"no such version": func() error { _, err := w.Version(t.Context(), id, "99999999-9999-4999-8999-999999999999"); return err },
		"odd version":     func() error { _, err := w.Version(t.Context(), id, "ACTIVE"); return err },
		"upper version": func() error {
			_, err := w.Version(t.Context(), id, strings.ToUpper(w.active(t, w, id).Version)+"A")
			return err
		},
		"beacon":   func() error { _, err := w.BeaconKey(t.Context(), "nobody"); return err },
		"rotate":   func() error { _, err := w.VersionKey(t.Context(), "nobody"); return err },
		"shred":    func() error { return w.Shred(t.Context(), "nobody") },
		"versions": func() error { _, err := w.Versions(t.Context(), "nobody"); return err },
	} {
		var e *materials.KeyError
		if err := f(); !errors.Is(err, keystore.ErrNotFound) || !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIDsAreFresh(t *testing.T) {
	w := newWorld(t)
	draws := make(map[string][]string)
	for range fresh.Draws {
		s := w.store(t, keystore.Config{})
		id, err := s.CreateKey(t.Context(), keystore.CreateKeyInput{})
		if err != nil {
			t.Fatal(err)
		}
		first := w.active(t, s, id).Version
		second, err := s.VersionKey(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range map[string]string{"store": s.Info().ID, "branch key": id, "first version": first, "second version": second} {
			draws[name] = append(draws[name], v)
			draws["id of any kind"] = append(draws["id of any kind"], v)
		}
	}
	for name, ids := range draws {
		fresh.Text(t, name, fresh.UUID, ids)
	}
}

// misnaming is a KMS client whose answers name other keys than they should.
type misnaming struct {
	*fakekms.Client
	generated, to, from string // empty: the right one
}

func named(right *string, other string) *string {
	if other == "" {
		return right
	}
	return &other
}

func (c *misnaming) GenerateDataKeyWithoutPlaintext(ctx context.Context, in *kms.GenerateDataKeyWithoutPlaintextInput, o ...func(*kms.Options)) (*kms.GenerateDataKeyWithoutPlaintextOutput, error) {
	out, err := c.Client.GenerateDataKeyWithoutPlaintext(ctx, in, o...)
	if err == nil {
		out.KeyId = named(out.KeyId, c.generated)
	}
	return out, err
}

func (c *misnaming) ReEncrypt(ctx context.Context, in *kms.ReEncryptInput, o ...func(*kms.Options)) (*kms.ReEncryptOutput, error) {
	out, err := c.Client.ReEncrypt(ctx, in, o...)
	if err == nil {
		out.KeyId, out.SourceKeyId = named(out.KeyId, c.to), named(out.SourceKeyId, c.from)
	}
	return out, err
}

// Each key that an answer names is checked, and nothing is stored otherwise.
func TestAnswersThatNameAnotherKey(t *testing.T) {
	for name, c := range map[string]misnaming{
		"none": {}, "generated": {generated: otherKey}, "wrapped again": {to: otherKey}, "opened": {from: otherKey}, "both": {to: otherKey, from: otherKey},
	} {
		w := newWorld(t)
		w.tenant(t, "tenant")
		c.Client = w.kms.Client(west)
		s := w.store(t, keystore.Config{KMSClient: &c})
		for operation, err := range map[string]error{
			"CreateKey": errOf(s.CreateKey(t.Context(), keystore.CreateKeyInput{})), "VersionKey": errOf(s.VersionKey(t.Context(), "tenant")),
		} {
			if (name == "none") != (err == nil) || err != nil && !errors.Is(err, keystore.ErrWrongKMSKey) {
				t.Errorf("%s: %s: %v", name, operation, err)
			}
		}
		if stored := len(w.table.items); (stored == 3) != (name != "none") {
			t.Errorf("%s: %d records", name, stored)
		}
	}
}

// A key is created whole or not at all: whichever call fails, nothing is stored.
func TestCreateKeyFailsWhole(t *testing.T) {
	for failing := 1; failing <= 3; failing++ {
		w := newWorld(t)
		failed, calls := errors.New("no network"), 0
		w.kms.Fault = func(context.Context, fakekms.Call) error {
			if calls++; calls == failing {
				return failed
			}
			return nil
		}
		if id, err := w.CreateKey(t.Context(), keystore.CreateKeyInput{}); !errors.Is(err, failed) || id != "" || len(w.table.items) != 0 || calls != failing {
			t.Errorf("call %d failed: %d records after %d calls, %v", failing, len(w.table.items), calls, err)
		}
	}
}

func TestCreateKeyLimits(t *testing.T) {
	w := newWorld(t)
	context := map[string]string{"k": "v"}
	for name, c := range map[string]struct {
		in    keystore.CreateKeyInput
		takes bool
	}{
		"2048 bytes":       {keystore.CreateKeyInput{BranchKeyID: strings.Repeat("x", 2048), EncryptionContext: context}, true},
		"2049 bytes":       {keystore.CreateKeyInput{BranchKeyID: strings.Repeat("x", 2049), EncryptionContext: context}, false},
		"id not UTF-8":     {keystore.CreateKeyInput{BranchKeyID: "\xff", EncryptionContext: context}, false},
		"context, no id":   {keystore.CreateKeyInput{EncryptionContext: context}, true},
		"key not UTF-8":    {keystore.CreateKeyInput{EncryptionContext: map[string]string{"\xff": "v"}}, false},
		"value not UTF-8":  {keystore.CreateKeyInput{EncryptionContext: map[string]string{"k": "\xff"}}, false},
		"one bad of three": {keystore.CreateKeyInput{EncryptionContext: map[string]string{"a": "1", "b": "", "c": "3"}}, false},
	} {
		if _, err := w.CreateKey(t.Context(), c.in); (err == nil) != c.takes || err != nil && !errors.Is(err, materials.ErrConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
