// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"encoding/json"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/cloudtrail"
	"github.com/ddbseal/ddbseal/localaws/internal/iam"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

var _ Principals = (*iam.Service)(nil)

// benchmarkTable decrypts as each call on a table under a customer managed key
// does, with the given rooms for authorization and audit.
func benchmarkTable(b *testing.B, w *world, authorizer request.Authorizer, audit request.Recorder) {
	w.store = storage.Memory{}
	w.restart()
	reader := w.user(here, "reader")
	arn := w.key(members{"Policy": policyText(rootStatement(), statement("Allow", reader.ARN, "kms:Decrypt"))})
	_, _, key, err := w.asTable(root(here), arn)
	if err != nil {
		b.Fatal(err)
	}
	w.kms.authorizer, w.kms.audit = authorizer, audit
	front := w.newCall(reader, "GetItem")
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.kms.Decrypt(ctx, front.Via("kms", "Decrypt", dynamo), arn, key.Ciphertext,
			tableContext); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTableDecrypt has the evaluation of the policies and nothing else.
func BenchmarkTableDecrypt(b *testing.B) {
	w := newWorld(b)
	benchmarkTable(b, w, w, discard{})
}

// BenchmarkTableDecryptWhole has the real identity room and audit.
func BenchmarkTableDecryptWhole(b *testing.B) {
	w := newWorld(b)
	identity, err := iam.New(iam.Config{Clock: w.clock, Store: w.store})
	if err != nil {
		b.Fatal(err)
	}
	benchmarkTable(b, w, identity, cloudtrail.NewLog(1000))
}

type discard struct{}

func (discard) Record(*request.Call, request.Operation, error) {}

// BenchmarkServeDecrypt is the wire operation behind the front door.
func BenchmarkServeDecrypt(b *testing.B) {
	w := newWorld(b)
	arn := w.key(nil)
	body, err := json.Marshal(members{"CiphertextBlob": w.encrypt(arn), "KeyId": arn})
	if err != nil {
		b.Fatal(err)
	}
	c := w.newCall(root(here), "Decrypt")
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		c.Body, c.Trail = body, request.Trail{}
		if _, err := w.kms.Serve(ctx, c); err != nil {
			b.Fatal(err)
		}
	}
}
