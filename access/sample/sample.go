// SPDX-License-Identifier: Apache-2.0

// Package sample reads some items of a table to find out how they are really
// encrypted, for package access. This package is experimental: its API may change
// in any release.
//
//	table := access.Table{Name: "Orders"}
//	err := sample.Take(ctx, cfg, &table, 100)
//	snapshot, err := access.Load(ctx, cfg, table)
//
// The package reads only the attributes of an item that say how it is
// encrypted. It writes, decrypts and verifies nothing.
package sample

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/access"
	"github.com/ddbseal/ddbseal/envelope"
)

// MaxItems is the maximum number of items that Take reads.
const MaxItems = 10000

// ErrItems means that Take was asked for fewer than 1 or more than MaxItems items.
var ErrItems = fmt.Errorf("a sample has 1 to %d items", MaxItems)

// maxSegments is into how many parts the table is divided, so that the sample is
// not just the beginning of it.
const maxSegments = 10

// Take reads up to n items of the table t.Name and sets t.Sample. It adds to
// t.ItemKeys the KMS keys that items name and t.ItemKeys lacks. If t.ItemKeys was
// empty and t.RawKeys is false, it sets t.SymmetricSignature to whether every
// encrypted item lacks an ECDSA signature.
//
// Take needs dynamodb:DescribeTable and dynamodb:Scan, and kms:Decrypt on the
// table's key. If a scan is denied, it sets Sample.NotRead and returns nil. Errors:
// ErrItems, and the SDK's.
func Take(ctx context.Context, cfg aws.Config, t *access.Table, n int) error {
	if n < 1 || n > MaxItems {
		return ErrItems
	}
	client := dynamodb.NewFromConfig(cfg)
	out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &t.Name})
	if err != nil {
		return fmt.Errorf("table %s: %w", t.Name, err)
	}
	s := sampling{sample: access.Sample{Of: aws.ToInt64(out.Table.ItemCount)}, symmetric: true}
	err = s.read(ctx, client, t.Name, n)
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && strings.HasPrefix(api.ErrorCode(), "AccessDenied"):
		s.sample = access.Sample{Of: s.sample.Of, NotRead: "permission denied"}
	case err != nil:
		return fmt.Errorf("sample of table %s: %w", t.Name, err)
	}
	s.addKeys(t)
	t.Sample = &s.sample
	return nil
}

// sampling counts what a sample finds.
type sampling struct {
	sample    access.Sample
	symmetric bool // no item with an ECDSA signature was found
}

// segment is a part of the table.
type segment struct {
	number int32
	next   map[string]types.AttributeValue
	done   bool
}

// read reads up to n items from all parts of the table in turn.
func (s *sampling) read(ctx context.Context, client *dynamodb.Client, name string, n int) error {
	segments := make([]segment, min(n, maxSegments))
	for i := range segments {
		segments[i].number = int32(i)
	}
	open := len(segments)
	for s.sample.Items < n && open > 0 {
		for i := range segments {
			g := &segments[i]
			left := n - s.sample.Items
			if g.done || left == 0 {
				continue
			}
			out, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: &name, ExclusiveStartKey: g.next,
				Segment: &g.number, TotalSegments: aws.Int32(int32(len(segments))),
				Limit:                aws.Int32(int32((left + open - 1) / open)),
				ProjectionExpression: aws.String("#h, #f, #d, #s"),
				ExpressionAttributeNames: map[string]string{"#h": envelope.HeaderAttribute,
					"#f": envelope.FooterAttribute, "#d": envelope.LegacyDescriptionAttribute,
					"#s": envelope.LegacySignatureAttribute}})
			if err != nil {
				return err
			}
			for _, item := range out.Items {
				s.item(item)
			}
			if g.next = out.LastEvaluatedKey; len(g.next) == 0 {
				g.done = true
				open--
			}
		}
	}
	s.sample.All = open == 0
	return nil
}

// item counts an item.
func (s *sampling) item(item envelope.Item) {
	s.sample.Items++
	m, err := envelope.Inspect(item)
	switch {
	case err == nil:
		s.symmetric = s.symmetric && m.Suite == envelope.SuiteSymmetricSignature
		s.keys(m)
	case errors.Is(err, envelope.ErrNotEncrypted):
		s.sample.Plaintext++
	case errors.Is(err, envelope.ErrLegacyItem):
		s.sample.Legacy++
	default:
		s.sample.Malformed++
	}
}

// maxName bounds the length of a name that an item gives.
const maxName = 256

// keys counts the keys of an item.
func (s *sampling) keys(m *envelope.Message) {
	var seen []access.SampledKey
	for _, k := range m.EncryptedDataKeys {
		found := access.SampledKey{Provider: name(k.ProviderID)}
		switch info := string(k.ProviderInfo); {
		case k.ProviderID == access.BranchKeyProvider:
			found.Key = name(info)
		case keyARN(info):
			found.Key = info
		}
		if !slices.Contains(seen, found) {
			seen = append(seen, found)
			s.key(found)
		}
	}
}

func (s *sampling) key(found access.SampledKey) {
	i := slices.IndexFunc(s.sample.Keys, func(k access.SampledKey) bool {
		return k.Provider == found.Provider && k.Key == found.Key
	})
	switch {
	case i >= 0:
		s.sample.Keys[i].Items++
	case len(s.sample.Keys) == access.MaxSampledKeys:
		s.sample.MoreKeys = true
	default:
		found.Items = 1
		s.sample.Keys = append(s.sample.Keys, found)
	}
}

// name is a name of an item, or a part of it.
func name(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	for len(text) > maxName || !utf8.ValidString(text) {
		text = text[:min(len(text)-1, maxName)]
	}
	return text
}

var (
	region  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
	account = regexp.MustCompile(`^[0-9]{12}$`)
	keyID   = regexp.MustCompile(`^key/[0-9A-Za-z-]{1,64}$`)
)

// keyARN reports whether a text is the ARN of a KMS key. A stranger can have
// written it, and Load calls KMS in its Region.
func keyARN(text string) bool {
	a, err := arn.Parse(text)
	return err == nil && a.Service == "kms" && strings.HasPrefix(a.Partition, "aws") && len(a.Partition) < 16 &&
		region.MatchString(a.Region) && account.MatchString(a.AccountID) && keyID.MatchString(a.Resource)
}

// addKeys adds to a table what its items name.
func (s *sampling) addKeys(t *access.Table) {
	if len(t.ItemKeys) == 0 && !t.RawKeys {
		t.SymmetricSignature = s.symmetric && len(s.sample.Keys) > 0
	}
	for _, k := range s.sample.Keys {
		if k.Key == "" || k.Provider == access.BranchKeyProvider || slices.ContainsFunc(t.ItemKeys,
			func(has access.ItemKey) bool { return has.ARN == k.Key && has.KeyStore == "" }) {
			continue
		}
		t.ItemKeys = append(t.ItemKeys, access.ItemKey{ARN: k.Key, Sampled: true})
	}
}
