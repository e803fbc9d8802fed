// SPDX-License-Identifier: Apache-2.0

package transparent

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// members are a struct of the SDK and the names of its members that this package
// knows.
type members struct {
	of    reflect.Type
	names string
}

func membersOf[T any](names string) members { return members{reflect.TypeFor[T](), names} }

func (m members) list() []string { return strings.Fields(m.names) }

// known lists the structs that lead to items, keys and expressions of a request.
// An application may be built with a later SDK than this package was: a member
// that is not here could carry plaintext past it, so a request that sets one is
// refused.
func known() []members {
	const expression = " ExpressionAttributeNames ExpressionAttributeValues ReturnValuesOnConditionCheckFailure"
	const answer = " ReturnConsumedCapacity ReturnItemCollectionMetrics"
	const write = "TableName ConditionExpression ConditionalOperator Expected ReturnValues" + expression + answer
	const projection = " AttributesToGet ConsistentRead ExpressionAttributeNames ProjectionExpression"
	const page = "TableName IndexName ConditionalOperator ExclusiveStartKey ExpressionAttributeValues" +
		" FilterExpression Limit ReturnConsumedCapacity Select" + projection
	const operation = "TableName ConditionExpression" + expression
	return []members{
		membersOf[dynamodb.PutItemInput]("Item " + write),
		membersOf[dynamodb.DeleteItemInput]("Key " + write),
		membersOf[dynamodb.UpdateItemInput]("Key AttributeUpdates UpdateExpression " + write),
		membersOf[dynamodb.GetItemInput]("TableName Key ReturnConsumedCapacity" + projection),
		membersOf[dynamodb.QueryInput]("KeyConditionExpression KeyConditions QueryFilter ScanIndexForward " + page),
		membersOf[types.Condition]("AttributeValueList ComparisonOperator"),
		membersOf[dynamodb.ScanInput]("ScanFilter Segment TotalSegments " + page),
		membersOf[dynamodb.BatchGetItemInput]("RequestItems ReturnConsumedCapacity"),
		membersOf[dynamodb.BatchWriteItemInput]("RequestItems" + answer),
		membersOf[dynamodb.TransactGetItemsInput]("TransactItems ReturnConsumedCapacity"),
		membersOf[dynamodb.TransactWriteItemsInput]("TransactItems ClientRequestToken" + answer),
		membersOf[types.KeysAndAttributes]("Keys" + projection),
		membersOf[types.WriteRequest]("PutRequest DeleteRequest"),
		membersOf[types.PutRequest]("Item"),
		membersOf[types.DeleteRequest]("Key"),
		membersOf[types.TransactGetItem]("Get"),
		membersOf[types.Get]("TableName Key ExpressionAttributeNames ProjectionExpression"),
		membersOf[types.TransactWriteItem]("ConditionCheck Delete Put Update"),
		membersOf[types.Put]("Item " + operation),
		membersOf[types.Delete]("Key " + operation),
		membersOf[types.Update]("Key UpdateExpression " + operation),
		membersOf[types.ConditionCheck]("Key " + operation),
	}
}

// parameters are the members of the SDK's structs that this package does not
// know. With the SDK that it was made for there are none.
type parameters map[reflect.Type][]string

func newParameters(known []members) parameters {
	var p parameters
	for _, k := range known {
		names := k.list()
		for i := range k.of.NumField() {
			if f := k.of.Field(i); f.IsExported() && !slices.Contains(names, f.Name) {
				if p == nil {
					p = parameters{}
				}
				p[k.of] = append(p[k.of], f.Name)
			}
		}
	}
	return p
}

// check refuses a request that sets an unknown member.
func (p parameters) check(request any) error {
	if len(p) == 0 {
		return nil
	}
	return p.walk(reflect.ValueOf(request))
}

// walk looks at the structs of the SDK, but not into attribute values, which are
// behind an interface.
func (p parameters) walk(v reflect.Value) error {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return p.walk(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			if err := p.walk(v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		for i := v.MapRange(); i.Next(); {
			if err := p.walk(i.Value()); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for _, name := range p[v.Type()] {
			if !v.FieldByName(name).IsZero() {
				return fmt.Errorf("%w: parameter %s of %s is newer than this package, which might let plaintext "+
					"pass in it",
					ErrRefused, name, v.Type())
			}
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				if err := p.walk(v.Field(i)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
