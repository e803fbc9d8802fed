// SPDX-License-Identifier: Apache-2.0

package iam

import "fmt"

// kind is one of the three sorts of entity that carry policies.
type kind struct {
	word        string // "user"
	idPrefix    string
	maxInline   int
	find        func(*account, string) *entity
	listedAs    func(*entityNames) *string
	missingText string
}

// entityNames are the parameters by which requests name an entity.
type entityNames struct{ UserName, GroupName, RoleName string }

var (
	userKind = kind{"user", "AIDA", maxUserDocuments,
		func(a *account, n string) *entity {
			if u := a.Users[n]; u != nil {
				return &u.entity
			}
			return nil
		},
		func(n *entityNames) *string { return &n.UserName }, "The user with name %s cannot be found."}
	groupKind = kind{"group", "AGPA", maxGroupDocuments,
		func(a *account, n string) *entity {
			if g := a.Groups[n]; g != nil {
				return &g.entity
			}
			return nil
		},
		func(n *entityNames) *string { return &n.GroupName }, "The group with name %s cannot be found."}
	roleKind = kind{"role", "AROA", maxRoleDocuments,
		func(a *account, n string) *entity {
			if r := a.Roles[n]; r != nil {
				return &r.entity
			}
			return nil
		},
		func(n *entityNames) *string { return &n.RoleName }, "The role with name %s cannot be found."}
)

func (k kind) arn(accountID, path, name string) string {
	return "arn:aws:iam::" + accountID + ":" + k.word + path + name
}

// get finds the entity or gives IAM's NoSuchEntity.
func (k kind) get(a *account, name string) (*entity, error) {
	if name == "" {
		return nil, missing(k.word + "Name")
	}
	e := k.find(a, name)
	if e == nil {
		return nil, notFound(k.missingText, name)
	}
	return e, nil
}

// title is the kind with a capital, as in operation names.
func (k kind) title() string {
	return map[string]string{"user": "User", "group": "Group", "role": "Role"}[k.word]
}

// action builds an action from a pattern such as "iam:Put%sPolicy".
func (k kind) action(pattern string) string { return fmt.Sprintf(pattern, k.title()) }

// record is the whole entity of that name, which exists.
func (k kind) record(a *account, name string) record {
	switch k.word {
	case userKind.word:
		return a.Users[name]
	case groupKind.word:
		return a.Groups[name]
	}
	return a.Roles[name]
}
