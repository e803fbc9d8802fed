// SPDX-License-Identifier: Apache-2.0

package search

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Item is a DynamoDB item as the AWS SDK for Go has it.
type Item = map[string]types.AttributeValue

// PartitionValue is the placeholder of a number in a Query's
// ExpressionAttributeValues that names the partition to search. No expression
// uses it, and it is not sent.
const PartitionValue = ":aws_dbe_partition"

// Request has the parameters of a Query or Scan that a search changes. Its maps
// are not changed.
type Request struct {
	// Operation is [Query] or [Scan].
	Operation Operation
	// KeyCondition is the KeyConditionExpression of a Query.
	KeyCondition *string
	// KeyConditions is the legacy parameter of a Query that KeyCondition
	// replaces. Set only one of them.
	KeyConditions map[string]types.Condition
	// Filter is the FilterExpression.
	Filter *string
	// Projection is the ProjectionExpression.
	Projection *string
	// Names is ExpressionAttributeNames.
	Names map[string]string
	// Values is ExpressionAttributeValues. In a Query it may have
	// [PartitionValue].
	Values Item
	// Select is the Select parameter.
	Select types.Select
	// Read lists attributes to read in addition if there is a projection, such
	// as the keys of an index.
	Read []string
	// BranchKeyID is the branch key to search under, if the table has beacon
	// keys of several branch keys and no expression names one.
	BranchKeyID string
}

// Operation is the operation of a Request.
type Operation uint8

// The operations. The zero Operation is invalid.
const (
	operationInvalid Operation = iota
	Query
	Scan
)

// Rewritten has the parameters of the request to send. Clear KeyConditions of
// the request: KeyCondition replaces it.
type Rewritten struct {
	KeyCondition *string
	Filter       *string // nil if every term is left to Plan.Match
	Projection   *string // nil if everything is read
	Names        map[string]string
	Values       Item
	Select       types.Select
	// Widened reports that terms of the filter were left out because it would
	// exceed DynamoDB's limits.
	Widened bool
}
