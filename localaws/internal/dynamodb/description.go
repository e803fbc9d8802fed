// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/table"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

func (s *Service) describeTable(_ context.Context, _ *request.Call, in *input.Table) ([]byte, error) {
	t, err := s.existing(in.Target(), refusal.NoTableNamed)
	if err != nil {
		return nil, err
	}
	now := s.cfg.Clock()
	def, n := t.Describe(now)
	return json.Marshal(jsonObject{"Table": describe(def, n, now)})
}

type jsonObject = map[string]any

// describe makes a TableDescription.
func describe(d *schema.Definition, n table.Counts, now time.Time) jsonObject {
	out := jsonObject{
		"TableName": d.Name, "TableArn": d.ARN, "TableId": d.ID, "TableStatus": n.Status,
		"CreationDateTime": epoch(d.Created), "KeySchema": describeKey(&d.Key),
		"AttributeDefinitions": describeAttributes(d.Attributes), "ItemCount": n.Items, "TableSizeBytes": n.Bytes,
		"ProvisionedThroughput":     describeThroughput(d.Throughput, now),
		"WarmThroughput":            describeWarmth(d.Warm.Grown(d.Throughput, d.OnDemand)),
		"DeletionProtectionEnabled": d.DeletionProtection,
	}
	if d.OnDemand {
		out["BillingModeSummary"] = jsonObject{"BillingMode": "PAY_PER_REQUEST",
			"LastUpdateToPayPerRequestDateTime": epoch(d.BillingChanged)}
	} else if !d.BillingChanged.IsZero() {
		out["BillingModeSummary"] = jsonObject{"BillingMode": "PROVISIONED",
			"LastUpdateToPayPerRequestDateTime": epoch(d.BillingChanged)}
	}
	if limit := describeLimit(d.OnDemandLimit); limit != nil {
		out["OnDemandThroughput"] = limit
	}
	if r := d.Restored; r != nil && n.Status == "CREATING" {
		out["RestoreSummary"] = jsonObject{"SourceBackupArn": r.BackupARN, "SourceTableArn": r.TableARN,
			"RestoreDateTime": epoch(r.At), "RestoreInProgress": true}
	}
	if d.TableClass != "" {
		class := jsonObject{"TableClass": d.TableClass}
		if !d.ClassChanged.IsZero() {
			class["LastUpdateDateTime"] = epoch(d.ClassChanged)
		}
		out["TableClassSummary"] = class
	}
	if sse := describeEncryption(&d.Encryption, now); sse != nil {
		if !n.Noticed.IsZero() {
			sse["InaccessibleEncryptionDateTime"] = epoch(n.Noticed)
		}
		out["SSEDescription"] = sse
	}
	if s := d.Stream; s != nil {
		if s.Enabled {
			out["StreamSpecification"] = describeStream(s)
		}
		out["LatestStreamLabel"], out["LatestStreamArn"] = s.Label, d.StreamARN()
	}
	if len(d.Local) > 0 {
		var list []jsonObject
		for _, i := range sortedIndexes(d.Local) {
			list = append(list, describeIndex(i, d.ARN, n.Index[i.Name]))
		}
		out["LocalSecondaryIndexes"] = list
	}
	if len(d.Global) > 0 {
		var list []jsonObject
		for _, i := range sortedIndexes(d.Global) {
			o := describeIndex(i, d.ARN, n.Index[i.Name])
			o["IndexStatus"] = i.Status(now)
			if i.Status(now) == "CREATING" && !d.Creating {
				o["Backfilling"] = true
			}
			o["ProvisionedThroughput"] = describeThroughput(i.Throughput, now)
			o["WarmThroughput"] = describeWarmth(i.Warm.Grown(i.Throughput, d.OnDemand))
			if limit := describeLimit(i.Limit); limit != nil {
				o["OnDemandThroughput"] = limit
			}
			list = append(list, o)
		}
		out["GlobalSecondaryIndexes"] = list
	}
	return out
}

func describeIndex(i *schema.Index, tableARN string, n table.IndexCounts) jsonObject {
	projection := jsonObject{"ProjectionType": i.Projection}
	if i.NonKey != nil {
		projection["NonKeyAttributes"] = i.NonKey
	}
	return jsonObject{
		"IndexName": i.Name, "IndexArn": tableARN + "/index/" + i.Name, "KeySchema": describeKey(&i.Key),
		"Projection": projection, "ItemCount": n.Items, "IndexSizeBytes": n.Bytes,
	}
}

func describeStream(s *schema.Stream) jsonObject {
	return jsonObject{"StreamEnabled": true, "StreamViewType": s.View}
}

func describeKey(k *schema.Key) []jsonObject {
	var out []jsonObject
	for a, partition := range k.All() {
		kind := "RANGE"
		if partition {
			kind = "HASH"
		}
		out = append(out, jsonObject{"AttributeName": a.Name, "KeyType": kind})
	}
	return out
}

func describeAttributes(list []schema.Attribute) []jsonObject {
	out := make([]jsonObject, 0, len(list))
	for _, a := range list {
		out = append(out, jsonObject{"AttributeName": a.Name, "AttributeType": a.Type})
	}
	return out
}

func describeThroughput(t schema.Throughput, now time.Time) jsonObject {
	out := jsonObject{"ReadCapacityUnits": t.Read, "WriteCapacityUnits": t.Write,
		"NumberOfDecreasesToday": t.DecreasesToday(now)}
	if !t.Increased.IsZero() {
		out["LastIncreaseDateTime"] = epoch(t.Increased)
	}
	if !t.Decreased.IsZero() {
		out["LastDecreaseDateTime"] = epoch(t.Decreased)
	}
	return out
}

func describeWarmth(w schema.Warmth) jsonObject {
	return jsonObject{"ReadUnitsPerSecond": w.Read, "WriteUnitsPerSecond": w.Write, "Status": "ACTIVE"}
}

func describeLimit(l *schema.OnDemandLimit) jsonObject {
	if !l.Given() {
		return nil
	}
	out := jsonObject{}
	if l.Read != nil {
		out["MaxReadRequestUnits"] = *l.Read
	}
	if l.Write != nil {
		out["MaxWriteRequestUnits"] = *l.Write
	}
	return out
}

// describeEncryption makes the SSEDescription, nil under the AWS owned key.
func describeEncryption(e *schema.Encryption, now time.Time) jsonObject {
	status, arn := "ENABLED", e.KeyARN
	switch {
	case now.Before(e.Settles):
		status, arn = "UPDATING", e.Before
	case e.Mode == schema.KeyOwned:
		return nil
	}
	out := jsonObject{"Status": status}
	if arn != "" {
		out["SSEType"], out["KMSMasterKeyArn"] = "KMS", arn
	}
	return out
}

// epoch is a time as DynamoDB writes it: seconds with milliseconds.
func epoch(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// sortedIndexes returns the indexes by name, as DescribeTable lists them.
func sortedIndexes(list []*schema.Index) []*schema.Index {
	out := slices.Clone(list)
	slices.SortFunc(out, func(a, b *schema.Index) int { return strings.Compare(a.Name, b.Name) })
	return out
}
