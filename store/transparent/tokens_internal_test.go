package transparent

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
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
