// SPDX-License-Identifier: Apache-2.0

package legacy_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

func s(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }

func n(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }

func b(v []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: v} }

func equalValues(x, y types.AttributeValue) bool {
	return reflect.DeepEqual(x, y) ||
		x != nil && y != nil && ddbexpr.EqualItems(envelope.Item{"v": x}, envelope.Item{"v": y})
}

// failsWith checks the class, the operation and the attribute of an error.
func failsWith(t testing.TB, err, class error, operation, attribute string) {
	t.Helper()
	var own *envelope.Error
	switch {
	case !errors.Is(err, class):
		t.Errorf("got %v, want %v", err, class)
	case !errors.As(err, &own):
		t.Errorf("%v is not an *envelope.Error", err)
	case own.Operation != operation || own.Attribute != attribute:
		t.Errorf("operation %q attribute %q, want %q and %q: %v", own.Operation, own.Attribute, operation,
			attribute, err)
	}
}

func m(item envelope.Item) types.AttributeValue { return &types.AttributeValueMemberM{Value: item} }
