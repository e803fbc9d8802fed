// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// tokenLife is how long a ClientRequestToken makes a transaction idempotent.
const tokenLife = 10 * time.Minute

var bucketTokens = storage.Bucket{Name: "dynamodb/tokens"}

// tokenBook remembers the tokens of recent transactions, by a hash of account,
// region and token, so that a retry changes nothing, even after a restart.
type tokenBook struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]*tokenRecord
	swept time.Time
}

type tokenRecord struct {
	Request [sha256.Size]byte // hash of the request
	End     time.Time
	running bool
}

func (b *tokenBook) init() { b.known = map[[sha256.Size]byte]*tokenRecord{} }

func (b *tokenBook) restore(store storage.Store) error {
	return store.Range(bucketTokens, func(key, value []byte) error {
		r := new(tokenRecord)
		if err := json.Unmarshal(value, r); err != nil {
			return fmt.Errorf("transaction token: %w", err)
		}
		if len(key) != sha256.Size {
			return fmt.Errorf("transaction token: a key of %d bytes", len(key))
		}
		b.known[[sha256.Size]byte(key)] = r
		return nil
	})
}

func tokenID(c *request.Call, token string) [sha256.Size]byte {
	return sha256.Sum256([]byte(c.AccountID + "\x00" + c.Region + "\x00" + token))
}

// requestHash is equal for equal requests, whatever the order of the members
// of their JSON objects: the SDK for Go writes maps in random order, so a
// retry by an application has other bytes.
func requestHash(body []byte) [sha256.Size]byte {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if d.Decode(&v) == nil {
		if sorted, err := json.Marshal(v); err == nil {
			body = sorted
		}
	}
	return sha256.Sum256(body)
}

// begin claims a token. done says that the same request succeeded before.
func (b *tokenBook) begin(id, digest [sha256.Size]byte, now time.Time) (done bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.known[id]
	switch {
	case r == nil || !r.running && !now.Before(r.End):
		b.known[id] = &tokenRecord{Request: digest, running: true}
		return false, nil
	case r.Request != digest:
		return false, request.Errorf("IdempotentParameterMismatchException", "%s",
			"The request uses the same client token as a previous, but non-identical request. Do not reuse a client "+
				"token with different requests, unless the requests are identical")
	case r.running:
		return false, request.Errorf("TransactionInProgressException",
			"The transaction with the given request token is already in progress.")
	}
	return true, nil
}

// finish files the token of a successful transaction in tx, and sweeps old
// ones. The transaction runs on until end.
func (b *tokenBook) finish(tx *storage.Tx, id [sha256.Size]byte, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.known[id]
	r.End = now.Add(tokenLife)
	value, _ := json.Marshal(r) // a struct of an array and a time
	tx.Put(bucketTokens, append([]byte(nil), id[:]...), value)
	if now.Sub(b.swept) < tokenLife {
		return
	}
	b.swept = now
	for key, old := range b.known {
		if !old.running && !now.Before(old.End) {
			delete(b.known, key)
			tx.Delete(bucketTokens, append([]byte(nil), key[:]...))
		}
	}
}

// end keeps the token of a transaction that was submitted, and frees the token
// of one that changed nothing. A full disk can make the transaction durable
// later, after its answer was an error: a repetition must not do it again.
func (b *tokenBook) end(id [sha256.Size]byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r := b.known[id]; r.End.IsZero() {
		delete(b.known, id)
	} else {
		r.running = false
	}
}
