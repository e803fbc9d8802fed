package iam

import (
	"context"
	"reflect"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// protocol is how IAM and STS are spoken to. Every request is in its event as
// soon as it is read.
var protocol = wire.Query{Read: func(c *request.Call, in reflect.Value) {
	if shown := trail(in); len(shown) > 0 {
		c.Trail.RequestParameters = shown
	}
}}

type (
	// entry is one operation of a table.
	entry = wire.Entry[*Service, any]
	// handler serves an operation.
	handler[In any] = func(*Service, *call, *In) (any, error)
)

// reads is the entry of an operation that changes nothing. fn asks for its
// permission itself, with view, under the name of the operation.
func reads[In any](name string, fn handler[In]) entry {
	return wire.Op[*Service, In, any]{Name: name, Kind: wire.Read, Serve: serving(fn)}
}

// writes is the entry of an operation that changes something. fn asks for its
// permission itself, with change: what was authorized must still be what is
// there under the lock.
func writes[In any](name string, fn handler[In]) entry {
	return wire.Op[*Service, In, any]{Name: name, Kind: wire.Write, Serve: serving(fn)}
}

// serving makes fn what serves an operation: requests name entities as those
// are spelled by the time that they are served.
func serving[In any](fn handler[In]) func(*Service, context.Context, *request.Call, *In) (any, error) {
	return func(s *Service, ctx context.Context, c *request.Call, in *In) (any, error) {
		if _, ok := any(in).(creation); !ok {
			s.respell(c.AccountID, reflect.ValueOf(in).Elem())
		}
		return fn(s, &call{ctx: ctx, Call: c}, in)
	}
}

// iamOperations is the table of what this IAM answers.
func iamOperations() *wire.Table[*Service, any] {
	ops := []entry{
		writes("CreateUser", (*Service).createUser),
		reads("GetUser", (*Service).getUser),
		reads("ListUsers", (*Service).listUsers),
		writes("UpdateUser", (*Service).updateUser),
		writes("DeleteUser", (*Service).deleteUser),

		writes("CreateAccessKey", (*Service).createAccessKey),
		reads("ListAccessKeys", (*Service).listAccessKeys),
		writes("UpdateAccessKey", (*Service).updateAccessKey),
		writes("DeleteAccessKey", (*Service).deleteAccessKey),
		reads("GetAccessKeyLastUsed", (*Service).getAccessKeyLastUsed),

		writes("CreateLoginProfile", (*Service).createLoginProfile),
		reads("GetLoginProfile", (*Service).getLoginProfile),
		writes("UpdateLoginProfile", (*Service).updateLoginProfile),
		writes("DeleteLoginProfile", (*Service).deleteLoginProfile),
		writes("ChangePassword", (*Service).changePassword),

		writes("CreateGroup", (*Service).createGroup),
		reads("GetGroup", (*Service).getGroup),
		reads("ListGroups", (*Service).listGroups),
		reads("ListGroupsForUser", (*Service).listGroupsForUser),
		writes("UpdateGroup", (*Service).updateGroup),
		writes("DeleteGroup", (*Service).deleteGroup),
		writes("AddUserToGroup", (*Service).addUserToGroup),
		writes("RemoveUserFromGroup", (*Service).removeUserFromGroup),

		writes("CreateRole", (*Service).createRole),
		reads("GetRole", (*Service).getRole),
		reads("ListRoles", (*Service).listRoles),
		writes("UpdateRole", (*Service).updateRole),
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

		reads("SimulatePrincipalPolicy", (*Service).simulatePrincipalPolicy),
		reads("SimulateCustomPolicy", (*Service).simulateCustomPolicy),
	}
	for _, k := range []kind{userKind, groupKind, roleKind} {
		ops = append(ops, putInline(k), getInline(k), deleteInline(k), listInline(k), attach(k), detach(k), listAttached(k))
	}
	for _, k := range []kind{userKind, roleKind} {
		ops = append(ops, putBoundary(k), deleteBoundary(k), tagEntity(k), untagEntity(k), listTags(k))
	}
	return wire.NewTable(protocol, ops...)
}
