// SPDX-License-Identifier: Apache-2.0

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
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/envelope/internal/fakekms"
	"github.com/ddbseal/ddbseal/internal/testenv/fresh"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/materials"
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
	id, err := s.CreateKey(t.Context(),
		keystore.CreateKeyInput{BranchKeyID: "tenant", EncryptionContext: map[string]string{"department": "admin"}})
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
		if c.KeyID != kmsKey || c.Context["tablename"] != "logical-keys" || c.Context["hierarchy-version"] != "1" ||
			c.Context["enc"] != "" || !reflect.DeepEqual(c.GrantTokens, []string{"grant"}) {
			t.Errorf("call %+v", c)
		}
		record := want["tenant|"+c.Context["type"]]
		if len(c.Context) != len(record) { // enc goes, tablename comes
			t.Errorf("context %v", c.Context)
		}
	}
	if want := []string{"GenerateDataKeyWithoutPlaintext", "ReEncrypt",
		"GenerateDataKeyWithoutPlaintext"}; !slices.Equal(operations, want) {
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
	if err != nil || version.ID != id || version.Version != active.Version ||
		!bytes.Equal(version.Key(), active.Key()) {
		t.Fatal("the active version is another key", err)
	}
	beacon, err := w.BeaconKey(t.Context(), id)
	if err != nil || bytes.Equal(beacon.Key(), active.Key()) || bytes.Equal(beacon.Key(), make([]byte, 32)) {
		t.Fatal("beacon key", err)
	}
	if s := fmt.Sprintf("%v %+v %s %x", beacon, *beacon, beacon, beacon); strings.Contains(s, "ID") {
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
	_, err := w.CreateKey(t.Context(),
		keystore.CreateKeyInput{BranchKeyID: "tenant", EncryptionContext: map[string]string{"k": "v"}})
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
		"no such id":      func() error { _, err := w.Active(t.Context(), "missing"); return err },
		"empty id":        func() error { _, err := w.Active(t.Context(), ""); return err },
		"no such version": func() error { _, err := w.Version(t.Context(), id, "99999999-9999-4999-8999-999999999999"); return err },
		"odd version":     func() error { _, err := w.Version(t.Context(), id, "ACTIVE"); return err },
		"upper version": func() error {
			_, err := w.Version(t.Context(), id, strings.ToUpper(w.active(t, w, id).Version)+"A")
			return err
		},
		"beacon":   func() error { _, err := w.BeaconKey(t.Context(), "missing"); return err },
		"rotate":   func() error { _, err := w.VersionKey(t.Context(), "missing"); return err },
		"shred":    func() error { return w.Shred(t.Context(), "missing") },
		"versions": func() error { _, err := w.Versions(t.Context(), "missing"); return err },
	} {
		var e *materials.KeyError
		if err := f(); !errors.Is(err, keystore.ErrNotFound) || !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVersionKey(t *testing.T) {
	w := newWorld(t)
	w.tenant(t, "tenant")
	// An attribute that only another client knows is carried along.
	for n, i := range w.table.items {
		if strings.HasPrefix(n, "tenant|branch:ACTIVE") {
			first := w.active(t, w, "tenant")
			clock := func() time.Time { return testTime }
			rotator := w.store(t, keystore.Config{Now: clock})
			calls := len(w.kms.Calls())
			second, err := rotator.VersionKey(t.Context(), "tenant")
			if err != nil || second == first.Version {
				t.Fatal(second, err)
			}
			var operations []string
			for _, c := range w.kms.Calls()[calls:] {
				operations = append(operations, c.Operation)
			}
			if want := []string{"ReEncrypt", "GenerateDataKeyWithoutPlaintext", "ReEncrypt"}; !slices.Equal(operations,
				want) {
				t.Fatalf("calls %v", operations)
			}
			active := w.active(t, w, "tenant")
			if active.Version != second || bytes.Equal(active.Key(), first.Key()) {
				t.Fatal("the new version is not active")
			}
			old, err := w.Version(t.Context(), "tenant", first.Version)
			if err != nil || !bytes.Equal(old.Key(), first.Key()) {
				t.Fatal("the old version is gone", err)
			}
			now := w.table.items[n]
			if text(now["create-time"]) != "S:2026-03-04T05:06:07.089123Z" ||
				text(now["aws-crypto-ec:department"]) != "S:admin" || text(now["kms-arn"]) != text(i["kms-arn"]) {
				t.Fatalf("%v", now)
			}
			versions, err := w.Versions(t.Context(), "tenant")
			if err != nil || len(versions) != 2 {
				t.Fatal(versions, err)
			}
			for _, v := range versions {
				if v.Active != (v.Version == second) || v.KMSKeyARN != kmsKey {
					t.Errorf("%+v", v)
				}
			}
		}
	}
}

// Of rotators that read the same record, one wins; the others fail and change
// nothing.
func TestRotationRace(t *testing.T) {
	w := newWorld(t)
	w.tenant(t, "tenant")
	const rotators = 5
	var reads sync.WaitGroup
	reads.Add(rotators)
	w.table.before = func(operation string) {
		if operation == "TransactWriteItems" {
			reads.Done()
			reads.Wait() // until all have read and re-encrypted
		}
	}
	versions, errs := make([]string, rotators), make([]error, rotators)
	var wg sync.WaitGroup
	for i := range rotators {
		wg.Go(func() { versions[i], errs[i] = w.VersionKey(t.Context(), "tenant") })
	}
	wg.Wait()
	w.table.before = nil
	var won string
	for i, err := range errs {
		switch {
		case err == nil && won == "":
			won = versions[i]
		case err == nil:
			t.Fatal("two rotators won")
		case !errors.Is(err, keystore.ErrConflict):
			t.Errorf("loser: %v", err)
		}
	}
	if active := w.active(t, w, "tenant"); active.Version != won || len(w.table.items) != 4 {
		t.Fatalf("active %s, won %s, %d records", active.Version, won, len(w.table.items))
	}
}

// A client that rotates without our condition overwrites; ours then notices
// and loses nothing.
func TestForeignRotatorOverwrites(t *testing.T) {
	w := newWorld(t)
	w.tenant(t, "tenant")
	first := w.active(t, w, "tenant")
	var once atomic.Bool
	foreign := w.store(t, keystore.Config{})
	w.table.before = func(operation string) {
		if operation == "TransactWriteItems" {
			if once.CompareAndSwap(false, true) {
				if _, err := foreign.VersionKey(t.Context(), "tenant"); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if _, err := w.VersionKey(t.Context(), "tenant"); !errors.Is(err, keystore.ErrConflict) {
		t.Fatalf("%v", err)
	}
	if _, err := w.Version(t.Context(), "tenant", first.Version); err != nil {
		t.Fatal(err)
	}
	if _, err := w.VersionKey(t.Context(), "tenant"); err != nil {
		t.Fatal(err)
	}
}

// Records as other clients may write them: time in milliseconds, attributes
// that we do not know. KMS vouches for them; rotation takes them over.
func TestForeignRecords(t *testing.T) {
	w := newWorld(t)
	const version = "aaaaaaaa-1111-4111-8111-111111111111"
	record := func(id string, keyLength int32) {
		context := map[string]string{
			"branch-key-id": id, "type": "branch:ACTIVE", "version": "branch:version:" + version, "kms-arn": kmsKey,
			"create-time": "2023-06-03T19:03:29.358Z", "hierarchy-version": "1", "aws-crypto-ec:department": "admin",
			"added-by": "a later release", "tablename": "logical-keys",
		}
		out, err := w.kms.Client(west).GenerateDataKey(t.Context(),
			&kms.GenerateDataKeyInput{KeyId: aws.String(kmsKey), NumberOfBytes: aws.Int32(keyLength),
				EncryptionContext: context})
		if err != nil {
			t.Fatal(err)
		}
		i := item{"enc": &types.AttributeValueMemberB{Value: out.CiphertextBlob},
			"hierarchy-version": &types.AttributeValueMemberN{Value: "1"}}
		for k, v := range context {
			if k != "hierarchy-version" && k != "tablename" {
				i[k] = &types.AttributeValueMemberS{Value: v}
			}
		}
		w.table.items[name(i)] = i
	}
	record("foreign", 32)
	if key := w.active(t, w, "foreign"); key.Version != version {
		t.Fatal(key.Version)
	}
	if _, err := w.VersionKey(t.Context(), "foreign"); err != nil {
		t.Fatal(err)
	}
	for n, i := range w.table.items {
		if text(i["added-by"]) != "S:a later release" || text(i["aws-crypto-ec:department"]) != "S:admin" {
			t.Errorf("%s lost an attribute: %v", n, i)
		}
	}
	w.active(t, w, "foreign")
	record("short", 16)
	if _, err := w.Active(t.Context(), "short"); !errors.Is(err, keystore.ErrInvalidRecord) {
		t.Fatal(err)
	}
}

func TestTransactionOutcomes(t *testing.T) {
	cancelled := func(codes ...string) error {
		e := &types.TransactionCanceledException{}
		for _, c := range codes {
			e.CancellationReasons = append(e.CancellationReasons, types.CancellationReason{Code: aws.String(c)})
		}
		return e
	}
	w := newWorld(t)
	w.tenant(t, "tenant")
	for _, c := range []struct {
		err            error
		create, rotate error
	}{
		{cancelled("None", "ConditionalCheckFailed"), keystore.ErrExists, keystore.ErrConflict},
		{cancelled("TransactionConflict", "None"), keystore.ErrConflict, keystore.ErrConflict},
		{cancelled("TransactionConflict", "ConditionalCheckFailed"), keystore.ErrExists, keystore.ErrConflict},
		{cancelled("None", "ThrottlingError"), keystore.ErrUnavailable, keystore.ErrUnavailable},
		{cancelled("ProvisionedThroughputExceeded", "None"), keystore.ErrUnavailable, keystore.ErrUnavailable},
	} {
		w.table.fault = func(operation string) error {
			if operation == "TransactWriteItems" {
				return c.err
			}
			return nil
		}
		if _, err := w.CreateKey(t.Context(), keystore.CreateKeyInput{}); !errors.Is(err, c.create) {
			t.Errorf("create: %v", err)
		}
		if _, err := w.VersionKey(t.Context(), "tenant"); !errors.Is(err, c.rotate) {
			t.Errorf("rotate: %v", err)
		}
	}
	w.table.fault = func(operation string) error { return cancelled("ThrottlingError") }
	if err := w.Shred(t.Context(), "tenant"); err == nil || errors.Is(err, keystore.ErrConflict) {
		t.Errorf("%v", err)
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
		for name, v := range map[string]string{"store": s.Info().ID, "branch key": id, "first version": first,
			"second version": second} {
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

func (c *misnaming) GenerateDataKeyWithoutPlaintext(ctx context.Context, in *kms.GenerateDataKeyWithoutPlaintextInput,
	o ...func(*kms.Options)) (*kms.GenerateDataKeyWithoutPlaintextOutput, error) {
	out, err := c.Client.GenerateDataKeyWithoutPlaintext(ctx, in, o...)
	if err == nil {
		out.KeyId = named(out.KeyId, c.generated)
	}
	return out, err
}

func (c *misnaming) ReEncrypt(ctx context.Context, in *kms.ReEncryptInput,
	o ...func(*kms.Options)) (*kms.ReEncryptOutput, error) {
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
			"CreateKey":  errOf(s.CreateKey(t.Context(), keystore.CreateKeyInput{})),
			"VersionKey": errOf(s.VersionKey(t.Context(), "tenant")),
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
		if id, err := w.CreateKey(t.Context(), keystore.CreateKeyInput{}); !errors.Is(err, failed) || id != "" ||
			len(w.table.items) != 0 || calls != failing {
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
		if _, err := w.CreateKey(t.Context(), c.in); (err == nil) != c.takes || err != nil &&
			!errors.Is(err, materials.ErrConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
