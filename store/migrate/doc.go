// SPDX-License-Identifier: Apache-2.0

// Package migrate moves the items of a table from one state to another while
// it is in use: from plaintext or from the items of the older DynamoDB Encryption
// Client to client-side encryption, from one key or
// version of a branch key to another, to other actions of attributes, to other
// beacons, and back to plaintext.
//
//	m, err := migrate.New(migrate.Config{
//		Client: client, Table: "patients", ID: "encrypt-2026",
//		To: encryptor, CheckpointTable: "migrations",
//	})
//	plan, err := m.DryRun(ctx) // reads and converts everything, writes nothing
//	report, err := m.Run(ctx)
//
// # Before it runs
//
// Every program that writes to the table must write the new state already, and
// read both: a migration ends only if no program writes old items behind it. From
// plaintext that is PlaintextPolicy ForbidPlaintextWriteAllowPlaintextRead;
// after the migration forbid reading plaintext too. Back to plaintext it is
// ForcePlaintextWriteAllowPlaintextRead.
//
// # What it guarantees
//
// A migration opens and verifies each item, converts it, and writes it by one
// call on condition that the item is still what was read. If another writer was
// faster, the migration reads and converts the item again, up to 20 times; then
// the item fails with store.ErrConflict. The migration does not change an item
// in the new state, so nothing is converted twice and you can repeat a
// migration.
//
// After the last item of each page, the migration saves the position of the
// segment in the checkpoint table. A migration that was killed continues there
// when you start it again, and finds the items that it had written after the
// checkpoint in the new state.
//
// DryRun builds every write that Run would send, its condition included, and
// sends none. An item that passes DryRun fails in Run only if the item changes
// in the meantime or DynamoDB refuses the write, for example because an item
// collection has reached 10 GB.
//
// An error says this about the table:
//
//	an item's error in the report     the item is as it was, with what others
//	                                  added to it
//	ErrFailedItems                    all items were read; the ones that
//	                                  Counts.Failed counts are as they were
//	store.ErrUncertain                one write failed without a clear answer, and
//	                                  reading the item again failed too: it is in
//	                                  the old or in the new state. Or the item
//	                                  does not verify: see the next section
//	any other error                   each item is as it was or in the new state;
//	                                  Run again continues
//
// A write that failed without a clear answer, such as a connection that broke or
// a call that was throttled after a lost attempt, is followed by a read of the
// item. If the item has the new form, the migration counts it and goes on.
//
// # Items and configurations with many names
//
// The condition of a put compares the attributes that the item has, or for an
// encrypted item its footer and its unsigned attributes, and the absence of every
// name of both configurations that it lacks. DynamoDB accepts about 120 such
// names. Where they do not fit, Run writes by UpdateItem, for which the caller
// needs dynamodb:UpdateItem. An attribute that another writer adds in between
// then stays in the item, UpdateItem returns it, and a second UpdateItem signs
// it. Until the second call the item does not verify. Run makes that call even if
// its context ends, and repeats it for ten seconds. If a process is killed
// between the two calls, the next run reports the item as envelope.ErrTampered:
// remove the attribute that was added and add it again by [store.Table.Update].
// If the attribute cannot be signed, because To has no action for it, Run puts
// the old form back beside it, and the item fails.
//
// DynamoDB accepts about 150 attributes in one condition. A plaintext item with
// more attributes, or an encrypted item with more unsigned attributes, fails
// with [store.ErrTooWide] in DryRun and in Run.
//
// The condition of a put cannot detect a new attribute that neither
// configuration names: one with the AllowedUnsignedPrefix, or, in a plaintext
// item, one for which To has no action. Such an attribute is lost if another
// writer adds it between the read and the put.
//
// # Items of the older DynamoDB Encryption Client
//
// Give To (or From) a Legacy override that allows reading, see package
// envelope/legacy. A dry run counts the old items in Counts.Legacy, and Run writes
// each in the new state, on condition that its signature and its unsigned
// attributes are what was read. An old item that no configuration may read fails
// with envelope.ErrLegacyItem, also on the way to plaintext. When all items are in
// the new state, forbid reading old ones in every program: until then, anyone who
// may write to the table can put an old item back.
//
// # Beacons
//
// If To has a Search, every item that is written gets its beacons, see package
// envelope/beacon. An encrypted item whose beacons alone differ gets them by
// UpdateItem, for which the caller needs dynamodb:UpdateItem, on condition that its
// footer is what was read. It is not encrypted again. A signed beacon is covered by
// the signature, so an item in which one differs is written as a whole, and so is an
// item with more beacons than fit into one update. Beacons that only From computes
// are removed. If beacons have partitions, the beacons of an item are written
// together, so that two processes that migrate it at once leave the beacons of one
// partition. An item is current if its beacons are computed from its plaintext, all
// in one partition. Counts.WithoutBeacons says how many items searches do not find
// before the migration.
//
// [Migration.VerifyBeacons] computes the beacons of every item again and compares
// them. It writes nothing. Nothing else detects that a beacon which is not signed was
// changed or removed.
//
// Roll out a search in this order: let every program write the new configuration,
// migrate, and only then search.
//
// # What it refuses
//
//   - An index with a key that To encrypts, and a table that expires items by an
//     attribute that To encrypts: DryRun and Run return envelope.ErrConfiguration
//     before they read an item. If the caller lacks dynamodb:DescribeTimeToLive,
//     Report.Unchecked says so.
//   - An item with beacons that neither To nor From computes, such as beacons of an
//     official library, if more than beacons changes: it fails with
//     [store.ErrBeacons] unless Config.DropBeacons is set.
//   - A plaintext item with other attributes under the reserved prefix aws_dbe_,
//     or with attributes for which To has no action: it fails with
//     envelope.ErrInvalidItem.
//
// # Which changes are safe in place
//
//	change                             old items open under the new configuration?
//	encrypt ↔ sign ↔ context           yes: no migration needed, only to change what is stored
//	algorithm suite                    yes, as above
//	another key, both keys readable    yes, as above (keyring.Multi reads both)
//	beacons added, changed or removed  yes, but searches miss items until they are
//	                                   migrated
//	new version of a branch key        yes, until the old version is shredded
//	another key, old one not readable  no: migrate, From has the old keyring
//	signed ↔ unsigned                  no: migrate, From has the old actions; all
//	                                   programs must change at the same time
//	logical table name                 no: migrate, as above
//	key attributes                     no: another table
//
// # On many machines
//
// A [Share] divides the segments among machines by index and total, which AWS
// Batch array jobs and Kubernetes indexed jobs have; see
// [ShareFromEnvironment]. Config.Segments must be the same on all machines. Two
// machines that work on the same segment do no harm, but do the work twice.
//
// Chapter M of docs/guarantees.md states what a migration guarantees.
//
// # Reference
//
// AWS's guide describes the same change of a table by hand, for the [Java library].
//
// [Java library]: https://docs.aws.amazon.com/database-encryption-sdk/latest/devguide/ddb-java-migrate.html
package migrate
