// SPDX-License-Identifier: Apache-2.0

package keystore

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Attributes of a record, as official clients name them.
const (
	attributeBranchKeyID      = "branch-key-id"
	attributeType             = "type"
	attributeWrapped          = "enc"
	attributeVersion          = "version"
	attributeKMSARN           = "kms-arn"
	attributeCreateTime       = "create-time"
	attributeHierarchyVersion = "hierarchy-version"
	attributeContextPrefix    = "aws-crypto-ec:"
	// contextTableName is in the KMS encryption context only.
	contextTableName = "tablename"

	typeActive        = "branch:ACTIVE"
	typeBeacon        = "beacon:ACTIVE"
	typeVersionPrefix = "branch:version:"

	hierarchyVersion = "1"
	branchKeyLength  = 32
)

// createTimeLayout: ISO 8601 in UTC with microseconds. Readers take the text as
// it is; some clients write milliseconds.
const createTimeLayout = "2006-01-02T15:04:05.000000Z"

// Record is one wrapped key with what describes it. The description is not
// secret, and KMS authenticates all of it.
type Record struct {
	// Attributes are all attributes but the wrapped key: "branch-key-id",
	// "type", "kms-arn", "create-time", "hierarchy-version" (a DynamoDB number,
	// here as text), "version" on the active one, and custom context under
	// "aws-crypto-ec:". A storage keeps every one of them verbatim, those that
	// it does not know too.
	Attributes map[string]string
	// Wrapped is the KMS ciphertext, the attribute "enc".
	Wrapped []byte
}

// BranchKeyID returns the identifier, the partition key.
func (r Record) BranchKeyID() string { return r.Attributes[attributeBranchKeyID] }

// Type returns the sort key: "branch:ACTIVE", "branch:version:<uuid>" or
// "beacon:ACTIVE".
func (r Record) Type() string { return r.Attributes[attributeType] }

// version returns the branch key version that a validated record is of; none
// for a beacon key.
func (r Record) version() string {
	text := r.Type()
	if text == typeActive {
		text = r.Attributes[attributeVersion]
	}
	version, _ := strings.CutPrefix(text, typeVersionPrefix)
	return version
}

// kmsContext returns the encryption context under which KMS wrapped the key:
// every attribute, and the logical name.
func (r Record) kmsContext(logicalName string) map[string]string {
	c := maps.Clone(r.Attributes)
	c[contextTableName] = logicalName
	return c
}

// validate checks a record read from the storage under this identifier and
// type. What it lets through is still to be authenticated by KMS.
func (r Record) validate(branchKeyID, recordType string) error {
	bad := func(format string, a ...any) error {
		return fmt.Errorf("%w: %s", ErrInvalidRecord, fmt.Sprintf(format, a...))
	}
	for _, name := range []string{attributeBranchKeyID, attributeType, attributeKMSARN, attributeCreateTime,
		attributeHierarchyVersion} {
		if r.Attributes[name] == "" {
			return bad("attribute %q is missing", name)
		}
	}
	if r.BranchKeyID() != branchKeyID || r.Type() != recordType {
		return bad("asked for %q of type %q, found %q of type %q", branchKeyID, recordType, r.BranchKeyID(), r.Type())
	}
	if v := r.Attributes[attributeHierarchyVersion]; v != hierarchyVersion {
		return fmt.Errorf("%w: %w: hierarchy version %.20q", ErrInvalidRecord, materials.ErrUnsupported, v)
	}
	if _, has := r.Attributes[contextTableName]; has {
		return bad("attribute %q would hide the logical name", contextTableName)
	}
	if len(r.Wrapped) == 0 {
		return bad("attribute %q is missing", attributeWrapped)
	}
	version, has := r.Attributes[attributeVersion]
	if has != (recordType == typeActive) {
		return bad("attribute %q on a record of type %q: %t", attributeVersion, recordType, has)
	}
	if recordType == typeBeacon {
		return nil
	}
	if recordType != typeActive {
		version = recordType
	}
	if text, ok := strings.CutPrefix(version, typeVersionPrefix); !ok || checkVersion(text) != nil {
		return bad("version %.60q is not %s and a lower-case UUID", version, typeVersionPrefix)
	}
	return nil
}

func checkVersion(version string) error {
	if u, err := uuid.Parse(version); err != nil || u.String() != version {
		return fmt.Errorf("branch key version %.40q is not a lower-case UUID", version)
	}
	return nil
}

// describe makes the attributes of a new record.
func describe(branchKeyID, recordType, kmsARN string, now time.Time, custom map[string]string) map[string]string {
	a := map[string]string{
		attributeBranchKeyID:      branchKeyID,
		attributeType:             recordType,
		attributeKMSARN:           kmsARN,
		attributeCreateTime:       now.UTC().Format(createTimeLayout),
		attributeHierarchyVersion: hierarchyVersion,
	}
	for k, v := range custom {
		a[attributeContextPrefix+k] = v
	}
	return a
}

// activeOf returns the attributes of the active copy of a version.
func activeOf(version map[string]string) map[string]string {
	a := maps.Clone(version)
	a[attributeVersion], a[attributeType] = version[attributeType], typeActive
	return a
}
