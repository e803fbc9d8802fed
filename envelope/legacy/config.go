// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"context"
	"crypto/fips140"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/internal/nilvalue"
)

// Rules says whose rules for the order of names and entries and for numbers the
// writer of an item followed. The rules differ for rare values only: see the
// package documentation.
type Rules uint8

const (
	// JavaRules are the rules of the Java client. They are the default.
	JavaRules Rules = iota
	// PythonRules are the rules of the Python client. They round numbers to 28
	// digits, so the signature does not cover later digits of a number.
	PythonRules
)

// String returns "java" or "python".
func (r Rules) String() string {
	switch r {
	case JavaRules:
		return "java"
	case PythonRules:
		return "python"
	}
	return fmt.Sprintf("Rules(%d)", uint8(r))
}

// ParseRules reads "java" or "python". Anything else fails with
// [envelope.ErrConfiguration].
func ParseRules(name string) (Rules, error) {
	for r := JavaRules; r.valid(); r++ {
		if r.String() == name {
			return r, nil
		}
	}
	return 0, configuration("unknown writer rules %.60q: java or python", name)
}

func (r Rules) valid() bool { return r <= PythonRules }

// Config says how the older client wrote the items of one table. The items do not
// say it, so Config must equal the writer's configuration, attribute by
// attribute: an item that was written with another one does not verify. [New]
// checks a Config once and keeps a copy.
type Config struct {
	// TableName is the table name that the writer signed with each item: the
	// name of the table that it wrote to, or the name that it was configured to
	// use instead. For a table that was copied or restored under another name,
	// it is the original name. Set WithoutTable instead if the writer named no
	// table.
	TableName    string
	WithoutTable bool
	// PartitionKey and SortKey name the table's key attributes; SortKey is empty
	// if there is none.
	PartitionKey, SortKey string
	// Actions has the writer's action for each attribute: EncryptAndSign,
	// SignOnly, or DoNothing for an attribute that the writer neither encrypted
	// nor signed, and that anyone who may write to the table can change
	// unnoticed. Keys need SignOnly.
	Actions map[string]envelope.Action
	// DefaultAction is the action of all other attributes, EncryptAndSign or
	// SignOnly. Zero means that an item with another attribute is refused.
	DefaultAction envelope.Action
	// Rules are the rules of the writer; zero means JavaRules.
	Rules Rules
	// Provider has the keys. [NewStatic], [NewWrapped], [NewKMS] and
	// [NewMetaStore] return one.
	Provider Provider
}

// Decryptor opens the items that the older DynamoDB Encryption Client wrote to
// one table. It is safe for concurrent use.
type Decryptor struct {
	table    string
	hasTable bool
	keys     []string // partition key, then sort key if any
	config   Config
	known    map[string]*attribute
	prefix   [digestLength]byte // of the signed record
	provider Provider
	pool     workPool
}

var _ envelope.LegacyDecryptor = (*Decryptor)(nil)

// errFIPSOnly: the mode in which the Go runtime refuses what the older client's
// keys need.
var errFIPSOnly = fmt.Errorf("%w: GODEBUG=fips140=only refuses short MAC keys and the RSA padding of the older "+
	"client; use fips140=on", envelope.ErrUnsupported)

// New checks a configuration and returns a Decryptor for it. Every failure is
// an [*envelope.Error] that matches [envelope.ErrConfiguration] and says which
// setting to change, or [envelope.ErrUnsupported] under GODEBUG=fips140=only.
func New(c Config) (*Decryptor, error) {
	if fips140.Enforced() {
		return nil, &envelope.Error{Operation: "configure", Table: c.TableName, Err: errFIPSOnly}
	}
	if err := c.check(); err != nil {
		return nil, fail("configure", c.TableName, err)
	}
	c.Actions = maps.Clone(c.Actions)
	d := &Decryptor{
		table: c.TableName, hasTable: !c.WithoutTable, keys: c.keyNames(), config: c,
		known: make(map[string]*attribute, len(c.Actions)), provider: c.Provider,
	}
	for name, action := range c.Actions {
		d.known[name] = newAttribute(name, action)
	}
	d.prefix = tableDigest(d.table, d.hasTable, c.Rules)
	d.pool.New = func() any { return new(work) }
	return d, nil
}

