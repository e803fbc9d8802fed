// SPDX-License-Identifier: Apache-2.0

package envelope

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/envelope/internal/nilvalue"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Names that the item format adds to every encrypted item.
const (
	HeaderAttribute = "aws_dbe_head" // B: what a reader needs to find the key
	FooterAttribute = "aws_dbe_foot" // B: the signatures

	// ReservedPrefix begins the names of attributes that belong to the format.
	ReservedPrefix = "aws_dbe_"
)

// Config says how the items of one table are encrypted. [NewItemEncryptor]
// checks it once and keeps a copy.
type Config struct {
	// LogicalTableName is bound to all data of the table. It may equal the
	// physical name, but stays the same when the table is restored under
	// another one.
	LogicalTableName string
	// PartitionKey and SortKey name the table's key attributes; SortKey is
	// empty if there is none. Keys stay readable and are signed.
	PartitionKey, SortKey string
	// Actions has the action of every attribute that items may have. An
	// attribute not listed is an error on encrypting, unless it may be
	// unsigned, and counts as signed on decrypting.
	Actions map[string]Action
	// AllowedUnsigned and AllowedUnsignedPrefix say which attributes are not
	// signed: by name, and by the beginning of the name if the prefix is not
	// empty. They name the DoNothing attributes and no others. The set may
	// only grow during the life of a table.
	AllowedUnsigned       []string
	AllowedUnsignedPrefix string
	// AlgorithmSuite is used for writing; zero means SuiteDigitalSignature.
	// Items of both suites are read whatever is set here. An AWS KMS RSA keyring
	// writes SuiteSymmetricSignature only, also as one of several.
	AlgorithmSuite AlgorithmSuite
	// PlaintextPolicy says whether plaintext items are written and read; zero forbids both.
	PlaintextPolicy PlaintextPolicy
	// Legacy reads items of the older DynamoDB Encryption Client; nil forbids
	// that. It never hands such an item out as plaintext, whatever
	// PlaintextPolicy allows.
	Legacy *LegacyOverride
	// MaxEncryptedDataKeys bounds the recipients of an item, written or read;
	// zero means 255, the format's own limit. A small number keeps hostile
	// items from causing many calls to a key service.
	MaxEncryptedDataKeys int
	// Keyring wraps and unwraps data keys, or CMM is a materials manager of your own;
	// exactly one of the two is set.
	Keyring materials.Keyring
	CMM     materials.CMM
	// Search adds beacons to the items that are encrypted, so that searches can
	// find them by encrypted values; nil adds none. See package beacon for what
	// beacons show to those who cannot decrypt. Signed beacons are attributes
	// with the action SignOnly and are not in Actions. With a
	// [beacon.KeySource.KeyField], items need exactly one encrypted data key, of
	// a hierarchical keyring.
	Search *beacon.Config
}

// maxContextName is the most that the encryption context holds of an attribute
// name, in bytes.
const maxContextName = math.MaxUint16 - len(materials.ContextAttributePrefix)

func configuration(text string, args ...any) error {
	return fmt.Errorf("%w: "+text, append([]any{ErrConfiguration}, args...)...)
}

// check reports the first setting that does not hold. unsigned is the set of the
// names of AllowedUnsigned.
func (c *Config) check(unsigned map[string]struct{}) error {
	switch {
	case c.LogicalTableName == "":
		return configuration("LogicalTableName is empty")
	case !utf8.ValidString(c.LogicalTableName):
		return configuration("LogicalTableName is not UTF-8")
	case len(c.LogicalTableName) > math.MaxUint16:
		return configuration("LogicalTableName is over %d bytes, which the encryption context cannot hold",
			math.MaxUint16)
	case c.PartitionKey == "":
		return configuration("PartitionKey is empty")
	case c.SortKey == c.PartitionKey:
		return configuration("PartitionKey and SortKey are the same attribute")
	case c.AlgorithmSuite != 0 && !c.AlgorithmSuite.Valid():
		return configuration("unknown algorithm suite %v", c.AlgorithmSuite)
	case !c.PlaintextPolicy.valid():
		return configuration("unknown plaintext policy %v", c.PlaintextPolicy)
	case c.MaxEncryptedDataKeys < 0 || c.MaxEncryptedDataKeys > materials.MaxEncryptedDataKeys:
		return configuration("MaxEncryptedDataKeys is %d, not 0 to %d", c.MaxEncryptedDataKeys,
			materials.MaxEncryptedDataKeys)
	case (c.Keyring == nil) == (c.CMM == nil):
		return configuration("exactly one of Keyring and CMM is needed")
	case c.CMM != nil && nilvalue.Is(c.CMM), c.Keyring != nil && nilvalue.Is(c.Keyring):
		return configuration("Keyring or CMM is a nil pointer")
	case len(c.Actions) > format.MaxLegend:
		return configuration("%d attributes, the header holds %d", len(c.Actions), format.MaxLegend)
	}
	if err := c.checkUnsigned(); err != nil {
		return err
	}
	if err := c.Legacy.check(c); err != nil {
		return err
	}
	return c.checkActions(unsigned)
}

