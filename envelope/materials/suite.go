// SPDX-License-Identifier: Apache-2.0

package materials

import "fmt"

// AlgorithmSuite names one of the two algorithm suites that the AWS Database
// Encryption SDK defines for DynamoDB items. Its number is the suite id of the
// Material Providers specification. The zero value is invalid.
type AlgorithmSuite uint16

const (
	// SuiteSymmetricSignature is 0x6700: AES-256-GCM, HKDF-SHA512, key
	// commitment, HMAC-SHA384 per recipient, no digital signature.
	SuiteSymmetricSignature AlgorithmSuite = 0x6700
	// SuiteDigitalSignature is 0x6701: as 0x6700, with an ECDSA P-384
	// signature by a key made for each item. Readers who hold the wrapping key
	// can then not forge items in a writer's name.
	SuiteDigitalSignature AlgorithmSuite = 0x6701
)

// Valid reports whether the suite is one of the two defined ones.
func (s AlgorithmSuite) Valid() bool {
	return s == SuiteSymmetricSignature || s == SuiteDigitalSignature
}

// Signed reports whether items of the suite carry an ECDSA signature.
func (s AlgorithmSuite) Signed() bool { return s == SuiteDigitalSignature }

// String returns the official name of the suite.
func (s AlgorithmSuite) String() string {
	switch s {
	case SuiteSymmetricSignature:
		return "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_SYMSIG_HMAC_SHA384"
	case SuiteDigitalSignature:
		return "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384_SYMSIG_HMAC_SHA384"
	}
	return fmt.Sprintf("AlgorithmSuite(%#04x)", uint16(s))
}
