// SPDX-License-Identifier: Apache-2.0

package keypolicy

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Statement is a statement to be written, with the members in the order in which
// the KMS console writes them.
type Statement struct {
	Sid       string
	Effect    string // "Allow" or "Deny"
	Principal Principals
	Action    Strings
	Resource  string
	Condition map[string]map[string]string `json:",omitempty"`
}

// Strings is one JSON string or, for several, an array of them.
type Strings []string

// MarshalJSON returns the JSON form.
func (s Strings) MarshalJSON() ([]byte, error) {
	if len(s) == 1 {
		return json.Marshal(s[0])
	}
	return json.Marshal([]string(s))
}

// Principals are ARNs, which stand under AWS.
type Principals []string

// MarshalJSON returns the JSON form.
func (p Principals) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]Strings{"AWS": Strings(p)})
}

// AllowDecrypt returns a statement that allows one principal kms:Decrypt and
// kms:DescribeKey.
func AllowDecrypt(sid, arn string, condition map[string]map[string]string) Statement {
	return allow(sid, []string{arn}, condition, "kms:Decrypt", "kms:DescribeKey")
}

func allow(sid string, arns []string, condition map[string]map[string]string, actions ...string) Statement {
	return Statement{Sid: sid, Effect: "Allow", Principal: arns, Action: actions, Resource: "*", Condition: condition}
}

// Sids of the statements that the KMS console writes.
const (
	SidRoot           = "Enable IAM User Permissions"
	SidAdministrators = "Allow access for Key Administrators"
	SidUsers          = "Allow use of the key"
	SidAttachment     = "Allow attachment of persistent resources"
)

// Console describes a key policy by the four statements of the KMS console and
// what is added to them. Principals are ARNs.
type Console struct {
	Account         string
	WithoutRoot     bool     // leave out the statement that delegates to IAM policies
	Administrators  []string // may manage the key
	WithoutDeletion bool     // the administrators may not schedule or cancel the key's deletion
	Users           []string // may use the key
	Attachers       []string // may let AWS services use the key for them
	Extra           []Statement
}

// Text returns the policy of [Console.Statements], laid out with two spaces of
// indentation.
func (c Console) Text() string {
	return marshal(struct {
		Version   string
		ID        string `json:"Id"`
		Statement []Statement
	}{"2012-10-17", "key-consolepolicy-3", c.Statements()}, "", "  ")
}

// Statements returns the statements of the policy in order. It leaves out a
// statement that would name no principal.
func (c Console) Statements() []Statement {
	var all []Statement
	if !c.WithoutRoot {
		all = append(all, consoleStatement(SidRoot, "arn:aws:iam::"+c.Account+":root"))
	}
	if len(c.Administrators) > 0 {
		s := consoleStatement(SidAdministrators, c.Administrators...)
		if c.WithoutDeletion {
			s.Action = slices.DeleteFunc(s.Action, func(action string) bool {
				return action == "kms:ScheduleKeyDeletion" || action == "kms:CancelKeyDeletion"
			})
		}
		all = append(all, s)
	}
	if len(c.Users) > 0 {
		all = append(all, consoleStatement(SidUsers, c.Users...))
	}
	if len(c.Attachers) > 0 {
		all = append(all, consoleStatement(SidAttachment, c.Attachers...))
	}
	return append(all, c.Extra...)
}

// JSON returns the statement as [Console.Text] lays it out.
func (s Statement) JSON() string { return marshal(s, "", "  ") }

// consoleStatement returns the console's statement with one of its Sids.
func consoleStatement(sid string, arns ...string) Statement {
	switch sid {
	case SidRoot:
		return allow(sid, arns, nil, "kms:*")
	case SidAdministrators:
		return allow(sid, arns, nil,
			"kms:Create*", "kms:Describe*", "kms:Enable*", "kms:List*", "kms:Put*", "kms:Update*", "kms:Revoke*",
			"kms:Disable*", "kms:Get*", "kms:Delete*", "kms:TagResource", "kms:UntagResource",
			"kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion", "kms:RotateKeyOnDemand")
	case SidUsers:
		return allow(sid, arns, nil,
			"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")
	case SidAttachment:
		forServices := map[string]map[string]string{"Bool": {"kms:GrantIsForAWSResource": "true"}}
		return allow(sid, arns, forServices, "kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant")
	}
	panic("keypolicy: the console has no statement " + sid)
}

// AddAsConsole is [Policy.Add] for statements of the KMS console: it creates one
// that is missing as the console does. A Sid that is not one of the console's is
// an error that matches [ErrNoStatement].
func (p *Policy) AddAsConsole(principal string, sids ...string) (changed bool, err error) {
	if err := checkPrincipal(principal); err != nil {
		return false, err
	}
	edited := *p
	for _, sid := range sids {
		did := true
		switch {
		case edited.Has(sid):
			did, err = edited.Add(sid, principal)
		case sid == SidRoot || sid == SidAdministrators || sid == SidUsers || sid == SidAttachment:
			err = edited.Append(consoleStatement(sid, principal))
		default:
			err = noStatement(sid)
		}
		if err != nil {
			return false, err
		}
		changed = changed || did
	}
	*p = edited
	return changed, nil
}

func noStatement(sid string) error { return fmt.Errorf("%w: %.100q", ErrNoStatement, sid) }
