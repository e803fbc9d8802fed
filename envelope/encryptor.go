// SPDX-License-Identifier: Apache-2.0

package envelope

import (
	"bytes"
	"crypto/fips140"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Item is a DynamoDB item as the AWS SDK for Go has it.
type Item = map[string]types.AttributeValue

// ItemEncryptor encrypts and decrypts the items of one table. It is safe for
// concurrent use if its keyring or materials manager is.
type ItemEncryptor struct {
	table             string
	partition, sort   string
	suite             AlgorithmSuite
	policy            PlaintextPolicy
	maxKeys           int
	version           byte
	cmm               materials.CMM
	ownCMM            bool // the default one, which needs no check of its contract
	fields            map[string]*field
	ordered           []*field // the configured attributes in canonical order
	contextFields     []*field // those in the encryption context: header version 2
	keyFields         []*field // partition key, then sort key if any
	allowedUnsigned   map[string]struct{}
	allowedPrefix     string
	configuredActions map[string]Action
	search            *beacon.Search  // nil without Config.Search
	storedBeacons     int             // the most that an item can have
	legacy            LegacyDecryptor // nil: old items are not read
	legacyActions     map[string]Action
	work              sync.Pool // *work
}

// errFIPSOnly: the mode in which the Go runtime refuses AES-GCM with nonces that
// it did not choose itself. The item format derives its nonces.
var errFIPSOnly = fmt.Errorf("%w: GODEBUG=fips140=only refuses the derived AES-GCM nonces of the item format; use "+
	"fips140=on", ErrUnsupported)

// NewItemEncryptor checks a configuration and makes an encryptor of it. Every
// failure is an [*Error] that matches [ErrConfiguration] and says which setting
// to change, or [ErrUnsupported] under GODEBUG=fips140=only.
func NewItemEncryptor(c Config) (*ItemEncryptor, error) {
	if fips140.Enforced() {
		return nil, newError("configure", c.LogicalTableName, errFIPSOnly)
	}
	unsigned := make(map[string]struct{}, len(c.AllowedUnsigned))
	for _, name := range c.AllowedUnsigned {
		unsigned[name] = struct{}{}
	}
	err := c.check(unsigned)
	var search *beacon.Search
	if err == nil && c.Search != nil {
		search, err = c.compileSearch(unsigned)
	}
	if err == nil {
		err = c.checkKeys()
	}
	if err != nil {
		return nil, newError("configure", c.LogicalTableName, err)
	}
	e := &ItemEncryptor{
		table: c.LogicalTableName, partition: c.PartitionKey, sort: c.SortKey,
		suite: c.AlgorithmSuite, policy: c.PlaintextPolicy, maxKeys: c.MaxEncryptedDataKeys,
		version: c.version(), cmm: c.CMM, search: search,
		fields:            make(map[string]*field, len(c.Actions)),
		allowedUnsigned:   unsigned,
		allowedPrefix:     c.AllowedUnsignedPrefix,
		configuredActions: maps.Clone(c.Actions),
	}
	if search != nil {
		e.storedBeacons = search.StoredBeacons()
	}
	if e.suite == 0 {
		e.suite = SuiteDigitalSignature
	}
	if e.maxKeys == 0 {
		e.maxKeys = materials.MaxEncryptedDataKeys
	}
	if e.cmm == nil {
		if err := materials.CheckSuite(c.Keyring, e.suite); err != nil {
			return nil, newError("configure", c.LogicalTableName, err)
		}
		cmm, err := materials.NewDefaultCMM(c.Keyring)
		if err != nil {
			return nil, newError("configure", c.LogicalTableName, err)
		}
		e.cmm, e.ownCMM = cmm, true
	}
	for name, action := range c.Actions {
		f := newField(e.table, name, action)
		e.fields[name] = f
		e.ordered = append(e.ordered, f)
		if action == SignAndIncludeInEncryptionContext {
			e.contextFields = append(e.contextFields, f)
		}
	}
	slices.SortFunc(e.ordered, func(a, b *field) int { return bytes.Compare(a.path, b.path) })
	for _, name := range c.keys() {
		e.keyFields = append(e.keyFields, e.fields[name])
	}
	if e.legacy = c.Legacy.readable(); e.legacy != nil {
		e.legacyActions = maps.Clone(e.legacy.Actions())
	}
	e.work.New = func() any { return newWork() }
	return e, nil
}

// LogicalTableName returns the name that is bound to all items.
func (e *ItemEncryptor) LogicalTableName() string { return e.table }

// PartitionKey returns the name of the partition key attribute.
func (e *ItemEncryptor) PartitionKey() string { return e.partition }

// SortKey returns the name of the sort key attribute, empty if there is none.
func (e *ItemEncryptor) SortKey() string { return e.sort }

// AlgorithmSuite returns the suite that items are written in.
func (e *ItemEncryptor) AlgorithmSuite() AlgorithmSuite { return e.suite }

// PlaintextPolicy returns the policy for items without encryption.
func (e *ItemEncryptor) PlaintextPolicy() PlaintextPolicy { return e.policy }

// Action returns what EncryptItem does with an attribute of this name: the
// configured action, or DoNothing for a name that may be unsigned. It reports
// false for a name that EncryptItem refuses.
func (e *ItemEncryptor) Action(name string) (Action, bool) {
	if f, has := e.fields[name]; has {
		return f.action, true
	}
	if e.AllowedUnsigned(name) {
		return DoNothing, true
	}
	return 0, false
}

// Search returns the checked Config.Search, nil if there is none.
func (e *ItemEncryptor) Search() *beacon.Search { return e.search }

// Actions returns a copy of the configured actions. Signed beacons are in it.
func (e *ItemEncryptor) Actions() map[string]Action { return maps.Clone(e.configuredActions) }

// UnsignedNames returns, in order, the names that are known of attributes outside
// of the signatures: those that Config.AllowedUnsigned lists and those with the
// action DoNothing. Others may come under Config.AllowedUnsignedPrefix.
func (e *ItemEncryptor) UnsignedNames() []string {
	names := slices.Collect(maps.Keys(e.allowedUnsigned))
	for name, action := range e.configuredActions {
		if action == DoNothing {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// AllowedUnsigned reports whether attributes of this name are outside of the
// signatures.
func (e *ItemEncryptor) AllowedUnsigned(name string) bool {
	if strings.HasPrefix(name, ReservedPrefix) {
		return false
	}
	if _, has := e.allowedUnsigned[name]; has {
		return true
	}
	return e.allowedPrefix != "" && strings.HasPrefix(name, e.allowedPrefix)
}
