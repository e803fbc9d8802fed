// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/internal/nilvalue"
)

// Attributes of the meta table.
const (
	metaName    = "N" // S: name of the material, partition key
	metaVersion = "V" // N: version from 0, sort key
	metaType    = "t" // S: what follows is of this version of the row's format
	metaContent = "enc"
	metaEncAlg  = "encAlg"
	metaSigning = "int"
	metaIntAlg  = "intAlg"
)

// MetaTable reads the rows of a meta table; package metatable has an
// implementation over DynamoDB.
type MetaTable interface {
	// Row returns the item with the partition key N of the type S and the sort
	// key V of the type N. It returns nil, nil if there is none.
	Row(ctx context.Context, name string, version uint64) (envelope.Item, error)
}

// MetaStoreConfig describes a writer that kept its wrapping keys in a DynamoDB
// table, the meta table: the "most recent" or caching providers of both clients
// over a MetaStore.
type MetaStoreConfig struct {
	redaction
	// Table reads the meta table, and TableName is the name that its rows are
	// signed with, as in [Config].
	Table     MetaTable
	TableName string
	// MaterialName is the name of the material that items were encrypted under.
	// An item of another material is refused.
	MaterialName string
	// Provider has the keys of the meta table's own rows. It is any other
	// provider of this package.
	Provider Provider
	// SignedOnly names attributes of the rows, besides the keys, that the writer
	// signed without encrypting them, as an ExtraDataSupplier of the Java client
	// can ask for.
	SignedOnly []string
	// CacheTime is how long the keys of a row stay in memory; zero means ten
	// minutes. A withdrawn permission to use a key takes effect after that
	// time. At most 1000 rows are kept.
	CacheTime time.Duration
}

const (
	defaultCacheTime = 10 * time.Minute
	maxCached        = 1000
)

type metaStore struct {
	redaction
	rows      MetaTable
	decryptor *Decryptor
	name      string
	cacheTime time.Duration

	mu     sync.Mutex
	cached map[uint64]cachedRow
}

type cachedRow struct {
	keys    *wrapped
	expires time.Time
}

// NewMetaStore returns the provider of a writer with a meta table. A version of
// the material costs one read of the table, and what the rows' provider costs,
// once in CacheTime. Errors: [envelope.ErrConfiguration].
func NewMetaStore(c MetaStoreConfig) (Provider, error) {
	_, nested := c.Provider.(*metaStore)
	switch {
	case nilvalue.Is(c.Table):
		return nil, configuration("the meta store needs a table")
	case c.MaterialName == "":
		return nil, configuration("the meta store needs a MaterialName")
	case nested:
		return nil, configuration("the rows of a meta store cannot have a meta store as their provider")
	case c.CacheTime < 0:
		return nil, configuration("CacheTime is negative")
	}
	actions := map[string]envelope.Action{
		metaName: envelope.SignOnly, metaVersion: envelope.SignOnly, metaType: envelope.EncryptAndSign,
		metaContent: envelope.EncryptAndSign, metaEncAlg: envelope.EncryptAndSign,
		metaSigning: envelope.EncryptAndSign, metaIntAlg: envelope.EncryptAndSign,
	}
	for _, name := range c.SignedOnly {
		if _, own := actions[name]; own {
			return nil, configuration("SignedOnly names %q, which has an action of its own", name)
		}
		actions[name] = envelope.SignOnly
	}
	d, err := New(Config{
		TableName: c.TableName, PartitionKey: metaName, SortKey: metaVersion, Actions: maps.Clone(actions),
		DefaultAction: envelope.EncryptAndSign, Provider: c.Provider,
	})
	if err != nil {
		return nil, fmt.Errorf("meta table: %w", err)
	}
	p := &metaStore{rows: c.Table, decryptor: d, name: c.MaterialName, cacheTime: c.CacheTime,
		cached: make(map[uint64]cachedRow)}
	if p.cacheTime == 0 {
		p.cacheTime = defaultCacheTime
	}
	return p, nil
}

