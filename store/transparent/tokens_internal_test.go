// SPDX-License-Identifier: Apache-2.0

package transparent

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
)

// one is a transaction of one put, whose seal has n bytes.
func one(t *testing.T, book *tokens, token string, n int) (sealings int, done func(outcome)) {
	t.Helper()
	plain := envelope.Item{"id": &types.AttributeValueMemberS{Value: "a"}}
	_, done, err := book.sealed(token, []types.TransactWriteItem{{Put: &types.Put{Item: plain}}},
		func() ([]envelope.Item, error) {
			sealings++
			return []envelope.Item{{"id": plain["id"], "x": &types.AttributeValueMemberB{Value: make([]byte, n)}}}, nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return sealings, done
}

// The digests of two processes say nothing about each other's requests.
func TestTokenKeysAreFresh(t *testing.T) {
	var keys [][]byte
	for range fresh.Draws {
		keys = append(keys, bytes.Clone(newTokens().key[:]))
	}
	fresh.Bytes(t, "key of the digests", keys)
}

// TestTokenBytes: the memory of all entries is bounded, but for one that is over
// the bound alone.
func TestTokenBytes(t *testing.T) {
	book := newTokens()
	if book.maxEntries != 1024 || book.maxBytes != 64<<20 {
		t.Errorf("the bounds are not as documented: %d, %d", book.maxEntries, book.maxBytes)
	}
	book.maxBytes = 64 << 10
	for i := range 10 {
		_, done := one(t, book, fmt.Sprint(i), 10<<10)
		done(outcomeDone)
		if book.bytes > book.maxBytes {
			t.Fatalf("%d bytes", book.bytes)
		}
	}
	if len(book.m) != 6 || book.answered.Len() != 6 || book.open.Len() != 0 {
		t.Errorf("%d entries, %d answered, %d open", len(book.m), book.answered.Len(), book.open.Len())
	}
	_, done := one(t, book, "large", 64<<10)
	done(outcomeUnclear)
	if len(book.m) != 1 {
		t.Errorf("%d entries", len(book.m))
	}
	if sealings, done := one(t, book, "large", 64<<10); sealings != 0 {
		t.Error("the large one was forgotten")
	} else {
		done(outcomeDone)
	}
	_, done = one(t, book, "small", 1)
	done(outcomeNothing)
	if len(book.m) != 0 || book.bytes != 0 {
		t.Errorf("%d entries of %d bytes", len(book.m), book.bytes)
	}
}

// TestTokenCalls: calls at once under one token share a seal, whatever becomes of
// them.
func TestTokenCalls(t *testing.T) {
	for what, c := range map[string]struct {
		first, second outcome
		kept          bool
	}{
		"done, then cancelled": {outcomeDone, outcomeCancelled, true},
		"cancelled, then done": {outcomeCancelled, outcomeDone, true},
		// the first may have been cancelled by the second
		"cancelled, then refused":    {outcomeCancelled, outcomeNothing, true},
		"both cancelled":             {outcomeCancelled, outcomeCancelled, false},
		"unclear, then refused":      {outcomeUnclear, outcomeNothing, true},
		"unclear, then cancelled":    {outcomeUnclear, outcomeCancelled, false},
		"refused, then unclear":      {outcomeNothing, outcomeUnclear, true},
		"both refused":               {outcomeNothing, outcomeNothing, true}, // the first says nothing about the second
		"refused, then cancelled":    {outcomeNothing, outcomeCancelled, false},
		"both done":                  {outcomeDone, outcomeDone, true},
		"an outcome that is not set": {outcomeInvalid, outcomeNothing, true},
	} {
		book := newTokens()
		sealings, end := one(t, book, "token", 1)
		again, endSecond := one(t, book, "token", 1)
		if sealings != 1 || again != 0 {
			t.Fatalf("sealed %d and %d times", sealings, again)
		}
		end(c.first)
		if len(book.m) != 1 {
			t.Errorf("%s: forgotten while a call is under way", what)
		}
		endSecond(c.second)
		if kept := len(book.m) == 1; kept != c.kept {
			t.Errorf("%s: kept %t", what, kept)
		}
	}
	book := newTokens()
	bad := errors.New("no key")
	_, _, err := book.sealed("token", []types.TransactWriteItem{{Put: &types.Put{}}},
		func() ([]envelope.Item, error) { return nil, bad })
	if !errors.Is(err, bad) || len(book.m) != 0 {
		t.Errorf("%v, %d entries", err, len(book.m))
	}
}

// TestTokensAfterAnswers: a transaction that is done stays known, whatever becomes
// of its repetitions.
func TestTokensAfterAnswers(t *testing.T) {
	for _, later := range []outcome{outcomeDone, outcomeNothing, outcomeUnclear, outcomeCancelled} {
		book := newTokens()
		_, done := one(t, book, "token", 1)
		done(outcomeDone)
		sealings, done := one(t, book, "token", 1)
		if sealings != 0 || book.answered.Len() != 1 {
			t.Errorf("outcome %d: sealed %d times, %d answered", later, sealings, book.answered.Len())
		}
		done(later)
		if len(book.m) != 1 || book.answered.Len() != 1 || book.open.Len() != 0 {
			t.Errorf("outcome %d: %d entries, %d answered", later, len(book.m), book.answered.Len())
		}
	}
}

// TestTokenLife: an entry is forgotten when DynamoDB forgets its token, and not
// before; a repetition begins its time again.
func TestTokenLife(t *testing.T) {
	for _, last := range []outcome{outcomeDone, outcomeUnclear} {
		book := newTokens()
		now := time.Unix(1_800_000_000, 0)
		book.now = func() time.Time { return now }
		use := func(token string) int {
			sealings, done := one(t, book, token, 1)
			done(last)
			return sealings
		}
		use("token")
		now = now.Add(tokenLife - 1)
		if use("token") != 0 {
			t.Error("forgotten too early")
		}
		now = now.Add(tokenLife - 1)
		if use("other") != 1 || len(book.m) != 2 {
			t.Errorf("%d entries", len(book.m))
		}
		now = now.Add(1)
		if use("token") != 1 {
			t.Error("kept for too long")
		}
		now = now.Add(tokenLife)
		use("new")
		if len(book.m) != 1 || book.bytes != book.m[first(book)].size {
			t.Errorf("%d entries of %d bytes", len(book.m), book.bytes)
		}
	}
}

func first(book *tokens) (digest [32]byte) {
	for d := range book.m {
		return d
	}
	return digest
}

// TestTokenExactBytes: entries that fill the bound are kept.
func TestTokenExactBytes(t *testing.T) {
	book := newTokens()
	_, done := one(t, book, "a", 100)
	done(outcomeDone)
	if book.bytes != len("x")+100 {
		t.Errorf("%d bytes are counted", book.bytes)
	}
	book.maxBytes = 2 * book.bytes
	_, done = one(t, book, "b", 100)
	done(outcomeDone)
	if len(book.m) != 2 || book.bytes != book.maxBytes {
		t.Errorf("%d entries of %d bytes", len(book.m), book.bytes)
	}
	_, done = one(t, book, "c", 100)
	done(outcomeDone)
	if len(book.m) != 2 || book.bytes != book.maxBytes {
		t.Errorf("%d entries of %d bytes", len(book.m), book.bytes)
	}
	book.maxBytes--
	_, done = one(t, book, "d", 100)
	done(outcomeDone)
	if len(book.m) != 1 {
		t.Errorf("%d entries of %d bytes, one more than the bound", len(book.m), book.bytes)
	}
}

// TestTokenForgottenWhileSealing: an entry that makes room for another while it is
// sealed, or before its call ends, is not counted any more.
func TestTokenForgottenWhileSealing(t *testing.T) {
	for _, o := range []outcome{outcomeDone, outcomeUnclear, outcomeNothing, outcomeCancelled} {
		book := newTokens()
		book.maxEntries = 1
		plain := envelope.Item{"id": &types.AttributeValueMemberS{Value: "a"}}
		items, done, err := book.sealed("slow", []types.TransactWriteItem{{Put: &types.Put{Item: plain}}},
			func() ([]envelope.Item, error) {
				_, other := one(t, book, "quick", 10)
				other(outcomeDone)
				return []envelope.Item{{"x": &types.AttributeValueMemberB{Value: make([]byte, 1000)}}}, nil
			})
		if err != nil || len(items) != 1 {
			t.Fatal(err)
		}
		check := func(what string) {
			t.Helper()
			if len(book.m) != 1 || book.bytes > 20 || book.answered.Len() != 1 || book.open.Len() != 0 {
				t.Errorf("outcome %d, %s: %d entries of %d bytes, %d answered, %d open", o, what, len(book.m),
					book.bytes, book.answered.Len(), book.open.Len())
			}
		}
		check("before the end")
		done(o)
		check("after the end")
		if sealings, done := one(t, book, "quick", 10); sealings != 0 {
			t.Error("the other entry was forgotten")
		} else {
			done(outcomeDone)
		}
	}
}
