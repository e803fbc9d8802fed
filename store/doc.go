// Package store is a typed repository on DynamoDB tables. An application
// declares a struct, chooses per table who encrypts, and otherwise writes the
// same code:
//
//	type Patient struct {
//		ID        string `dynamodbav:"id" seal:"partition"`
//		Ward      string `dynamodbav:"ward" seal:"sign"`
//		Diagnosis string `dynamodbav:"diagnosis"` // encrypted unless tagged otherwise
//	}
//
//	patients, err := store.New[Patient](client, "patients", store.ClientSide{Keyring: keyring})
//
// # Tags
//
// The tag dynamodbav names the attribute, as in the SDK's attributevalue
// package. The tag seal is one word:
//
//	partition, sort  the table's keys: readable, signed
//	encrypt          encrypted and signed: the default
//	sign             readable, signed
//	context          readable, signed, and part of the encryption context that
//	                 reaches the key service and its audit log
//	none             readable, not signed: anyone with write access may change it
//	version          a counter for optimistic locking: readable, signed
//	ttl              Unix seconds for DynamoDB's expiry: readable, not signed;
//	                 zero is left out
//
// A tag that could have no effect is an error in [New]. In [ServerSide] mode
// the actions say nothing and the roles (partition, sort, version, ttl) work
// the same. Nested values are encrypted as a whole.
//
// # Changing items
//
// [Table.Update] reads, changes and writes under the condition that nobody else
// changed the item in between; it is the way to change encrypted and signed
// attributes. [Table.UpdateAttributes] is DynamoDB's own update, for unsigned
// attributes. Put with a version attribute refuses to overwrite what was not
// read, and [Table.DeleteVersion] to delete it; Delete goes by the key alone.
// Update keeps attributes and members that the Go type lacks, while Put replaces
// the item. Batches are chunked and repeated, transactions reach over tables of
// both modes.
//
// A write whose answer is lost may have happened. The SDK repeats it, and its
// condition then fails because of itself; in client-side mode the footer of the
// item that was put tells, otherwise the error is [ErrUncertain] and never a
// second application. [Table.UpdateAttributes] needs a condition for that.
//
// # Conditions and filters
//
// They are those of the SDK's expression package. DynamoDB sees encrypted
// attributes as ciphertext, so conditions on their values are refused before
// the call. A filter on a signed attribute chooses by what DynamoDB stores;
// what comes back is verified, what is left out cannot be.
//
// # Errors
//
// Texts carry no attribute values. Errors wrap the SDK's; the sentinels here and
// in package envelope are found by errors.Is. One bad item in a page is an
// [*ItemError] with the item's key, and the others come.
//
// # Limits
//
//   - Reading by a projection or an index verifies only if all signed attributes
//     come: [ErrPartialItem] otherwise.
//   - Unsigned attributes under AllowedUnsignedPrefix have no known names, so
//     Update does not notice one that is added in between.
//   - DynamoDB returns expired items until it deletes them, and so does this
//     package.
//   - A batch checks neither versions nor entities. BatchPut is refused for types
//     with a version; BatchDelete removes items whatever their version.
package store
