// SPDX-License-Identifier: Apache-2.0

// Package plaintextescrow exports branch keys for disaster recovery. It reads
// their plaintext from a key store, for which AWS KMS decrypts each version
// once, and encrypts it under keys of your own. Items can then be decrypted
// offline, without AWS KMS and without the key store.
//
// The package is named for its danger. During an export, every exported branch key
// is in the memory of this process in plaintext. Anyone who has an archive and one
// of the keys that open it can decrypt every item under those branch keys,
// whatever KMS policies say, and even after the branch keys were shredded. Run it
// where you would keep such keys, with an RSA public key whose private half is
// offline.
//
// [Export] encrypts for any keyring: raw RSA or AES for offline use, AWS KMS in
// another account, or several of them. [Open] returns a [Source] of branch keys
// for keyring.Hierarchical, which decrypts items and refuses to encrypt new
// ones.
//
// # Beacon keys
//
// Beacon keys are not exported, because recovery does not need them. An item with
// beacons can be decrypted without its beacon key: a reader drops the beacons.
// Without the key store, searches by the old beacons are no longer possible. To
// search again, migrate the items to a new branch key: package store/migrate, with
// From opening items by a [Source] and To writing them under the new key, computes
// new beacons under its beacon key. An exported beacon key would only add to what
// the holder of an archive can do with the table alone: guess values, and compare
// their beacons with those of every item.
package plaintextescrow
