package iam

// iamOperations is the table of what this IAM answers.
func iamOperations() map[string]operation {
	ops := map[string]operation{
		"CreateUser": writes((*Service).createUser),
		"GetUser":    reads((*Service).getUser),
		"ListUsers":  reads((*Service).listUsers),
		"UpdateUser": writes((*Service).updateUser),
		"DeleteUser": writes((*Service).deleteUser),

		"CreateAccessKey":      writes((*Service).createAccessKey),
		"ListAccessKeys":       reads((*Service).listAccessKeys),
		"UpdateAccessKey":      writes((*Service).updateAccessKey),
		"DeleteAccessKey":      writes((*Service).deleteAccessKey),
		"GetAccessKeyLastUsed": reads((*Service).getAccessKeyLastUsed),

		"CreateLoginProfile": writes((*Service).createLoginProfile),
		"GetLoginProfile":    reads((*Service).getLoginProfile),
		"UpdateLoginProfile": writes((*Service).updateLoginProfile),
		"DeleteLoginProfile": writes((*Service).deleteLoginProfile),
		"ChangePassword":     writes((*Service).changePassword),

		"CreateGroup":         writes((*Service).createGroup),
		"GetGroup":            reads((*Service).getGroup),
		"ListGroups":          reads((*Service).listGroups),
		"ListGroupsForUser":   reads((*Service).listGroupsForUser),
		"UpdateGroup":         writes((*Service).updateGroup),
		"DeleteGroup":         writes((*Service).deleteGroup),
		"AddUserToGroup":      writes((*Service).addUserToGroup),
		"RemoveUserFromGroup": writes((*Service).removeUserFromGroup),

		"CreateRole":             writes((*Service).createRole),
		"GetRole":                reads((*Service).getRole),
		"ListRoles":              reads((*Service).listRoles),
		"UpdateRole":             writes((*Service).updateRole),
		"DeleteRole":             writes((*Service).deleteRole),
		"UpdateAssumeRolePolicy": writes((*Service).updateAssumeRolePolicy),

		"CreatePolicy":            writes((*Service).createPolicy),
		"GetPolicy":               reads((*Service).getPolicy),
		"ListPolicies":            reads((*Service).listPolicies),
		"DeletePolicy":            writes((*Service).deletePolicy),
		"CreatePolicyVersion":     writes((*Service).createPolicyVersion),
		"GetPolicyVersion":        reads((*Service).getPolicyVersion),
		"ListPolicyVersions":      reads((*Service).listPolicyVersions),
		"DeletePolicyVersion":     writes((*Service).deletePolicyVersion),
		"SetDefaultPolicyVersion": writes((*Service).setDefaultPolicyVersion),
		"TagPolicy":               writes((*Service).tagPolicy),
		"UntagPolicy":             writes((*Service).untagPolicy),
		"ListPolicyTags":          reads((*Service).listPolicyTags),
		"ListEntitiesForPolicy":   reads((*Service).listEntitiesForPolicy),

		"CreateAccountAlias": writes((*Service).createAccountAlias),
		"ListAccountAliases": reads((*Service).listAccountAliases),
		"DeleteAccountAlias": writes((*Service).deleteAccountAlias),
		"GetAccountSummary":  reads((*Service).getAccountSummary),

		"SimulatePrincipalPolicy": reads((*Service).simulatePrincipalPolicy),
		"SimulateCustomPolicy":    reads((*Service).simulateCustomPolicy),
	}
	for _, k := range []kind{userKind, groupKind, roleKind} {
		ops[k.action("Put%sPolicy")] = putInline(k)
		ops[k.action("Get%sPolicy")] = getInline(k)
		ops[k.action("Delete%sPolicy")] = deleteInline(k)
		ops[k.action("List%sPolicies")] = listInline(k)
		ops[k.action("Attach%sPolicy")] = attach(k)
		ops[k.action("Detach%sPolicy")] = detach(k)
		ops[k.action("ListAttached%sPolicies")] = listAttached(k)
	}
	for _, k := range []kind{userKind, roleKind} {
		ops[k.action("Put%sPermissionsBoundary")] = putBoundary(k)
		ops[k.action("Delete%sPermissionsBoundary")] = deleteBoundary(k)
		ops[k.action("Tag%s")] = tagEntity(k)
		ops[k.action("Untag%s")] = untagEntity(k)
		ops[k.action("List%sTags")] = listTags(k)
	}
	return ops
}