func (p *metaStore) open(ctx context.Context, r *request) (opener, error) {
	version, err := p.version(r.description.metaID)
	if err != nil {
		return opener{}, at(envelope.LegacyDescriptionAttribute, err)
	}
	keys := p.lookup(version)
	if keys == nil {
		if keys, err = p.load(ctx, version); err != nil {
			return opener{}, fmt.Errorf("meta table: material %.100q version %d: %w", p.name, version, err)
		}
	}
	return keys.open(ctx, r)
}

// version returns the version that an item names, which must be of this
// material.
func (p *metaStore) version(id string) (uint64, error) {
	if id == "" {
		return 0, tampered("it has no %s: the writer had no meta store, or the item was changed", metaIDName)
	}
	text, own := strings.CutPrefix(id, p.name+"#")
	if !own {
		return 0, tampered("%s is %.100q, which is not of the material %.100q", metaIDName, id, p.name)
	}
	version, err := strconv.ParseUint(text, 10, 64)
	if err != nil || strconv.FormatUint(version, 10) != text {
		return 0, tampered("%s is %.100q, which has no version", metaIDName, id)
	}
	return version, nil
}

func (p *metaStore) lookup(version uint64) *wrapped {
	p.mu.Lock()
	defer p.mu.Unlock()
	if row, has := p.cached[version]; has && time.Now().Before(row.expires) {
		return row.keys
	}
	return nil
}

func (p *metaStore) keep(version uint64, keys *wrapped) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if len(p.cached) >= maxCached {
		maps.DeleteFunc(p.cached, func(_ uint64, r cachedRow) bool { return !now.Before(r.expires) })
	}
	for v := range p.cached { // any of them makes room
		if len(p.cached) < maxCached {
			break
		}
		delete(p.cached, v)
	}
	p.cached[version] = cachedRow{keys, now.Add(p.cacheTime)}
}

// load reads and opens a row. A row never changes, so several callers may load
// the same one.
func (p *metaStore) load(ctx context.Context, version uint64) (*wrapped, error) {
	row, err := p.rows.Row(ctx, p.name, version)
	if err != nil {
		return nil, err
	}
	if len(row) == 0 {
		return nil, fmt.Errorf("%w: the meta table has no such row", envelope.ErrMaterials)
	}
	plain, err := p.decryptor.DecryptItem(ctx, row)
	if err != nil {
		return nil, err
	}
	keys, err := p.keysOf(plain, version)
	if err != nil {
		return nil, err
	}
	p.keep(version, keys)
	return keys, nil
}

// keysOf returns the keys in a verified row, which must be the one that was
// asked for.
func (p *metaStore) keysOf(plain envelope.Item, version uint64) (*wrapped, error) {
	name, _ := plain[metaName].(*types.AttributeValueMemberS)
	number, _ := plain[metaVersion].(*types.AttributeValueMemberN)
	if name == nil || name.Value != p.name || number == nil || number.Value != strconv.FormatUint(version, 10) {
		return nil, tampered("the row is of another material or version")
	}
	for _, want := range []struct{ attribute, value string }{
		{metaType, "0"}, {metaEncAlg, "AES"}, {metaIntAlg, "HmacSHA256"},
	} {
		if v, _ := plain[want.attribute].(*types.AttributeValueMemberS); v == nil || v.Value != want.value {
			return nil, unsupported("the row's %q is not %q", want.attribute, want.value)
		}
	}
	content, _ := plain[metaContent].(*types.AttributeValueMemberB)
	signing, _ := plain[metaSigning].(*types.AttributeValueMemberB)
	if content == nil || signing == nil || len(signing.Value) == 0 {
		return nil, unsupported("the row lacks a key")
	}
	defer clear(content.Value)
	defer clear(signing.Value)
	v, err := newMAC("HmacSHA256", signing.Value)
	if err != nil {
		return nil, err
	}
	keys, err := newAESWrapped(v, content.Value)
	if err != nil {
		return nil, unsupported("the row's key %q has %d bytes", metaContent, len(content.Value))
	}
	return keys, nil
}
