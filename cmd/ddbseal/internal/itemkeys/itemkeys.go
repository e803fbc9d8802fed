// SPDX-License-Identifier: Apache-2.0

// Package itemkeys finds the KMS keys and key stores that a configuration of an
// item encryptor names.
package itemkeys

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/access/leastprivilege"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
)

// Keys are the keys of a configuration. The key stores of Encryption lack their
// tables' ARNs: StoreTables and BeaconTable are their names.
type Keys struct {
	leastprivilege.Encryption
	StoreTables []string // of Stores, in their order
	BeaconTable string
	// Unnamed are the types of keyrings whose KMS keys only the items name.
	Unnamed []string
	// Legacy says that there may be items of the older client.
	Legacy bool
}

// Of returns the keys of a configuration.
func Of(c *itemconfig.Config) Keys {
	k := Keys{Encryption: leastprivilege.Encryption{LogicalName: c.Table}, Legacy: c.Legacy != nil}
	k.add(&c.Keyring)
	if c.Search == nil {
		return k
	}
	if s := &c.Search.KeySource; s.KMSKeyID != "" {
		k.Beacons = &leastprivilege.KeyStore{LogicalName: cmp.Or(s.LogicalName, s.Table), KMSKeyARN: s.KMSKeyID}
		k.BeaconTable = s.Table
		if s.KeyID != "" {
			k.Beacons.BranchKeys = []string{s.KeyID}
		}
	}
	return k
}

func (k *Keys) add(r *itemconfig.Keyring) {
	key := leastprivilege.Key{ARN: r.KeyID, Kind: leastprivilege.DataKeys, PublicKey: r.PublicKey != ""}
	switch {
	case r.Type == "aws-kms-rsa":
		key.Kind = leastprivilege.RSA
		k.Keys = append(k.Keys, key)
	case strings.HasPrefix(r.Type, "aws-kms-ecdh"):
		key.Kind = leastprivilege.Agreement
		k.Keys = append(k.Keys, key)
	case r.KeyID != "":
		k.Keys = append(k.Keys, key)
	case r.KMSKeyID != "":
		s := leastprivilege.KeyStore{LogicalName: cmp.Or(r.LogicalName, r.Table), KMSKeyARN: r.KMSKeyID}
		if r.BranchKeyID != "" {
			s.BranchKeys = []string{r.BranchKeyID}
		}
		k.Stores, k.StoreTables = append(k.Stores, s), append(k.StoreTables, r.Table)
	case strings.HasSuffix(r.Type, "-discovery") && strings.HasPrefix(r.Type, "aws-kms"):
		if !slices.Contains(k.Unnamed, r.Type) {
			k.Unnamed = append(k.Unnamed, r.Type)
		}
	case r.Type != "multi":
		k.RawKeys = true
	}
	if r.Generator != nil {
		k.add(r.Generator)
	}
	for i := range r.Children {
		k.add(&r.Children[i])
	}
}

// Place puts the tables of the key stores where describe finds them.
func (k *Keys) Place(describe func(table string) (leastprivilege.Place, error)) error {
	place := func(s *leastprivilege.KeyStore, table string) (err error) {
		if s.Place, err = describe(table); err != nil {
			return fmt.Errorf("key store %s: %w", table, err)
		}
		return nil
	}
	for i := range k.Stores {
		if err := place(&k.Stores[i], k.StoreTables[i]); err != nil {
			return err
		}
	}
	if k.Beacons != nil {
		return place(k.Beacons, k.BeaconTable)
	}
	return nil
}
