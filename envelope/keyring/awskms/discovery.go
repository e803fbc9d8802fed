// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"context"
	"fmt"
	"slices"

	"github.com/ddbseal/ddbseal/envelope/internal/kmsarn"
	"github.com/ddbseal/ddbseal/envelope/internal/nilvalue"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// DiscoveryFilter restricts the keys that a discovery keyring uses.
type DiscoveryFilter struct {
	// Partition, such as "aws" or "aws-us-gov".
	Partition string
	// Accounts are twelve-digit account ids; at least one.
	Accounts []string
}

func (f *DiscoveryFilter) clone() (*DiscoveryFilter, error) {
	if f == nil {
		return nil, nil
	}
	if f.Partition == "" || len(f.Accounts) == 0 || slices.Contains(f.Accounts, "") {
		return nil, fmt.Errorf("%w: a discovery filter needs a partition and accounts", materials.ErrConfiguration)
	}
	return &DiscoveryFilter{Partition: f.Partition, Accounts: slices.Clone(f.Accounts)}, nil
}

func (f *DiscoveryFilter) allows(a kmsarn.ARN) bool {
	return f == nil || f.Partition == a.Partition && slices.Contains(f.Accounts, a.Account)
}

// DiscoveryConfig configures a keyring that reads with the keys that items
// name.
type DiscoveryConfig struct {
	Client KMSClient
	// Region is the client's Region. NewMRKDiscovery needs it. NewDiscovery
	// tries keys of any Region if it is empty, otherwise of this one only,
	// which saves calls that could only fail.
	Region string
	// Filter restricts the keys; nil uses any key that an item names. Without
	// it, anyone who can write an item decides under which account's key your
	// reader calls KMS.
	Filter *DiscoveryFilter
	// GrantTokens are sent with every call; at most 10.
	GrantTokens []string
}

// Discovery opens items with the AWS KMS keys that they name. It cannot
// encrypt.
type Discovery struct {
	client      KMSClient
	choose      choose
	grantTokens []string
}

var _ materials.Keyring = (*Discovery)(nil)

// NewDiscovery returns a keyring that opens with exactly the key that the item
// names (Material Providers specification, [aws-kms-discovery-keyring]). Errors:
// [materials.ErrConfiguration].
//
// [aws-kms-discovery-keyring]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/aws-kms/aws-kms-discovery-keyring.md
func NewDiscovery(c DiscoveryConfig) (*Discovery, error) {
	filter, err := checkDiscovery(c)
	if err != nil {
		return nil, err
	}
	return &Discovery{c.Client, func(a kmsarn.ARN) (string, bool) {
		return a.String(), filter.allows(a) && (c.Region == "" || a.Region == c.Region)
	}, slices.Clone(c.GrantTokens)}, nil
}

// NewMRKDiscovery returns a keyring that opens with the key that the item names,
// if it is of the client's Region, or with that Region's replica of a
// multi-Region key (Material Providers specification,
// [aws-kms-mrk-discovery-keyring]). Errors: [materials.ErrConfiguration].
//
// [aws-kms-mrk-discovery-keyring]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/aws-kms/aws-kms-mrk-discovery-keyring.md
func NewMRKDiscovery(c DiscoveryConfig) (*Discovery, error) {
	filter, err := checkDiscovery(c)
	if err != nil {
		return nil, err
	}
	if c.Region == "" {
		return nil, fmt.Errorf("%w: multi-Region discovery needs the client's Region", materials.ErrConfiguration)
	}
	return &Discovery{c.Client, func(a kmsarn.ARN) (string, bool) {
		local := a.InRegion(c.Region)
		return local.String(), filter.allows(a) && local.Region == c.Region
	}, slices.Clone(c.GrantTokens)}, nil
}

func checkDiscovery(c DiscoveryConfig) (*DiscoveryFilter, error) {
	if nilvalue.Is(c.Client) {
		return nil, fmt.Errorf("%w: AWS KMS discovery keyring needs a client", materials.ErrConfiguration)
	}
	if err := checkGrantTokens(c.GrantTokens); err != nil {
		return nil, err
	}
	return c.Filter.clone()
}

// OnEncrypt fails with [materials.ErrConfiguration]: there is no key to choose.
func (*Discovery) OnEncrypt(context.Context, *materials.Encryption) error {
	return fmt.Errorf("%w: an AWS KMS discovery keyring can only decrypt", materials.ErrConfiguration)
}

// OnDecrypt asks KMS to open the encrypted data keys that the filter allows, in
// order, until one opens.
func (k *Discovery) OnDecrypt(ctx context.Context, m *materials.Decryption, keys []materials.EncryptedDataKey) error {
	return decrypt(ctx, k.client, k.grantTokens, m, keys, k.choose)
}
