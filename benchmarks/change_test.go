// SPDX-License-Identifier: Apache-2.0

package benchmarks

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/change"
)

// BenchmarkChanges takes turns between decoding 1,000 records with an image of
// 1 KB each and DecryptAll of the same images, with warm branch keys. Typed
// records also become Go values, which DecryptAll does not do.
func BenchmarkChanges(b *testing.B) {
	for _, suite := range suites() {
		k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{BranchKeyID: benchBranchKey,
			Source: cached(b, newSlowSource(b, 0))})
		if err != nil {
			b.Fatal(err)
		}
		people, err := store.New[person](&instant{}, "people", store.ClientSide{Keyring: k, AlgorithmSuite: suite})
		if err != nil {
			b.Fatal(err)
		}
		benchChanges(b, fmt.Sprintf("suite=%#x", uint16(suite)), people)
	}
}

func benchChanges(b *testing.B, name string, people *store.Table[person]) {
	images := kilobytePeople(b, people)
	e := people.Encryptor()
	maps, err := change.Items("people", e, "", "")
	if err != nil {
		b.Fatal(err)
	}
	stream, event, lines := recordsOf(b, images)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write(lines); err != nil {
		b.Fatal(err)
	}
	if err := z.Close(); err != nil {
		b.Fatal(err)
	}
	lambda := func() []change.Record {
		records, err := change.Lambda(event)
		if err != nil {
			b.Fatal(err)
		}
		return records
	}
	ctx := b.Context()
	for _, c := range []struct {
		name string
		do   func() error
	}{
		{"stream", func() error { return consume(change.Decode(ctx, maps, change.Stream(stream))) }},
		{"stream-typed", func() error { return consume(change.Decode(ctx, people, change.Stream(stream))) }},
		{"lambda", func() error { return consume(change.Decode(ctx, maps, lambda())) }},
		{"lambda-typed", func() error { return consume(change.Decode(ctx, people, lambda())) }},
		{"export", func() error { return consume(change.DecodeExport(ctx, maps, bytes.NewReader(lines))) }},
		{"export-gzip", func() error {
			return consume(change.DecodeExport(ctx, maps, bytes.NewReader(zipped.Bytes())))
		}},
	} {
		b.Run(name+"/"+c.name, func(b *testing.B) {
			beside(b, "DecryptAll", c.do, func() error { _, err := e.DecryptAll(ctx, images); return err })
		})
	}
}

func consume[T any](all iter.Seq2[change.Change[T], error]) error {
	n := 0
	for _, err := range all {
		if err != nil {
			return err
		}
		n++
	}
	if n != different {
		return fmt.Errorf("%d records", n)
	}
	return nil
}

// kilobytePeople are stored people of 1 KB.
func kilobytePeople(b *testing.B, people *store.Table[person]) []envelope.Item {
	b.Helper()
	var images []envelope.Item
	for i := range different {
		p := aPerson(i)
		p.Comments = []string{strings.Repeat("a", 400), strings.Repeat("b", 300)}
		plain, err := attributevalue.MarshalMap(p)
		if err != nil {
			b.Fatal(err)
		}
		image, err := people.Encryptor().EncryptItem(context.Background(), plain)
		if err != nil {
			b.Fatal(err)
		}
		images = append(images, image)
	}
	return images
}

// recordsOf makes records of each source with the images.
func recordsOf(b *testing.B, images []envelope.Item) (stream []streamtypes.Record, event, lines []byte) {
	b.Helper()
	text := func(item envelope.Item) []byte {
		out, err := ddbjson.Marshal(item)
		if err != nil {
			b.Fatal(err)
		}
		return out
	}
	var records [][]byte
	var file bytes.Buffer
	for i, image := range images {
		keys := envelope.Item{"id": image["id"], "created": image["created"]}
		records = append(records, fmt.Appendf(nil, `{"eventName":"INSERT","eventSource":"aws:dynamodb",`+
			`"dynamodb":{"Keys":%s,"NewImage":%s,"SequenceNumber":"%d","StreamViewType":"NEW_IMAGE"}}`, text(keys), text(image), i+1))
		fmt.Fprintf(&file, "{\"Item\":%s}\n", text(image))
		stream = append(stream, streamtypes.Record{EventName: streamtypes.OperationTypeInsert,
			Dynamodb: &streamtypes.StreamRecord{Keys: streamItem(keys), NewImage: streamItem(image),
				SequenceNumber: aws.String(fmt.Sprint(i + 1)), StreamViewType: streamtypes.StreamViewTypeNewImage}})
	}
	event = append(append([]byte(`{"Records":[`), bytes.Join(records, []byte(","))...), "]}"...)
	lines, err := io.ReadAll(&file)
	if err != nil {
		b.Fatal(err)
	}
	return stream, event, lines
}

// streamItem converts the kinds of values that stored people have.
func streamItem(item envelope.Item) map[string]streamtypes.AttributeValue {
	out := map[string]streamtypes.AttributeValue{}
	for name, v := range item {
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			out[name] = &streamtypes.AttributeValueMemberS{Value: v.Value}
		case *types.AttributeValueMemberN:
			out[name] = &streamtypes.AttributeValueMemberN{Value: v.Value}
		case *types.AttributeValueMemberB:
			out[name] = &streamtypes.AttributeValueMemberB{Value: v.Value}
		}
	}
	return out
}
