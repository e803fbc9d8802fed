package dynamodb

import (
	"context"
	"encoding/json"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

type jsonObject = map[string]any

func (s *Service) describeTable(_ context.Context, _ *request.Call, in *tableInput) ([]byte, error) {
	t, err := s.existing(in.at, errNoTableNamed)
	if err != nil {
		return nil, err
	}
	t.mu.RLock()
	description := t.describe(s.cfg.Clock())
	t.mu.RUnlock()
	return json.Marshal(jsonObject{"Table": description})
}

// describe makes a TableDescription; the caller holds the lock.
func (t *table) describe(now time.Time) jsonObject {
	d := t.def
	items, bytes := t.counts()
	out := jsonObject{
		"TableName": d.Name, "TableArn": d.ARN, "TableId": d.ID, "TableStatus": t.status(now),
		"CreationDateTime": epoch(d.Created), "KeySchema": describeKey(d.Key),
		"AttributeDefinitions": describeAttributes(d.Attributes), "ItemCount": items, "TableSizeBytes": bytes,
		"ProvisionedThroughput":     describeThroughput(d.Throughput, now),
		"WarmThroughput":            describeWarmth(d.Warm.grown(d.Throughput, d.OnDemand)),
		"DeletionProtectionEnabled": d.DeletionProtection,
	}
	if d.OnDemand {
		out["BillingModeSummary"] = jsonObject{"BillingMode": "PAY_PER_REQUEST", "LastUpdateToPayPerRequestDateTime": epoch(d.BillingChanged)}
	} else if !d.BillingChanged.IsZero() {
		out["BillingModeSummary"] = jsonObject{"BillingMode": "PROVISIONED", "LastUpdateToPayPerRequestDateTime": epoch(d.BillingChanged)}
	}
	if limit := describeLimit(d.OnDemandLimit); limit != nil {
		out["OnDemandThroughput"] = limit
	}
	if d.TableClass != "" {
		class := jsonObject{"TableClass": d.TableClass}
		if !d.ClassChanged.IsZero() {
			class["LastUpdateDateTime"] = epoch(d.ClassChanged)
		}
		out["TableClassSummary"] = class
	}
	if sse := d.Encryption.describe(now); sse != nil {
		if t.status(now) == "INACCESSIBLE_ENCRYPTION_CREDENTIALS" {
			sse["InaccessibleEncryptionDateTime"] = epoch(t.inaccessible.Add(inaccessibleAfter)) // when DynamoDB noticed
		}
		out["SSEDescription"] = sse
	}
	if len(t.local) > 0 {
		var list []jsonObject
		for _, i := range sortedIndexes(t.local) {
			list = append(list, i.describe(d.ARN))
		}
		out["LocalSecondaryIndexes"] = list
	}
	if len(t.global) > 0 {
		var list []jsonObject
		for _, i := range sortedIndexes(t.global) {
			o := i.describe(d.ARN)
			o["IndexStatus"] = i.def.status(now)
			if i.def.status(now) == "CREATING" && !t.def.Creating {
				o["Backfilling"] = true
			}
			o["ProvisionedThroughput"] = describeThroughput(i.def.Throughput, now)
			o["WarmThroughput"] = describeWarmth(i.def.Warm.grown(i.def.Throughput, d.OnDemand))
			if limit := describeLimit(i.def.Limit); limit != nil {
				o["OnDemandThroughput"] = limit
			}
			list = append(list, o)
		}
		out["GlobalSecondaryIndexes"] = list
	}
	return out
}

// counts returns ItemCount and TableSizeBytes. While the items are still
// sealed on disk the size is that of what lies there.
func (t *table) counts() (items int, bytes int64) {
	if t.loaded {
		return t.items.Len(), t.bytes
	}
	_ = t.service.cfg.Store.Range(bucketItems(t.def.ID, t.def.Encryption.Generation), func(_, value []byte) error {
		items++
		bytes += int64(len(value))
		return nil
	})
	return items, bytes
}

func (i *index) describe(tableARN string) jsonObject {
	projection := jsonObject{"ProjectionType": i.def.Projection}
	if i.def.NonKey != nil {
		projection["NonKeyAttributes"] = i.def.NonKey
	}
	return jsonObject{
		"IndexName": i.def.Name, "IndexArn": tableARN + "/index/" + i.def.Name, "KeySchema": describeKey(i.def.Key),
		"Projection": projection, "ItemCount": i.entries.Len(), "IndexSizeBytes": i.bytes,
	}
}

func describeKey(k keySchema) []jsonObject {
	out := []jsonObject{{"AttributeName": k.Partition.Name, "KeyType": "HASH"}}
	if k.hasSort() {
		out = append(out, jsonObject{"AttributeName": k.Sort.Name, "KeyType": "RANGE"})
	}
	return out
}

func describeAttributes(list []keyAttribute) []jsonObject {
	out := make([]jsonObject, 0, len(list))
	for _, a := range list {
		out = append(out, jsonObject{"AttributeName": a.Name, "AttributeType": a.Type})
	}
	return out
}

func describeThroughput(t throughput, now time.Time) jsonObject {
	out := jsonObject{"ReadCapacityUnits": t.Read, "WriteCapacityUnits": t.Write, "NumberOfDecreasesToday": t.decreases(now)}
	if !t.Increased.IsZero() {
		out["LastIncreaseDateTime"] = epoch(t.Increased)
	}
	if !t.Decreased.IsZero() {
		out["LastDecreaseDateTime"] = epoch(t.Decreased)
	}
	return out
}

func describeWarmth(w warmth) jsonObject {
	return jsonObject{"ReadUnitsPerSecond": w.Read, "WriteUnitsPerSecond": w.Write, "Status": "ACTIVE"}
}

func describeLimit(l *onDemandLimit) jsonObject {
	if !l.given() {
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

func (s *Service) deleteTable(ctx context.Context, c *request.Call, in *tableInput) ([]byte, error) {
	t, err := s.existing(in.at, errNoTableNamed)
	if err != nil {
		return nil, err
	}
	description, enc, pending, err := s.remove(t, s.cfg.Clock())
	if err != nil {
		return nil, err
	}
	if err := waitFor(pending); err != nil {
		return nil, err
	}
	s.retire(ctx, c, t.target(), enc)
	return json.Marshal(jsonObject{"TableDescription": description})
}

// remove takes a table and its items away, and returns what was left of it.
func (s *Service) remove(t *table, now time.Time) (jsonObject, encryption, storage.Pending, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	enc, err := t.def.Encryption, t.busy(now)
	switch {
	case t.deleted:
		err = errNoTableNamed(t.def.Name)
	case t.def.DeletionProtection:
		err = errValidation("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	if err != nil {
		return nil, enc, nil, err
	}
	description := t.describe(now)
	description["TableStatus"] = "DELETING"
	tx := new(storage.Tx)
	tx.Delete(bucketTables, t.recordKey())
	tx.Drop(bucketItems(t.def.ID, enc.Generation))
	t.deleted, t.sealer = true, nil
	t.clear()
	delete(s.tables[t.target().Place], t.def.Name)
	return description, enc, s.cfg.Store.Submit(tx), nil
}
