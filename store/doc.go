// SPDX-License-Identifier: Apache-2.0

// Package store is a typed repository on DynamoDB tables. You declare a struct,
// and choose for each table whether the client encrypts ([ClientSide]) or DynamoDB
// does ([ServerSide]). The rest of the code is the same for both:
//
//	type Patient struct {
//		ID        string `dynamodbav:"id" seal:"partition"`
//		Ward      string `dynamodbav:"ward" seal:"sign"`
//		Diagnosis string `dynamodbav:"diagnosis"` // encrypted unless tagged otherwise
//	}
//
//	patients, err := store.New[Patient](client, "patients", store.ClientSide{Keyring: keyring})
//	err = patients.Put(ctx, Patient{ID: "1", Ward: "north", Diagnosis: "hay fever"})
//	p, err := patients.Get(ctx, store.Key{Partition: "1"})
//
// A keyring wraps the keys that encrypt the items: package envelope/keyring has
// them, and package envelope/keyring/awskms has those on AWS KMS keys. docs/get-started.md
// is a whole program with the keyring for production.
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
//	version          a counter for optimistic locking, which Put, Update and
//	                 DeleteVersion compare: readable, signed
//	ttl              Unix seconds for DynamoDB's expiry: readable, not signed;
//	                 zero is left out
//
// A tag that could have no effect is an error in [New], such as a seal tag below
// the top level, or an option of the tag dynamodbav that does not fit its field.
// Embedded structs are flattened, and fields of one name shadow each other, by
// the rules of attributevalue, which are Go's. In [ServerSide] mode the words encrypt,
// sign, context and none have no effect; partition, sort, version and ttl work the
// same. Nested values are encrypted as a whole.
//
// The tags index and localIndex declare global and local secondary indexes, in the
// form that guregu/dynamo uses: `index:"byWard,hash"` on the field of the partition
// key and `index:"byWard,range"` on the field of the sort key. A field that is a key
// of several indexes separates them by semicolons. Up to four fields can have one
// role in a global index: its key has them in the order of the fields, and a query
// takes [Values] and [SortRange.After]. [Create] creates the table with them,
// [Table.Check] compares them, and a query needs only the name of one.
//
// # Composed keys
//
// The tag template composes a key from fields. A placeholder names a field by its
// Go name:
//
//	type Order struct {
//		_        struct{} `dynamodbav:"pk" seal:"partition" template:"CUSTOMER#{Customer}"`
//		_        struct{} `dynamodbav:"sk" seal:"sort" template:"ORDER#{Number:08}"`
//		Customer string   `dynamodbav:"-"`
//		Number   int      `dynamodbav:"-"`
//	}
//
// Each write composes the key, and each read fills the fields from it. A field
// tagged dynamodbav:"-" is stored only in the key. A field without that tag is an
// attribute too, which must agree with the key. The key itself may be a string field
// of T instead of a blank one: reads fill it, and writes ignore what it has. Fields of
// a key are strings, integers, or of types that are stored as strings. They are
// readable in the key, so an encrypted field is refused.
//
// Different values have different keys. {Number:08} is a number of eight digits, so that keys
// sort as the numbers do; a negative or longer number is refused, as are an empty
// string and one that contains the text behind its placeholder. The error matches
// [ErrKeyTemplate]. New refuses a template whose keys could not be taken apart, such
// as {A}{B} of two strings.
//
// [Table.Key] composes a key from the fields of a value, and [Table.SortPrefix] a
// range of sort keys:
//
//	orders.Get(ctx, orders.Key(Order{Customer: "7", Number: 42}))
//
// A field tagged sign that is the key of an index can have a template too, which
// [Table.IndexKey] composes for a query. With the option omitempty of the tag
// dynamodbav, an item in which a string of the key is empty is left out of the index.
// [Table.UpdateAttributes] refuses to change what a key is composed from, and
// [Table.Update] composes the keys of indexes again.
//
// # Several types in one table
//
// [NewCollection] declares a table with items of several types. Each type has a
// [Table], and the [Collection] reads all of them by one query.
//
// # Searching encrypted attributes
//
// The tag beacon makes an encrypted attribute searchable. A beacon is a truncated HMAC
// of the value, stored beside the ciphertext, and the tag gives its length in bits.
// Package envelope/beacon says what a beacon reveals and how long it should be:
//
//	Number string `dynamodbav:"number" beacon:"length=16" index:"byNumber,hash"`
//
//	patients, err := store.New[Patient](client, "patients", store.ClientSide{
//		Keyring: keyring,
//		Search: &beacon.Config{Keys: beacon.KeySource{
//			Source: keys, BranchKeyID: "clinic", Lifetime: time.Hour}},
//	})
//	store.Create(ctx, store.CreateOptions{}, patients) // its index is on aws_dbe_b_number
//	patients.Query(ctx, store.Query{Index: &store.Index{Name: "byNumber"}, Partition: "4711"})
//	patients.Scan(ctx, store.Scan{Filter: expression.Name("number").Equal(patients.Value("4711"))})
//
// The options of the tag are separated by commas:
//
//	length=N      1 to 63 bits; required
//	set           a beacon for each element of a set, for contains
//	part          stored in compound beacons only
//	shared=NAME   equal values of this attribute and of beacon NAME have equal
//	              beacons, and both have one length
//	partitions=N  the number of partitions, less than Search.MaxPartitions
//
// The beacon has the name of the attribute. [ClientSide].Search has the source of
// the keys, and all other beacons; [GlobalIndex] declares indexes on those.
//
// Queries and filters take plaintext values, and DynamoDB sees hashes of them. The
// items that it returns are decrypted and evaluated again on their plaintext, so
// that an item whose beacon is equal by chance is left out. A search
// finds every item that matches and has its beacons. An item that was written without beacons, or
// whose beacon someone deleted, is not found, and no error says so; package
// migrate adds and verifies beacons. An expression that no beacon serves fails
// with [ErrEncryptedAttribute]; the error holds a *search.Error of package
// envelope/beacon/search, which names the attribute. Conditions of
// writes on encrypted attributes are refused, also if the attribute has a beacon.
//
// An index on a beacon is in the order of the stored beacons. If the beacons have
// partitions, a query reads each of them and merges the results by the sort key.
//
// # Types
//
// New refuses, by the name of the field, each type that attributevalue stores in
// part, stores wrongly, or cannot read back: structs without exported fields such
// as netip.Addr and big.Int, complex numbers, channels, functions, interfaces with
// methods, map keys that are not read as they are written, types with one of the
// two conversion methods or with those of an embedded type, [][]byte without the
// option binaryset, and keys of type time.Time without the option unixtime. What
// it accepts comes back unchanged, except that
//
//   - a set has no order, and an empty one comes back as nil, since DynamoDB has no
//     empty sets;
//   - a pointer to a nil slice or map comes back as a pointer to an empty one;
//   - a time comes back as the same instant, in a zone without a name and without
//     a monotonic clock reading; the option unixtime keeps whole seconds;
//   - an attributevalue.Number or json.Number keeps its value, not its spelling;
//   - a field with the option omitempty comes back as its zero value where it was
//     left out (a struct such as time.Time is never left out, so New refuses the
//     option there: use a pointer, or [OmitZeroTimes] for a time);
//   - a value in a field of type any, or of a slice or map of any, comes back as
//     one of string, bool, nil, [attributevalue.Number], []byte, []any,
//     map[string]any, []string, [][]byte and []attributevalue.Number: a number as
//     attributevalue.Number, with all its digits, a struct as map[string]any, a
//     time as a string. A set comes back as a slice, which is written as a list.
//     Each write checks the type of such a value as New checks others.
//
// A field that is not exported, or has the name "-", is not stored.
//
// Options of New add types and change what is stored. All are off by default:
// [TextMarshalers] stores types such as netip.Addr as strings, [SortableTimes] makes
// times fit for keys, [OmitZeroTimes] and [SlicesAsSets] leave out zero times and
// store sets, [TagKey] reads another tag such as json, and [AnyNumbers] chooses the
// type of numbers in any. They hold for items, keys, ranges and, by [Table.Value],
// for expressions. docs/schema.md says how to switch a table in use.
//
// # Changing items
//
// [Table.Update] reads, changes and writes under the condition that no other writer
// changed the item in between; it is the way to change encrypted and signed
// attributes. [Table.UpdateAttributes] is DynamoDB's own update, for unsigned
// attributes. If T has a version attribute, [Table.Put] refuses to overwrite an item
// that changed since it was read, and [Table.DeleteVersion] refuses to delete it;
// [Table.Delete] does not compare versions. Update keeps attributes and members that
// the Go type lacks, while Put replaces the item. A batch of any size is divided into
// calls, and what DynamoDB leaves undone is sent again. Transactions, and batches by
// [BatchWrite] and [BatchGet], can combine tables of both modes.
//
// A write whose answer is lost may have been done. The SDK repeats it, and the
// repetition can then fail its own condition. In client-side mode the footer of the
// stored item, which differs for each write, shows that the write was done. Otherwise the error is
// [ErrUncertain], and [Table.Update] does not apply the change a second time.
// Any other error of a write says that it was not done, unless the method says
// otherwise. An unconditional Put or Delete whose answer is lost is repeated
// too, and may overwrite what another writer put in between; a version
// attribute or a condition prevents that.
//
// # Conditions and filters
//
// You build conditions and filters with the SDK's expression package. A value of
// another DynamoDB type than the field stores is refused before the call;
// [Table.Value] returns one that fits. DynamoDB sees encrypted attributes as
// ciphertext, so conditions on their values are refused before the call. DynamoDB
// evaluates a filter on a signed attribute on what it stores. The items that it
// returns are verified; the items that it leaves out cannot be.
//
// # Errors
//
// Texts carry no attribute values, with one exception: an error about a value that
// cannot be converted names the attribute, the field and the reason, and an error
// that a conversion method of the application returned is repeated word for word,
// unless it wraps one of attributevalue, strconv or time. Such methods must leave
// secrets out of their texts. A panic in a method is an error that leaves the
// panic's value out. Where a message of DynamoDB repeats values, the text leaves
// them out; ErrorMessage of the wrapped smithy.APIError is complete.
//
// Errors wrap the SDK's; the sentinels here and in package envelope are found by
// errors.Is. One bad item in a page is an [*ItemError] with the item's key, and the
// other items are returned.
//
// # Observing
//
// Logging, tracing, meters and middleware of the SDK are those of the client that
// [New] gets, and see ciphertext. [Table.Stats] counts conflicts, repetitions and
// items that could not be read, without another dependency; awskms.Counter counts
// calls of AWS KMS, and cache.Cache.Stats the hits of a cache of branch keys. Each
// is a struct of numbers for expvar.Func or for the callback of an OpenTelemetry
// observable counter.
//
// # Limits
//
//   - An item read by a projection or an index can be verified only if it has all its
//     signed attributes. Otherwise the error is [ErrPartialItem].
//   - Unsigned attributes under AllowedUnsignedPrefix have no known names, so
//     Update does not notice one that is added in between.
//   - DynamoDB returns expired items until it deletes them, and so does this
//     package.
//   - A batch checks neither versions nor entities. BatchPut is refused for types
//     with a version; BatchDelete removes items whatever their version.
//
// What each method guarantees, clause by clause, is in docs/guarantees.md.
package store
