// SPDX-License-Identifier: Apache-2.0

// Package plaintextescrow exports branch keys for disaster recovery: their
// plaintext is fetched from a key store, so that AWS KMS opens each version
// once, and sealed under keys of your own, so that items can be opened later
// without AWS KMS, without the table, offline.
//
// The package is named for what it does: for the time of an export, every
// exported branch key is in this process's memory, and anyone who holds an archive
// and one of its keys opens every item under those branch keys, whatever KMS
// policies say, and after shredding too. Run it where you would keep such keys,
// with an RSA public key whose private half is offline.
//
// [Export] takes any keyring as the recipient: raw RSA or AES for offline use,
// AWS KMS in another account, or several of them. [Open] gives a source of
// branch keys for keyring.Hierarchical that opens items and refuses to write
// new ones.
//
// # Beacon keys
//
// Beacon keys are not exported, because nothing that an archive is for needs them.
// An item with beacons opens without its beacon key: a reader drops the beacons.
// Searches by the old beacons end with the key store. To search again, migrate the
// items to a new branch key: package store/migrate, with From opening items by a
// [Source] and To writing them under the new key, computes new beacons under its
// beacon key. An exported beacon key would only add to what the holder of an archive
// can do with the table alone: guess values, and compare their beacons with those of
// every item.
package plaintextescrow
