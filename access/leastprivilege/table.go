// SPDX-License-Identifier: Apache-2.0

package leastprivilege

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// ErrTable is the class of errors about a table, key or principal that policies
// cannot be written for.
var ErrTable = errors.New("no policy can be written")

// Place is a DynamoDB table and its own key.
type Place struct {
	// ARN is the table's.
	ARN string
	// KeyARN is the KMS key under which DynamoDB encrypts the table; empty: the AWS
	// owned key.
	KeyARN string
	// Managed says that the key is the AWS managed one. Its policy cannot be changed,
	// and lets in every principal of the account that may use the table.
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

// Encryption is client-side encryption of items: the KMS keys of its keyrings.
type Encryption struct {
	// LogicalName is the table name in the encryption context; empty: the table's
	// name.
	LogicalName string
	// Keys are the KMS keys of the keyrings, in their order. Writers use each of
	// them, readers the first of keys and key stores.
	Keys []Key
	// Stores are the key stores of hierarchical keyrings.
	Stores []KeyStore
	// Beacons is the key store of the beacons' key; nil: no beacons, or a key that is
	// not in a key store.
	Beacons *KeyStore
	// RawKeys says that there are keys that are not in KMS.
	RawKeys bool
}

// KeyKind is how a keyring uses a KMS key. The zero KeyKind is invalid.
type KeyKind uint8

const (
	// DataKeys means that the key, a symmetric one, protects data keys.
	DataKeys KeyKind = iota + 1
	// RSA means that the public half encrypts data keys, the private half decrypts them.
	RSA
	// Agreement means that data keys are protected by a secret that the key agrees on.
	Agreement
)

// Key is a KMS key of a keyring.
type Key struct {
	ARN  string
	Kind KeyKind
	// PublicKey says that the keyring has the public key and does not ask KMS for it.
	PublicKey bool
}

// KeyStore is a table of branch keys.
type KeyStore struct {
	Place
	// LogicalName is the name in the encryption context; empty: the table's name.
	LogicalName string
	// KMSKeyARN is the KMS key that protects the branch keys.
	KMSKeyARN string
	// BranchKeys are the branch keys that items are encrypted under, as far as the
	// configuration names them; empty: any.
	BranchKeys []string
}

func (s *KeyStore) logicalName() string {
	if s.LogicalName != "" {
		return s.LogicalName
	}
	return s.name()
}

// Options choose what the policies are for.
type Options struct {
	// Principal is the ARN of the user or role that gets the identity policy. The key
	// policies name it. Empty: the KMS permissions are in the identity policy, and
	// the key policies hand just them to the account's IAM policies.
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
