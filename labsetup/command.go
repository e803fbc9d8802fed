package labsetup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
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

// heredoc quotes a text for the shell, which expands its variables.
func heredoc(text string) string { return "\"$(cat <<JSON\n" + strings.TrimSpace(text) + "\nJSON\n)\"" }

// oneStatementALine lays out a policy with a line for each statement.
func oneStatementALine(policy string) string {
	var p struct {
		Version   string
		ID        string `json:"Id"`
		Statement []json.RawMessage
	}
	if json.Unmarshal([]byte(policy), &p) != nil {
		return policy
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\"Version\":%q,", p.Version)
	if p.ID != "" {
		fmt.Fprintf(&b, "\"Id\":%q,", p.ID)
	}
	b.WriteString("\"Statement\":[\n")
	for i, s := range p.Statement {
		if i > 0 {
			b.WriteString(",\n")
		}
		if json.Compact(&b, s) != nil {
			return policy
		}
	}
	b.WriteString("]}")
	return b.String()
}

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
		heredoc(oneStatementALine(p.Text()))
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
		heredoc(iamAllow(action, "$KEY"))
}

// iamAllow is an identity policy that allows one action on one resource.
func iamAllow(action, resource string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":%q,"Resource":%q}]}`, action,
		resource)
}

// profileCLI creates an access key for a user and keeps it as a profile.
func profileCLI(user string) string {
	return "aws iam create-access-key --user-name " + user +
		" --query 'AccessKey.[AccessKeyId,SecretAccessKey]' --output text >key.txt\n" +
		"aws configure set aws_access_key_id \"$(cut -f1 key.txt)\" --profile " + user + "\n" +
		"aws configure set aws_secret_access_key \"$(cut -f2 key.txt)\" --profile " + user + "\n" +
		"rm key.txt"
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
