// SPDX-License-Identifier: Apache-2.0

package dynamodb

import "github.com/ddbseal/ddbseal/localaws/internal/wire"

// absent are the operations of DynamoDB that this server does not have, by what
// it would need for them.
var absent = map[string]string{
	"bulk operations":      "CancelBulkOperation DescribeBulkOperation ListBulkOperations StartBulkPutItems",
	"contributor insights": "DescribeContributorInsights ListContributorInsights UpdateContributorInsights",
	"exports and imports": "DescribeExport DescribeImport ExportTableToPointInTime ImportTable ListExports " +
		"ListImports",
	"global tables": "CreateGlobalTable DescribeGlobalTable DescribeGlobalTableSettings ListGlobalTables " +
		"UpdateGlobalTable UpdateGlobalTableSettings",
	"PartiQL":                "BatchExecuteStatement ExecuteStatement ExecuteTransaction",
	"point-in-time recovery": "RestoreTableToPointInTime",
	"replicas":               "DescribeTableReplicaAutoScaling UpdateTableReplicaAutoScaling",
	"streams to Kinesis": "DescribeKinesisStreamingDestination DisableKinesisStreamingDestination " +
		"EnableKinesisStreamingDestination UpdateKinesisStreamingDestination",
	"vector indexes": "SearchVectors",
}

// Coverage returns which operations are served and which are refused by name.
func (s *Service) Coverage() wire.Coverage { return operations.Coverage() }
