// SPDX-License-Identifier: Apache-2.0

package ddbexpr

import "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

// EqualItems reports whether two items have the same attributes with equal
// values, as the operator = compares them: numbers by value, sets without order.
func EqualItems(a, b map[string]types.AttributeValue) bool {
	return equalValues(&types.AttributeValueMemberM{Value: a}, &types.AttributeValueMemberM{Value: b})
}
