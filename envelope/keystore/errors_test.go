// SPDX-License-Identifier: Apache-2.0

package keystore_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/envelope/internal/fakekms"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

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
		{"another key", &kmstypes.IncorrectKeyException{}, nil, keystore.ErrNotAuthentic, "IncorrectKeyException", ""},
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
			if !errors.As(err, &e) || e.KeyID != "tenant" || e.Code != c.code || e.Missing != c.missing ||
				c.want != nil && !errors.Is(err, c.want) {
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

// TestMissingPermissionOfList: a listing that fails names its permission.
func TestMissingPermissionOfList(t *testing.T) {
	w := newWorld(t)
	w.tenant(t, "tenant")
	w.table.fault = func(string) error { return &smithy.GenericAPIError{Code: "AccessDeniedException"} }
	_, err := w.Versions(t.Context(), "tenant")
	var e *materials.KeyError
	if !errors.Is(err, materials.ErrKeyDenied) || !errors.As(err, &e) || e.Missing != "dynamodb:Query" {
		t.Errorf("error %v", err)
	}
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

// What KMS says that has no name here is passed on without one.
func TestUnknownKMSErrors(t *testing.T) {
	w := newWorld(t)
	w.tenant(t, "tenant")
	odd := &smithy.GenericAPIError{Code: "ValidationException", Message: "odd"}
	w.kms.Fault = func(context.Context, fakekms.Call) error { return odd }
	_, err := w.Active(t.Context(), "tenant")
	for _, not := range []error{keystore.ErrUnavailable, keystore.ErrNotAuthentic, keystore.ErrKMSKeyUnusable,
		materials.ErrKeyDenied} {
		if errors.Is(err, not) {
			t.Errorf("%v is %v", err, not)
		}
	}
	if !errors.Is(err, odd) {
		t.Errorf("%v", err)
	}
}
