// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"fmt"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
	"github.com/ddbseal/ddbseal/labsetup/internal/shell"
)

// The commands beside the steps are bash. They can be typed one after the other
// into one shell, on AWS or with the exports of 'ddbseal serve': the first ones
// set ACCOUNT, ADMIN and KEY, and each user whom they make gets a profile of the
// same name.

const (
	whoCLI = "ACCOUNT=$(aws sts get-caller-identity --query Account --output text)\n" +
		"ADMIN=$(aws sts get-caller-identity --query Arn --output text)"
	asUser  = " --profile " + UserName
	asProbe = " --profile " + ProbeName
	asRole  = " --profile " + RoleName
	asOther = " --profile other"

	shellUser  = "arn:aws:iam::$ACCOUNT:user/" + UserName
	shellProbe = "arn:aws:iam::$ACCOUNT:user/" + ProbeName
	shellRole  = "arn:aws:iam::$ACCOUNT:role/" + RoleName
)

// shellPolicy is the base policy with shell variables for what only the account
// knows.
func shellPolicy() keypolicy.Console {
	self := []string{"$ADMIN"}
	return keypolicy.Console{Account: "$ACCOUNT", Administrators: self, Users: self, Attachers: self}
}

// putPolicyCLI writes the base policy with a change; nil changes nothing.
func putPolicyCLI(change func(*keypolicy.Console)) string {
	p := shellPolicy()
	if change != nil {
		change(&p)
	}
	return `aws kms put-key-policy --key-id "$KEY" --policy-name default --policy ` +
		shell.Heredoc(shell.OneStatementALine(p.Text()))
}

// plusCLI writes the base policy and statements for a principal.
func plusCLI(who string, extra ...keypolicy.Statement) string {
	return putPolicyCLI(func(p *keypolicy.Console) {
		for _, s := range extra {
			s.Principal = keypolicy.Principals{who}
			p.Extra = append(p.Extra, s)
		}
	})
}

// userPolicyCLI gives a user an IAM policy of their own that allows one action on
// the key.
func userPolicyCLI(user, name, action string) string {
	return "aws iam put-user-policy --user-name " + user + " --policy-name " + name + " --policy-document " +
		shell.Heredoc(shell.Allow(action, "$KEY"))
}

// getCLI reads the item as the administrator; getAs as a profile.
func getCLI(table string) string { return getAs("", table) }

func getAs(profile, table string) string {
	return fmt.Sprintf(`aws dynamodb get-item --table-name %s --key '{"id":{"S":"1"}}'`, table) + profile
}

// openCLI reads a record that this program decrypts. The AWS CLI cannot: it shows
// the item as DynamoDB returns it.
func openCLI(profile, mode string) string { return "ddbseal get 1 --mode " + mode + profile }

func readCLI(profile, table, mode string) string {
	switch mode {
	case ModeServer:
		return getAs(profile, table)
	case ModeClient, ModeBoth:
		if table != tableOf(mode) {
			profile = " --table " + table + profile
		}
		return openCLI(profile, mode)
	}
	return getAs(profile, table)
}

// The direct calls of the lab, on a message.
const (
	encryptWith = `aws kms encrypt --key-id "$KEY" --plaintext fileb://message --encryption-context lab=` + labTagValue
	encryptCLI  = "printf '" + message + "' >message\n" + encryptWith +
		" --query CiphertextBlob --output text | base64 --decode >message.bin"
	decryptCLI = `aws kms decrypt --key-id "$KEY" --ciphertext-blob fileb://message.bin --encryption-context lab=` +
		labTagValue + " --query Plaintext --output text"
	decryptItemCLI = "ddbseal get 1 --mode " + ModeClient + asUser
)
