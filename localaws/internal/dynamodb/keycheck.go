package dynamodb

import (
	"context"
	"sync"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// sealedTable is a table as the key check needs it.
type sealedTable interface {
	// encryptionContext returns what its wrapped key is bound to.
	encryptionContext() map[string]string
	// principal returns DynamoDB's name where the table is.
	principal() string
	// isLoaded reports whether the items are in memory.
	isLoaded() bool
	// load opens the items with the table key of a generation, which load does
	// not keep. It does nothing if they are in memory, or if the table has a key
	// of another generation by now.
	load(key []byte, generation int) error
	// reachable files whether KMS could use the table's key at now.
	reachable(yes bool, now time.Time)
}

// check is the key check of every data call: it asks KMS, as the caller, to
// decrypt the table's key, and loads the items with it when they are not in
// memory yet. Under the AWS owned key KMS is not asked.
func (k *custodian) check(ctx context.Context, c *request.Call, def *schema.Definition, t sealedTable) error {
	e := &def.Encryption
	loaded := t.isLoaded()
	var key []byte
	if e.Mode == schema.KeyOwned {
		if loaded {
			return nil
		}
		key = append([]byte(nil), e.TableKey...)
	} else {
		who := cacheKey{accessKey: c.Caller.AccessKeyID, table: def.ID, generation: e.Generation}
		if loaded && k.cache.allowed(who, k.clock) {
			return nil
		}
		var err error
		key, err = k.keys.Decrypt(ctx, c.Via("kms", "Decrypt", t.principal()), e.KeyARN, e.TableKey, t.encryptionContext())
		t.reachable(err == nil || !unreachable(err), k.clock())
		if err != nil {
			return keyError(c, err)
		}
		k.cache.allow(who, k.clock)
	}
	defer clear(key)
	if loaded {
		return nil
	}
	return t.load(key, e.Generation)
}

// openOwn makes sure, as DynamoDB itself, that the table's key can be used, and
// loads the items. When the table's grant was revoked the caller's right
// counts, so that a caller who has it can bring the table under another key.
func (k *custodian) openOwn(ctx context.Context, c *request.Call, def *schema.Definition, t sealedTable) error {
	e := &def.Encryption
	key := append([]byte(nil), e.TableKey...)
	if e.Mode != schema.KeyOwned {
		var err error
		key, err = k.keys.Decrypt(ctx, own(c, "Decrypt", def.AccountID, def.ARN), e.KeyARN, e.TableKey, t.encryptionContext())
		if denied(err) {
			key, err = k.keys.Decrypt(ctx, c.Via("kms", "Decrypt", t.principal()), e.KeyARN, e.TableKey, t.encryptionContext())
		}
		if err != nil {
			return keyError(c, err)
		}
	}
	defer clear(key)
	return t.load(key, e.Generation)
}

// keyCache remembers for a while whom KMS allowed.
type keyCache struct {
	ttl time.Duration
	mu  sync.Mutex
	end map[cacheKey]time.Time
}

// cacheKey names the caller by the access key: two sessions of one role may
// have the same name and other session policies.
type cacheKey struct {
	accessKey, table string
	generation       int
}

// maxCached bounds the cache; at the bound it starts anew.
const maxCached = 10_000

func (k *keyCache) init(ttl time.Duration) {
	k.ttl, k.end = ttl, map[cacheKey]time.Time{}
}

func (k *keyCache) allowed(who cacheKey, clock func() time.Time) bool {
	if k.ttl == 0 {
		return false
	}
	now := clock()
	k.mu.Lock()
	defer k.mu.Unlock()
	end, ok := k.end[who]
	return ok && now.Before(end)
}

func (k *keyCache) allow(who cacheKey, clock func() time.Time) {
	if k.ttl == 0 {
		return
	}
	now := clock()
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.end) >= maxCached {
		clear(k.end)
	}
	k.end[who] = now.Add(k.ttl)
}
