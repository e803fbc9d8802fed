// SPDX-License-Identifier: Apache-2.0

package atrest

import (
	"context"
	"sync"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// Table is a table whose items are sealed, as a [Custodian] needs it.
type Table interface {
	// EncryptionContext returns what the table's wrapped key is bound to.
	EncryptionContext() map[string]string
	// Principal returns the [ServicePrincipal] of the table's region.
	Principal() string
	// Loaded reports whether the items are in memory.
	Loaded() bool
	// Load opens the items with the table key of a generation and does not keep
	// the key. It does nothing if they are in memory, or if the table has a key of
	// another generation by now.
	Load(key []byte, generation int) error
	// Reachable notes whether KMS could use the table's key at now.
	Reachable(yes bool, now time.Time)
}

// Check is the key check of every data call: it asks KMS, as the caller, to
// decrypt the table's key, and loads the items with it when they are not in
// memory yet. Under the AWS owned key KMS is not asked.
func (k *Custodian) Check(ctx context.Context, c *request.Call, def *schema.Definition, t Table) error {
	e := &def.Encryption
	loaded := t.Loaded()
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
		key, err = k.decryptAsCaller(ctx, c, e, t)
		t.Reachable(err == nil || !unreachable(err), k.clock())
		if err != nil {
			return keyError(c, err)
		}
		k.cache.allow(who, k.clock)
	}
	defer clear(key)
	if loaded {
		return nil
	}
	return t.Load(key, e.Generation)
}

// KeyAsCaller asks KMS, as the caller, to decrypt a table's key, and returns it.
// The caller must wipe it. It is the key check of operations on the table itself
// that use its key: every change of the encryption, to the AWS owned key too, every
// change of time to live, every backup, and every restore, for which def is the
// table of the backup. Under the AWS owned key KMS is not asked.
//
// (?) That AWS asks as the caller is an inference. Recordings show that these
// operations are refused in the request while the old key is disabled, and that
// they succeed when DynamoDB's grants on it are revoked, but no measurement is
// published of a caller without kms:Decrypt. The reading taken here is the
// cautious one: a caller who cannot read a table cannot take the key off it.
func (k *Custodian) KeyAsCaller(ctx context.Context, c *request.Call, def *schema.Definition) ([]byte, error) {
	e := &def.Encryption
	if e.Mode == schema.KeyOwned {
		return append([]byte(nil), e.TableKey...), nil
	}
	key, err := k.keys.Decrypt(ctx, via(c, "Decrypt"), e.KeyARN, e.TableKey,
		EncryptionContext(def.Name, def.AccountID))
	if err != nil {
		return nil, keyError(c, err)
	}
	return key, nil
}

// OpenAsCaller is [Custodian.KeyAsCaller] for an operation that needs the items: it
// loads them and keeps no key.
func (k *Custodian) OpenAsCaller(ctx context.Context, c *request.Call, def *schema.Definition, t Table) error {
	key, err := k.KeyAsCaller(ctx, c, def)
	if err != nil {
		return err
	}
	defer clear(key)
	return t.Load(key, def.Encryption.Generation)
}

// decryptAsCaller asks KMS to decrypt the table's key on behalf of the caller.
func (k *Custodian) decryptAsCaller(ctx context.Context, c *request.Call, e *schema.Encryption, t Table) (
	[]byte, error) {
	return k.keys.Decrypt(ctx, c.Via("kms", "Decrypt", t.Principal()), e.KeyARN, e.TableKey, t.EncryptionContext())
}

// OpenOwn asks KMS as DynamoDB itself to decrypt the table's key, and loads the
// items, to fill a new index. If the table's grant was revoked, OpenOwn asks as
// the caller.
func (k *Custodian) OpenOwn(ctx context.Context, c *request.Call, def *schema.Definition, t Table) error {
	e := &def.Encryption
	key := append([]byte(nil), e.TableKey...)
	if e.Mode != schema.KeyOwned {
		var err error
		key, err = k.keys.Decrypt(ctx, own(c, "Decrypt", def.AccountID, def.ARN), e.KeyARN, e.TableKey,
			t.EncryptionContext())
		if denied(err) {
			key, err = k.decryptAsCaller(ctx, c, e, t)
		}
		if err != nil {
			return keyError(c, err)
		}
	}
	defer clear(key)
	return t.Load(key, e.Generation)
}

// keyCache remembers for a while which callers KMS allowed.
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

// maxCached bounds the cache, which is emptied when it is full.
const maxCached = 10_000

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
