package batch

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/pace"
)

// getSize is DynamoDB's limit for one call.
const getSize = 100

// Get reads items by their keys, strongly consistent unless Eventually is set, and hands them to take as
// they come, from several goroutines if Concurrency allows it. An error of take
// ends the batch. With an error it returns the keys that were not read.
func (t *Table) Get(ctx context.Context, keys []envelope.Item,
	take func([]envelope.Item) error) (left []envelope.Item, err error) {
	unread := make([][]envelope.Item, (len(keys)+getSize-1)/getSize)
	begun, err := t.each(len(keys), getSize, func(from, to int) (err error) {
		unread[from/getSize], err = t.get(ctx, keys[from:to], take)
		return err
	})
	for _, chunk := range unread {
		left = append(left, chunk...)
	}
	return append(left, keys[begun:]...), err
}

// get reads up to 100 items; the keys it returns with an error were not read.
func (t *Table) get(ctx context.Context, waiting []envelope.Item,
	take func([]envelope.Item) error) ([]envelope.Item, error) {
	var p pace.Batch
	for {
		out, err := t.Client.BatchGetItem(ctx,
			&dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
				t.Name: {Keys: waiting, ConsistentRead: new(!t.Eventually)},
			}})
		progress := false
		switch {
		case err == nil:
			if err := take(only(out.Responses)); err != nil {
				return waiting, err
			}
			left := only(out.UnprocessedKeys).Keys
			if len(left) == 0 {
				return nil, nil
			}
			progress = len(left) < len(waiting)
			waiting = left
		case !pace.Throttled(err):
			return waiting, t.Fail("batch get", err)
		}
		if err := p.Wait(ctx, progress, err); err != nil {
			return waiting, fmt.Errorf("batch get of %s: %w", t.Name, err)
		}
	}
}
