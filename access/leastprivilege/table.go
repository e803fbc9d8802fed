// SPDX-License-Identifier: Apache-2.0

package leastprivilege

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// ErrTable means that policies cannot be written for a table, a key or a
// principal. The error says why.
var ErrTable = errors.New("no policy can be written")

// Place is a DynamoDB table and the key under which DynamoDB encrypts it.
type Place struct {
	// ARN is the ARN of the table.
	ARN string
	// KeyARN is the ARN of the KMS key under which DynamoDB encrypts the table.
	// Empty: the AWS owned key.
	KeyARN string
	// Managed reports that the key is the AWS managed key. Its policy cannot be
	// changed and admits every principal of the account that may use the table.
	Managed bool
}

func (p *Place) name() string { return p.ARN[strings.LastIndexByte(p.ARN, '/')+1:] }

// Table is a table to write policies for.
type Table struct {
	Place
	// Indexes are the names of the secondary indexes.
	Indexes []string
	// Items is the client-side encryption of the items; zero: none.
	Items Encryption
	// Former is the encryption that a migration converts from; zero: none.
	Former Encryption
}

// Encryption describes the client-side encryption of items by the keys of its
// keyrings.
type Encryption struct {
	// LogicalName is the table name in the encryption context; empty: the table's
	// name.
	LogicalName string
	// Keys are the KMS keys of the keyrings, in their order. Writers use all of
	// them and readers use the first; see Stores.
	Keys []Key
	// Stores are the key stores of hierarchical keyrings.
	Stores []KeyStore
	// Beacons is the key store of the beacons' key; nil: no beacons, or a key that is
	// not in a key store.
	Beacons *KeyStore
	// RawKeys reports that there are keys outside of KMS.
	RawKeys bool
}

// KeyKind says how a keyring uses a KMS key. The zero KeyKind is invalid.
type KeyKind uint8

const (
	// DataKeys means that the key is symmetric and encrypts data keys.
	DataKeys KeyKind = iota + 1
	// RSA means that the public half encrypts data keys and the private half decrypts
	// them.
	RSA
	// Agreement means that a secret which the key agrees on protects data keys.
	Agreement
)

// Key is a KMS key of a keyring.
type Key struct {
	ARN  string
	Kind KeyKind
	// PublicKey reports that the keyring has the public key and does not ask KMS for
	// it.
	PublicKey bool
}

// KeyStore is a table of branch keys.
type KeyStore struct {
	Place
	// LogicalName is the key store's name in the encryption context; empty: the
	// table's name.
	LogicalName string
	// KMSKeyARN is the KMS key that protects the branch keys.
	KMSKeyARN string
	// BranchKeys are the IDs of the branch keys that items are encrypted under, if
	// the configuration names them. Empty: any branch key of the table.
	BranchKeys []string
}

func (s *KeyStore) logicalName() string {
	if s.LogicalName != "" {
		return s.LogicalName
	}
	return s.name()
}

// Options choose the principal and the items that the policies are for.
type Options struct {
	// Principal is the ARN of the user or role that gets the identity policy. The key
	// policies name it. Empty: the identity policy has the KMS permissions, and the
	// key policies let the account's IAM policies grant those and no others.
	Principal string
	// PartitionKeys limit Reader and Writer to items with these values of the
	// partition key. A Reader then can neither scan nor use indexes.
	PartitionKeys []string
	// Checkpoints is the name of a Migrator's checkpoint table; empty:
	// "ddbseal-migrations".
	Checkpoints string
}

func tableError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrTable, fmt.Sprintf(format, args...))
}

// checkARN returns the parts of an ARN of a service's resource.
func checkARN(text, service, begins string) (arn.ARN, error) {
	a, err := arn.Parse(text)
	if err != nil || a.Service != service || !strings.HasPrefix(a.Resource, begins) || len(a.AccountID) != 12 {
		return a, tableError("%.256q is not the ARN of a %s", text, strings.TrimRight(begins, "/"))
	}
	return a, nil
}

func (p *Place) check() error {
	if _, err := checkARN(p.ARN, "dynamodb", "table/"); err != nil {
		return err
	}
	if p.KeyARN == "" {
		return nil
	}
	_, err := checkARN(p.KeyARN, "kms", "key/")
	return err
}

func (e *Encryption) check() error {
	for _, k := range e.Keys {
		if _, err := checkARN(k.ARN, "kms", "key/"); err != nil {
			return err
		}
		if k.Kind < DataKeys || k.Kind > Agreement {
			return tableError("key %s has no kind", k.ARN)
		}
	}
	stores := e.Stores
	if e.Beacons != nil {
		stores = append(stores[:len(stores):len(stores)], *e.Beacons)
	}
	for i := range stores {
		if err := stores[i].check(); err != nil {
			return err
		}
		if _, err := checkARN(stores[i].KMSKeyARN, "kms", "key/"); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) check() error {
	if err := t.Place.check(); err != nil {
		return err
	}
	if err := t.Items.check(); err != nil {
		return err
	}
	return t.Former.check()
}
