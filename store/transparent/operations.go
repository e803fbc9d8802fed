// SPDX-License-Identifier: Apache-2.0

package transparent

// Every operation of the SDK's client is in exactly one of these lists. One
// that is in none, such as an operation of a later SDK, is refused.

// transform are the operations on items.
var transform = []string{
	"BatchGetItem",
	"BatchWriteItem",
	"DeleteItem",
	"GetItem",
	"PutItem",
	"Query",
	"Scan",
	"TransactGetItems",
	"TransactWriteItems",
	"UpdateItem",
}

// pass are the operations that carry no items through the client. Exports,
// backups and restores move ciphertext as it is.
var pass = []string{
	"CreateBackup",
	"CreateGlobalTable",
	"CreateTable",
	"DeleteBackup",
	"DeleteResourcePolicy",
	"DeleteTable",
	"DescribeBackup",
	"DescribeContinuousBackups",
	"DescribeContributorInsights",
	"DescribeEndpoints",
	"DescribeExport",
	"DescribeGlobalTable",
	"DescribeGlobalTableSettings",
	"DescribeImport",
	"DescribeKinesisStreamingDestination",
	"DescribeLimits",
	"DescribeTable",
	"DescribeTableReplicaAutoScaling",
	"DescribeTimeToLive",
	"DisableKinesisStreamingDestination",
	"EnableKinesisStreamingDestination",
	"ExportTableToPointInTime",
	"GetResourcePolicy",
	"ListBackups",
	"ListContributorInsights",
	"ListExports",
	"ListGlobalTables",
	"ListImports",
	"ListTables",
	"ListTagsOfResource",
	"PutResourcePolicy",
	"RestoreTableFromBackup",
	"RestoreTableToPointInTime",
	"TagResource",
	"UntagResource",
	"UpdateContinuousBackups",
	"UpdateContributorInsights",
	"UpdateGlobalTable",
	"UpdateGlobalTableSettings",
	"UpdateKinesisStreamingDestination",
	"UpdateTable",
	"UpdateTableReplicaAutoScaling",
	"UpdateTimeToLive",
}

// refuse are the operations that carry items in ways that cannot be encrypted
// or decrypted here: PartiQL, whose statements hold values and names in text;
// bulk and vector calls; and the import of plaintext files.
var refuse = []string{
	"BatchExecuteStatement",
	"CancelBulkOperation",
	"DescribeBulkOperation",
	"ExecuteStatement",
	"ExecuteTransaction",
	"ImportTable",
	"ListBulkOperations",
	"SearchVectors",
	"StartBulkPutItems",
}
