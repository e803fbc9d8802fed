// SPDX-License-Identifier: Apache-2.0

// Package configexample has an example of the configuration of an item encryptor for
// each type of keyring, with placeholders for keys.
package configexample

import (
	"embed"
	"fmt"
	"strings"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
)

//go:embed examples/*.json
var files embed.FS

// Type is a type of keyring with what it is for.
type Type struct{ Name, For string }

// purposes say what each type of keyring is for.
var purposes = map[string]string{
	"raw-aes":                "a key of 16, 24 or 32 bytes that you keep",
	"raw-rsa":                "an RSA key pair that you keep",
	"raw-ecdh":               "your key pair and another side's public key",
	"raw-ecdh-ephemeral":     "encrypts for the holder of a public key, and does not decrypt",
	"raw-ecdh-discovery":     "decrypts with a private key what any sender encrypted",
	"aws-kms":                "a KMS key",
	"aws-kms-mrk":            "a multi-Region KMS key, whose replicas decrypt too",
	"aws-kms-discovery":      "decrypts with the KMS keys that the items name",
	"aws-kms-mrk-discovery":  "decrypts with replicas in a Region of the KMS keys that the items name",
	"aws-kms-rsa":            "an RSA key of AWS KMS",
	"aws-kms-ecdh":           "a KMS key for key agreement and another side's public key",
	"aws-kms-ecdh-discovery": "decrypts with a KMS key for key agreement what any sender encrypted",
	"multi":                  "several keyrings, each of which decrypts",
	"hierarchical":           "branch keys of a key store: few calls of AWS KMS",
}

// Types returns the types of keyrings in the order of [itemconfig.KeyringTypes].
func Types() []Type {
	var all []Type
	for _, name := range itemconfig.KeyringTypes() {
		all = append(all, Type{name, purposes[name]})
	}
	return all
}

// Of returns the example for a type of keyring. Errors: [envelope.ErrConfiguration]
// if there is no such type.
func Of(kind string) (string, error) {
	if _, known := purposes[kind]; !known {
		return "", fmt.Errorf("%w: there is no type of keyring %.60q: the types are %s", envelope.ErrConfiguration,
			kind, strings.Join(itemconfig.KeyringTypes(), ", "))
	}
	text, err := files.ReadFile("examples/" + kind + ".json")
	return string(text), err
}
