package dynamodb

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// switchKey is UpdateTable with an SSESpecification: the table gets a new key
// under the wanted KMS key, and every item is sealed anew in the transaction
// that files the new key.
func (s *Service) switchKey(ctx context.Context, c *request.Call, t *table, spec *sseSpecification) ([]byte, error) {
	want, err := spec.wish()
	if err != nil {
		return nil, err
	}
	now := s.cfg.Clock()
	t.mu.RLock()
	before := t.def.Encryption
	busy := t.busy(now)
	t.mu.RUnlock()
	switch {
	case busy != nil:
		return nil, busy
	case want.mode == keyOwned && before.Mode == keyOwned:
		return nil, errParam("Table is already encrypted by default")
	case want.keyID != "" && want.keyID == before.KeyARN:
		// Only the ARN is compared: any other name of the same key, and
		// Enabled alone, encrypt anew and count as a change, as on AWS.
		return nil, errParam("Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId parameter if you want to change Master Key")
	}
	changes, err := before.mayChange(now)
	if err != nil {
		return nil, err
	}
	mode, arn, err := s.resolve(ctx, c, want)
	if err != nil {
		return nil, err
	}
	// Re-encryption reads the old data, for which DynamoDB needs the old key
	// under its own grant.
	if err := s.openOwn(ctx, c, t); err != nil {
		return nil, err
	}
	at := t.target()
	enc, key, err := s.adopt(ctx, c, at, mode, arn, before.Generation+1)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	enc.Changes = append(slices.Clone(changes), now)
	if delay := s.cfg.Faults.Activation; delay > 0 {
		enc.Before, enc.Settles = before.KeyARN, now.Add(delay)
	}

	description, pending, err := t.reseal(enc, key, before.Generation, now)
	if err != nil {
		s.retire(ctx, c, at, enc)
		return nil, err
	}
	if err := waitFor(pending); err != nil {
		return nil, err
	}
	s.retire(ctx, c, at, before)
	return json.Marshal(jsonObject{"TableDescription": description})
}

// openOwn makes sure, as DynamoDB itself, that the table's key can be used, and
// loads the items. When the table's grant was revoked the caller's right
// counts, so that somebody who has it can bring the table under another key.
func (s *Service) openOwn(ctx context.Context, c *request.Call, t *table) error {
	t.mu.RLock()
	e, account, arn := t.def.Encryption, t.def.AccountID, t.def.ARN
	t.mu.RUnlock()
	key := append([]byte(nil), e.TableKey...)
	if e.Mode != keyOwned {
		var err error
		key, err = s.cfg.Keys.Decrypt(ctx, own(c, "Decrypt", account, arn), e.KeyARN, e.TableKey, t.bound)
		if denied(err) {
			key, err = s.cfg.Keys.Decrypt(ctx, via(c, "Decrypt"), e.KeyARN, e.TableKey, t.bound)
		}
		if err != nil {
			return keyError(c, err)
		}
	}
	defer clear(key)
	return t.load(key, e.Generation)
}

// reseal puts the table under a new key, unless it is not of the generation any
// more that the key was made for.
func (t *table) reseal(enc encryption, key []byte, generation int, now time.Time) (jsonObject, storage.Pending, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.deleted:
		return nil, nil, errNoTableNamed(t.def.Name)
	case t.def.Encryption.Generation != generation:
		return nil, nil, errInUse("Attempt to change a resource which is still in use: Table is being updated: %s", t.def.Name)
	}
	seal, err := newSealer(t.def.ID, key)
	if err != nil {
		return nil, nil, errInternal(err)
	}
	tx := new(storage.Tx)
	if t.service.cfg.Store.Durable() {
		bucket := bucketItems(t.def.ID, enc.Generation)
		t.items.Scan(func(primary string, e *entry) bool {
			key := seal.itemKey(primary)
			tx.Put(bucket, key, seal.seal(key, e.item))
			return true
		})
		tx.Drop(bucketItems(t.def.ID, t.def.Encryption.Generation))
	}
	t.def.Encryption, t.sealer, t.inaccessible = enc, seal, time.Time{}
	t.save(tx)
	return t.describe(now), t.service.cfg.Store.Submit(tx), nil
}
