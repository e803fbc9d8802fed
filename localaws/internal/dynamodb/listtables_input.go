package dynamodb

import "github.com/ddbseal/ddbseal/localaws/internal/wire"

// maxTableNames is the longest page of ListTables.
const maxTableNames = 100

type listTablesInput struct {
	ExclusiveStartTableName *string
	Limit                   *int64
}

func (in *listTablesInput) Check(c *wire.Checks) {
	checkResource(c, in.ExclusiveStartTableName, "exclusiveStartTableName")
	c.Between(in.Limit, "limit", 1, maxTableNames)
}

// PageSize returns how many names an answer may hold.
func (in *listTablesInput) PageSize() int {
	if in.Limit != nil {
		return int(*in.Limit)
	}
	return maxTableNames
}
