// SPDX-License-Identifier: Apache-2.0

package policy

import "strings"

// PrincipalType is what kind of identity asks. The zero value is invalid and
// matches nothing but "*".
type PrincipalType uint8

const (
	// Root is the root user of an account.
	Root PrincipalType = iota + 1
	// User is an IAM user, with long-term or GetSessionToken credentials.
	User
	// AssumedRole is a session of a role.
	AssumedRole
	// Service is an AWS service acting for itself, such as DynamoDB under the
	// grant of a table.
	Service
	// Anonymous is a caller without credentials.
	Anonymous
)

func (t PrincipalType) String() string {
	switch t {
	case Root:
		return "Account"
	case User:
		return "User"
	case AssumedRole:
		return "AssumedRole"
	case Service:
		return "Service"
	case Anonymous:
		return "Anonymous"
	}
	return "invalid principal type"
}

// Principal is who asks, resolved by the identity room.
type Principal struct {
	Type      PrincipalType
	AccountID string // 12 digits; empty for Service and Anonymous
	// ARN is the ARN of the root user, the user or the role session
	// ("arn:aws:sts::111122223333:assumed-role/Name/session"). For a Service it
	// is the service principal ("dynamodb.us-east-1.amazonaws.com").
	ARN string
	// UniqueID is the account id for Root, "AIDA…" for a User,
	// "AROA…:session" for an AssumedRole.
	UniqueID string
	// RoleARN and RoleUniqueID ("AROA…") are the role of an AssumedRole.
	RoleARN, RoleUniqueID string
}

// label is how AWS's messages name p.
func (p *Principal) label() string {
	if p.ARN == "" {
		return "anonymous"
	}
	return p.ARN
}

// userName returns the last part of a user's ARN: the path is not part of the
// name.
func (p *Principal) userName() string {
	return p.ARN[strings.LastIndexByte(p.ARN, '/')+1:]
}
