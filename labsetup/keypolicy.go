package labsetup

import "encoding/json"

// keyPolicy is a key policy in the shape that the KMS console writes.
type keyPolicy struct {
	Version   string      `json:"Version"`
	ID        string      `json:"Id"`
	Statement []statement `json:"Statement"`
}

type statement struct {
	Sid       string         `json:"Sid"`
	Effect    string         `json:"Effect"`
	Principal map[string]any `json:"Principal"`
	Action    any            `json:"Action"`
	Resource  string         `json:"Resource"`
	Condition map[string]any `json:"Condition,omitempty"`
}

// administratorActions are what the console grants key administrators.
func administratorActions() []string {
	return []string{
		"kms:Create*", "kms:Describe*", "kms:Enable*", "kms:List*", "kms:Put*", "kms:Update*", "kms:Revoke*", "kms:Disable*", "kms:Get*", "kms:Delete*",
		"kms:TagResource", "kms:UntagResource", "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion", "kms:RotateKeyOnDemand",
	}
}

func userActions() []string {
	return []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"}
}

func grantActions() []string { return []string{"kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"} }

// policySpec describes a key policy by the console's four statements and what
// is added to them. ARNs everywhere.
type policySpec struct {
	account        string
	withoutRoot    bool     // leave out the statement that delegates to IAM policies
	administrators []string // may manage the key
	users          []string // may use it
	attachers      []string // may let AWS services use it for them
	extra          []statement
}

// text returns the policy. A statement that names nobody is left out.
func (p policySpec) text() string {
	out := keyPolicy{Version: "2012-10-17", ID: "key-consolepolicy-3"}
	if !p.withoutRoot {
		out.Statement = append(out.Statement, statement{Sid: "Enable IAM User Permissions", Effect: "Allow",
			Principal: principals([]string{"arn:aws:iam::" + p.account + ":root"}), Action: "kms:*", Resource: "*"})
	}
	if len(p.administrators) > 0 {
		out.Statement = append(out.Statement, statement{Sid: "Allow access for Key Administrators", Effect: "Allow",
			Principal: principals(p.administrators), Action: administratorActions(), Resource: "*"})
	}
	if len(p.users) > 0 {
		out.Statement = append(out.Statement, statement{Sid: "Allow use of the key", Effect: "Allow",
			Principal: principals(p.users), Action: userActions(), Resource: "*"})
	}
	if len(p.attachers) > 0 {
		out.Statement = append(out.Statement, statement{Sid: "Allow attachment of persistent resources", Effect: "Allow",
			Principal: principals(p.attachers), Action: grantActions(), Resource: "*",
			Condition: map[string]any{"Bool": map[string]any{"kms:GrantIsForAWSResource": "true"}}})
	}
	out.Statement = append(out.Statement, p.extra...)
	text, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		panic("labsetup: key policy does not marshal: " + err.Error()) // strings only
	}
	return string(text)
}

// ConsolePolicy returns the policy that the KMS console makes for a key of the
// account with the given administrators and key users, all ARNs. A statement
// that would name nobody is left out.
func ConsolePolicy(account string, administrators, users []string) string {
	return policySpec{account: account, administrators: administrators, users: users, attachers: users}.text()
}

// principals is one string for one ARN and an array for several, as KMS
// returns it.
func principals(arns []string) map[string]any {
	if len(arns) == 1 {
		return map[string]any{"AWS": arns[0]}
	}
	return map[string]any{"AWS": arns}
}

// allow is a statement of the lab's own that lets one principal decrypt.
func allow(sid, arn string, condition map[string]any) statement {
	return statement{Sid: sid, Effect: "Allow", Principal: principals([]string{arn}), Action: []string{"kms:Decrypt", "kms:DescribeKey"}, Resource: "*", Condition: condition}
}
