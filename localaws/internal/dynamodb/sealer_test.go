package dynamodb

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
)

func TestNoncesAndKeysAreFresh(t *testing.T) {
	var keys, nonces, sealed [][]byte
	for range fresh.Draws {
		keys = append(keys, newTableKey())
	}
	s, err := newSealer("table", keys[0])
	if err != nil {
		t.Fatal(err)
	}
	item := Item{"id": &types.AttributeValueMemberS{Value: "a"}}
	for range fresh.Draws {
		b := s.seal([]byte("key"), item)
		nonces, sealed = append(nonces, b[:12]), append(sealed, b[12:])
	}
	fresh.Bytes(t, "table key", keys)
	fresh.Bytes(t, "nonce", nonces)
	fresh.Bytes(t, "sealed item", sealed)
	if len(keys[0]) != 32 {
		t.Errorf("table key of %d bytes", len(keys[0]))
	}
}

func TestTableIDsAreFresh(t *testing.T) {
	var ids []string
	for range fresh.Draws {
		ids = append(ids, newID())
	}
	fresh.Text(t, "table id", fresh.UUID, ids)
}
