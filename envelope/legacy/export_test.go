// SPDX-License-Identifier: Apache-2.0

package legacy

import "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

// ParseValue is parseValue.
var ParseValue = parseValue

// AppendValue is appendValue by the rules of Java.
func AppendValue(dst []byte, v types.AttributeValue) ([]byte, error) {
	return appendValue(dst, v, 1, JavaRules)
}
