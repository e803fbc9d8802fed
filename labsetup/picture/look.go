package picture

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/awsmessage"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/store"
)

// Texts of parts.
const (
	Unreadable = "(unreadable)"
	nothing    = "nothing"
	notKnown   = "(not shown)"
)

// Look is what one principal gets of the lab's record in one of its tables.
type Look struct {
	Answer  []Part // what DynamoDB answers
	Program []Part // what a program shows that decrypts where it can
	Opened  bool   // the program shows the record
}

// Observe reads the lab's record in a table as the principal that cfg signs as,
// once as DynamoDB answers and once through a program that decrypts with the key.
// keyARN is the ARN of the key; empty means the key that the item names, which is
// right only where nobody else could have written the item. A refusal is a
// finding. Errors: [ErrMissing], those of the network, and that of a table that
// does not exist.
func Observe(ctx context.Context, cfg aws.Config, keyARN, table string) (Look, error) {
	item, err := get(ctx, cfg, table)
	if err != nil {
		refusal, ok := refusal(err)
		if !ok {
			return Look{}, err
		}
		return Look{Answer: []Part{{Refused, refusal}}, Program: []Part{{Nothing, nothing}}}, nil
	}
	look := Look{Answer: answer(item)}
	if _, sealed := item[envelope.HeaderAttribute]; !sealed {
		look.Program, look.Opened = look.Answer, true
		return look, nil
	}
	mode := labsetup.ModeClient
	if table == labsetup.BothTable {
		mode = labsetup.ModeBoth
	}
	if keyARN == "" {
		message, err := envelope.Inspect(item)
		if err != nil {
			return Look{}, err
		}
		if len(message.EncryptedDataKeys) > 0 {
			keyARN = string(message.EncryptedDataKeys[0].ProviderInfo)
		}
	}
	t, err := labsetup.OpenTable(cfg, keyARN, mode)
	if err != nil {
		return Look{}, err
	}
	r, err := t.Get(ctx, store.Key{Partition: labsetup.RecordID})
	if err == nil {
		look.Program, look.Opened = []Part{{Clear, r.Diagnosis}}, true
		return look, nil
	}
	refusal, ok := refusal(err)
	if !ok {
		return Look{}, err
	}
	look.Program = []Part{{Sealed, Unreadable}, {Refused, "KMS: " + strings.ToLower(strings.TrimPrefix(refusal, "Access"))}}
	return look, nil
}

// ErrMissing means that the lab's record is not in the table.
var ErrMissing = errors.New("the lab's record is not in the table: run 'ddbseal up'")

func get(ctx context.Context, cfg aws.Config, table string) (envelope.Item, error) {
	out, err := dynamodb.NewFromConfig(cfg).GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(table),
		ConsistentRead: aws.Bool(true),
		Key:            map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: labsetup.RecordID}}})
	if err != nil {
		return nil, err
	}
	if len(out.Item) == 0 {
		return nil, ErrMissing
	}
	return out.Item, nil
}

// answer shows an item as it comes: the diagnosis, or what is readable beside it.
func answer(item envelope.Item) []Part {
	if _, sealed := item[envelope.HeaderAttribute]; !sealed {
		return []Part{{Clear, attribute(item, "diagnosis")}}
	}
	return []Part{{Clear, "ward: " + attribute(item, "ward")}, {Sealed, Unreadable}}
}

func attribute(item envelope.Item, name string) string {
	if s, ok := item[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return Unreadable
}

// refusal returns the words for an error that is a finding.
func refusal(err error) (string, bool) {
	var api smithy.APIError
	isAPI := errors.As(err, &api)
	switch {
	case errors.Is(err, envelope.ErrKeyDenied), isAPI && strings.HasPrefix(api.ErrorCode(), "AccessDenied"):
		return "AccessDenied", true
	case awsmessage.KeyDisabled(err):
		return "key disabled", true
	case awsmessage.KeyPendingDeletion(err):
		return "key pending deletion", true
	}
	return "", false
}

// OnDisk shows the bytes that lie on disk for the lab's record, nil if they are
// not known, as on AWS.
func OnDisk(bytes []byte, diagnosis string) []Part {
	switch {
	case bytes == nil:
		return []Part{{Nothing, notKnown}}
	case strings.Contains(string(bytes), diagnosis):
		return []Part{{Clear, diagnosis}}
	}
	return []Part{{Sealed, Unreadable}}
}
