// SPDX-License-Identifier: Apache-2.0

package policy

import "strings"

// multiValued reports whether a condition key, in lower case, is one that has
// a set of values even when there is only one of them.
func multiValued(lower string) bool {
	switch lower {
	case "aws:tagkeys", "aws:calledvia", "aws:principalservicenameslist", "aws:principalorgpaths",
		"aws:resourceorgpaths",
		"kms:encryptioncontextkeys", "kms:resourcealiases", "kms:grantoperations",
		"dynamodb:leadingkeys", "dynamodb:firstpartitionkeyvalues", "dynamodb:secondpartitionkeyvalues",
		"dynamodb:thirdpartitionkeyvalues", "dynamodb:fourthpartitionkeyvalues",
		"dynamodb:attributes", "sts:transitivetagkeys":
		return true
	}
	return false
}

// Supplied reports whether the embedded AWS ever puts the condition key into a
// request. A condition on another key is decided as absent on every request,
// which the reasons say. The name may be in any case.
func Supplied(key string) bool {
	key = strings.ToLower(key)
	for _, prefix := range []string{"aws:principaltag/", "aws:requesttag/", "aws:resourcetag/", "iam:resourcetag/",
		encryptionContextPrefix} {
		if strings.HasPrefix(key, prefix) && len(key) > len(prefix) {
			return true
		}
	}
	switch key {
	case "aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:currenttime", "aws:epochtime",
		"aws:multifactorauthpresent",
		"aws:principalaccount", "aws:principalarn", "aws:principalisawsservice", "aws:principalservicename",
		"aws:principaltype",
		"aws:requestedregion", "aws:resourceaccount", "aws:securetransport", "aws:sourceaccount", "aws:sourcearn",
		"aws:sourceip", "aws:tagkeys",
		"aws:tokenissuetime", "aws:useragent", "aws:userid", "aws:username", "aws:viaawsservice",
		"dynamodb:attributes", "dynamodb:enclosingoperation", "dynamodb:leadingkeys",
		"dynamodb:firstpartitionkeyvalues", "dynamodb:secondpartitionkeyvalues", "dynamodb:thirdpartitionkeyvalues",
		"dynamodb:fourthpartitionkeyvalues",
		"dynamodb:returnvalues", "dynamodb:select",
		"iam:permissionsboundary", "iam:policyarn",
		"kms:bypasspolicylockoutsafetycheck", "kms:calleraccount", "kms:customermasterkeyspec",
		"kms:customermasterkeyusage", "kms:encryptionalgorithm", "kms:encryptioncontextkeys",
		"kms:grantconstrainttype", "kms:granteeprincipal", "kms:grantisforawsresource", "kms:grantoperations",
		"kms:keyagreementalgorithm",
		"kms:keyorigin", "kms:keyspec", "kms:keyusage", "kms:macalgorithm", "kms:multiregion", "kms:multiregionkeytype",
		"kms:primaryregion", "kms:reencryptonsamekey", "kms:replicaregion", "kms:requestalias", "kms:resourcealiases",
		"kms:retiringprincipal", "kms:rotationperiodindays", "kms:schedulekeydeletionpendingwindowindays",
		"kms:viaservice",
		"sts:externalid", "sts:rolesessionname", "sts:transitivetagkeys":
		return true
	}
	return false
}

// private reports whether the values of a condition key, in lower case, are
// contents of items, which no reason may repeat.
func private(lower string) bool {
	return lower == "dynamodb:leadingkeys" || strings.HasSuffix(lower, "partitionkeyvalues")
}
