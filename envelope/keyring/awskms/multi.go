// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/envelope/internal/kmsarn"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// ClientSupplier returns a client for a Region. It is called at construction,
// once per key.
type ClientSupplier func(region string) (KMSClient, error)

// MultiConfig configures a keyring for several keys.
type MultiConfig struct {
	// Generator and Children are key ARNs. Each item is wrapped under all of
	// them, with one call each, side by side. Without a generator the keyring
	// only decrypts.
	Generator string
	Children  []string
	Client    ClientSupplier
	// GrantTokens are sent with every call; at most 10.
	GrantTokens []string
}

// NewMulti returns a multi-keyring of one keyring per key, as [New] returns it
// (Material Providers specification, [aws-kms-multi-keyrings]). Errors:
// [materials.ErrConfiguration], and what the client supplier returns.
//
// [aws-kms-multi-keyrings]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/aws-kms/aws-kms-multi-keyrings.md
func NewMulti(c MultiConfig) (*keyring.Multi, error) { return newMulti(c, New) }

// NewMRKMulti returns a multi-keyring of one keyring per key, as [NewMRK] returns
// it. Two replicas of one multi-Region key are refused, since it would be
// undefined which of them is asked (Material Providers specification,
// [aws-kms-mrk-multi-keyrings] and [aws-kms-mrk-are-unique]). Errors:
// [materials.ErrConfiguration], and what the client supplier returns.
//
// [aws-kms-mrk-multi-keyrings]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/aws-kms/aws-kms-mrk-multi-keyrings.md
// [aws-kms-mrk-are-unique]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/aws-kms/aws-kms-mrk-are-unique.md
func NewMRKMulti(c MultiConfig) (*keyring.Multi, error) {
	if err := checkUnique(append([]string{c.Generator}, c.Children...)); err != nil {
		return nil, err
	}
	return newMulti(c, NewMRK)
}

func checkUnique(arns []string) error {
	seen := make(map[string][]string)
	for _, text := range arns {
		if a, err := kmsarn.Parse(text); err == nil && a.MultiRegion() {
			seen[a.ID] = append(seen[a.ID], text)
		}
	}
	var duplicates []string
	for _, same := range seen {
		if len(same) > 1 {
			duplicates = append(duplicates, same...)
		}
	}
	if len(duplicates) > 0 {
		slices.Sort(duplicates)
		return fmt.Errorf("%w: multi-Region keys must differ in their key id: %s", materials.ErrConfiguration,
			strings.Join(duplicates, ", "))
	}
	return nil
}

func newMulti(c MultiConfig, newKeyring func(Config) (*Keyring, error)) (*keyring.Multi, error) {
	if c.Client == nil {
		return nil, fmt.Errorf("%w: AWS KMS multi-keyring needs a client supplier", materials.ErrConfiguration)
	}
	one := func(text string) (materials.Keyring, error) {
		a, err := parseKeyARN(text)
		if err != nil {
			return nil, err
		}
		client, err := c.Client(a.Region)
		if err != nil {
			return nil, fmt.Errorf("client for Region %s: %w", a.Region, err)
		}
		return newKeyring(Config{Client: client, KeyARN: text, GrantTokens: c.GrantTokens})
	}
	var generator materials.Keyring
	if c.Generator != "" {
		var err error
		if generator, err = one(c.Generator); err != nil {
			return nil, err
		}
	}
	children := make([]materials.Keyring, 0, len(c.Children))
	for _, text := range c.Children {
		k, err := one(text)
		if err != nil {
			return nil, err
		}
		children = append(children, k)
	}
	return keyring.NewMulti(generator, children...)
}

// DiscoveryMultiConfig configures discovery in several Regions.
type DiscoveryMultiConfig struct {
	// Regions are tried in this order; at least one.
	Regions []string
	Client  ClientSupplier
	// Filter restricts the keys; see [DiscoveryConfig].
	Filter *DiscoveryFilter
	// GrantTokens are sent with every call; at most 10.
	GrantTokens []string
}

// NewDiscoveryMulti returns a multi-keyring of one discovery keyring per Region,
// each for its Region's keys. Errors: [materials.ErrConfiguration], and what
// the client supplier returns.
func NewDiscoveryMulti(c DiscoveryMultiConfig) (*keyring.Multi, error) {
	return newDiscoveryMulti(c, NewDiscovery)
}

// NewMRKDiscoveryMulti returns a multi-keyring of one multi-Region discovery
// keyring per Region. Errors: [materials.ErrConfiguration], and what the
// client supplier returns.
func NewMRKDiscoveryMulti(c DiscoveryMultiConfig) (*keyring.Multi, error) {
	return newDiscoveryMulti(c, NewMRKDiscovery)
}

func newDiscoveryMulti(c DiscoveryMultiConfig,
	newDiscovery func(DiscoveryConfig) (*Discovery, error)) (*keyring.Multi, error) {
	if c.Client == nil || len(c.Regions) == 0 || slices.Contains(c.Regions, "") {
		return nil, fmt.Errorf("%w: AWS KMS discovery multi-keyring needs Regions and a client supplier",
			materials.ErrConfiguration)
	}
	children := make([]materials.Keyring, 0, len(c.Regions))
	for _, region := range c.Regions {
		client, err := c.Client(region)
		if err != nil {
			return nil, fmt.Errorf("client for Region %s: %w", region, err)
		}
		k, err := newDiscovery(DiscoveryConfig{Client: client, Region: region, Filter: c.Filter,
			GrantTokens: c.GrantTokens})
		if err != nil {
			return nil, err
		}
		children = append(children, k)
	}
	return keyring.NewMulti(nil, children...)
}
