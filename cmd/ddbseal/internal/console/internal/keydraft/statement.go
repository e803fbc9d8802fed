// SPDX-License-Identifier: Apache-2.0

package keydraft

import (
	"strings"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
)

// Statement is one statement of the key policy, explained.
type Statement struct {
	Sid, Text  string
	Principals []string // users and roles by their names, accounts by their ARNs
	Actions    []Action
	JSON       string
}

// Action is an action of AWS KMS, or a pattern that stands for several, with what
// it lets a principal do.
type Action struct{ Name, Text string }

// Statements returns the statements of the draft's key policy in order.
func (d Draft) Statements(account string) []Statement {
	var out []Statement
	for _, s := range d.Policy(account).Statements() {
		x := Statement{Sid: s.Sid, JSON: s.JSON()}
		switch s.Sid {
		case keypolicy.SidRoot:
			x.Text = "It lets the IAM policies of this account count for the key. By itself it admits only the " +
				"account's root user. With it, anyone whose IAM policies allow kms:Decrypt can decrypt, although " +
				"the key policy does not name them. Without it the key can become one that no one can manage."
		case keypolicy.SidAdministrators:
			x.Text = "The key administrators manage the key. They do not use it: none of the actions encrypts or " +
				"decrypts. But kms:Put* lets them write this policy, and so give the key to themselves."
			if !d.Deletion {
				x.Text += " They may not schedule the key's deletion, as you chose. They can still write the policy, " +
					"and change that."
			}
		case keypolicy.SidUsers:
			x.Text = "The key users encrypt and decrypt with the key, directly or through DynamoDB. Another account " +
				"is named by its root: its own administrators decide which of its users may use the key."
		case keypolicy.SidAttachment:
			x.Text = "The key users let AWS services, such as DynamoDB, work with the key for them. The condition " +
				"kms:GrantIsForAWSResource keeps the users from giving the key to others."
		}
		for _, arn := range s.Principal {
			if name := arn[strings.LastIndexByte(arn, ':')+1:]; name != "root" {
				arn = name
			}
			x.Principals = append(x.Principals, arn)
		}
		for _, action := range s.Action {
			x.Actions = append(x.Actions, Action{action, actionText(action)})
		}
		out = append(out, x)
	}
	return out
}

// AdministratorActions returns what the key administrators may do.
func (d Draft) AdministratorActions() []Action {
	return actionsOf(keypolicy.Console{WithoutRoot: true, WithoutDeletion: !d.Deletion, Administrators: []string{""}})
}

// UserActions returns what the key users may do.
func UserActions() []Action {
	return actionsOf(keypolicy.Console{WithoutRoot: true, Users: []string{""}})
}

func actionsOf(c keypolicy.Console) []Action {
	var out []Action
	for _, action := range c.Statements()[0].Action {
		out = append(out, Action{action, actionText(action)})
	}
	return out
}

// actionText returns what an action of the console's statements allows.
func actionText(action string) string {
	switch action {
	case "kms:*":
		return "every action on the key, to those whose IAM policies allow it too"
	case "kms:Create*":
		return "create aliases and grants for the key; a grant gives the key's use to others"
	case "kms:Describe*":
		return "see the key's state, description and ARN"
	case "kms:Enable*":
		return "enable the key and its rotation"
	case "kms:List*":
		return "list the key's aliases, grants, policies, rotations and tags"
	case "kms:Put*":
		return "write the key policy: this can give every permission on the key, to the administrator too"
	case "kms:Update*":
		return "change the description, and which key an alias means"
	case "kms:Revoke*":
		return "revoke grants"
	case "kms:Disable*":
		return "disable the key and its rotation; while a key is disabled, no one reads its tables"
	case "kms:Get*":
		return "read the key policy and the state of rotation"
	case "kms:Delete*":
		return "delete aliases and imported key material; the key itself needs kms:ScheduleKeyDeletion"
	case "kms:TagResource":
		return "tag the key"
	case "kms:UntagResource":
		return "remove tags"
	case "kms:ScheduleKeyDeletion":
		return "have the key deleted after 7 to 30 days, and everything encrypted under it lost"
	case "kms:CancelKeyDeletion":
		return "stop the deletion while the waiting time lasts"
	case "kms:RotateKeyOnDemand":
		return "give the key new material at once; the old one still decrypts"
	case "kms:Encrypt":
		return "encrypt up to 4 KB in KMS itself; the program never has the key"
	case "kms:Decrypt":
		return "decrypt what was encrypted under the key: the one permission that reading a table needs"
	case "kms:ReEncrypt*":
		return "let KMS decrypt a ciphertext and encrypt it under this key, or from this key, without showing it"
	case "kms:GenerateDataKey*":
		return "get a new data key in the open and encrypted under this key: how large data and items are encrypted"
	case "kms:DescribeKey":
		return "see the key's state and ARN, not its policy"
	case "kms:CreateGrant":
		return "give a service the key's use for one resource, such as a table"
	case "kms:ListGrants":
		return "list those grants"
	case "kms:RevokeGrant":
		return "revoke them"
	}
	return ""
}
