// SPDX-License-Identifier: Apache-2.0

package iam

// absent are the operations of IAM that this server does not have, by what it
// would need for them.
var absent = map[string]string{
	"account properties": "GetAccountProperties PutAccountProperties",
	"credential reports": "GenerateCredentialReport GetCredentialReport",
	"delegation requests": "AcceptDelegationRequest AssociateDelegationRequest CreateDelegationRequest " +
		"GetDelegationRequest GetHumanReadableSummary ListDelegationRequests RejectDelegationRequest " +
		"SendDelegationToken UpdateDelegationRequest",
	"instance profiles": "AddRoleToInstanceProfile CreateInstanceProfile DeleteInstanceProfile " +
		"GetInstanceProfile ListInstanceProfileTags RemoveRoleFromInstanceProfile TagInstanceProfile " +
		"UntagInstanceProfile",
	"multi-factor authentication": "CreateVirtualMFADevice DeactivateMFADevice DeleteVirtualMFADevice " +
		"EnableMFADevice GetMFADevice ListMFADeviceTags ListMFADevices ListVirtualMFADevices ResyncMFADevice " +
		"TagMFADevice UntagMFADevice",
	"OpenID Connect providers": "AddClientIDToOpenIDConnectProvider CreateOpenIDConnectProvider " +
		"DeleteOpenIDConnectProvider GetOpenIDConnectProvider ListOpenIDConnectProviderTags " +
		"ListOpenIDConnectProviders RemoveClientIDFromOpenIDConnectProvider TagOpenIDConnectProvider " +
		"UntagOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint",
	"organizations": "DisableOrganizationsRootCredentialsManagement DisableOrganizationsRootSessions " +
		"EnableOrganizationsRootCredentialsManagement EnableOrganizationsRootSessions ListOrganizationsFeatures",
	"outbound web identity federation": "DisableOutboundWebIdentityFederation " +
		"EnableOutboundWebIdentityFederation GetOutboundWebIdentityFederationInfo",
	"password policies": "DeleteAccountPasswordPolicy GetAccountPasswordPolicy UpdateAccountPasswordPolicy",
	"reports of access": "GenerateOrganizationsAccessReport GenerateServiceLastAccessedDetails " +
		"GetOrganizationsAccessReport GetServiceLastAccessedDetails GetServiceLastAccessedDetailsWithEntities " +
		"ListPoliciesGrantingServiceAccess",
	"role templates": "AcquireRole GetRoleTemplateVersion",
	"SAML providers": "CreateSAMLProvider DeleteSAMLProvider GetSAMLProvider ListSAMLProviderTags " +
		"ListSAMLProviders TagSAMLProvider UntagSAMLProvider UpdateSAMLProvider",
	"server certificates": "DeleteServerCertificate GetServerCertificate ListServerCertificateTags " +
		"ListServerCertificates TagServerCertificate UntagServerCertificate UpdateServerCertificate " +
		"UploadServerCertificate",
	"service-linked roles": "CreateServiceLinkedRole DeleteServiceLinkedRole " +
		"GetServiceLinkedRoleDeletionStatus",
	"service-specific credentials": "CreateServiceSpecificCredential DeleteServiceSpecificCredential " +
		"ListServiceSpecificCredentials ResetServiceSpecificCredential UpdateServiceSpecificCredential",
	"signing certificates": "DeleteSigningCertificate ListSigningCertificates UpdateSigningCertificate " +
		"UploadSigningCertificate",
	"SSH keys":          "DeleteSSHPublicKey GetSSHPublicKey ListSSHPublicKeys UpdateSSHPublicKey UploadSSHPublicKey",
	"token preferences": "SetSecurityTokenServicePreferences",
}
