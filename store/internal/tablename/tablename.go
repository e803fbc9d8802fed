// SPDX-License-Identifier: Apache-2.0

// Package tablename reads the TableName of a request, which DynamoDB takes as a
// name or as an ARN.
package tablename

import (
	"errors"
	"fmt"
	"strings"
)

// Err: a text is neither a table's name nor a table's ARN.
var Err = errors.New("neither the name nor the ARN of a table")

// Parse returns the name in a name or an ARN of the form
// arn:partition:dynamodb:region:account:table/name.
func Parse(s string) (string, error) {
	if Valid(s) {
		return s, nil
	}
	parts := strings.Split(s, ":")
	if len(parts) == 6 && parts[0] == "arn" && parts[1] != "" && parts[2] == "dynamodb" {
		if name, is := strings.CutPrefix(parts[5], "table/"); is && Valid(name) {
			return name, nil
		}
	}
	return "", fmt.Errorf("%w: %.300q", Err, s)
}

// Valid holds DynamoDB's rule for names; its length limits are left to
// DynamoDB, and other servers have other ones.
func Valid(s string) bool {
	if s == "" || len(s) > 255 {
		return false
	}
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '.') {
			return false
		}
	}
	return true
}
