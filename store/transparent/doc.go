// SPDX-License-Identifier: Apache-2.0

// Package transparent encrypts inside a plain *dynamodb.Client: code that uses
// the SDK, its paginators or a library on top of it keeps its calls, and
// DynamoDB gets ciphertext.
//
//	sealing, err := transparent.New(map[string]*envelope.ItemEncryptor{"patients": encryptor})
//	client := dynamodb.NewFromConfig(config, sealing.Install)
//
// # How it works
//
// A middleware stands first in the Initialize step of every call, so an item is
// sealed once per call: retries, logging and tracing of the SDK see ciphertext
// only. So do middlewares of the application, in whichever order the two are
// installed, except one that puts itself before all others, with
// Initialize.Add(m, middleware.Before) after [Client.Install].
//
// The caller's structs are never changed. Results, old and new values,
// unprocessed items and the items inside of ConditionalCheckFailedException
// and TransactionCanceledException come back in plaintext. A page with an item
// that does not open is an error as a whole; use package store to read around
// it.
//
// The encryption is in the client's APIOptions. An option function of the
// application that empties them, in [dynamodb.NewFromConfig] after
// [Client.Install] or in a single call, removes the encryption, and the call
// writes plaintext. Append to APIOptions only.
//
// # What is refused
//
// Calls on tables without an encryptor pass unchanged. On encrypted tables the
// following is refused before the call, by an [*Error]:
//
//   - conditions, filters and keys that need the value of an encrypted
//     attribute (store.ErrEncryptedAttribute), except expressions of a Query or Scan
//     that beacons serve, and those that name an attribute without an action,
//     also in attribute_exists and attribute_not_exists
//     (envelope.ErrConfiguration);
//   - UpdateItem of anything but unsigned attributes, and one that would create
//     an item (store.ErrEncryptedAttribute, [ErrUpdateTarget]): read, change and
//     put, as store.Table.Update does;
//   - a WriteRequest with both of its members or none ([ErrRefused]);
//   - the legacy parameters that expressions replaced ([ErrRefused]), except
//     KeyConditions of Query;
//   - items over 400 KB once encrypted (store.ErrItemTooLarge).
//
// The following is refused whatever table it is for ([ErrRefused]): PartiQL,
// bulk and vector calls and every operation that this package does not know; a
// parameter that this package does not know, such as one of a later SDK; a
// TransactWriteItem with any number of members but one.
//
// UpdateItem changes an item in place and adds to the caller's condition that
// the item exists, which takes two of the 300 operators and about 40 of the
// 4,096 bytes that DynamoDB allows. PutItem, BatchWriteItem and the puts of a
// transaction replace the whole item and write the beacons of the encryptor's
// Config.Search. Without it, beacons that an official library wrote beside the item
// are gone, and the item no longer appears in searches by them.
//
// # Searching
//
// With envelope.Config.Search set, a Query or Scan compares encrypted attributes by
// their beacons. The request is written in terms of plaintext, with an expression or
// with KeyConditions, and an index on a beacon is queried by the beacon's name:
//
//	client.Query(ctx, &dynamodb.QueryInput{
//		TableName: aws.String("patients"), IndexName: aws.String("by-number"),
//		KeyConditionExpression:    aws.String("#n = :n"),
//		ExpressionAttributeNames:  map[string]string{"#n": "number"},
//		ExpressionAttributeValues: map[string]types.AttributeValue{":n": number},
//	})
//
// Package envelope/beacon/search says what beacons serve. DynamoDB gets hashes in
// place of the values. The items of the page are decrypted and evaluated again on
// their plaintext, so that none is returned by a collision of hashes, and cut to the
// projection. Count is the number of items that are left; with Select COUNT the
// items are read to count them. ScannedCount and LastEvaluatedKey stay DynamoDB's: a
// page can have fewer items than DynamoDB found, or none, before the last one. A
// client that takes a part of a page, and makes the ExclusiveStartKey from the last
// item that it took, names the index's keys as they are stored in its projection,
// such as aws_dbe_b_number, and gets them with the items: guregu/dynamo does so for
// Limit, and not for SearchLimit. The
// index must project all attributes (store.ErrPartialItem). Conditions of writes are
// never rewritten. Errors match search.ErrUnsearchable as well as
// store.ErrEncryptedAttribute if no beacon serves the expression, and
// envelope.ErrKeyDenied or envelope.ErrMaterials if there is no beacon key.
//
// If beacons have partitions, a Query by a beacon takes several requests: set the
// value [search.PartitionValue] to 0, 1 and so on in each. Together they return each
// item once. With a beacon key for each tenant, a request restricts items to one
// tenant, and items under other branch keys are left out without being decrypted.
// Items without beacons are not found.
//
// # Items of the older client
//
// An encryptor with a Legacy override that allows reading opens items of the older
// DynamoDB Encryption Client as well; puts replace them by items of the current
// format. Condition such a put on the old signature:
// "#s = :old", where #s is [envelope.LegacySignatureAttribute]; store.Table.Update
// does all that. While old items are read, UpdateItem demands an item in the
// current format ([ErrUpdateTarget]), since the old signature can cover a name that
// is unsigned now, and conditions on attributes that the older client encrypted are
// refused (store.ErrEncryptedAttribute).
//
// # Table names
//
// Every TableName may be a name or an ARN; a name means the same table in every
// account and Region. One that is neither is refused.
//
// # Lost answers
//
// The SDK repeats a request whose answer it did not get, although the first
// attempt may have written. This package watches the attempts of each write on
// an encrypted table:
//
//   - A write that fails after such an attempt returns an error that matches
//     store.ErrUncertain as well as its cause: the write may have been done. An
//     attempt that could not connect, or whose context ended before sending,
//     counts as not sent. Any other failed write was not done, except that
//     [ErrReturnedItem] says that it was.
//   - A put whose own item fails the condition of its repetition succeeded, and
//     no error is returned. The footer tells, which no two writes share.
//   - PutItem and DeleteItem with ReturnValues ALL_OLD, and UpdateItem with
//     ALL_OLD or UPDATED_OLD, return store.ErrUncertain if the old values may come
//     from the write itself.
//
// As without this package, a repeated put or delete without a condition may
// overwrite what another writer wrote after the lost attempt, and a repeated
// update that is not idempotent, such as ADD, may be applied twice. A condition
// on what was read, or a transaction, prevents both.
//
// # Transactions
//
// The SDK chooses a ClientRequestToken for each TransactWriteItems and repeats
// the sealed request under it. TransactionCanceledException is definite, also
// after a lost answer; after TransactionInProgressException the transaction may
// still be done (store.ErrUncertain).
//
// When the caller gives a token, the sealed request is kept in memory for ten
// minutes after its last use, so that the same request under the same token is
// the same to DynamoDB. It is dropped at once when the transaction is cancelled
// or refused. Beyond 1,024 transactions or 64 MB of ciphertext the oldest is
// dropped; transactions that are known to be done go before transactions whose
// answer was lost. The repetition of a dropped transaction, or a repetition by
// another process, is another request to DynamoDB: if DynamoDB still knows the
// token, the error is [ErrTokenMismatch].
//
// Chapter E of docs/guarantees.md states what each call guarantees.
//
// # Reference
//
// The official libraries' counterpart is the interceptor of the specification's
// page [ddb-sdk-integration].
//
// [ddb-sdk-integration]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/tree/main/specification/dynamodb-encryption-client/ddb-sdk-integration.md
package transparent
