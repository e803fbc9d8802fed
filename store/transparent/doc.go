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
// only. The caller's structs are never changed. Results, old and new values,
// unprocessed items and the items inside of ConditionalCheckFailedException
// and TransactionCanceledException come back in plaintext. A page with an item
// that does not open is an error as a whole; use package store to read around
// it.
//
// # What is refused
//
// Calls on tables without an encryptor pass unchanged. On encrypted tables the
// following is refused before the call, by an [*Error]:
//
//   - conditions, filters and keys that need the value of an encrypted
//     attribute (store.ErrEncryptedAttribute);
//   - UpdateItem of anything but unsigned attributes, and one that would create
//     an item (store.ErrEncryptedAttribute, [ErrUpdateTarget]): read, change and
//     put, as store.Table.Update does;
//   - the legacy parameters that expressions replaced ([ErrRefused]), except
//     KeyConditions of Query;
//   - items over 400 KB once encrypted (store.ErrItemTooLarge).
//
// PartiQL, bulk and vector calls and every operation that this package does not
// know are refused whatever table they are for ([ErrRefused]).
//
// # Table names
//
// Every TableName may be a name or an ARN; a name means the same table in every
// account and Region. One that is neither is refused.
//
// # Transactions
//
// The SDK chooses a ClientRequestToken for each TransactWriteItems and repeats
// the sealed request under it. When the caller gives a token, the sealed
// request is kept in memory for ten minutes after its last use, so that the
// same request under the same token is the same to DynamoDB; beyond 1,024 tokens or
// 64 MB of items in ten minutes, requests with a token are refused
// ([ErrTokens]).
package transparent
