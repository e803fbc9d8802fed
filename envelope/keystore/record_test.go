// SPDX-License-Identifier: Apache-2.0

package keystore_test

import (
	"errors"
	"maps"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

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
			if !errors.Is(err, c.want) || !errors.As(err, &e) || e.KeyID != "tenant" ||
				len(w.kms.Calls())-calls != c.called {
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
