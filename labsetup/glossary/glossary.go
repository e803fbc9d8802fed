// SPDX-License-Identifier: Apache-2.0

// Package glossary explains a dozen words of encryption under AWS KMS, for the
// lab's handout and for docs/glossary.md. This package is experimental: its API
// may change in any release.
package glossary

// Term is a word and what it means.
type Term struct{ Word, Meaning string }

// Terms returns the words in alphabetical order.
func Terms() []Term {
	return []Term{
		{"Branch key", "A key between a KMS key and data keys. KMS unwraps it once, a program keeps it in memory for " +
			"a while, and it wraps the data keys of many items."},
		{"Ciphertext", "What encryption makes of plaintext. Without the key it tells its length and nothing else."},
		{"Client-side encryption", "The program encrypts an item before it sends it. The database stores and returns " +
			"ciphertext, and only a program with the key sees more."},
		{"Customer managed key", "A KMS key whose key policy you write. The AWS managed key of a service has a " +
			"policy that you can only read, and an AWS owned key has none that you see."},
		{"Data key", "The key that encrypts one item or one table. It is stored next to what it encrypts, wrapped by " +
			"another key: that is envelope encryption."},
		{"Encryption context", "Names and values that are bound to a ciphertext: the same ones have to be given to " +
			"decrypt it. They are not secret, policies can demand them, and the audit keeps them."},
		{"Escrow",
			"A copy of a key outside of the service that guards it, for the day when that service does not answer " +
				"any more. To use it takes no permission, only the copy and the private key that it is sealed for."},
		{"Grant",
			"A permission on one KMS key for one principal (a user, a role or a service), given and revoked " +
				"without a change of the key policy. DynamoDB uses a table's key through a grant."},
		{"Key policy",
			"The policy attached to a KMS key. It decides who may use the key, and whether the account's IAM " +
				"policies, which are attached to users, groups and roles, count too."},
		{"Multi-Region key", "A KMS key with replicas in other Regions. They share the key material and not the " +
			"policy. A key is multi-Region from its creation or never."},
		{"Server-side encryption",
			"The service encrypts what it stores. A caller who may use the table and its key sees plaintext. A " +
				"caller who may not use a customer managed key gets an error and never ciphertext."},
		{"Signature",
			"Bytes in an item by which a program with the key notices that the item was changed. A readable " +
				"attribute can be signed too: anyone who may read the table can read it, and a change is noticed."},
	}
}

// Markdown returns docs/glossary.md.
func Markdown() string {
	text := "# Glossary\n\n| Word | What it means |\n|---|---|\n"
	for _, t := range Terms() {
		text += "| **" + t.Word + "** | " + t.Meaning + " |\n"
	}
	return text
}
