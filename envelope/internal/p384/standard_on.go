// SPDX-License-Identifier: Apache-2.0

//go:build ddbseal_stdecdsa

package p384

// alwaysStandard is whether the package was built to leave the work to
// crypto/ecdsa.
const alwaysStandard = true
