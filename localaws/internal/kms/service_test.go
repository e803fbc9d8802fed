// SPDX-License-Identifier: Apache-2.0

package kms

import "testing"

// TestForeignGrant: a grant that another account made on a key is retired by
// that account and by those whom it names. The account of the key revokes it.
func TestForeignGrant(t *testing.T) {
	w := newWorld(t)
	w.user(abroad, "user")
	arn := w.key(members{"Policy": policyText(rootStatement(),
		statement("Allow", root(abroad).ARN, "kms:CreateGrant"))})
	grant := w.do(root(abroad), "CreateGrant", members{"KeyId": arn, "GranteePrincipal": root(abroad).ARN,
		"Operations": []string{"Decrypt"}})["GrantId"].(string)
	admin := w.user(here, "admin", "kms:*")
	in := members{"KeyId": arn, "GrantId": grant}
	w.fails(admin, "RetireGrant", in, "AccessDeniedException", "User: "+admin.ARN+
		" is not authorized to perform: kms:RetireGrant on resource: "+arn+
		" because no resource-based policy allows the kms:RetireGrant action")
	w.do(admin, "RevokeGrant", in)
}

// TestAliasElsewhere: an alias is looked for in the Region of the call, even if
// nothing is there.
func TestAliasElsewhere(t *testing.T) {
	w := newWorld(t)
	mac := w.key(hmacKey("HMAC_256"))
	w.do(root(here), "CreateAlias", members{"AliasName": "alias/mac", "TargetKeyId": mac})
	in := members{"KeyId": "alias/mac", "MacAlgorithm": "HMAC_SHA_256", "Message": []byte("m")}
	if out := w.do(root(here), "GenerateMac", in); out["KeyId"] != mac {
		t.Errorf("GenerateMac answered %v", out)
	}
	w.failsIn("us-east-1", root(here), "GenerateMac", in, "NotFoundException",
		"Alias arn:aws:kms:us-east-1:"+here+":alias/mac is not found.")
}
