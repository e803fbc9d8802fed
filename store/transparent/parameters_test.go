// SPDX-License-Identifier: Apache-2.0

package transparent

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
)

// TestEveryParameterIsListed fails when the SDK gets a parameter that this
// package does not treat, or loses one.
func TestEveryParameterIsListed(t *testing.T) {
	if p := newParameters(known()); len(p) != 0 {
		t.Errorf("parameters that the package does not know: %v", p)
	}
	for _, k := range known() {
		for _, name := range k.list() {
			if _, has := k.of.FieldByName(name); !has {
				t.Errorf("%s has no member %s", k.of, name)
			}
		}
	}
}

// TestUnknownParameters: what a later SDK adds is refused where it is set.
func TestUnknownParameters(t *testing.T) {
	p := newParameters([]members{
		membersOf[dynamodb.PutItemInput]("TableName Item"), membersOf[types.WriteRequest]("DeleteRequest"),
		membersOf[types.Update]("TableName Key"),
	})
	item := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "a"}}
	update := func(u types.Update) any {
		return &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{}, {Update: &u}}}
	}
	batch := func(r types.WriteRequest) any {
		return &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"t": {r}}}
	}
	for what, c := range map[string]struct {
		request any
		refused bool
	}{
		"none":                  {&dynamodb.PutItemInput{TableName: aws.String("t"), Item: item}, false},
		"a pointer":             {&dynamodb.PutItemInput{ConditionExpression: aws.String("x")}, true},
		"an enumeration":        {&dynamodb.PutItemInput{ReturnValues: types.ReturnValueAllOld}, true},
		"another struct":        {&dynamodb.GetItemInput{Key: item}, false},
		"a member in a map":     {batch(types.WriteRequest{PutRequest: &types.PutRequest{Item: item}}), true},
		"another in the map":    {batch(types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: item}}), false},
		"a member in a list":    {update(types.Update{UpdateExpression: aws.String("x")}), true},
		"another in the list":   {update(types.Update{Key: item}), false},
		"a request without any": {(*dynamodb.PutItemInput)(nil), false},
	} {
		if err := p.check(c.request); errors.Is(err, ErrRefused) != c.refused {
			t.Errorf("%s: %v", what, err)
		}
	}
	c := &call{client: &Client{parameters: p}, operation: "PutItem"}
	_, _, err := c.HandleInitialize(t.Context(),
		middleware.InitializeInput{Parameters: &dynamodb.PutItemInput{ConditionExpression: aws.String("x")}}, nil)
	var own *Error
	if !errors.Is(err, ErrRefused) || !errors.As(err, &own) {
		t.Errorf("a call: %v", err)
	}
}

// TestUnknownParametersAnywhere: one unknown member among many others is found,
// in whichever order a map is walked.
func TestUnknownParametersAnywhere(t *testing.T) {
	p := newParameters([]members{membersOf[types.WriteRequest]("DeleteRequest")})
	for i := range 20 {
		in := &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{}}
		for j := range 20 {
			r := types.WriteRequest{DeleteRequest: &types.DeleteRequest{}}
			if i == j {
				r = types.WriteRequest{PutRequest: &types.PutRequest{}}
			}
			in.RequestItems[string(rune('a'+j))] = []types.WriteRequest{{}, r, {}}
		}
		if err := p.check(in); !errors.Is(err, ErrRefused) {
			t.Fatalf("member in table %d: %v", i, err)
		}
	}
}
