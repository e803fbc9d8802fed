// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/store/internal/schema"
	"github.com/ddbseal/ddbseal/store/internal/searching"
)

// Mode says how the items of one table are protected: [ServerSide] or
// [ClientSide], or a pointer to one, which is read once.
type Mode interface {
	// settled returns the ServerSide or ClientSide that a pointer, too, stands for.
	settled() Mode
	// open returns what a table needs to translate items; nil means that items
	// travel as they are.
	open(p *schema.Plan) (*envelope.ItemEncryptor, error)
	String() string
}

// ServerSide leaves encryption to DynamoDB: every client that may read the
// table and use its key sees plaintext, and so does DynamoDB.
type ServerSide struct {
	// KMSKeyARN is the key that the table is declared to be under; Check
	// compares it. Empty: any, the AWS owned key included.
	KMSKeyARN string
}

var _, _ Mode = ServerSide{}, ClientSide{}

func (m ServerSide) settled() Mode { return m }
func (m ClientSide) settled() Mode { return m }

// settle returns the value of a mode, so that what asks for its type finds it.
func settle(m Mode) (Mode, error) {
	if v := reflect.ValueOf(m); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, fmt.Errorf("%w: a table needs a mode: ServerSide or ClientSide", ErrConfiguration)
	}
	return m.settled(), nil
}

func (ServerSide) open(*schema.Plan) (*envelope.ItemEncryptor, error) { return nil, nil }

// explainPlaintext says what to do about an item that a client-side table does
// not accept because it is not encrypted.
func explainPlaintext(err error) error {
	if !errors.Is(err, envelope.ErrNotEncrypted) || errors.Is(err, ErrPartialItem) {
		return err
	}
	return fmt.Errorf("%w: set ClientSide.PlaintextPolicy to read such items, or encrypt them with package migrate",
		err)
}

// String returns "server".
func (ServerSide) String() string { return "server" }

// ClientSide encrypts and signs each item before it leaves the process, in the
// format of the AWS Database Encryption SDK: DynamoDB, its backups and every
// client without the key see ciphertext, except in attributes tagged sign,
// context or none.
type ClientSide struct {
	// Keyring wraps and unwraps the data keys. CMM is a cryptographic materials manager of
	// your own instead. Set exactly one of them.
	Keyring materials.Keyring
	CMM     materials.CMM
	// LogicalTableName is bound to every item; it stays the same when the
	// table is restored or copied under another name. Empty: the table's name.
	LogicalTableName string
	// AlgorithmSuite zero means the signed suite 0x6701.
	AlgorithmSuite materials.AlgorithmSuite
	// AllowedUnsigned and AllowedUnsignedPrefix name attributes, beyond those
	// that T tags none or ttl, which may be there unsigned. The set may only
	// grow over the life of a table.
	AllowedUnsigned       []string
	AllowedUnsignedPrefix string
	// OtherActions are the actions of attributes that T does not have, such as
	// attributes of other entity types in the same table, see [Actions]. An item
	// needs every attribute that is in the encryption context: give one that
	// items of T do not have the action SignOnly here.
	OtherActions map[string]envelope.Action
	// PlaintextPolicy zero forbids plaintext items in both directions.
	PlaintextPolicy envelope.PlaintextPolicy
	// Legacy reads items that the older DynamoDB Encryption Client left in the
	// table; nil forbids that. Update writes them in the current format. While it
	// is set, UpdateAttributes changes items of the current format only, and
	// conditions on attributes that the older client encrypted are refused.
	Legacy *envelope.LegacyOverride
	// MaxEncryptedDataKeys zero means the format's limit, 255.
	MaxEncryptedDataKeys int
	// Search says where the keys of beacons come from, and which beacons items
	// have besides those that tags of T declare: compound beacons, virtual
	// fields, and the beacons of other types in the same table, see [Beacons].
	// Nil: T declares none, and items have none. The two may name the same
	// beacon if they agree. A PlaintextPolicy or Legacy beside it needs
	// Search.AcceptMissing, because searches do not find items without beacons.
	Search *beacon.Config
}

// String returns "client".
func (ClientSide) String() string { return "client" }

func (m ClientSide) open(p *schema.Plan) (*envelope.ItemEncryptor, error) {
	actions, err := p.Actions(m.OtherActions)
	if err != nil {
		return nil, err
	}
	unsigned := append([]string(nil), m.AllowedUnsigned...)
	for name, action := range actions {
		if action == envelope.DoNothing && !covered(name, unsigned, m.AllowedUnsignedPrefix) {
			unsigned = append(unsigned, name)
		}
	}
	search, err := searching.Merge(p.Beacons, p.TypeName, m.Search)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfiguration, err)
	}
	logical := m.LogicalTableName
	if logical == "" {
		logical = p.Table
	}
	return envelope.NewItemEncryptor(envelope.Config{
		LogicalTableName:      logical,
		PartitionKey:          p.Partition.Name,
		SortKey:               p.SortName(),
		Actions:               actions,
		AllowedUnsigned:       unsigned,
		AllowedUnsignedPrefix: m.AllowedUnsignedPrefix,
		AlgorithmSuite:        m.AlgorithmSuite,
		PlaintextPolicy:       m.PlaintextPolicy,
		Legacy:                m.Legacy,
		MaxEncryptedDataKeys:  m.MaxEncryptedDataKeys,
		Keyring:               m.Keyring,
		CMM:                   m.CMM,
		Search:                search,
	})
}

func covered(name string, list []string, prefix string) bool {
	return slices.Contains(list, name) || prefix != "" && strings.HasPrefix(name, prefix)
}
