// SPDX-License-Identifier: Apache-2.0

package envelope

import (
	"fmt"

	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// hierarchyProvider is the provider id of branch keys.
const hierarchyProvider = "aws-kms-hierarchy"

// branchKeyOf returns the branch key id of an item's one encrypted data key.
func branchKeyOf(keys []materials.EncryptedDataKey) (string, error) {
	if len(keys) != 1 {
		return "", configuration("the item has %d encrypted data keys; with Search.Keys.KeyField it must have one, so "+
			"that its beacons are under one branch key", len(keys))
	}
	if keys[0].ProviderID != hierarchyProvider {
		return "", configuration("the item's data key is one of provider %.100q; Search.Keys.KeyField needs the "+
			"hierarchical keyring", keys[0].ProviderID)
	}
	return string(keys[0].ProviderInfo), nil
}

// BeaconBranchKey returns the id of the branch key that the beacons of a stored
// item are under. With [beacon.KeySource.KeyField] set, that is the one of the
// item's data key: without decrypting the item it is what the item claims. Every
// failure is an [*Error]. It matches [ErrConfiguration] if the encryptor has no
// search, [ErrNotEncrypted] or [ErrLegacyItem] if the item is not of this format,
// [ErrTampered] or [ErrUnsupported] if its header cannot be read, and
// [ErrMaterials] if it has several data keys or one of another provider.
// (Specification: [search-config], "Get beacon key id from Parsed Header".)
//
// [search-config]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/search-config.md#get-beacon-key-id-from-parsed-header
func (e *ItemEncryptor) BeaconBranchKey(stored Item) (string, error) {
	id, err := e.beaconBranchKey(stored)
	if err != nil {
		return "", e.fail("inspect", err)
	}
	return id, nil
}

func (e *ItemEncryptor) beaconBranchKey(stored Item) (string, error) {
	switch {
	case e.search == nil:
		return "", configuration("Search is not set")
	case !e.search.MultiKey():
		return e.search.BranchKeyID(), nil
	}
	head, _, err := headerAndFooter(stored)
	if err != nil {
		return "", err
	}
	if head == nil {
		return "", fmt.Errorf("%w: it has neither %s nor %s", ErrNotEncrypted, HeaderAttribute, FooterAttribute)
	}
	header, err := format.ParseHeader(head)
	if err != nil {
		return "", at(HeaderAttribute, onReading(err))
	}
	if id, ok := oneBranchKey(header.EncryptedDataKeys); ok {
		return id, nil
	}
	return "", fmt.Errorf("%w: the item is not under exactly one branch key", ErrMaterials)
}

// oneBranchKey returns the branch key id of the only data key.
func oneBranchKey(keys []materials.EncryptedDataKey) (id string, ok bool) {
	if len(keys) != 1 || keys[0].ProviderID != hierarchyProvider {
		return "", false
	}
	return string(keys[0].ProviderInfo), true
}
