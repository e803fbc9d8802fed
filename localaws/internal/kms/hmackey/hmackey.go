// SPDX-License-Identifier: Apache-2.0

// Package hmackey has the HMAC key specs of KMS: their algorithms, the size of
// their material and their MACs.
package hmackey

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
)

var specs = map[string]struct {
	algorithm string
	size      int
	hash      func() hash.Hash
}{
	"HMAC_224": {"HMAC_SHA_224", 28, sha256.New224},
	"HMAC_256": {"HMAC_SHA_256", 32, sha256.New},
	"HMAC_384": {"HMAC_SHA_384", 48, sha512.New384},
	"HMAC_512": {"HMAC_SHA_512", 64, sha512.New},
}

// Algorithm returns the only algorithm of a key spec, "" for a spec of other keys.
func Algorithm(spec string) string { return specs[spec].algorithm }

// Size returns the length in bytes of the material of a key spec.
func Size(spec string) int { return specs[spec].size }

// Sum returns the MAC of a message under material of a key spec.
func Sum(spec string, material, message []byte) []byte {
	h := hmac.New(specs[spec].hash, material)
	h.Write(message)
	return h.Sum(nil)
}
