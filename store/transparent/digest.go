// SPDX-License-Identifier: Apache-2.0

package transparent

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// digest returns a keyed hash of a token and a plaintext request, which is the
// same for the same request under the same token.
func (t *tokens) digest(token string, ops []types.TransactWriteItem) (sum [sha256.Size]byte, err error) {
	w := digestWriter{Hash: hmac.New(sha256.New, t.key[:])}
	w.text("token", &token, nil, "")
	for _, op := range ops {
		switch {
		case op.Put != nil:
			w.text("put", op.Put.TableName, op.Put.ConditionExpression,
				string(op.Put.ReturnValuesOnConditionCheckFailure))
			w.item(op.Put.Item)
			w.names(op.Put.ExpressionAttributeNames)
			w.item(op.Put.ExpressionAttributeValues)
		case op.Delete != nil:
			w.text("delete", op.Delete.TableName, op.Delete.ConditionExpression,
				string(op.Delete.ReturnValuesOnConditionCheckFailure))
			w.item(op.Delete.Key)
			w.names(op.Delete.ExpressionAttributeNames)
			w.item(op.Delete.ExpressionAttributeValues)
		case op.ConditionCheck != nil:
			w.text("check", op.ConditionCheck.TableName, op.ConditionCheck.ConditionExpression,
				string(op.ConditionCheck.ReturnValuesOnConditionCheckFailure))
			w.item(op.ConditionCheck.Key)
			w.names(op.ConditionCheck.ExpressionAttributeNames)
			w.item(op.ConditionCheck.ExpressionAttributeValues)
		case op.Update != nil:
			w.text("update", op.Update.TableName, op.Update.ConditionExpression,
				string(op.Update.ReturnValuesOnConditionCheckFailure))
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
