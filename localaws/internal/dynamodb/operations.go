// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"
	"errors"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/table"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// op is one operation: the request that it takes, the method that authorizes the
// request, and the method that answers it in JSON.
type op[In any] = wire.Op[*Service, In, []byte]

// operations are those that Serve knows.
var operations = wire.NewTable(input.Protocol(),
	manages("CreateTable", wire.Write, (*Service).allowCreateTable, (*Service).createTable),
	manages("UpdateTable", wire.Write, allowNamed, (*Service).updateTable),
	manages("DescribeTable", wire.Read, allowNamed, (*Service).describeTable),
	manages("DeleteTable", wire.Write, allowNamed, (*Service).deleteTable),
	manages("ListTables", wire.Read, (*Service).allowListTables, (*Service).listTables),

	onItems[getItemCall]("GetItem", wire.ReadItems, nil),
	writes("PutItem", input.Put),
	writes("UpdateItem", input.Update),
	writes("DeleteItem", input.Delete),
	onItems("Query", wire.ReadItems, func(in *pageCall) { in.Query = true }),
	onItems[pageCall]("Scan", wire.ReadItems, nil),

	onItems[batchGetCall]("BatchGetItem", wire.ReadItems, nil),
	onItems[batchWriteCall]("BatchWriteItem", wire.WriteItems, nil),
	onItems[transactGetCall]("TransactGetItems", wire.ReadItems, nil),
	onItems[transactWriteCall]("TransactWriteItems", wire.WriteItems, nil),

	op[input.Tagging]{Name: "TagResource", Kind: wire.Write, Init: (*input.Tagging).RequireTags,
		Authorize: (*Service).allowTags, Serve: (*Service).tagResource},
	op[input.Tagging]{Name: "UntagResource", Kind: wire.Write, Init: (*input.Tagging).RequireKeys,
		Authorize: (*Service).allowTags, Serve: (*Service).untagResource},
	manages("ListTagsOfResource", wire.Read, (*Service).allowTags, (*Service).listTagsOfResource),
	manages("UpdateTimeToLive", wire.Write, allowNamed, (*Service).updateTimeToLive),
	manages("DescribeTimeToLive", wire.Read, allowNamed, (*Service).describeTimeToLive),
	manages("UpdateContinuousBackups", wire.Write, allowNamed, (*Service).updateContinuousBackups),
	manages("DescribeContinuousBackups", wire.Read, allowNamed, (*Service).describeContinuousBackups),
	manages("CreateBackup", wire.Write, allowNamed, (*Service).createBackup),
	manages("DescribeBackup", wire.Read, (*Service).allowBackup, (*Service).describeBackup),
	manages("DeleteBackup", wire.Write, (*Service).allowBackup, (*Service).deleteBackup),
	manages("ListBackups", wire.Read, (*Service).allowListBackups, (*Service).listBackups),
	manages("RestoreTableFromBackup", wire.Write, (*Service).allowRestore, (*Service).restoreTable),
	manages("PutResourcePolicy", wire.Write, allowPolicy, (*Service).putResourcePolicy),
	manages("GetResourcePolicy", wire.Read, allowPolicy, (*Service).getResourcePolicy),
	manages("DeleteResourcePolicy", wire.Write, (*Service).allowDeletePolicy, (*Service).deleteResourcePolicy),
	manages("DescribeLimits", wire.Read, (*Service).allowDescribeLimits, (*Service).describeLimits),
	manages("DescribeEndpoints", wire.Read, (*Service).allowDescribeEndpoints, (*Service).describeEndpoints),
).Absent(refusal.Unsupported, absent)

// manages is the entry of an operation on tables and not on items.
func manages[In any](name string, kind wire.Kind, authorize func(*Service, context.Context, *request.Call, *In) error,
	serve func(*Service, context.Context, *request.Call, *In) ([]byte, error)) op[In] {
	return op[In]{Name: name, Kind: kind, Authorize: authorize, Serve: serve}
}

// writes is the entry of an operation that is one write of a kind.
func writes(name string, kind input.WriteKind) op[writeCall] {
	return onItems(name, wire.WriteItems, func(in *writeCall) { in.Kind = kind })
}

// itemCall is a request on items. It is authorized and answered with one
// definition of each of its tables.
type itemCall interface {
	// find looks the tables up and notes them in the call's trail.
	find(s *Service, c *request.Call)
	// renew replaces the definitions by the current ones.
	renew()
	authorize(ctx context.Context, s *Service, c *request.Call) error
	// answer returns table.ErrRedefined, and has changed nothing, if the key or the
	// indexes of a table changed after its definition was read.
	answer(ctx context.Context, s *Service, c *request.Call) ([]byte, error)
}

// onItems is the entry of an operation on items. A request whose table was
// redefined meanwhile is authorized, checked and answered again: each time
// takes another change of the table.
func onItems[In any, P interface {
	*In
	itemCall
}](name string, kind wire.Kind, init func(*In)) op[In] {
	return op[In]{Name: name, Kind: kind, Init: init,
		Authorize: func(s *Service, ctx context.Context, c *request.Call, in *In) error {
			P(in).find(s, c)
			return P(in).authorize(ctx, s, c)
		},
		Serve: func(s *Service, ctx context.Context, c *request.Call, in *In) ([]byte, error) {
			for {
				out, err := P(in).answer(ctx, s, c)
				if !errors.Is(err, table.ErrRedefined) {
					return out, err
				}
				P(in).renew()
				if err := P(in).authorize(ctx, s, c); err != nil {
					return nil, err
				}
			}
		}}
}
