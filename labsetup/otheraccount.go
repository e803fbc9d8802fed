// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
)

// otherAccountChapter names another account in the key policy: that lets its
// administrator give the right on, and is nothing by itself to its users.
func (l *Lab) otherAccountChapter() chapter {
	other := newPrincipal(*l.cfg.OtherAccount)
	decrypt := l.decrypts(&other)
	const who = "the other account's administrator decrypts"
	check := func(id, expected, why string) labStep {
		return sees(id, who, "other account", ModeDirect, expected, why, decryptCLI+asOther, decrypt)
	}
	return chapter{"Another account", []labStep{
		does("account-message", "encrypt a message with KMS itself", "The other account tries to decrypt this message.",
			encryptCLI, doing(l.encryptMessage)),
		check("account-denied", DeniedDecrypt,
			"Their own account allows them everything. That does not help on a key of this account."),
		does("account", "name the other account in the key policy",
			"The statement names the account, not a person. Its administrators decide who of theirs may use the key.",
			"OTHER=$(aws sts get-caller-identity --query Account --output text"+asOther+")\n"+
				plusCLI("arn:aws:iam::$OTHER:root", allow("Allow another account", "", nil)),
			doing(func(ctx context.Context) error {
				who, err := other.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
				if err != nil {
					return err
				}
				p := l.basePolicy()
				p.Extra = []keypolicy.Statement{allow("Allow another account",
					"arn:aws:iam::"+aws.ToString(who.Account)+":root", nil)}
				return l.putPolicy(ctx, p)
			})),
		check("account-allowed", allowed,
			"Both sides allow it now: the key policy here, and the IAM policies there."),
		does("account-withdrawn", "withdraw it", "The key policy is again the one from the beginning.",
			putPolicyCLI(nil), l.setPolicy(l.basePolicy)),
		check("account-gone", DeniedDecrypt,
			"We removed the statement and tried again: denied. So that statement alone had let them in."),
	}}
}
