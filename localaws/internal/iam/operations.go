// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"context"
	"reflect"
	"sync"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// protocol is how IAM is spoken to. Every request is in its event as soon as it
// is read.
var protocol = wire.Query{Read: wire.ShowParameters}

type (
	// entry is one operation of a table. It is served by its own request, which
	// keeps the task between being authorized and done.
	entry = wire.Entry[*call, any]
	// handler finds out what a request means and changes nothing yet.
	handler[In any] = func(*Service, *call, *In) (*task, error)
	// asker serves an operation that asks for its permission itself.
	asker[In any] = func(*Service, *call, *In) (any, error)
)

// reads is the entry of an operation that changes nothing.
func reads[In any](name string, find handler[In]) entry { return operation(name, wire.Read, find) }

// writes is the entry of an operation that changes something.
func writes[In any](name string, find handler[In]) entry { return operation(name, wire.Write, find) }

func operation[In any](name string, kind wire.Kind, find handler[In]) entry {
	return wire.Op[*call, In, any]{Name: name, Kind: kind,
		Authorize: func(r *call, _ context.Context, _ *request.Call, in *In) (err error) {
			if err := r.prepare(in); err != nil {
				return err
			}
			if r.task, err = find(r.service, r, in); err != nil {
				return err
			}
			return r.authorize(r.task)
		},
		Serve: func(r *call, _ context.Context, _ *request.Call, _ *In) (any, error) { return r.run(r.task) },
	}
}

// asks is the entry of an operation that asks for its permission itself: it
// asks about several things, at a time of its own, or not at all.
func asks[In any](name string, kind wire.Kind, serve asker[In]) entry {
	return wire.Op[*call, In, any]{Name: name, Kind: kind,
		Serve: func(r *call, _ context.Context, _ *request.Call, in *In) (any, error) {
			if err := r.prepare(in); err != nil {
				return nil, err
			}
			return serve(r.service, r, in)
		},
	}
}

// prepare checks the members that many requests have, and gives the entities
// that the request names the spelling that they have now.
func (r *call) prepare(in any) error {
	v := reflect.ValueOf(in).Elem()
	if _, ok := in.(creation); !ok {
		r.service.respell(r.AccountID, v)
	}
	return checkMembers(v)
}

// iamOperations returns the table of what every IAM answers. It is built once,
// since it is most of the work of a start.
var iamOperations = sync.OnceValue(newOperations)

func newOperations() *wire.Table[*call, any] {
	ops := []entry{
		writes("CreateUser", (*Service).createUser),
		reads("GetUser", (*Service).getUser),
		reads("ListUsers", (*Service).listUsers),
		asks("UpdateUser", wire.Write, (*Service).updateUser),
		writes("DeleteUser", (*Service).deleteUser),

		writes("CreateAccessKey", (*Service).createAccessKey),
		reads("ListAccessKeys", (*Service).listAccessKeys),
		writes("UpdateAccessKey", (*Service).updateAccessKey),
		writes("DeleteAccessKey", (*Service).deleteAccessKey),
		reads("GetAccessKeyLastUsed", (*Service).getAccessKeyLastUsed),

		asks("CreateLoginProfile", wire.Write, (*Service).createLoginProfile),
		reads("GetLoginProfile", (*Service).getLoginProfile),
		asks("UpdateLoginProfile", wire.Write, (*Service).updateLoginProfile),
		writes("DeleteLoginProfile", (*Service).deleteLoginProfile),
		asks("ChangePassword", wire.Write, (*Service).changePassword),

		writes("CreateGroup", (*Service).createGroup),
		reads("GetGroup", (*Service).getGroup),
		reads("ListGroups", (*Service).listGroups),
		reads("ListGroupsForUser", (*Service).listGroupsForUser),
		asks("UpdateGroup", wire.Write, (*Service).updateGroup),
		writes("DeleteGroup", (*Service).deleteGroup),
		writes("AddUserToGroup", (*Service).addUserToGroup),
		writes("RemoveUserFromGroup", (*Service).removeUserFromGroup),

		writes("CreateRole", (*Service).createRole),
		reads("GetRole", (*Service).getRole),
		reads("ListRoles", (*Service).listRoles),
		writes("UpdateRole", (*Service).updateRole),
		writes("UpdateRoleDescription", (*Service).updateRoleDescription),
		writes("DeleteRole", (*Service).deleteRole),
		writes("UpdateAssumeRolePolicy", (*Service).updateAssumeRolePolicy),

		reads("ListInstanceProfiles", (*Service).listInstanceProfiles),
		reads("ListInstanceProfilesForRole", (*Service).listInstanceProfilesForRole),

		writes("CreatePolicy", (*Service).createPolicy),
		reads("GetPolicy", (*Service).getPolicy),
		reads("ListPolicies", (*Service).listPolicies),
		writes("DeletePolicy", (*Service).deletePolicy),
		writes("CreatePolicyVersion", (*Service).createPolicyVersion),
		reads("GetPolicyVersion", (*Service).getPolicyVersion),
		reads("ListPolicyVersions", (*Service).listPolicyVersions),
		writes("DeletePolicyVersion", (*Service).deletePolicyVersion),
		writes("SetDefaultPolicyVersion", (*Service).setDefaultPolicyVersion),
		writes("TagPolicy", (*Service).tagPolicy),
		writes("UntagPolicy", (*Service).untagPolicy),
		reads("ListPolicyTags", (*Service).listPolicyTags),
		reads("ListEntitiesForPolicy", (*Service).listEntitiesForPolicy),

		writes("CreateAccountAlias", (*Service).createAccountAlias),
		reads("ListAccountAliases", (*Service).listAccountAliases),
		writes("DeleteAccountAlias", (*Service).deleteAccountAlias),
		reads("GetAccountSummary", (*Service).getAccountSummary),
		reads("GetAccountAuthorizationDetails", (*Service).getAccountAuthorizationDetails),

		asks("SimulatePrincipalPolicy", wire.Read, (*Service).simulatePrincipalPolicy),
		asks("SimulateCustomPolicy", wire.Read, (*Service).simulateCustomPolicy),
		reads("GetContextKeysForPrincipalPolicy", (*Service).getContextKeysForPrincipalPolicy),
		reads("GetContextKeysForCustomPolicy", (*Service).getContextKeysForCustomPolicy),
	}
	for _, k := range []kind{userKind, groupKind, roleKind} {
		ops = append(ops, putInline(k), getInline(k), deleteInline(k), listInline(k), attach(k), detach(k),
			listAttached(k))
	}
	for _, k := range []kind{userKind, roleKind} {
		ops = append(ops, putBoundary(k), deleteBoundary(k), tagEntity(k), untagEntity(k), listTags(k))
	}
	return wire.NewTable(protocol, ops...).Absent(wire.NoAction, absent)
}
