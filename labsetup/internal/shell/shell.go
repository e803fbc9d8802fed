// SPDX-License-Identifier: Apache-2.0

// Package shell writes commands of bash, most of them for the AWS CLI.
package shell

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Heredoc quotes a text for the shell, which expands its variables.
func Heredoc(text string) string { return "\"$(cat <<JSON\n" + strings.TrimSpace(text) + "\nJSON\n)\"" }

// OneStatementALine lays out a policy with a line for each statement.
func OneStatementALine(policy string) string {
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

// Allow is an identity policy that allows one action on one resource.
func Allow(action, resource string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":%q,"Resource":%q}]}`, action,
		resource)
}

// Profile makes an access key for a user and keeps it as a profile.
func Profile(user string) string {
	return "aws iam create-access-key --user-name " + user +
		" --query 'AccessKey.[AccessKeyId,SecretAccessKey]' --output text >key.txt\n" +
		"aws configure set aws_access_key_id \"$(cut -f1 key.txt)\" --profile " + user + "\n" +
		"aws configure set aws_secret_access_key \"$(cut -f2 key.txt)\" --profile " + user + "\n" +
		"rm key.txt"
}

// DeleteUser deletes a user with all that IAM wants to go first.
func DeleteUser(user string) string {
	return "aws iam delete-login-profile --user-name " + user + " 2>/dev/null || true\n" +
		"for id in $(aws iam list-access-keys --user-name " + user +
		" --query 'AccessKeyMetadata[].AccessKeyId' --output text); do\n  aws iam delete-access-key " +
		"--user-name " + user +
		" --access-key-id \"$id\"\ndone\n" +
		"for arn in $(aws iam list-attached-user-policies --user-name " + user +
		" --query 'AttachedPolicies[].PolicyArn' --output text); do\n  aws iam detach-user-policy --user-name " + user +
		" --policy-arn \"$arn\"\ndone\n" +
		"for name in $(aws iam list-user-policies --user-name " + user + " --query PolicyNames --output text); do\n" +
		"  aws iam delete-user-policy --user-name " + user + " --policy-name \"$name\"\ndone\n" +
		"aws iam delete-user --user-name " + user
}

// CreateTable creates a table with the partition key id (String) and a tag, and waits for it.
func CreateTable(name, tag, value string) string {
	return "aws dynamodb create-table --table-name " + name + " \\\n" +
		"  --attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH \\\n" +
		"  --billing-mode PAY_PER_REQUEST --tags Key=" + tag + ",Value=" + value + "\n" +
		"aws dynamodb wait table-exists --table-name " + name
}

// UnderKey switches a table to a KMS key; key is the end of the specification that names
// it, and empty for the AWS managed key.
func UnderKey(name, key string) string {
	return "aws dynamodb update-table --table-name " + name + " --sse-specification Enabled=true,SSEType=KMS" + key
}
