// SPDX-License-Identifier: Apache-2.0

package precondition

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// text writes the expressions of one update in as few bytes as possible: the
// SDK's builder needs half as many again, and DynamoDB takes 4 KB of each.
type text struct {
	names       map[string]string // by attribute
	values      envelope.Item
	conditions  []string
	sets, drops []string
}

func newText() *text { return &text{names: map[string]string{}, values: envelope.Item{}} }

func (t *text) name(attribute string) string {
	p, has := t.names[attribute]
	if !has {
		p = "#" + strconv.FormatInt(int64(len(t.names)), 36)
		t.names[attribute] = p
	}
	return p
}

func (t *text) value(v types.AttributeValue) string {
	p := ":" + strconv.FormatInt(int64(len(t.values)), 36)
	t.values[p] = v
	return p
}

func (t *text) equal(attribute string, v types.AttributeValue) {
	t.conditions = append(t.conditions, t.name(attribute)+"="+t.value(v))
}

func (t *text) absent(attribute string) {
	t.conditions = append(t.conditions, "attribute_not_exists("+t.name(attribute)+")")
}

// replace changes one item into another, except for the attributes that leave
// reports.
func (t *text) replace(from, to envelope.Item, leave func(string) bool) {
	for _, n := range slices.Sorted(maps.Keys(to)) {
		if old, has := from[n]; !leave(n) && !(has && reflect.DeepEqual(old, to[n])) {
			t.sets = append(t.sets, t.name(n)+"="+t.value(to[n]))
		}
	}
	for _, n := range slices.Sorted(maps.Keys(from)) {
		if _, kept := to[n]; !kept && !leave(n) {
			t.drops = append(t.drops, t.name(n))
		}
	}
}

// input returns nil if there is nothing to change.
func (t *text) input(table string, key envelope.Item) (*dynamodb.UpdateItemInput, error) {
	if len(t.sets)+len(t.drops) == 0 {
		return nil, nil
	}
	condition := strings.Join(t.conditions, " AND ")
	var update string
	if len(t.sets) > 0 {
		update = "SET " + strings.Join(t.sets, ",")
	}
	if len(t.drops) > 0 {
		update += " REMOVE " + strings.Join(t.drops, ",")
	}
	// Each condition has one operator or function, and one AND joins it to the
	// next. The = of SET is not an operator.
	if 2*len(t.conditions)-1 > ddbexpr.MaxOperators || max(len(condition), len(update)) > ddbexpr.MaxExpressionSize {
		return nil, fmt.Errorf("%w: %d attributes to compare, %d to change, %d and %d bytes of expressions",
			ErrTooWide, len(t.conditions), len(t.sets)+len(t.drops), len(condition), len(update))
	}
	names := make(map[string]string, len(t.names))
	for attribute, p := range t.names {
		names[p] = attribute
	}
	return &dynamodb.UpdateItemInput{
		TableName: &table, Key: key, ConditionExpression: &condition, UpdateExpression: &update,
		ExpressionAttributeNames: names, ExpressionAttributeValues: t.values, ReturnValues: types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}, nil
}
