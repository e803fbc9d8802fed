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
}
