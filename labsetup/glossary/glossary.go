// SPDX-License-Identifier: Apache-2.0

// Package glossary explains a dozen words of encryption under AWS KMS, for the
// lab's handout, and with them the words of AWS that the lab uses, for
// docs/glossary.md. This package is experimental: its API may change in any release.
package glossary

// Term is a word and what it means.
type Term struct{ Word, Meaning string }

// Terms returns the words in alphabetical order.
func Terms() []Term {
	return []Term{
		{"Branch key", "A key between a KMS key and data keys. KMS unwraps (decrypts) it once, a program keeps it in " +
			"memory for a while, and it wraps (encrypts) the data keys of many items."},
		{"Ciphertext", "What encryption makes of plaintext. Without the key it tells its length and nothing else."},
		{"Client-side encryption", "The program encrypts an item before it sends it. The database stores and returns " +
			"ciphertext, and only a program with the key sees more."},
		{"Customer managed key", "A KMS key whose key policy you write. The AWS managed key of a service has a " +
			"policy that you can only read, and an AWS owned key has none that you see."},
		{"Data key", "The key that encrypts one item or one table. It is stored next to what it encrypts, wrapped " +
			"(encrypted) by another key: that is envelope encryption."},
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

// ofAWS returns the words of AWS that the lab's texts use and that need no place on
// the handout, in alphabetical order.
func ofAWS() []Term {
	return []Term{
		{"Access key", "An ID and a secret with which a program signs its calls, so that AWS knows the caller. It is " +
			"not a KMS key and encrypts nothing."},
		{"Alias", "A name of a KMS key for people, such as alias/nextwork-kms-key."},
		{"ARN", "Amazon Resource Name, the full name of a thing in AWS: of a key, a table, a user or a role."},
		{"AWS KMS", "Key Management Service, the service of AWS that keeps keys. A key never leaves it: callers send " +
			"what it encrypts or decrypts, and KMS checks with each call whether the caller may use the key."},
		{"AWS managed key", "A KMS key that a service of AWS keeps in your account, such as alias/aws/dynamodb. You " +
			"can see it and its policy, and change neither."},
		{"AWS owned key", "A key that a service of AWS keeps outside of your account. DynamoDB encrypts a table with " +
			"it if you choose nothing else."},
		{"CloudTrail", "The audit of AWS: the record of who called what, when, and with which outcome."},
		{"Condition", "The part of a statement that says under which circumstances it applies, such as that DynamoDB " +
			"asks for the caller (kms:ViaService)."},
		{"Header and footer", "Two attributes that client-side encryption adds to an item. The header, aws_dbe_head, " +
			"holds the wrapped data key; the footer, aws_dbe_foot, holds the signatures."},
		{"IAM policy", "A list of statements attached to a user, a group or a role, and never to a key. AWS calls it " +
			"an identity-based policy. It is managed (it has a name and can be attached to many users) or inline " +
			"(part of one user)."},
		{"Key administrator, key user", "The principals that a key policy names to manage the key and to use it. An " +
			"administrator can change the policy, and so become a user."},
		{"Principal", "Who makes a call: a user, a role, a service, or the root user of the account."},
		{"Resource-based policy", "A policy attached to what is used: the key policy of a KMS key, or the resource " +
			"policy of a table."},
		{"Role", "A set of permissions without a person. A user who may assume the role gets credentials of it for a " +
			"limited time."},
		{"Statement", "One sentence of a policy: it allows or denies (Effect) somebody (Principal) some calls " +
			"(Action) on something (Resource), perhaps under a condition. A Deny wins over every Allow."},
		{"VPC endpoint", "A private way from a network of yours (VPC) to a service of AWS. Policies can demand that " +
			"calls come through it."},
	}
}

// Markdown returns docs/glossary.md.
func Markdown() string {
	return "# Glossary\n\n" + table(Terms()) + "\n## Words of AWS\n\n" + table(ofAWS())
}

// table lays out terms as a table in Markdown.
func table(terms []Term) string {
	text := "| Word | What it means |\n|---|---|\n"
	for _, t := range terms {
		text += "| **" + t.Word + "** | " + t.Meaning + " |\n"
	}
	return text
}
