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

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/envelope/internal/fakekms"
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
	_, err := w.CreateKey(t.Context(), keystore.CreateKeyInput{BranchKeyID: "tenant", EncryptionContext: map[string]string{"k": "v"}})
	var e *materials.KeyError
	if !errors.Is(err, keystore.ErrExists) || !errors.As(err, &e) || e.KeyID != "tenant" {
		t.Fatalf("%v", err)
	}
	if now := w.active(t, w, "tenant"); now.Version != old.Version || len(w.table.items) != 3 {
		t.Fatal("an existing key was touched")
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
			if want := []string{"ReEncrypt", "GenerateDataKeyWithoutPlaintext", "ReEncrypt"}; !slices.Equal(operations, want) {
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
			if text(now["create-time"]) != "S:2026-03-04T05:06:07.089123Z" || text(now["aws-crypto-ec:department"]) != "S:admin" || text(now["kms-arn"]) != text(i["kms-arn"]) {
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

// Each way to alter a record fails with its name and costs no unauthenticated
// key.
func TestAlteredRecords(t *testing.T) {
	str := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	const active = "tenant|branch:ACTIVE"
	for _, c := range []struct {
		name   string
		alter  func(w *world, i item)
		want   error
		called int // KMS calls
	}{
		{"context value", func(_ *world, i item) { i["aws-crypto-ec:department"] = str("finance") }, keystore.ErrNotAuthentic, 1},
		{"context added", func(_ *world, i item) { i["aws-crypto-ec:more"] = str("x") }, keystore.ErrNotAuthentic, 1},
		{"unknown attribute added", func(_ *world, i item) { i["note"] = str("x") }, keystore.ErrNotAuthentic, 1},
		{"context removed", func(_ *world, i item) { delete(i, "aws-crypto-ec:department") }, keystore.ErrNotAuthentic, 1},
		{"create-time", func(_ *world, i item) { i["create-time"] = str("2020-01-01T00:00:00.000000Z") }, keystore.ErrNotAuthentic, 1},
		{"version swapped", func(_ *world, i item) { i["version"] = str("branch:version:99999999-9999-4999-8999-999999999999") }, keystore.ErrNotAuthentic, 1},
		{"enc of another key", func(w *world, i item) { i["enc"] = w.table.items["other|branch:ACTIVE"]["enc"] }, keystore.ErrNotAuthentic, 1},
		{"enc truncated", func(_ *world, i item) {
			b := i["enc"].(*types.AttributeValueMemberB).Value
			i["enc"] = &types.AttributeValueMemberB{Value: b[:len(b)-1]}
		}, keystore.ErrNotAuthentic, 1},
		{"enc empty", func(_ *world, i item) { i["enc"] = &types.AttributeValueMemberB{} }, keystore.ErrInvalidRecord, 0},
		{"enc missing", func(_ *world, i item) { delete(i, "enc") }, keystore.ErrInvalidRecord, 0},
		{"enc as string", func(_ *world, i item) { i["enc"] = str("x") }, keystore.ErrInvalidRecord, 0},
		{"whole other record", func(w *world, i item) { maps.Copy(i, w.table.items["other|branch:ACTIVE"]) }, keystore.ErrInvalidRecord, 0},
		{"kms-arn other", func(_ *world, i item) { i["kms-arn"] = str(otherKey) }, keystore.ErrWrongKMSKey, 0},
		{"kms-arn alias", func(_ *world, i item) { i["kms-arn"] = str("alias/x") }, keystore.ErrInvalidRecord, 0},
		{"kms-arn missing", func(_ *world, i item) { delete(i, "kms-arn") }, keystore.ErrInvalidRecord, 0},
		{"version missing", func(_ *world, i item) { delete(i, "version") }, keystore.ErrInvalidRecord, 0},
		{"version no UUID", func(_ *world, i item) { i["version"] = str("branch:version:1") }, keystore.ErrInvalidRecord, 0},
		{"version prefix", func(_ *world, i item) { i["version"] = str("99999999-9999-4999-8999-999999999999") }, keystore.ErrInvalidRecord, 0},
		{"hierarchy-version missing", func(_ *world, i item) { delete(i, "hierarchy-version") }, keystore.ErrInvalidRecord, 0},
		{"hierarchy-version as string", func(_ *world, i item) { i["hierarchy-version"] = str("1") }, keystore.ErrInvalidRecord, 0},
		{"hierarchy-version 2", func(_ *world, i item) { i["hierarchy-version"] = &types.AttributeValueMemberN{Value: "2"} }, materials.ErrUnsupported, 0},
		{"tablename injected", func(_ *world, i item) { i["tablename"] = str("logical-keys") }, keystore.ErrInvalidRecord, 0},
		{"number attribute", func(_ *world, i item) { i["n"] = &types.AttributeValueMemberN{Value: "1"} }, keystore.ErrInvalidRecord, 0},
		{"map attribute", func(_ *world, i item) { i["m"] = &types.AttributeValueMemberM{} }, keystore.ErrInvalidRecord, 0},
		{"gone", func(w *world, _ item) { delete(w.table.items, active) }, keystore.ErrNotFound, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.tenant(t, "tenant")
			w.tenant(t, "other")
			altered := maps.Clone(w.table.items[active])
			w.table.items[active] = altered
			c.alter(w, altered)
			calls := len(w.kms.Calls())
			_, err := w.Active(t.Context(), "tenant")
			var e *materials.KeyError
			if !errors.Is(err, c.want) || !errors.As(err, &e) || e.KeyID != "tenant" || len(w.kms.Calls())-calls != c.called {
				t.Fatalf("%v after %d KMS calls", err, len(w.kms.Calls())-calls)
			}
			if c.called > 0 && e.Code != "InvalidCiphertextException" {
				t.Errorf("code %q", e.Code)
			}
			if _, err := w.VersionKey(t.Context(), "tenant"); !errors.Is(err, c.want) {
				t.Errorf("rotated: %v", err)
			}
		})
	}
	t.Run("other logical table", func(t *testing.T) {
		w := newWorld(t)
		w.tenant(t, "tenant")
		_, err := w.store(t, keystore.Config{LogicalName: "other"}).Active(t.Context(), "tenant")
		if !errors.Is(err, keystore.ErrNotAuthentic) {
			t.Fatal(err)
		}
	})
	t.Run("version record as another version", func(t *testing.T) {
		w := newWorld(t)
		w.tenant(t, "tenant")
		first := w.active(t, w, "tenant").Version
		second, err := w.VersionKey(t.Context(), "tenant")
		if err != nil {
			t.Fatal(err)
		}
		swapped := maps.Clone(w.table.items["tenant|branch:version:"+first])
		swapped["type"] = str("branch:version:" + second)
		w.table.items["tenant|branch:version:"+second] = swapped
		if _, err := w.Version(t.Context(), "tenant", second); !errors.Is(err, keystore.ErrNotAuthentic) {
			t.Fatal(err)
		}
		swapped["version"] = str("branch:version:" + second)
		if _, err := w.Version(t.Context(), "tenant", second); !errors.Is(err, keystore.ErrInvalidRecord) {
			t.Fatal(err)
		}
	})
}

// Records as other clients may write them: time in milliseconds, attributes
// that we do not know. KMS vouches for them; rotation takes them over.
func TestForeignRecords(t *testing.T) {
	w := newWorld(t)
	const version = "aaaaaaaa-1111-4111-8111-111111111111"
	record := func(id string, keyLength int32) {
		context := map[string]string{
			"branch-key-id": id, "type": "branch:ACTIVE", "version": "branch:version:" + version, "kms-arn": kmsKey,
			"create-time": "2023-06-03T19:03:29.358Z", "hierarchy-version": "1", "aws-crypto-ec:department": "admin", "added-by": "a later release", "tablename": "logical-keys",
		}
		out, err := w.kms.Client(west).GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{KeyId: aws.String(kmsKey), NumberOfBytes: aws.Int32(keyLength), EncryptionContext: context})
		if err != nil {
			t.Fatal(err)
		}
		i := item{"enc": &types.AttributeValueMemberB{Value: out.CiphertextBlob}, "hierarchy-version": &types.AttributeValueMemberN{Value: "1"}}
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

func TestServiceErrors(t *testing.T) {
	denied := &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"}
	for _, c := range []struct {
		name          string
		kms, dynamo   error
		want          error
		code, missing string
	}{
		{"denied", fakekms.Denied("kms:Decrypt"), nil, materials.ErrKeyDenied, "AccessDeniedException", "kms:Decrypt"},
		{"disabled", &kmstypes.DisabledException{}, nil, keystore.ErrKMSKeyUnusable, "DisabledException", ""},
		{"pending deletion", &kmstypes.KMSInvalidStateException{}, nil, keystore.ErrKMSKeyUnusable, "KMSInvalidStateException", ""},
		{"deleted", &kmstypes.NotFoundException{}, nil, keystore.ErrKMSKeyUnusable, "NotFoundException", ""},
		{"throttled", fakekms.Throttled(), nil, keystore.ErrUnavailable, "ThrottlingException", ""},
		{"down", &kmstypes.KMSInternalException{}, nil, keystore.ErrUnavailable, "KMSInternalException", ""},
		{"cancelled", context.Canceled, nil, context.Canceled, "", ""},
		{"table denied", nil, denied, materials.ErrKeyDenied, "AccessDeniedException", "dynamodb:GetItem"},
		{"table throttled", nil, &types.ProvisionedThroughputExceededException{}, keystore.ErrUnavailable, "ProvisionedThroughputExceededException", ""},
		{"no table", nil, &types.ResourceNotFoundException{}, nil, "ResourceNotFoundException", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.tenant(t, "tenant")
			w.kms.Fault = func(context.Context, fakekms.Call) error { return c.kms }
			w.table.fault = func(string) error { return c.dynamo }
			_, err := w.Active(t.Context(), "tenant")
			var e *materials.KeyError
			if !errors.As(err, &e) || e.KeyID != "tenant" || e.Code != c.code || e.Missing != c.missing || c.want != nil && !errors.Is(err, c.want) {
				t.Fatalf("%v", err)
			}
			if c.kms != nil && !strings.Contains(err.Error(), kmsKey) {
				t.Errorf("KMS key not named: %v", err)
			}
			if c.want != materials.ErrKeyDenied && errors.Is(err, materials.ErrKeyDenied) {
				t.Error("looks denied")
			}
		})
	}
}

// Each permission of writing is named when it is the one missing.
func TestMissingPermissions(t *testing.T) {
	for _, c := range []struct{ operation, missing, denied string }{
		{"GenerateDataKeyWithoutPlaintext", "kms:GenerateDataKeyWithoutPlaintext", "kms:GenerateDataKeyWithoutPlaintext"},
		{"ReEncrypt", "kms:ReEncryptFrom", "kms:ReEncryptFrom"},
		{"ReEncrypt", "kms:ReEncryptTo", "kms:ReEncryptTo"},
		{"TransactWriteItems", "dynamodb:PutItem", ""},
	} {
		w := newWorld(t)
		w.tenant(t, "tenant")
		w.kms.Fault = func(_ context.Context, call fakekms.Call) error {
			if call.Operation == c.operation {
				return fakekms.Denied(c.denied)
			}
			return nil
		}
		w.table.fault = func(operation string) error {
			if operation == c.operation {
				return &smithy.GenericAPIError{Code: "AccessDeniedException"}
			}
			return nil
		}
		_, create := w.CreateKey(t.Context(), keystore.CreateKeyInput{})
		_, rotate := w.VersionKey(t.Context(), "tenant")
		for _, err := range []error{create, rotate} {
			var e *materials.KeyError
			if !errors.Is(err, materials.ErrKeyDenied) || !errors.As(err, &e) || e.Missing != c.missing {
				t.Errorf("%s: %v", c.missing, err)
			}
		}
		if len(w.table.items) != 3 {
			t.Errorf("%s: %d records", c.missing, len(w.table.items))
		}
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

func TestKMSConfigurations(t *testing.T) {
	w := newWorld(t)
	type source struct {
		name  string
		store *keystore.KeyStore
		reads map[string]bool
	}
	with := func(c keystore.KMSConfiguration, region string) *keystore.KeyStore {
		return w.store(t, keystore.Config{KMS: c, KMSClient: w.kms.Client(region)})
	}
	writers := map[string]*keystore.KeyStore{
		"single": with(keystore.KMSKey(kmsKey), west),
		"west":   with(keystore.KMSKey(mrkWest), west),
		"east":   with(keystore.MultiRegionKMSKey(mrkEast), east),
	}
	ids := map[string]string{}
	for name, s := range writers {
		id, err := s.CreateKey(t.Context(), keystore.CreateKeyInput{BranchKeyID: name, EncryptionContext: map[string]string{"k": "v"}})
		if err != nil {
			t.Fatal(err)
		}
		ids[name] = id
	}
	for _, s := range []source{
		{"exact", with(keystore.KMSKey(mrkWest), west), map[string]bool{"west": true}},
		{"multi-Region west", with(keystore.MultiRegionKMSKey(mrkWest), west), map[string]bool{"west": true, "east": true}},
		{"multi-Region east", with(keystore.MultiRegionKMSKey(mrkEast), east), map[string]bool{"west": true, "east": true}},
		{"multi-Region of a single-Region key", with(keystore.MultiRegionKMSKey(kmsKey), west), map[string]bool{"single": true}},
		{"discovery", with(keystore.Discovery(), west), map[string]bool{"single": true, "west": true}},
		{"discovery east", with(keystore.Discovery(), east), map[string]bool{"east": true}},
		{"multi-Region discovery", with(keystore.MultiRegionDiscovery(west), west), map[string]bool{"single": true, "west": true, "east": true}},
		{"multi-Region discovery east", with(keystore.MultiRegionDiscovery(east), east), map[string]bool{"west": true, "east": true}},
	} {
		for name, id := range ids {
			key, err := s.store.Active(t.Context(), id)
			if (err == nil) != s.reads[name] {
				t.Errorf("%s reads %s: %v", s.name, name, err)
			}
			if err == nil && !bytes.Equal(key.Key(), w.active(t, writers[name], id).Key()) {
				t.Errorf("%s reads another key", s.name)
			}
		}
		if strings.Contains(s.name, "discovery") {
			for operation, f := range map[string]func() error{
				"create": func() error { _, err := s.store.CreateKey(t.Context(), keystore.CreateKeyInput{}); return err },
				"rotate": func() error { _, err := s.store.VersionKey(t.Context(), "single"); return err },
				"shred":  func() error { return s.store.Shred(t.Context(), "single") },
			} {
				if err := f(); !errors.Is(err, materials.ErrConfiguration) {
					t.Errorf("%s %ss: %v", s.name, operation, err)
				}
			}
		}
	}
	// Rotation through another replica keeps the ARN of the record.
	if _, err := writers["east"].VersionKey(t.Context(), "west"); err != nil {
		t.Fatal(err)
	}
	if arn := text(w.table.items["west|branch:ACTIVE"]["kms-arn"]); arn != "S:"+mrkWest {
		t.Fatalf("the ARN became %s", arn)
	}
	w.active(t, writers["west"], "west")
}

func TestAnswerOfAnotherKey(t *testing.T) {
	w := newWorld(t)
	w.tenant(t, "tenant")
	w.kms.Answer = func(string) string { return otherKey }
	if _, err := w.Active(t.Context(), "tenant"); !errors.Is(err, keystore.ErrWrongKMSKey) {
		t.Error(err)
	}
	if _, err := w.CreateKey(t.Context(), keystore.CreateKeyInput{}); !errors.Is(err, keystore.ErrWrongKMSKey) {
		t.Error(err)
	}
	if _, err := w.VersionKey(t.Context(), "tenant"); !errors.Is(err, keystore.ErrWrongKMSKey) {
		t.Error(err)
	}
}

func TestConfigurationErrors(t *testing.T) {
	w := newWorld(t)
	good := keystore.Config{LogicalName: "l", KMS: keystore.KMSKey(kmsKey), KMSClient: w.kms.Client(west), DynamoDB: w.table, TableName: "keys"}
	for name, f := range map[string]func(*keystore.Config){
		"logical name": func(c *keystore.Config) { c.LogicalName = "" },
		"UTF-8":        func(c *keystore.Config) { c.LogicalName = "\xff" },
		"KMS":          func(c *keystore.Config) { c.KMS = keystore.KMSConfiguration{} },
		"alias":        func(c *keystore.Config) { c.KMS = keystore.KMSKey("alias/keys") },
		"alias ARN": func(c *keystore.Config) {
			c.KMS = keystore.MultiRegionKMSKey("arn:aws:kms:us-west-2:111122223333:alias/keys")
		},
		"bare id":  func(c *keystore.Config) { c.KMS = keystore.KMSKey("11111111-1111-4111-8111-111111111111") },
		"region":   func(c *keystore.Config) { c.KMS = keystore.MultiRegionDiscovery("") },
		"client":   func(c *keystore.Config) { c.KMSClient = nil },
		"table":    func(c *keystore.Config) { c.TableName = "" },
		"DynamoDB": func(c *keystore.Config) { c.DynamoDB = nil },
		"both":     func(c *keystore.Config) { c.Storage = &memoryStorage{} },
		"grants":   func(c *keystore.Config) { c.GrantTokens = make([]string, 11) },
	} {
		c := good
		f(&c)
		if _, err := keystore.New(c); !errors.Is(err, materials.ErrConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s, err := keystore.New(good)
	if err != nil {
		t.Fatal(err)
	}
	if i := s.Info(); i.TableName != "keys" || i.LogicalName != "l" || len(i.ID) != 36 || i.KMS.String() != "KMS key "+kmsKey {
		t.Errorf("%+v", i)
	}
}

func TestCreateTable(t *testing.T) {
	w := newWorld(t)
	w.table.description = nil
	w.table.calls = nil
	for range 2 { // idempotent
		arn, err := w.CreateTable(t.Context())
		if err != nil || !strings.HasSuffix(arn, ":table/keys") {
			t.Fatal(arn, err)
		}
	}
	if w.table.count("CreateTable") != 1 {
		t.Fatal("created twice")
	}
	good := *w.table.description
	for name, f := range map[string]func(*types.TableDescription){
		"no sort key": func(d *types.TableDescription) { d.KeySchema = d.KeySchema[:1] },
		"other name": func(d *types.TableDescription) {
			d.KeySchema = []types.KeySchemaElement{d.KeySchema[0], {AttributeName: aws.String("kind"), KeyType: types.KeyTypeRange}}
		},
		"swapped": func(d *types.TableDescription) {
			d.KeySchema = []types.KeySchemaElement{{AttributeName: aws.String("type"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("branch-key-id"), KeyType: types.KeyTypeRange}}
		},
		"number": func(d *types.TableDescription) {
			d.AttributeDefinitions = []types.AttributeDefinition{d.AttributeDefinitions[0], {AttributeName: aws.String("type"), AttributeType: "N"}}
		},
	} {
		d := good
		f(&d)
		w.table.description = &d
		if _, err := w.CreateTable(t.Context()); !errors.Is(err, keystore.ErrWrongTable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.table.description = nil
	w.table.fault = func(operation string) error {
		if operation == "CreateTable" {
			return &types.ResourceInUseException{} // another process is faster
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := w.CreateTable(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	w.table.fault = func(string) error { return &smithy.GenericAPIError{Code: "AccessDeniedException"} }
	var e *materials.KeyError
	if _, err := w.CreateTable(t.Context()); !errors.As(err, &e) || e.Missing != "dynamodb:DescribeTable" {
		t.Errorf("%v", err)
	}
	other := w.store(t, keystore.Config{Storage: &memoryStorage{}})
	if _, err := other.CreateTable(t.Context()); !errors.Is(err, materials.ErrUnsupported) {
		t.Errorf("%v", err)
	}
}
