// SPDX-License-Identifier: Apache-2.0

package change

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// Stream returns the records of a response of GetRecords, in their order. The
// result shares memory with records.
func Stream(records []streamtypes.Record) []Record {
	out := make([]Record, len(records))
	for i := range records {
		out[i] = Record{source: fromStream, stream: &records[i]}
	}
	return out
}

// The identity of the service in records of items that expired.
const (
	serviceType      = "Service"
	servicePrincipal = "dynamodb.amazonaws.com"
)

func (c *content) readStream(r *streamtypes.Record) error {
	if r == nil || r.Dynamodb == nil {
		return malformed("the member dynamodb is missing")
	}
	d := r.Dynamodb
	c.views, c.view = true, string(d.StreamViewType)
	c.kind = kindOf(string(r.EventName))
	c.sequence = aws.ToString(d.SequenceNumber)
	c.at = aws.ToTime(d.ApproximateCreationDateTime)
	if u := r.UserIdentity; u != nil {
		c.byTTL = aws.ToString(u.Type) == serviceType && aws.ToString(u.PrincipalId) == servicePrincipal
	}
	for _, part := range []struct {
		name string
		from map[string]streamtypes.AttributeValue
		to   *envelope.Item
	}{{"Keys", d.Keys, &c.keys}, {"OldImage", d.OldImage, &c.old}, {"NewImage", d.NewImage, &c.new}} {
		item, err := itemOf(part.from)
		if err != nil {
			return malformed("%s: %w", part.name, err)
		}
		*part.to = item
	}
	return nil
}

func itemOf(from map[string]streamtypes.AttributeValue) (envelope.Item, error) {
	if len(from) == 0 {
		return nil, nil
	}
	item := make(envelope.Item, len(from))
	for name, v := range from {
		av, err := valueOf(v, 1)
		if err != nil {
			return nil, fmt.Errorf("attribute %q: %w", name, err)
		}
		item[name] = av
	}
	return item, nil
}

// valueOf converts a value of the streams client into one of the table client.
// Text, bytes and sets share memory with it.
func valueOf(from streamtypes.AttributeValue, level int) (types.AttributeValue, error) {
	if level > ddbjson.MaxDepth {
		return nil, fmt.Errorf("more than %d levels", ddbjson.MaxDepth)
	}
	switch v := from.(type) {
	case *streamtypes.AttributeValueMemberS:
		return &types.AttributeValueMemberS{Value: v.Value}, nil
	case *streamtypes.AttributeValueMemberN:
		return &types.AttributeValueMemberN{Value: v.Value}, nil
	case *streamtypes.AttributeValueMemberB:
		return &types.AttributeValueMemberB{Value: v.Value}, nil
	case *streamtypes.AttributeValueMemberBOOL:
		return &types.AttributeValueMemberBOOL{Value: v.Value}, nil
	case *streamtypes.AttributeValueMemberNULL:
		return &types.AttributeValueMemberNULL{Value: v.Value}, nil
	case *streamtypes.AttributeValueMemberSS:
		return &types.AttributeValueMemberSS{Value: v.Value}, nil
	case *streamtypes.AttributeValueMemberNS:
		return &types.AttributeValueMemberNS{Value: v.Value}, nil
	case *streamtypes.AttributeValueMemberBS:
		return &types.AttributeValueMemberBS{Value: v.Value}, nil
	case *streamtypes.AttributeValueMemberL:
		out := make([]types.AttributeValue, len(v.Value))
		for i, element := range v.Value {
			var err error
			if out[i], err = valueOf(element, level+1); err != nil {
				return nil, err
			}
		}
		return &types.AttributeValueMemberL{Value: out}, nil
	case *streamtypes.AttributeValueMemberM:
		out := make(map[string]types.AttributeValue, len(v.Value))
		for name, element := range v.Value {
			var err error
			if out[name], err = valueOf(element, level+1); err != nil {
				return nil, err
			}
		}
		return &types.AttributeValueMemberM{Value: out}, nil
	}
	return nil, fmt.Errorf("a value of type %T", from)
}
