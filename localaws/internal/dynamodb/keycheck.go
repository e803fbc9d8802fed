package dynamodb

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// unlock is the key check of every data call: it asks KMS, as the caller, to
// decrypt the table's key, and loads the items with it when they are not in
// memory yet. Under the AWS owned key nobody is asked.
func (s *Service) unlock(ctx context.Context, c *request.Call, t *table) error {
	t.mu.RLock()
	e, loaded, id, down := t.def.Encryption, t.loaded, t.def.ID, !t.inaccessible.IsZero()
	t.mu.RUnlock()

	var key []byte
	if e.Mode == keyOwned {
		if loaded {
			return nil
		}
		key = append([]byte(nil), e.TableKey...)
	} else {
		who := cacheKey{accessKey: c.Caller.AccessKeyID, table: id, generation: e.Generation}
		if loaded && s.cache.allowed(who, s.cfg.Clock()) {
			return nil
		}
		var err error
		key, err = s.cfg.Keys.Decrypt(ctx, via(c, "Decrypt"), e.KeyARN, e.TableKey, t.bound)
		if failed := err != nil && unreachable(err); failed != down {
			t.mu.Lock()
			t.inaccessible = time.Time{}
			if failed {
				t.inaccessible = s.cfg.Clock()
			}
			t.mu.Unlock()
		}
		if err != nil {
			return keyError(c, err)
		}
		s.cache.allow(who, s.cfg.Clock())
	}
	defer clear(key)
	if loaded {
		return nil
	}
	return t.load(key, e.Generation)
}

// load reads the items of a table from the store, once.
func (t *table) load(key []byte, generation int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.loaded || t.deleted || t.def.Encryption.Generation != generation {
		return nil
	}
	seal, err := newSealer(t.def.ID, key)
	if err != nil {
		return errInternal(err)
	}
	err = t.service.cfg.Store.Range(bucketItems(t.def.ID, generation), func(itemKey, sealed []byte) error {
		it, err := seal.open(itemKey, sealed)
		if err != nil {
			return err
		}
		e, err := t.newEntry(it)
		if err != nil {
			return err
		}
		t.place(nil, e)
		return nil
	})
	if err != nil {
		t.clear()
		return errInternal(fmt.Errorf("table %s: %w", t.def.Name, err))
	}
	t.sealer, t.loaded = seal, true
	return nil
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

func (k *keyCache) allowed(who cacheKey, now time.Time) bool {
	if k.ttl == 0 {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	end, ok := k.end[who]
	return ok && now.Before(end)
}

func (k *keyCache) allow(who cacheKey, now time.Time) {
	if k.ttl == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.end) >= maxCached {
		clear(k.end)
	}
	k.end[who] = now.Add(k.ttl)
}
