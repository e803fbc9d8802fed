package transparent

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// DynamoDB knows a token for ten minutes after the request that used it.
const (
	tokenLife     = 10 * time.Minute
	maxTokens     = 1024
	maxTokenBytes = 64 << 20
)

// tokens remembers sealed transactions by the caller's token. Sealing the same
// items twice gives different requests, which DynamoDB refuses under one token.
type tokens struct {
	key [sha256.Size]byte // of the digests, so that they say nothing about items
	now func() time.Time
	mu  *sync.Mutex
	m   map[string]*remembered
}

type remembered struct {
	digest [sha256.Size]byte // of the plaintext request
	mu     sync.Mutex        // held while sealing: of two at once only one may
	// sealed has, for each operation, the attributes that sealing made: header,
	// footer and ciphertext. All others are the caller's, who may change them.
	sealed []envelope.Item

	// Of the map's lock:
	used time.Time
	size int // of the plaintext, in bytes
}

func newTokens() tokens {
	t := tokens{now: time.Now, mu: new(sync.Mutex), m: map[string]*remembered{}}
	_, _ = rand.Read(t.key[:]) // never fails: it ends the program instead
	return t
}

// sealed returns the sealed items of a request's operations: those that the same
// request under the same token had before, or new ones. A different request
// under a known token is sealed anew, and DynamoDB refuses it. done is called
// when the answer has come.
func (t *tokens) sealed(token string, given []types.TransactWriteItem, seal func() ([]envelope.Item, error)) (items []envelope.Item, done func(), err error) {
	digest, err := t.digest(given)
	if err != nil {
		return nil, nil, &Error{Operation: "TransactWriteItems", Err: err}
	}
	r, err := t.remember(token, digest, given)
	if err != nil {
		return nil, nil, err
	}
	done = func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		r.used = t.now()
	}
	if r.digest != digest {
		items, err = seal()
		return items, done, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sealed == nil {
		if items, err = seal(); err != nil {
			t.forget(token, r)
			return nil, nil, err
		}
		r.sealed = make([]envelope.Item, len(items))
		for i, item := range items {
			made := maps.Clone(item)
			maps.DeleteFunc(made, func(name string, v types.AttributeValue) bool { return v == given[i].Put.Item[name] })
			r.sealed[i] = made
		}
		return items, done, nil
	}
	items = make([]envelope.Item, len(given))
	for i, made := range r.sealed {
		if made != nil {
			items[i] = maps.Clone(given[i].Put.Item)
			maps.Copy(items[i], made)
		}
	}
	return items, done, nil
}

// remember finds or makes the entry of a token.
func (t *tokens) remember(token string, digest [sha256.Size]byte, given []types.TransactWriteItem) (*remembered, error) {
	size := 0
	for _, op := range given {
		if op.Put != nil {
			size += ddbjson.ItemSize(op.Put.Item)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if r := t.m[token]; r != nil && now.Sub(r.used) < tokenLife {
		r.used = now
		return r, nil
	}
	maps.DeleteFunc(t.m, func(_ string, r *remembered) bool { return now.Sub(r.used) >= tokenLife })
	total := size
	for _, r := range t.m {
		total += r.size
	}
	if len(t.m) >= maxTokens || total > maxTokenBytes {
		return nil, &Error{Operation: "TransactWriteItems", Err: ErrTokens}
	}
	r := &remembered{digest: digest, used: now, size: size}
	t.m[token] = r
	return r, nil
}

// forget drops an entry that could not be sealed.
func (t *tokens) forget(token string, r *remembered) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m[token] == r {
		delete(t.m, token)
	}
}

// digest of a plaintext request, the same for the same request.
func (t *tokens) digest(ops []types.TransactWriteItem) (sum [sha256.Size]byte, err error) {
	w := digestWriter{Hash: hmac.New(sha256.New, t.key[:])}
	for _, op := range ops {
		switch {
		case op.Put != nil:
			w.text("put", op.Put.TableName, op.Put.ConditionExpression, string(op.Put.ReturnValuesOnConditionCheckFailure))
			w.item(op.Put.Item)
			w.names(op.Put.ExpressionAttributeNames)
			w.item(op.Put.ExpressionAttributeValues)
		case op.Delete != nil:
			w.text("delete", op.Delete.TableName, op.Delete.ConditionExpression, string(op.Delete.ReturnValuesOnConditionCheckFailure))
			w.item(op.Delete.Key)
			w.names(op.Delete.ExpressionAttributeNames)
			w.item(op.Delete.ExpressionAttributeValues)
		case op.ConditionCheck != nil:
			w.text("check", op.ConditionCheck.TableName, op.ConditionCheck.ConditionExpression, string(op.ConditionCheck.ReturnValuesOnConditionCheckFailure))
			w.item(op.ConditionCheck.Key)
			w.names(op.ConditionCheck.ExpressionAttributeNames)
			w.item(op.ConditionCheck.ExpressionAttributeValues)
		case op.Update != nil:
			w.text("update", op.Update.TableName, op.Update.ConditionExpression, string(op.Update.ReturnValuesOnConditionCheckFailure))
			w.text("", op.Update.UpdateExpression, nil, "")
			w.item(op.Update.Key)
			w.names(op.Update.ExpressionAttributeNames)
			w.item(op.Update.ExpressionAttributeValues)
		default:
			w.text("empty", nil, nil, "")
		}
	}
	w.Sum(sum[:0])
	return sum, w.err
}

// digestWriter writes each part with its length in front.
type digestWriter struct {
	hash.Hash
	buf []byte
	err error
}

func (w *digestWriter) part(b []byte) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(b)))
	w.Write(n[:])
	w.Write(b)
}

func (w *digestWriter) text(kind string, a, b *string, c string) {
	for _, s := range []string{kind, aws.ToString(a), aws.ToString(b), c} {
		w.part([]byte(s))
	}
}

func (w *digestWriter) item(item envelope.Item) {
	var err error
	if w.buf, err = ddbjson.AppendItemSorted(w.buf[:0], item); err != nil {
		w.err = err
	}
	w.part(w.buf)
	clear(w.buf[:cap(w.buf)])
}

func (w *digestWriter) names(names map[string]string) {
	for _, k := range slices.Sorted(maps.Keys(names)) {
		w.part([]byte(k))
		w.part([]byte(names[k]))
	}
	w.part(nil)
}
