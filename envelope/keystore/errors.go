// SPDX-License-Identifier: Apache-2.0

package keystore

import (
	"errors"
	"fmt"

	"github.com/ddbseal/ddbseal/envelope/internal/awserror"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keystore/cache"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Errors of a key store. They come inside a [materials.KeyError] that has the
// branch key id and, if a service was asked, its error code.
var (
	// ErrNotFound means that there is no such branch key or version. It is the same
	// value as keyring.ErrNoBranchKey.
	ErrNotFound = keyring.ErrNoBranchKey
	// ErrExists means that CreateKey found the branch key id in use.
	ErrExists = errors.New("the branch key exists already")
	// ErrConflict means that another process rotated or deleted the branch key at the
	// same time, and this call changed nothing. Read again, then decide whether
	// to rotate once more.
	ErrConflict = errors.New("the branch key was changed by another process")
	// ErrInvalidRecord means that a record lacks a field, has one of another type, or
	// contradicts itself. KMS was not asked.
	ErrInvalidRecord = errors.New("invalid key store record")
	// ErrNotAuthentic means that KMS does not open the wrapped key with the record's
	// attributes: the record was altered, swapped or truncated, or it belongs
	// to a store with another logical name.
	ErrNotAuthentic = errors.New("the key store record is not authentic")
	// ErrWrongKMSKey means that the record names another KMS key than the configured one.
	ErrWrongKMSKey = errors.New("the branch key is wrapped by another KMS key than configured")
	// ErrKMSKeyUnusable means that the KMS key is disabled, pending deletion or gone.
	ErrKMSKeyUnusable = errors.New("the KMS key is disabled, pending deletion or does not exist")
	// ErrUnavailable means that KMS or the table could not be asked: network failure,
	// timeout, throttling, fault of the service. The same value as
	// cache.ErrUnavailable.
	ErrUnavailable = cache.ErrUnavailable
)

// provider names the kind of key in errors, as the hierarchical keyring does.
const provider = "aws-kms-hierarchy"

// kmsError explains a failed KMS call for a branch key.
func kmsError(branchKeyID, kmsKey, permission string, err error) error {
	e := awserror.Key(provider, branchKeyID, permission, err)
	text := fmt.Errorf("AWS KMS key %s: %w", kmsKey, err)
	switch e.Code {
	case "InvalidCiphertextException", "IncorrectKeyException":
		text = fmt.Errorf("%w: %w", ErrNotAuthentic, text)
	case "DisabledException", "KMSInvalidStateException", "NotFoundException":
		text = fmt.Errorf("%w: %w", ErrKMSKeyUnusable, text)
	default:
		if awserror.Unavailable(err) {
			text = fmt.Errorf("%w: %w", ErrUnavailable, text)
		}
	}
	e.Err = text
	return e
}

// tableError explains a failed DynamoDB call.
func tableError(table, branchKeyID, permission string, err error) error {
	e := awserror.Key(provider, branchKeyID, permission, err)
	e.Err = fmt.Errorf("key store table %s: %w", table, err)
	if e.Code == "ResourceNotFoundException" {
		e.Err = fmt.Errorf("key store table %s does not exist; CreateTable creates it: %w", table, err)
	}
	if awserror.Unavailable(err) {
		e.Err = fmt.Errorf("%w: %w", ErrUnavailable, e.Err)
	}
	return e
}

// recordError explains what is wrong with a record, or that there is none.
func recordError(branchKeyID string, err error) error {
	var e *materials.KeyError
	if errors.As(err, &e) {
		return err
	}
	return &materials.KeyError{Provider: provider, KeyID: branchKeyID, Err: err}
}
