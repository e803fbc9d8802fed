// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// requests are the SDK's inputs of all operations.
var requests = map[string]any{
	"CreateTable": sdk.CreateTableInput{}, "UpdateTable": sdk.UpdateTableInput{}, "DescribeTable": sdk.DescribeTableInput{},
	"DeleteTable": sdk.DeleteTableInput{}, "ListTables": sdk.ListTablesInput{},
	"PutItem": sdk.PutItemInput{}, "GetItem": sdk.GetItemInput{}, "UpdateItem": sdk.UpdateItemInput{}, "DeleteItem": sdk.DeleteItemInput{},
	"Query": sdk.QueryInput{}, "Scan": sdk.ScanInput{},
	"BatchGetItem": sdk.BatchGetItemInput{}, "BatchWriteItem": sdk.BatchWriteItemInput{},
	"TransactGetItems": sdk.TransactGetItemsInput{}, "TransactWriteItems": sdk.TransactWriteItemsInput{},
	"TagResource": sdk.TagResourceInput{}, "UntagResource": sdk.UntagResourceInput{}, "ListTagsOfResource": sdk.ListTagsOfResourceInput{},
	"UpdateTimeToLive": sdk.UpdateTimeToLiveInput{}, "DescribeTimeToLive": sdk.DescribeTimeToLiveInput{},
	"UpdateContinuousBackups": sdk.UpdateContinuousBackupsInput{}, "DescribeContinuousBackups": sdk.DescribeContinuousBackupsInput{},
	"CreateBackup": sdk.CreateBackupInput{}, "DescribeBackup": sdk.DescribeBackupInput{},
	"DeleteBackup": sdk.DeleteBackupInput{}, "ListBackups": sdk.ListBackupsInput{},
	"RestoreTableFromBackup": sdk.RestoreTableFromBackupInput{},
	"PutResourcePolicy":      sdk.PutResourcePolicyInput{}, "GetResourcePolicy": sdk.GetResourcePolicyInput{},
	"DeleteResourcePolicy": sdk.DeleteResourcePolicyInput{},
	"ListStreams":          dynamodbstreams.ListStreamsInput{}, "DescribeStream": dynamodbstreams.DescribeStreamInput{},
	"GetShardIterator": dynamodbstreams.GetShardIteratorInput{}, "GetRecords": dynamodbstreams.GetRecordsInput{},
	"DescribeEndpoints": sdk.DescribeEndpointsInput{}, "DescribeLimits": sdk.DescribeLimitsInput{},
}

// TestNoMemberIsIgnored sends every member that the SDK knows with a value of
// the wrong type. A member that is read is a SerializationException, one that
// is refused says so by its name; any other answer means that it was skipped.
func TestNoMemberIsIgnored(t *testing.T) {
	w := newWorld(t)
	for _, operation := range slices.Concat(operations.Names(), w.s.Streams().Coverage().Served) {
		in, ok := requests[operation]
		if !ok {
			t.Errorf("%s: the SDK's input is not in the test", operation)
			continue
		}
		n := 0
		eachMember(reflect.TypeOf(in), func(path []string, body func(wrong any) any, wrong any) bool {
			n++
			name := path[len(path)-1]
			_, err := w.try("admin", operation, body(wrong))
			switch text := errorText(err); {
			case strings.HasPrefix(text, "SerializationException"):
				return true
			case strings.HasPrefix(text, "ValidationException") && strings.Contains(text, name+" is not supported"):
				return false // what is inside does not matter
			default:
				t.Errorf("%s ignores %s: %s", operation, strings.Join(path, "."), text)
				return false
			}
		})
		if n == 0 && operation != "DescribeLimits" && operation != "DescribeEndpoints" {
			t.Errorf("%s: no member was tried", operation)
		}
	}
}

func errorText(err error) string {
	var e *request.Error
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	return e.Code + ": " + e.Message
}

// eachMember calls try for every member of a request, depth first while try
// returns true. body builds the request around a value of the member.
func eachMember(typ reflect.Type, try func(path []string, body func(any) any, wrong any) bool) {
	var walk func(typ reflect.Type, path []string, wrap func(any) any)
	walk = func(typ reflect.Type, path []string, wrap func(any) any) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			if !f.IsExported() || f.Name == "ResultMetadata" {
				continue
			}
			at := append(slices.Clone(path), f.Name)
			around := func(v any) any { return wrap(map[string]any{f.Name: v}) }
			inner, into, composite := element(f.Type)
			wrong := any(map[string]any{})
			if composite {
				wrong = "x"
			}
			if try(at, around, wrong) && inner != nil {
				walk(inner, at, func(v any) any { return around(into(v)) })
			}
		}
	}
	walk(typ, nil, func(v any) any { return v })
}

var attributeValue = reflect.TypeFor[types.AttributeValue]()

// element looks through pointers, lists and maps for the structure inside;
// into puts a value of it back into what surrounds it.
func element(t reflect.Type) (inner reflect.Type, into func(any) any, composite bool) {
	into = func(v any) any { return v }
	for {
		before := into
		switch t.Kind() {
		case reflect.Pointer:
		case reflect.Slice:
			if t.Elem().Kind() == reflect.Uint8 {
				return nil, into, composite
			}
			composite = true
			into = func(v any) any { return before([]any{v}) }
		case reflect.Map:
			composite = true
			into = func(v any) any { return before(map[string]any{"abc": v}) }
		case reflect.Struct:
			return t, into, true
		default:
			return nil, into, composite || t == attributeValue
		}
		t = t.Elem()
	}
}
