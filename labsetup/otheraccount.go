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
	return chapter{"Another account", []labStep{
		sees("account-denied", "the other account's administrator decrypts", "other account", ModeDirect, DeniedDecrypt,
			"No right of their own account helps on a key of this one.", decryptCLI, decrypt),
		does("account", "name the other account in the key policy", "",
			"aws kms put-key-policy --key-id KEY --policy file://policy.json", doing(func(ctx context.Context) error {
				who, err := other.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
				if err != nil {
					return err
				}
				p := l.basePolicy()
				p.Extra = []keypolicy.Statement{allow("Allow another account",
					"arn:aws:iam::"+aws.ToString(who.Account)+":root", nil)}
				return l.putPolicy(ctx, p)
			})),
		sees("account-allowed", "the other account's administrator decrypts", "other account", ModeDirect, allowed,
			"Both sides allow it: this key's policy, and their own IAM policies.", decryptCLI, decrypt),
		does("account-withdrawn", "withdraw it", "", "aws kms put-key-policy --key-id KEY --policy file://policy.json",
			l.setPolicy(l.basePolicy)),
		sees("account-gone", "the other account's administrator decrypts", "other account", ModeDirect, DeniedDecrypt,
			"Without this side's consent theirs is worth nothing.", decryptCLI, decrypt),
	}}
}