// unsignedName reports whether attributes of this name may be unsigned. unsigned
// is the set of the names of AllowedUnsigned.
func (c *Config) unsignedName(name string, unsigned map[string]struct{}) bool {
	_, listed := unsigned[name]
	return listed || c.AllowedUnsignedPrefix != "" && strings.HasPrefix(name, c.AllowedUnsignedPrefix)
}

// checkUnsigned checks the names and the prefix of attributes that may be
// unsigned.
// (Specification: [ddb-table-encryption-config], "Unauthenticated Attributes".)
//
// [ddb-table-encryption-config]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-table-encryption-config.md#unauthenticated-attributes
func (c *Config) checkUnsigned() error {
	if strings.HasPrefix(c.AllowedUnsignedPrefix, ReservedPrefix) {
		return configuration("AllowedUnsignedPrefix begins with the reserved %q", ReservedPrefix)
	}
	if c.AllowedUnsignedPrefix != "" {
		if err := checkName(c.AllowedUnsignedPrefix); err != nil {
			return configuration("AllowedUnsignedPrefix: %w", err)
		}
	}
	for _, name := range c.AllowedUnsigned {
		if name == "" {
			return configuration("AllowedUnsigned holds an empty name")
		}
		if err := checkName(name); err != nil {
			return at(name, configuration("AllowedUnsigned: %w", err))
		}
		if strings.HasPrefix(name, ReservedPrefix) {
			return at(name, configuration("allowed unsigned attribute begins with the reserved %q", ReservedPrefix))
		}
	}
	return nil
}

// checkActions visits names in order, so that the same configuration always
// gives the same error.
// (Specification: [ddb-table-encryption-config], "Attribute Actions".)
//
// [ddb-table-encryption-config]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-table-encryption-config.md#attribute-actions
func (c *Config) checkActions(unsigned map[string]struct{}) error {
	names := make([]string, 0, len(c.Actions))
	for name := range c.Actions {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		action := c.Actions[name]
		listed := c.unsignedName(name, unsigned)
		switch {
		case name == "":
			return configuration("Actions holds an empty name")
		case checkName(name) != nil:
			return at(name, configuration("%w", checkName(name)))
		case action == SignAndIncludeInEncryptionContext && len(name) > maxContextName:
			return at(name,
				configuration("action is %v, but the name has over %d bytes, which the encryption context cannot hold",
					action, maxContextName))
		case strings.HasPrefix(name, ReservedPrefix), strings.HasPrefix(name, materials.ReservedContextPrefix):
			return at(name, configuration("attribute names that begin with %q or %q are reserved", ReservedPrefix,
				materials.ReservedContextPrefix))
		case !action.valid():
			return at(name, configuration("invalid action %v", action))
		case action == DoNothing && !listed:
			return at(name,
				configuration("action is DO_NOTHING, but AllowedUnsigned and AllowedUnsignedPrefix do not cover it"))
		case action != DoNothing && listed:
			return at(name, configuration("action is %v, but AllowedUnsigned or AllowedUnsignedPrefix covers it",
				action))
		}
	}
	return nil
}

// checkKeys checks the actions of the keys.
// (Specification: [ddb-table-encryption-config], "Key Action".)
//
// [ddb-table-encryption-config]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-table-encryption-config.md#key-action
func (c *Config) checkKeys() error {
	want := c.keyAction()
	for _, name := range c.keys() {
		switch action, has := c.Actions[name]; {
		case len(name) > maxContextName:
			return at(name,
				configuration("key attribute has a name of over %d bytes, which the encryption context cannot hold",
					maxContextName))
		case !has:
			return at(name, configuration("key attribute has no action; it needs %v", want))
		case action != want && want == SignOnly:
			return at(name, configuration("key attribute has action %v; it needs %v", action, want))
		case action != want:
			return at(name,
				configuration("key attribute has action %v; it needs %v because another attribute has that action",
					action, want))
		}
	}
	return nil
}

// version is the header version of written items. (Specification:
// [ddb-table-encryption-config], "Configuration Version".)
//
// [ddb-table-encryption-config]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-table-encryption-config.md#configuration-version
func (c *Config) version() byte {
	for _, a := range c.Actions {
		if a == SignAndIncludeInEncryptionContext {
			return format.Version2
		}
	}
	return format.Version1
}

func (c *Config) keyAction() Action {
	if c.version() == format.Version2 {
		return SignAndIncludeInEncryptionContext
	}
	return SignOnly
}

func (c *Config) keys() []string {
	if c.SortKey == "" {
		return []string{c.PartitionKey}
	}
	return []string{c.PartitionKey, c.SortKey}
}
