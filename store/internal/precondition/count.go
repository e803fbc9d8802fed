// SPDX-License-Identifier: Apache-2.0

package precondition

import (
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
)

// CountUp adds 1 to an attribute in an update. It edits the text because the
// SDK's builder shares its state with copies: adding there would change the
// application's.
func CountUp(in *dynamodb.UpdateItemInput, attribute string) {
	const term = "#ddbsealVersion :ddbsealOne"
	text, clause := *in.UpdateExpression, "ADD "
	at := 0
	if !strings.HasPrefix(text, clause) {
		if at = strings.Index(text, "\n"+clause); at >= 0 {
			at++
		}
	}
	if at >= 0 {
		at += len(clause)
		text = text[:at] + term + ", " + text[at:]
	} else {
		text += clause + term
	}
	in.UpdateExpression = &text
	in.ExpressionAttributeNames = maps.Clone(in.ExpressionAttributeNames)
	in.ExpressionAttributeNames["#ddbsealVersion"] = attribute
	in.ExpressionAttributeValues = maps.Clone(in.ExpressionAttributeValues)
	if in.ExpressionAttributeValues == nil {
		in.ExpressionAttributeValues = envelope.Item{}
	}
	in.ExpressionAttributeValues[":ddbsealOne"] = &types.AttributeValueMemberN{Value: "1"}
}
