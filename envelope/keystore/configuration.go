// SPDX-License-Identifier: Apache-2.0

package keystore

import (
	"fmt"

	"github.com/ddbseal/ddbseal/envelope/internal/kmsarn"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

type kmsKind uint8

const (
	kmsInvalid kmsKind = iota
	kmsSingleRegion
	kmsMultiRegion
	kmsDiscovery
	kmsMultiRegionDiscovery
)

// KMSConfiguration says which KMS keys may wrap the store's branch keys. Make
// it with one of the four functions below; the zero value is invalid.
// (Material Providers specification, [branch-key-store], "AWS KMS
// Configuration".)
//
// [branch-key-store]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/branch-key-store.md#aws-kms-configuration
type KMSConfiguration struct {
	kind   kmsKind
	key    string
	region string
}

// KMSKey uses one key, and only records that name exactly its ARN.
func KMSKey(keyARN string) KMSConfiguration {
	return KMSConfiguration{kind: kmsSingleRegion, key: keyARN}
}

// MultiRegionKMSKey uses one key, and records that name it or another replica
// of it. Calls go to this one's Region. Rotation keeps the ARN that the record
// names, so that stores configured with [KMSKey] go on working.
func MultiRegionKMSKey(keyARN string) KMSConfiguration {
	return KMSConfiguration{kind: kmsMultiRegion, key: keyARN}
}

// Discovery reads with whatever key a record names; it cannot create or rotate
// keys. Who can write the table then chooses the KMS key that readers call;
// the logical name and a key policy are what remains between.
func Discovery() KMSConfiguration { return KMSConfiguration{kind: kmsDiscovery} }

// MultiRegionDiscovery is [Discovery] with multi-Region keys taken from this
// Region.
func MultiRegionDiscovery(region string) KMSConfiguration {
	return KMSConfiguration{kind: kmsMultiRegionDiscovery, region: region}
}

// String describes the configuration.
func (c KMSConfiguration) String() string {
	switch c.kind {
	case kmsSingleRegion:
		return "KMS key " + c.key
	case kmsMultiRegion:
		return "multi-Region KMS key " + c.key
	case kmsDiscovery:
		return "discovery"
	case kmsMultiRegionDiscovery:
		return "multi-Region discovery in " + c.region
	}
	return "no KMS configuration"
}

func (c KMSConfiguration) validate() error {
	switch c.kind {
	case kmsSingleRegion, kmsMultiRegion:
		if _, err := kmsarn.Parse(c.key); err != nil {
			return fmt.Errorf("%w: key store: %w; records store key ARNs and a reader must match them, so configure "+
				"the key ARN", materials.ErrConfiguration, err)
		}
		return nil
	case kmsDiscovery:
		return nil
	case kmsMultiRegionDiscovery:
		if c.region == "" {
			return fmt.Errorf("%w: key store: multi-Region discovery needs a Region", materials.ErrConfiguration)
		}
		return nil
	}
	return fmt.Errorf("%w: key store needs a KMS configuration: KMSKey, MultiRegionKMSKey, Discovery or "+
		"MultiRegionDiscovery", materials.ErrConfiguration)
}

// writable fails for the configurations that have no key of their own.
func (c KMSConfiguration) writable(operation string) error {
	if c.kind != kmsSingleRegion && c.kind != kmsMultiRegion {
		return fmt.Errorf("%w: %s needs a key store with a KMS key, this one has %v", materials.ErrConfiguration,
			operation, c)
	}
	return nil
}

// keyFor returns the key id to call for a record that names the ARN.
func (c KMSConfiguration) keyFor(recordARN string) (string, error) {
	named, err := kmsarn.Parse(recordARN)
	if err != nil {
		return "", fmt.Errorf("%w: %s: %w", ErrInvalidRecord, attributeKMSARN, err)
	}
	switch c.kind {
	case kmsDiscovery:
		return recordARN, nil
	case kmsMultiRegionDiscovery:
		return named.InRegion(c.region).String(), nil
	}
	own, err := kmsarn.Parse(c.key)
	if err != nil {
		return "", fmt.Errorf("%w: key store: %w", materials.ErrConfiguration, err)
	}
	if named == own || c.kind == kmsMultiRegion && own.Matches(named) {
		return c.key, nil
	}
	return "", fmt.Errorf("%w: record %s, configured %s", ErrWrongKMSKey, recordARN, c.key)
}
