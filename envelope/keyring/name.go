// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// reserved are the provider ids of AWS KMS keyrings: a raw keyring under such a
// name would claim their encrypted data keys. The official libraries refuse the
// first only and let any other name begin with it, so items may have such names.
var reserved = []string{"aws-kms", hierarchyProvider, "aws-kms-rsa", "aws-kms-ecdh"}

// checkNames validates the key namespace and key name of a raw keyring
// (Material Providers specification, [keyring-interface], "Key Namespace", "Key
// Name"). extra is what the keyring appends to the name.
//
// [keyring-interface]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/keyring-interface.md#key-namespace
func checkNames(kind, namespace, name string, extra int) error {
	switch {
	case namespace == "" || name == "":
		return fmt.Errorf("%w: %s keyring needs a namespace and a name", materials.ErrConfiguration, kind)
	case slices.Contains(reserved, namespace):
		return fmt.Errorf("%w: %s keyring: the namespace %q belongs to an AWS KMS keyring", materials.ErrConfiguration,
			kind, namespace)
	case !utf8.ValidString(namespace) || !utf8.ValidString(name):
		return fmt.Errorf("%w: %s keyring: namespace and name must be UTF-8", materials.ErrConfiguration, kind)
	case len(namespace) > math.MaxUint16 || len(name) > math.MaxUint16-extra:
		return fmt.Errorf("%w: %s keyring: namespace or name too long for the item's header",
			materials.ErrConfiguration, kind)
	}
	return nil
}
