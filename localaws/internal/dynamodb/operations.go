package dynamodb

import (
	"context"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// op is one operation: the request that it takes, the method that authorizes the
// request, and the method that answers it in JSON.
type op[In any] = wire.Op[*Service, In, []byte]

// operations are those that Serve knows.
var operations = wire.NewTable(&protocol,
	manages("CreateTable", wire.Write, (*Service).allowCreateTable, (*Service).createTable),
	manages("UpdateTable", wire.Write, allowNamed, (*Service).updateTable),
	manages("DescribeTable", wire.Read, allowNamed, (*Service).describeTable),
	manages("DeleteTable", wire.Write, allowNamed, (*Service).deleteTable),
	manages("ListTables", wire.Read, (*Service).allowListTables, (*Service).listTables),

	op[getItemInput]{Name: "GetItem", Kind: wire.ReadItems,
		Authorize: (*Service).allowGetItem, Serve: (*Service).getItem},
	writes("PutItem", writePut),
	writes("UpdateItem", writeUpdate),
	writes("DeleteItem", writeDelete),
	op[pageInput]{Name: "Query", Kind: wire.ReadItems, Init: func(in *pageInput) { in.query = true },
		Authorize: (*Service).allowPage, Serve: (*Service).servePage},
	op[pageInput]{Name: "Scan", Kind: wire.ReadItems,
		Authorize: (*Service).allowPage, Serve: (*Service).servePage},

	op[batchGetInput]{Name: "BatchGetItem", Kind: wire.ReadItems,
		Authorize: (*Service).allowBatchGet, Serve: (*Service).batchGetItem},
	op[batchWriteInput]{Name: "BatchWriteItem", Kind: wire.WriteItems,
		Authorize: (*Service).allowBatchWrite, Serve: (*Service).batchWriteItem},
	op[transactGetInput]{Name: "TransactGetItems", Kind: wire.ReadItems,
		Authorize: (*Service).allowTransactGet, Serve: (*Service).transactGetItems},
	op[transactWriteInput]{Name: "TransactWriteItems", Kind: wire.WriteItems,
		Authorize: (*Service).allowTransactWrite, Serve: (*Service).transactWriteItems},

	op[tagsInput]{Name: "TagResource", Kind: wire.Write, Init: func(in *tagsInput) { in.adds = true },
		Authorize: (*Service).allowTags, Serve: (*Service).tagResource},
	op[tagsInput]{Name: "UntagResource", Kind: wire.Write, Init: func(in *tagsInput) { in.removes = true },
		Authorize: (*Service).allowTags, Serve: (*Service).untagResource},
	manages("ListTagsOfResource", wire.Read, (*Service).allowTags, (*Service).listTagsOfResource),
	manages("UpdateTimeToLive", wire.Write, allowNamed, (*Service).updateTimeToLive),
	manages("DescribeTimeToLive", wire.Read, allowNamed, (*Service).describeTimeToLive),
	manages("UpdateContinuousBackups", wire.Write, allowNamed, (*Service).updateContinuousBackups),
	manages("DescribeContinuousBackups", wire.Read, allowNamed, (*Service).describeContinuousBackups),
	manages("DescribeLimits", wire.Read, (*Service).allowDescribeLimits, (*Service).describeLimits),
)

// manages is the entry of an operation on tables and not on items.
func manages[In any](name string, kind wire.Kind, authorize func(*Service, context.Context, *request.Call, *In) error,
	serve func(*Service, context.Context, *request.Call, *In) ([]byte, error)) op[In] {
	return op[In]{Name: name, Kind: kind, Authorize: authorize, Serve: serve}
}

// writes is the entry of an operation that is one write of a kind.
func writes(name string, kind writeKind) op[writeInput] {
	return op[writeInput]{Name: name, Kind: wire.WriteItems, Init: func(in *writeInput) { in.kind = kind },
		Authorize: (*Service).allowWrite, Serve: (*Service).writeItem}
}
