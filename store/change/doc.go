// SPDX-License-Identifier: Apache-2.0

// Package change reads the changes of a table's items: from records of DynamoDB
// Streams, of Kinesis Data Streams and of Lambda events, and from the lines of
// exports to S3. [Decode] turns them into values, old and new, decrypted and
// verified:
//
//	for c, err := range change.Decode(ctx, patients, change.Stream(out.Records)) {
//		…
//	}
//
// [Follow] reads the stream of a table in one process. To use several
// processes, let AWS distribute the records and decode what it delivers: with
// the functions [Lambda] and [Response] in AWS Lambda, or with [Kinesis] for
// Kinesis Data Streams. [DecodeExport] reads exports. docs/scale.md shows each.
//
// # What is verified
//
// Old and New come from items whose signatures verified, with their attributes,
// keys and table. The rest of the record is not signed: Kind, At, Sequence,
// ByTTL, and Key if the view has no image, are as the service delivered them.
// The order of records is not signed either, and neither is their number. Anyone
// who can write to the table can put an old version of an item back, and its
// record verifies.
//
// # Which event filters still work
//
// Every write of an encrypted item changes all of its ciphertext, since each has
// a new data key. A filter of an event source, or a comparison of the two
// images, that looks at encrypted attributes sees a change in every record and
// no value at all. Filters keep working on
//
//   - the event name, the keys, and userIdentity, which marks expired items;
//   - attributes tagged sign, context or none, by value and by presence.
//     Values of signed attributes are verified when the record is decoded, so
//     anyone who may write to the table can make a filter drop a record, but cannot
//     make it pass with a wrong value.
//
// [Change.Changed] names the attributes whose plaintext changed. It returns none
// for a write that only encrypted the item again.
//
// # Views
//
// A stream with view NEW_AND_OLD_IMAGES gives both images. With NEW_IMAGE Old is
// nil, with OLD_IMAGE New is nil, and with KEYS_ONLY both are: read the item by
// its key. DynamoDB keeps records for 24 hours.
//
// # Secrets
//
// A stream, an export and a Kinesis stream hold ciphertext where the table does.
// What Decode yields is plaintext. If you write it elsewhere, protect it there.
//
// # Reference
//
// The formats are defined by [DynamoDB Streams], of events that [Lambda reads from a
// stream], of [Kinesis Data Streams for DynamoDB], and of [exports to S3].
//
// [DynamoDB Streams]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
// [Lambda reads from a stream]: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
// [Kinesis Data Streams for DynamoDB]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/kds.html
// [exports to S3]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
package change
