package kms

import (
	"encoding/json"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/call"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// BenchmarkTableDecrypt is what each call on a table under a customer managed
// key costs here: authorization by key policy and identity policy, decryption
// and the (discarded) event.
func BenchmarkTableDecrypt(b *testing.B) {
	w := newWorld(b)
	w.store = storage.Memory{}
	w.restart()
	arn := w.key(nil)
	reader := w.user(here, "reader", "kms:Decrypt")
	_, _, key, err := w.asTable(root(here), arn)
	if err != nil {
		b.Fatal(err)
	}
	w.kms.audit = discard{}
	front := w.newCall(reader, "GetItem")
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.kms.Decrypt(ctx, front.Via("kms", "Decrypt", dynamo), arn, key.Ciphertext, tableContext); err != nil {
			b.Fatal(err)
		}
	}
}

type discard struct{}

func (discard) Record(*call.Call, call.Operation, error) {}

func BenchmarkServeDecrypt(b *testing.B) {
	w := newWorld(b)
	arn := w.key(nil)
	body, _ := json.Marshal(members{"CiphertextBlob": w.encrypt(arn), "KeyId": arn})
	c := w.newCall(root(here), "Decrypt")
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		c.Body, c.Trail = body, call.Trail{}
		if _, err := w.kms.Serve(ctx, c); err != nil {
			b.Fatal(err)
		}
	}
}
