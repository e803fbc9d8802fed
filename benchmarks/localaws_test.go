// SPDX-License-Identifier: Apache-2.0

package benchmarks

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/ddbseal/ddbseal/localaws"
)

// tableUnderKey starts a server with one table under a customer managed key
// and returns a client of it.
func tableUnderKey(b *testing.B, o localaws.Options) *dynamodb.Client {
	b.Helper()
	s, err := localaws.New(o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	cfg := s.Config(s.RootCredentials())
	key, err := kms.NewFromConfig(cfg).CreateKey(b.Context(), &kms.CreateKeyInput{})
	if err != nil {
		b.Fatal(err)
	}
	client := dynamodb.NewFromConfig(cfg)
	_, err = client.CreateTable(b.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("items"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"),
			AttributeType: types.ScalarAttributeTypeS}},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		SSESpecification: &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms,
			KMSMasterKeyId: key.KeyMetadata.Arn},
	})
	if err != nil {
		b.Fatal(err)
	}
	return client
}

// benchItem is an item of about 1 KB with ten attributes.
func benchItem(id string) map[string]types.AttributeValue {
	raw := make([]byte, 600)
	rand.Read(raw)
	it := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id},
		"text":  &types.AttributeValueMemberS{Value: base64.StdEncoding.EncodeToString(raw[:300])},
		"bytes": &types.AttributeValueMemberB{Value: raw[300:]},
		"flag":  &types.AttributeValueMemberBOOL{Value: true},
		"list": &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberN{Value: "1"},
			&types.AttributeValueMemberS{Value: "two"}}}}
	for i := range 5 {
		it[fmt.Sprint("number", i)] = &types.AttributeValueMemberN{Value: fmt.Sprint(i * 1_000_003)}
	}
	return it
}

// perSecond reports the throughput of a benchmark, and the processor time of
// one call, SDK client included: on a machine with other work that is what
// counts, since processors / cpu-µs/op is the throughput of an idle one.
func perSecond(b *testing.B, what string, cpuBefore time.Duration) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), what+"/s")
	b.ReportMetric(float64((cpuTime()-cpuBefore).Microseconds())/float64(b.N), "cpu-µs/op")
}

// BenchmarkLocalPutItem writes 1 KB items through the SDK, in the process.
func BenchmarkLocalPutItem(b *testing.B) { benchPut(b, localaws.Options{}, 1) }

// BenchmarkLocalPutItemDurable does the same with a data directory and 32
// concurrent writers per processor, who share syncs.
func BenchmarkLocalPutItemDurable(b *testing.B) {
	benchPut(b, localaws.Options{DataDir: b.TempDir()}, 32)
}

func benchPut(b *testing.B, o localaws.Options, writers int) {
	client := tableUnderKey(b, o)
	var n atomic.Int64
	it := benchItem("")
	b.SetParallelism(writers)
	b.ReportAllocs()
	before := cpuTime()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		mine := make(map[string]types.AttributeValue, len(it))
		for name, v := range it {
			mine[name] = v
		}
		for pb.Next() {
			mine["id"] = &types.AttributeValueMemberS{Value: fmt.Sprint(n.Add(1) % 50_000)}
			if _, err := client.PutItem(context.Background(),
				&dynamodb.PutItemInput{TableName: aws.String("items"), Item: mine}); err != nil {
				b.Error(err)
				return
			}
		}
	})
	perSecond(b, "puts", before)
}

// BenchmarkLocalGetItem reads 1 KB items through the SDK, in the process.
func BenchmarkLocalGetItem(b *testing.B) {
	client := tableUnderKey(b, localaws.Options{})
	const items = 1000
	for i := range items {
		if _, err := client.PutItem(b.Context(),
			&dynamodb.PutItemInput{TableName: aws.String("items"), Item: benchItem(fmt.Sprint(i))}); err != nil {
			b.Fatal(err)
		}
	}
	var n atomic.Int64
	b.ReportAllocs()
	before := cpuTime()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			key := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{
				Value: fmt.Sprint(n.Add(1) % items)}}
			if out, err := client.GetItem(context.Background(),
				&dynamodb.GetItemInput{TableName: aws.String("items"), Key: key}); err != nil || out.Item == nil {
				b.Error(out, err)
				return
			}
		}
	})
	perSecond(b, "gets", before)
}
