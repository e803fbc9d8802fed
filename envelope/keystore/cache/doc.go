// SPDX-License-Identifier: Apache-2.0

// Package cache keeps branch keys in memory for a while, so that thousands of
// items cost one fetch from the key store: one read of its table and one call of
// AWS KMS.
//
// A [Cache] is bounded and can be shared; [Cache.Source] gives the view of it
// that a hierarchical keyring uses as its source of branch keys.
//
// # What it promises
//
//   - One fetch at a time per entry, at any concurrency; a fetch of the active
//     version also fills the entry of that version.
//   - Failures are not cached, and no caller is failed by a fetch that began
//     before the caller came: it waits for another one. A caller whose context
//     ends stops waiting; the fetch goes on for the others, within
//     [Config.FetchTimeout].
//   - A fetch that no caller waits for holds up no other one. It does not begin,
//     and if it runs, it ends as soon as another fetch needs its place. That says
//     nothing about the service, so [SourceConfig.ServeStale] does not apply. An
//     early refresh runs to its end; refreshes take at most half of the places.
//   - A branch key takes at most half of the places, and branch keys take turns:
//     one that AWS KMS does not answer for leaves room for the others.
//   - An entry is not used beyond its lifetime, by the monotonic clock or by
//     the wall clock, whichever says so first: neither a clock set back nor a
//     suspended machine stretches it. In the grace period before, one caller
//     has it refreshed in the background.
//   - Keys are wiped when they are evicted, replaced or expire.
//
// The lifetime is the time for which a process goes on after its permission to
// use the KMS key is withdrawn.
//
// # Why not a general cache
//
// Copying and wiping a key need one lock around both, and one fetch must fill
// two entries; general caches evict in the background and refuse new entries by
// popularity, which would cost KMS calls at random.
//
// # Specification
//
// The cache has the purpose of the official libraries' [cryptographic materials
// cache], and other rules for its lifetime, which Config states.
//
// [cryptographic materials cache]: https://github.com/awslabs/aws-encryption-sdk-specification/tree/master/framework/storm-tracking-cryptographic-materials-cache.md
package cache
