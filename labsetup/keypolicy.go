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
var administratorActions = []string{
	"kms:Create*", "kms:Describe*", "kms:Enable*", "kms:List*", "kms:Put*", "kms:Update*", "kms:Revoke*", "kms:Disable*", "kms:Get*", "kms:Delete*",
	"kms:TagResource", "kms:UntagResource", "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion", "kms:RotateKeyOnDemand",
}

var (
	userActions  = []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"}
	grantActions = []string{"kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"}
)

// ConsolePolicy returns the policy that the KMS console makes for a key of the
// account with the given administrators and key users, all ARNs. Without users
// the last two statements are left out, since a statement needs a principal.
func ConsolePolicy(account string, administrators, users []string) string {
	p := keyPolicy{Version: "2012-10-17", ID: "key-consolepolicy-3", Statement: []statement{{
		Sid: "Enable IAM User Permissions", Effect: "Allow", Principal: map[string]any{"AWS": "arn:aws:iam::" + account + ":root"},
		Action: "kms:*", Resource: "*",
	}}}
	if len(administrators) > 0 {
		p.Statement = append(p.Statement, statement{
			Sid: "Allow access for Key Administrators", Effect: "Allow", Principal: principals(administrators), Action: administratorActions, Resource: "*",
		})
	}
	if len(users) > 0 {
		p.Statement = append(p.Statement,
			statement{Sid: "Allow use of the key", Effect: "Allow", Principal: principals(users), Action: userActions, Resource: "*"},
			statement{Sid: "Allow attachment of persistent resources", Effect: "Allow", Principal: principals(users), Action: grantActions, Resource: "*",
				Condition: map[string]any{"Bool": map[string]any{"kms:GrantIsForAWSResource": "true"}}})
	}
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		panic("labsetup: key policy does not marshal: " + err.Error()) // strings only
	}
	return string(text)
}

// principals is one string for one ARN and an array for several, as KMS
// returns it.
func principals(arns []string) map[string]any {
	if len(arns) == 1 {
		return map[string]any{"AWS": arns[0]}
	}
	return map[string]any{"AWS": arns}
}
