// SPDX-License-Identifier: Apache-2.0

package envelope

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// compileSearch checks Search and puts its signed beacons into a copy of
// Actions. unsigned is the set of the names of AllowedUnsigned.
func (c *Config) compileSearch(unsigned map[string]struct{}) (*beacon.Search, error) {
	if c.PlaintextPolicy != ForbidPlaintextWriteForbidPlaintextRead && !c.Search.AcceptMissing {
		return nil, configuration("Search is set with the plaintext policy %v, but searches do not find plaintext "+
			"items; set Search.AcceptMissing if you accept that", c.PlaintextPolicy)
	}
	if c.Legacy.readable() != nil && !c.Search.AcceptMissing {
		return nil, configuration("Search is set with the legacy policy %v, but searches do not find items of the "+
			"older format; set Search.AcceptMissing if you accept that", c.Legacy.Policy)
	}
	protection := map[Action]beacon.Protection{
		EncryptAndSign: beacon.Encrypted, SignOnly: beacon.Signed,
		SignAndIncludeInEncryptionContext: beacon.Included, DoNothing: beacon.Unsigned,
	}
	actions := maps.Clone(c.Actions)
	search, err := beacon.New(*c.Search, beacon.Schema{Table: c.LogicalTableName,
		Protection: func(name string) beacon.Protection {
			if action, has := actions[name]; has {
				return protection[action]
			}
			if c.unsignedName(name, unsigned) {
				return beacon.Unsigned
			}
			return beacon.Unknown
		}})
	if err != nil {
		return nil, err
	}
	signed := search.SignedNames()
	if n := len(actions) + len(signed); n > format.MaxLegend {
		return nil, configuration("%d attributes and signed beacons, the header holds %d", n, format.MaxLegend)
	}
	c.Actions = maps.Clone(actions)
	for _, name := range signed {
		c.Actions[name] = SignOnly
	}
	return search, nil
}

// withSigned returns the item with its signed beacons and without a key field
// that is not signed. Signed beacons in taken come from an item that was read,
// and may be out of date. (Specification: [ddb-support], "AddSignedBeacons" and
// "HandleBeaconKeyFieldName".)
//
// [ddb-support]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-support.md#addsignedbeacons
func (e *ItemEncryptor) withSigned(item Item, taken map[string]Action) (Item, error) {
	drop := func(name string) {
		if _, has := item[name]; has {
			item = maps.Clone(item)
			delete(item, name)
		}
	}
	for _, name := range e.search.SignedNames() {
		if _, has := taken[name]; has && name != e.partition && name != e.sort {
			drop(name)
		}
	}
	if field := e.search.KeyField(); field != "" {
		if action, has := e.Action(field); !has || action == DoNothing {
			drop(field)
		}
	}
	out, err := e.search.AddSigned(item)
	if err != nil {
		return nil, onBeacon(err)
	}
	return out, nil
}

// addBeacons adds the beacons of a plaintext item to its encrypted form, whose
// data keys tell which branch key they are under. (Specification: [ddb-support],
// "GetEncryptedBeacons"; [search-config], "Get beacon key after encrypt".)
//
// [ddb-support]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-support.md#getencryptedbeacons
// [search-config]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/search-config.md#get-beacon-key-after-encrypt
func (e *ItemEncryptor) addBeacons(ctx context.Context, out, plain Item, keys []materials.EncryptedDataKey) error {
	needed, err := e.search.Needed(plain)
	if err != nil {
		return onBeacon(err)
	}
	var derived *beacon.Keys
	if needed {
		id := ""
		if e.search.MultiKey() {
			if id, err = branchKeyOf(keys); err != nil {
				return err
			}
		}
		if derived, err = e.search.Keys(ctx, id); err != nil {
			return inMaterials(err)
		}
		defer derived.Release()
	}
	partition, err := e.search.Partition(ctx, plain)
	if err != nil {
		return onBeacon(err)
	}
	beacons, err := e.search.Beacons(derived, partition, plain)
	if err != nil {
		return onBeacon(err)
	}
	for i := range beacons {
		out[beacons[i].Name] = beacons[i].Value
	}
	return nil
}

// onBeacon puts an error about an item's beacons into the class of writing, and
// says which attribute it is about.
func onBeacon(err error) error {
	if !errors.Is(err, beacon.ErrItem) {
		return err
	}
	err = fmt.Errorf("%w: %w", ErrInvalidItem, err)
	if e, ok := errors.AsType[*beacon.Error](err); ok && e.Attribute != "" {
		return at(e.Attribute, err)
	}
	return err
}
