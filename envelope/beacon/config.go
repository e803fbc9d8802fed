// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Item is a DynamoDB item as the AWS SDK for Go has it.
type Item = map[string]types.AttributeValue

// Config says which beacons the items of one table have. [New] checks it once
// and keeps a copy.
type Config struct {
	// Standard has the standard beacons. At least one is required.
	Standard []Standard
	// Virtual has the virtual fields that beacons can be computed from.
	Virtual []VirtualField
	// Compound has the compound and the signed beacons.
	Compound []Compound
	// SignedParts and EncryptedParts have parts that the constructors of every
	// compound beacon can name, in addition to its own parts.
	SignedParts    []SignedPart
	EncryptedParts []EncryptedPart
	// MaxPartitions is the number of partitions of the table's items, 1 to 254.
	// Zero means 1: beacons are not partitioned. The number may only grow.
	MaxPartitions int
	// DefaultPartitions is the number of partitions of a beacon that does not
	// set its own. It must be less than MaxPartitions; zero means
	// MaxPartitions. Never change it once items are written.
	DefaultPartitions int
	// Selector chooses the partition of each item that is written. Nil means a
	// random partition.
	Selector PartitionSelector
	// Keys says where beacon keys come from.
	Keys KeySource
	// AcceptMissing confirms that searches need not find items without beacons.
	// A configuration that allows plaintext items, or items of the older format,
	// requires it, because such items have no beacons. Migrate them first if you
	// can.
	AcceptMissing bool
}

// Standard configures a standard beacon: a truncated HMAC of one encrypted
// value. (Specification: [beacons], "Standard Beacon Initialization".)
//
// [beacons]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/beacons.md#standard-beacon-initialization
type Standard struct {
	// Name is what searches use. It is part of the beacon's key, so a beacon
	// with another name has other values.
	Name string
	// Length is the length of the beacon in bits, 1 to 63.
	Length int
	// Location is a document path such as a.b[3].c to the encrypted value, or
	// the name of a virtual field. Empty means Name.
	Location string
	// Style says how the beacon is stored and under which key it is computed.
	Style Style
	// Other is the beacon whose key a Shared or SharedSet beacon uses.
	Other string
	// Partitions is the number of partitions of this beacon. It must be less
	// than [Config.MaxPartitions]; zero means [Config.DefaultPartitions]. Never
	// change it once items are written.
	Partitions int
}

// VirtualField configures a value that is computed from one or more attributes
// and never stored. A standard beacon uses it through [Standard.Location].
// (Specification: [virtual], "Virtual Field Initialization".)
//
// [virtual]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/virtual.md#virtual-field-initialization
type VirtualField struct {
	Name  string
	Parts []VirtualPart
}

// VirtualPart is a part of a virtual field: the value at Location as a string,
// after the transforms in their order. (Specification: [virtual], "Virtual Part
// Initialization".)
//
// [virtual]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/virtual.md#virtual-part-initialization
type VirtualPart struct {
	Location   string
	Transforms []Transform
}

// Compound configures a compound beacon: several values in one attribute, joined
// by Split, each behind the prefix of its part. One without encrypted parts is a
// signed beacon. (Specification: [beacons], "Compound Beacon Initialization".)
//
// [beacons]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/beacons.md#compound-beacon-initialization
type Compound struct {
	Name string
	// Split separates the parts. It is one UTF-16 unit, and no value of a part
	// may contain it.
	Split rune
	// Signed and Encrypted are the beacon's own parts.
	Signed    []SignedPart
	Encrypted []EncryptedPart
	// Constructors say which parts a value consists of. The first constructor
	// whose required parts all have a value is used. Nil means one constructor
	// that requires all of the beacon's own parts, the signed parts first.
	Constructors []Constructor
}

// SignedPart is a part of a compound beacon in the clear. (Specification:
// [beacons], "Signed Part Initialization".)
//
// [beacons]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/beacons.md#signed-part-initialization
type SignedPart struct {
	Name string
	// Prefix begins the part in the beacon's value. No prefix of a beacon may
	// begin with another one.
	Prefix string
	// Location is the document path of an attribute that is signed and not
	// encrypted. Empty means the attribute called Name.
	Location string
}

// EncryptedPart is a part of a compound beacon that holds the hash of a standard
// beacon. (Specification: [beacons], "Encrypted Part Initialization".)
//
// [beacons]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/beacons.md#encrypted-part-initialization
type EncryptedPart struct {
	Name   string // of the standard beacon
	Prefix string // as in [SignedPart]
}

// Constructor lists the parts of a value in their order. At least one is
// required. (Specification: [beacons], "Constructor Initialization".)
//
// [beacons]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/beacons.md#constructor-initialization
type Constructor []ConstructorPart

// ConstructorPart names a part. An optional one is left out of the value if the
// item has no value for it.
type ConstructorPart struct {
	Name     string
	Optional bool
}

// PartitionSelector returns the partition of an item that is about to be
// written, 0 to partitions-1. item is the caller's, and table is its logical
// table name. Items of a batch are written by several goroutines, so the function
// must be safe for concurrent use. (Specification: [search-config], "Partition
// Selector".)
//
// [search-config]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/search-config.md#partition-selector
type PartitionSelector func(ctx context.Context, item Item, partitions int, table string) (int, error)

// KeySource says where beacon keys come from and how long derived keys are kept.
// Exactly one of BranchKeyID and KeyField is set. (Specification: [search-config],
// "Beacon Key Source".)
//
// [search-config]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/search-config.md#beacon-key-source
type KeySource struct {
	// Source returns the beacon keys, for example from a key store.
	Source materials.BeaconKeySource
	// BranchKeyID is the one branch key whose beacon key makes all beacons.
	BranchKeyID string
	// KeyField is the attribute whose value names the branch key in a search.
	// An item that is written has its beacons under the branch key of its one
	// encrypted data key. A field that is not signed is dropped from items on
	// writing.
	KeyField string
	// Lifetime is how long derived keys are used after they were fetched, at
	// least one second. A process whose permission to use the KMS key is
	// withdrawn can go on for that time.
	Lifetime time.Duration
	// MaxEntries is the maximum number of branch keys whose derived keys are
	// kept in memory. Zero means 1 with BranchKeyID and 1000 with KeyField.
	MaxEntries int
}

// Limits of a Config. They bound the work for an item.
const (
	// MaxEntries is the maximum length of a list of beacons, virtual fields,
	// parts, transforms or constructors.
	MaxEntries = 1000
	// MaxConstructorParts is the maximum number of parts in all constructors of
	// one beacon.
	MaxConstructorParts = 10_000
	// MaxPartitions is the maximum of [Config.MaxPartitions].
	MaxPartitions = 254
	// MinLength and MaxLength are the limits of [Standard.Length], in bits.
	MinLength, MaxLength = 1, 63
)
