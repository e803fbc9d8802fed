// SPDX-License-Identifier: Apache-2.0

package tabledraft

// Option is one of DynamoDB's three keys, for people who choose.
type Option struct {
	Kind   string
	Name   string // in AWS's documentation
	Screen string // in DynamoDB's console
	Rows   []Row
	Sees   string // what the user of the lab sees, who may use the table and not the key
	Checks []string
}

// Row is an answer to a question that all options answer.
type Row struct{ Question, Answer string }

// Options returns the three options. The Checks are IDs of steps of the lab that
// prove what Sees says.
func Options() []Option {
	rows := func(manages, uses, cost, rotation, control, audit string) []Row {
		return []Row{{"Who manages the key", manages}, {"Who can use it", uses}, {"Cost", cost}, {"Rotation", rotation},
			{"Control", control}, {"Audit trail", audit}}
	}
	return []Option{
		{Owned, "AWS owned key", "Owned by Amazon DynamoDB", rows(
			"DynamoDB, outside of your account. You cannot see the key.",
			"Everyone who may use the table: no permission on a key is asked for.",
			"None.",
			"AWS rotates it when AWS chooses.",
			"None: the key has no policy of yours, and you cannot disable or delete it.",
			"None: CloudTrail does not show its use.",
		), "The item in plaintext.", []string{"user-owned"}},
		{Managed, "AWS managed key", "AWS managed key: alias/aws/dynamodb", rows(
			"AWS, in your account. You can see the key and its policy.",
			"Everyone in the account who may use the table: its policy admits them through DynamoDB.",
			"Nothing a month; KMS charges for requests.",
			"AWS rotates it every year.",
			"None: you cannot change its policy, disable it or delete it.",
			"CloudTrail shows each use, and who caused it.",
		), "The item in plaintext.", []string{"user-managed"}},
		{Customer, "Customer managed key", "Stored in your account, and owned and managed by you", rows(
			"You: the administrators that its key policy names.",
			"Those whom the key policy, a grant or an IAM policy admits, and who may use the table.",
			"About 1 US dollar a month for each key; KMS charges for requests.",
			"If you turn it on, every 90 to 2560 days; or at once when you say so.",
			"All of it: policy, grants, disabling and deletion. Without the key the table is unreadable.",
			"CloudTrail shows each use, and who caused it.",
		), "AccessDeniedException, not even ciphertext. After you name them as key user: the item in plaintext.",
			[]string{"user-server", "key-user-server"}},
	}
}