// PartitionKey returns the name of the partition key attribute.
func (d *Decryptor) PartitionKey() string { return d.config.PartitionKey }

// SortKey returns the name of the sort key attribute, empty if there is none.
func (d *Decryptor) SortKey() string { return d.config.SortKey }

// Actions returns a copy of the configured actions.
func (d *Decryptor) Actions() map[string]envelope.Action { return maps.Clone(d.config.Actions) }

// DefaultAction returns the action of an attribute without a configured one, or
// zero if items with such an attribute are refused.
func (d *Decryptor) DefaultAction() envelope.Action { return d.config.DefaultAction }

// Rules returns the rules that items are verified by.
func (d *Decryptor) Rules() Rules { return d.config.Rules }

func (c *Config) keyNames() []string {
	if c.SortKey == "" {
		return []string{c.PartitionKey}
	}
	return []string{c.PartitionKey, c.SortKey}
}

// check reports the first setting that does not hold.
func (c *Config) check() error {
	switch {
	case c.TableName == "" && !c.WithoutTable:
		return configuration("TableName is empty; set WithoutTable for a writer that named no table")
	case c.TableName != "" && c.WithoutTable:
		return configuration("TableName and WithoutTable exclude each other")
	case !utf8.ValidString(c.TableName):
		return configuration("TableName is not UTF-8")
	case c.PartitionKey == "":
		return configuration("PartitionKey is empty")
	case c.SortKey == c.PartitionKey:
		return configuration("PartitionKey and SortKey are the same attribute")
	case !c.Rules.valid():
		return configuration("unknown writer rules %v", c.Rules)
	case nilvalue.Is(c.Provider):
		return configuration("Provider is nil: use NewStatic, NewWrapped, NewKMS or NewMetaStore")
	}
	switch c.DefaultAction {
	case 0, envelope.EncryptAndSign, envelope.SignOnly:
	default:
		return configuration("DefaultAction is %v, not ENCRYPT_AND_SIGN or SIGN_ONLY: name unsigned attributes "+
			"in Actions", c.DefaultAction)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Actions)) { // in order, so that the error is always the same
		if err := checkAction(name, c.Actions[name]); err != nil {
			return at(name, err)
		}
	}
	for _, name := range c.keyNames() {
		if action := c.Actions[name]; action != envelope.SignOnly {
			what := "no action"
			if action != 0 {
				what = "action " + action.String()
			}
			return at(name, configuration("key attribute has %s; it needs SIGN_ONLY", what))
		}
	}
	return nil
}

func checkAction(name string, action envelope.Action) error {
	switch {
	case name == "":
		return configuration("Actions holds an empty name")
	case !utf8.ValidString(name):
		return configuration("attribute name is not UTF-8")
	case isOwn(name), strings.HasPrefix(name, envelope.ReservedPrefix):
		return configuration("the attribute belongs to an item format")
	case action == envelope.SignAndIncludeInEncryptionContext:
		return configuration("the older client has no action %v", action)
	case action != envelope.EncryptAndSign && action != envelope.SignOnly && action != envelope.DoNothing:
		return configuration("invalid action %v", action)
	}
	return nil
}

// isOwn reports the two attributes of the old format.
func isOwn(name string) bool {
	return name == envelope.LegacyDescriptionAttribute || name == envelope.LegacySignatureAttribute
}

// opener is what a Provider answers for one item.
type opener struct {
	verifier verifier
	// content decrypts values. If it is nil, unwrap returns it, and is called for
	// a verified item only.
	content contentKey
	unwrap  func(*description) (contentKey, error)
}

// Provider has the keys of items. The functions of this package make the only
// implementations.
type Provider interface {
	// open returns the keys of one item that is not verified yet.
	open(ctx context.Context, r *request) (opener, error)
}

// request is what a provider may need to know of an item.
type request struct {
	description *description
	table       string
	hasTable    bool
	keyNames    []string
	item        envelope.Item // has all keys, of type S, N or B
}
