package dynamodb

// operations are those that Serve knows.
var operations = map[string]operation{
	"CreateTable":   {controlWrite, (*Service).createTable},
	"UpdateTable":   {controlWrite, (*Service).updateTable},
	"DescribeTable": {controlRead, (*Service).describeTable},
	"DeleteTable":   {controlWrite, (*Service).deleteTable},
	"ListTables":    {controlRead, (*Service).listTables},

	"PutItem":    {dataWrite, (*Service).putItem},
	"GetItem":    {dataRead, (*Service).getItem},
	"UpdateItem": {dataWrite, (*Service).updateItem},
	"DeleteItem": {dataWrite, (*Service).deleteItem},
	"Query":      {dataRead, (*Service).query},
	"Scan":       {dataRead, (*Service).scan},

	"BatchGetItem":       {dataRead, (*Service).batchGetItem},
	"BatchWriteItem":     {dataWrite, (*Service).batchWriteItem},
	"TransactGetItems":   {dataRead, (*Service).transactGetItems},
	"TransactWriteItems": {dataWrite, (*Service).transactWriteItems},

	"TagResource":               {controlWrite, (*Service).tagResource},
	"UntagResource":             {controlWrite, (*Service).untagResource},
	"ListTagsOfResource":        {controlRead, (*Service).listTagsOfResource},
	"UpdateTimeToLive":          {controlWrite, (*Service).updateTimeToLive},
	"DescribeTimeToLive":        {controlRead, (*Service).describeTimeToLive},
	"UpdateContinuousBackups":   {controlWrite, (*Service).updateContinuousBackups},
	"DescribeContinuousBackups": {controlRead, (*Service).describeContinuousBackups},
	"DescribeLimits":            {controlRead, (*Service).describeLimits},
}
