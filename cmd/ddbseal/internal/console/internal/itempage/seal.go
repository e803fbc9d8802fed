// SPDX-License-Identifier: Apache-2.0

package itempage

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/itemform"
	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Table is what the pages need to know of a table.
type Table struct {
	Name, Partition, Sort, PartitionType, SortType string
	Account                                        string // whose keys may open items
}

// Keys returns the names of the key attributes.
func (t *Table) Keys() []string {
	if t.Sort == "" {
		return []string{t.Partition}
	}
	return []string{t.Partition, t.Sort}
}

// KeyOf returns the key of an item.
func (t *Table) KeyOf(item envelope.Item) envelope.Item {
	key := envelope.Item{}
	for _, name := range t.Keys() {
		if v, ok := item[name]; ok {
			key[name] = v
		}
	}
	return key
}

// ErrUnknownActions: see [envelope.Inspect].
var ErrUnknownActions = errors.New("the item has attributes that no signature covers, and does not say which: only " +
	"a program that knows the table's actions can open it")

// errNotOurs means that this console cannot encrypt the item as it is encrypted.
var errNotOurs = errors.New("the item was encrypted under keys that are not KMS keys, or is prepared for searches: " +
	"change it with the program that writes this table")

// Sealed reports whether the client encrypted the item, or part of it is there.
func Sealed(item envelope.Item) bool {
	_, head := item[envelope.HeaderAttribute]
	_, foot := item[envelope.FooterAttribute]
	return head || foot
}

// config is the configuration for an item with the given actions, without keys.
func (t *Table) config(actions map[string]envelope.Action) envelope.Config {
	c := envelope.Config{LogicalTableName: t.Name, PartitionKey: t.Partition, SortKey: t.Sort, Actions: actions}
	for name, a := range actions {
		if a == envelope.DoNothing {
			c.AllowedUnsigned = append(c.AllowedUnsigned, name)
		}
	}
	return c
}

// Inspect takes an item apart as [envelope.Inspect] does. Where the item does not
// say which attributes are unsigned, those are taken whose names begin with
// [itemform.OpenPrefix], which is what this console writes.
func (t *Table) Inspect(item envelope.Item) (*envelope.Message, error) {
	m, err := envelope.Inspect(item)
	if err != nil || !slices.ContainsFunc(m.Attributes, unknown) {
		return m, err
	}
	keys := envelope.SignOnly
	if m.Version == 2 { // with attributes in the encryption context
		keys = envelope.SignAndIncludeInEncryptionContext
	}
	open := map[string]envelope.Action{t.Partition: keys}
	if t.Sort != "" {
		open[t.Sort] = keys
	}
	for _, a := range m.Attributes {
		if strings.HasPrefix(a.Name, itemform.OpenPrefix) && open[a.Name] == 0 {
			open[a.Name] = envelope.DoNothing
		}
	}
	c := t.config(open)
	if c.Keyring, err = awskms.NewDiscovery(awskms.DiscoveryConfig{Client: noCalls{}}); err != nil {
		return nil, err
	}
	e, err := envelope.NewItemEncryptor(c)
	if err != nil {
		return nil, err
	}
	return e.Inspect(item)
}

// noCalls is a client for a keyring that nothing is asked of.
type noCalls struct{ awskms.KMSClient }

func unknown(a envelope.InspectedAttribute) bool { return a.Action == 0 }

// Open decrypts the item with the AWS KMS key that it names, as the user whose
// client it is. The actions are those that the item itself claims: good enough to
// look at it here, where the page trusts nothing in it; a program declares its
// own. Error: [ErrUnknownActions], or that of the encryptor.
func (t *Table) Open(ctx context.Context, client awskms.KMSClient, item envelope.Item,
	m *envelope.Message) (envelope.Item, error) {
	if slices.ContainsFunc(m.Attributes, unknown) {
		return nil, ErrUnknownActions
	}
	c := t.config(actionsOf(m))
	c.AlgorithmSuite = m.Suite
	discovery, err := awskms.NewDiscovery(awskms.DiscoveryConfig{Client: client,
		Filter: &awskms.DiscoveryFilter{Partition: "aws", Accounts: []string{t.Account}}})
	if err != nil {
		return nil, err
	}
	c.Keyring = discovery
	e, err := envelope.NewItemEncryptor(c)
	if err != nil {
		return nil, err
	}
	return e.DecryptItem(ctx, item)
}

func actionsOf(m *envelope.Message) map[string]envelope.Action {
	actions := map[string]envelope.Action{}
	for _, a := range m.Attributes {
		if a.Action != 0 {
			actions[a.Name] = a.Action
		}
	}
	return actions
}

// keysOf returns the ARNs of the KMS keys under which the item is encrypted.
// Error: errNotOurs.
func keysOf(m *envelope.Message) ([]string, error) {
	var keys []string
	for _, k := range m.EncryptedDataKeys {
		if k.ProviderID != "aws-kms" {
			return nil, errNotOurs
		}
		keys = append(keys, string(k.ProviderInfo))
	}
	beacon := func(a envelope.InspectedAttribute) bool { return a.Beacon }
	if len(keys) == 0 || slices.ContainsFunc(m.Attributes, beacon) {
		return nil, errNotOurs
	}
	return keys, nil
}

// seal encrypts an item under KMS keys.
func (d *Desk) seal(ctx context.Context, item envelope.Item, actions map[string]envelope.Action,
	suite envelope.AlgorithmSuite, keys []string) (envelope.Item, error) {
	c := d.Table.config(actions)
	c.AlgorithmSuite = suite
	ring, err := d.keyring(keys)
	if err != nil {
		return nil, err
	}
	c.Keyring = ring
	e, err := envelope.NewItemEncryptor(c)
	if err != nil {
		return nil, err
	}
	return e.EncryptItem(ctx, item)
}

func (d *Desk) keyring(keys []string) (materials.Keyring, error) {
	if len(keys) == 1 {
		client, err := d.KMS(regionOf(keys[0]))
		if err != nil {
			return nil, err
		}
		return awskms.New(awskms.Config{Client: client, KeyARN: keys[0]})
	}
	return awskms.NewMulti(awskms.MultiConfig{Generator: keys[0], Children: keys[1:], Client: d.KMS})
}

func regionOf(key string) string {
	a, err := arn.Parse(key)
	if err != nil {
		return ""
	}
	return a.Region
}
