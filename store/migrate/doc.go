// Package migrate moves the items of a table from one state to another while
// it is in use: from plaintext to client-side encryption, from one key or
// version of a branch key to another, to other actions of attributes, and back
// to plaintext.
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
// read both: a migration ends only if nobody makes old items behind it. From
// plaintext that is PlaintextPolicy ForbidPlaintextWriteAllowPlaintextRead;
// after the migration forbid reading plaintext too. Back to plaintext it is
// ForcePlaintextWriteAllowPlaintextRead.
//
// # What it guarantees
//
// Each item is opened and verified, converted, and written on condition that
// it still is what was read; when another writer was faster it is read again.
// An item in the new state is left alone, so nothing is converted twice and a
// migration may be repeated. After each page the position of the segment is
// kept in the checkpoint table: a migration that was killed goes on there when
// it is started again. Items that cannot be converted are counted, named and
// left as they are.
//
// The condition on an item cannot notice a new attribute that neither
// configuration names: one under AllowedUnsignedPrefix, or in a plaintext item
// one that could not be encrypted anyway. On a plaintext item it is limited to
// about 150 attributes ([store.ErrTooWide]).
//
// # Which changes are safe in place
//
//	change                             old items open under the new configuration?
//	encrypt ↔ sign ↔ context           yes: no migration needed, only to change what is stored
//	algorithm suite                    yes, as above
//	another key, both keys readable    yes, as above (keyring.Multi reads both)
//	new version of a branch key        yes, until the old version is shredded
//	another key, old one not readable  no: migrate, From has the old keyring
//	signed ↔ unsigned                  no: migrate, From has the old actions; all
//	                                   programs must change at the same time
//	logical table name                 no: migrate, as above
//	key attributes                     no: another table
//
// # On many machines
//
// Segments are spread by index and total, see [Share]: AWS Batch array jobs
// and Kubernetes indexed jobs work as they are. Config.Segments must be the
// same on all of them. Two that run the same segment do no harm but double
// work.
package migrate
