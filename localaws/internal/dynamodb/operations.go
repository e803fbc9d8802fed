package dynamodb

import "github.com/ddbseal/ddbseal/localaws/internal/wire"

// op is one operation: the request that it takes, who may make it, and the
// method that answers it in JSON.
type op[In any] = wire.Op[*Service, In, []byte]

// operations are those that Serve knows.
var operations = wire.NewTable(&protocol,
	op[createTableInput]{Name: "CreateTable", Kind: wire.Write, Authorize: (*Service).allowCreateTable, Serve: (*Service).createTable},
	op[updateTableInput]{Name: "UpdateTable", Kind: wire.Write, Authorize: allowNamed[updateTableInput], Serve: (*Service).updateTable},
	op[tableInput]{Name: "DescribeTable", Kind: wire.Read, Authorize: allowNamed[tableInput], Serve: (*Service).describeTable},
	op[tableInput]{Name: "DeleteTable", Kind: wire.Write, Authorize: allowNamed[tableInput], Serve: (*Service).deleteTable},
	op[listTablesInput]{Name: "ListTables", Kind: wire.Read, Authorize: (*Service).allowListTables, Serve: (*Service).listTables},

	op[getItemInput]{Name: "GetItem", Kind: wire.ReadItems, Authorize: (*Service).allowGetItem, Serve: (*Service).getItem},
	op[writeInput]{Name: "PutItem", Kind: wire.WriteItems, Init: ofKind(writePut), Authorize: (*Service).allowWrite, Serve: (*Service).writeItem},
	op[writeInput]{Name: "UpdateItem", Kind: wire.WriteItems, Init: ofKind(writeUpdate), Authorize: (*Service).allowWrite, Serve: (*Service).writeItem},
	op[writeInput]{Name: "DeleteItem", Kind: wire.WriteItems, Init: ofKind(writeDelete), Authorize: (*Service).allowWrite, Serve: (*Service).writeItem},
	op[pageInput]{Name: "Query", Kind: wire.ReadItems, Init: func(in *pageInput) { in.query = true },
		Authorize: (*Service).allowPage, Serve: (*Service).servePage},
	op[pageInput]{Name: "Scan", Kind: wire.ReadItems, Authorize: (*Service).allowPage, Serve: (*Service).servePage},

	op[batchGetInput]{Name: "BatchGetItem", Kind: wire.ReadItems, Authorize: (*Service).allowBatchGet, Serve: (*Service).batchGetItem},
	op[batchWriteInput]{Name: "BatchWriteItem", Kind: wire.WriteItems, Authorize: (*Service).allowBatchWrite, Serve: (*Service).batchWriteItem},
	op[transactGetInput]{Name: "TransactGetItems", Kind: wire.ReadItems, Authorize: (*Service).allowTransactGet, Serve: (*Service).transactGetItems},
	op[transactWriteInput]{Name: "TransactWriteItems", Kind: wire.WriteItems, Authorize: (*Service).allowTransactWrite,
		Serve: (*Service).transactWriteItems},

	op[tagsInput]{Name: "TagResource", Kind: wire.Write, Init: func(in *tagsInput) { in.adds = true },
		Authorize: (*Service).allowTags, Serve: (*Service).tagResource},
	op[tagsInput]{Name: "UntagResource", Kind: wire.Write, Init: func(in *tagsInput) { in.removes = true },
		Authorize: (*Service).allowTags, Serve: (*Service).untagResource},
	op[tagsInput]{Name: "ListTagsOfResource", Kind: wire.Read, Authorize: (*Service).allowTags, Serve: (*Service).listTagsOfResource},
	op[timeToLiveInput]{Name: "UpdateTimeToLive", Kind: wire.Write, Authorize: allowNamed[timeToLiveInput], Serve: (*Service).updateTimeToLive},
	op[tableInput]{Name: "DescribeTimeToLive", Kind: wire.Read, Authorize: allowNamed[tableInput], Serve: (*Service).describeTimeToLive},
	op[continuousBackupsInput]{Name: "UpdateContinuousBackups", Kind: wire.Write, Authorize: allowNamed[continuousBackupsInput],
		Serve: (*Service).updateContinuousBackups},
	op[tableInput]{Name: "DescribeContinuousBackups", Kind: wire.Read, Authorize: allowNamed[tableInput], Serve: (*Service).describeContinuousBackups},
	op[struct{}]{Name: "DescribeLimits", Kind: wire.Read, Authorize: (*Service).allowDescribeLimits, Serve: (*Service).describeLimits},
)
