// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"crypto/sha256"
	"fmt"
)

// Fingerprint returns a hash of what decides which beacons items have: all of
// [Config] but the source, the lifetime and the number of keys, the selector and
// AcceptMissing. Two configurations that spell the same beacons differently can
// have different fingerprints.
func (s *Search) Fingerprint() [sha256.Size]byte { return s.fingerprint }

// fingerprint hashes a configuration. A transform prints its unexported fields,
// and no field of the printed types is a pointer or a map.
func (c *Config) fingerprint() (sum [sha256.Size]byte) {
	h := sha256.New()
	fmt.Fprintf(h, "%#v\n%#v\n%#v\n%#v\n%#v\n", c.Standard, c.Virtual, c.Compound, c.SignedParts, c.EncryptedParts)
	fmt.Fprintf(h, "%d %d %q %q", c.MaxPartitions, c.DefaultPartitions, c.Keys.BranchKeyID, c.Keys.KeyField)
	h.Sum(sum[:0])
	return sum
}
