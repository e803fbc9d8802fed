package envelope

import "github.com/ddbseal/ddbseal/envelope/materials"

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
