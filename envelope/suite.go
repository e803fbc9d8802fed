// SPDX-License-Identifier: Apache-2.0

package envelope

import (
	"fmt"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// AlgorithmSuite names what an item is encrypted and signed with.
type AlgorithmSuite = materials.AlgorithmSuite

const (
	// SuiteDigitalSignature is suite 0x6701, the default: as
	// SuiteSymmetricSignature, with an ECDSA P-384 signature. It costs most of
	// an item's time and is worth it where some who may read items may not
	// write them.
	SuiteDigitalSignature = materials.SuiteDigitalSignature
	// SuiteSymmetricSignature is suite 0x6700: AES-256-GCM with key commitment
	// and a keyed hash for each recipient.
	SuiteSymmetricSignature = materials.SuiteSymmetricSignature
)

// ParseAlgorithmSuite reads an official name. Anything else fails with
// [ErrConfiguration].
func ParseAlgorithmSuite(name string) (AlgorithmSuite, error) {
	for _, s := range []AlgorithmSuite{SuiteDigitalSignature, SuiteSymmetricSignature} {
		if s.String() == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("%w: unknown algorithm suite %.100q: one of %s", ErrConfiguration, name,
		names(SuiteDigitalSignature, SuiteSymmetricSignature))
}
