package keyring

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// reservedNamespace is the prefix of the provider ids of AWS KMS keyrings: a
// raw keyring under such a name would claim their encrypted data keys.
const reservedNamespace = "aws-kms"

// checkNames validates the key namespace and key name of a raw keyring
// (Material Providers specification, keyring-interface, "Key Namespace", "Key
// Name"). extra is what the keyring appends to the name.
func checkNames(kind, namespace, name string, extra int) error {
	switch {
	case namespace == "" || name == "":
		return fmt.Errorf("%w: %s keyring needs a namespace and a name", materials.ErrConfiguration, kind)
	case strings.HasPrefix(namespace, reservedNamespace):
		return fmt.Errorf("%w: %s keyring: namespaces beginning with %q belong to AWS KMS keyrings", materials.ErrConfiguration, kind, reservedNamespace)
	case !utf8.ValidString(namespace) || !utf8.ValidString(name):
		return fmt.Errorf("%w: %s keyring: namespace and name must be UTF-8", materials.ErrConfiguration, kind)
	case len(namespace) > math.MaxUint16 || len(name) > math.MaxUint16-extra:
		return fmt.Errorf("%w: %s keyring: namespace or name too long for the item's header", materials.ErrConfiguration, kind)
	}
	return nil
}
