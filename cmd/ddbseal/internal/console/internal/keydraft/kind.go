// SPDX-License-Identifier: Apache-2.0

package keydraft

// Kind is a kind of KMS key, with what it is for.
type Kind struct {
	Name, For string
	Command   string // that creates one with the AWS CLI
}

// Kinds returns the kinds of keys, the one of this form first.
func Kinds() []Kind {
	return []Kind{
		{"Symmetric, to encrypt and decrypt",
			"One secret 256-bit key encrypts and decrypts, and it never leaves AWS KMS. DynamoDB takes no other " +
				"kind, because it asks KMS to encrypt the keys of its tables (envelope encryption). Client-side " +
				"encryption takes this kind for the same reason.",
			"aws kms create-key --key-spec SYMMETRIC_DEFAULT --key-usage ENCRYPT_DECRYPT"},
		{"Asymmetric, a public and a private key",
			"KMS keeps the private key, and you give the public key to programs that cannot call AWS. They encrypt " +
				"to you, or check your signatures. A pair is slower and encrypts a few hundred bytes at most.",
			"aws kms create-key --key-spec RSA_3072 --key-usage ENCRYPT_DECRYPT\n" +
				"aws kms create-key --key-spec ECC_NIST_P256 --key-usage SIGN_VERIFY\n" +
				"aws kms create-key --key-spec ECC_NIST_P256 --key-usage KEY_AGREEMENT"},
		{"HMAC, to generate and verify MAC",
			"The key computes a code (MAC) that proves who wrote a text and that the text is unchanged, such as a " +
				"token of a signed-in user. It hides nothing: an HMAC key cannot encrypt.",
			"aws kms create-key --key-spec HMAC_256 --key-usage GENERATE_VERIFY_MAC"},
	}
}
