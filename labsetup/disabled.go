package labsetup

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// disabledChapter shows what disabling the key does to each mode.
func (l *Lab) disabledChapter() chapter {
	a := &l.administrator
	sees := func(id, table, mode, expected, why string) labStep {
		return sees(id, "administrator reads "+table, administratorRole, mode, expected, why, getCLI(table),
			l.reads(a, table))
	}
	return chapter{"The key disabled", []labStep{
		does("disable", "disable the key", "Nobody can use it, whatever the policy says.",
			"aws kms disable-key --key-id KEY", doing(func(ctx context.Context) error {
				_, err := a.kms.DisableKey(ctx, &kms.DisableKeyInput{KeyId: aws.String(l.keyARN)})
				return err
			})),
		sees("disabled-server", ServerTable, ModeServer, KeyDisabled, "The table stays and answers no one."),
		sees("disabled-owned", OwnedTable, ModeServer, SeesPlaintext, "Other tables do not notice."),
		sees("disabled-client", ClientTable, ModeClient, KeyDisabled, "The call succeeds, the item stays ciphertext."),
		does("enable", "enable it again", "", "aws kms enable-key --key-id KEY", doing(func(ctx context.Context) error {
			_, err := a.kms.EnableKey(ctx, &kms.EnableKeyInput{KeyId: aws.String(l.keyARN)})
			return err
		})),
		sees("enabled-server", ServerTable, ModeServer, SeesPlaintext, "As before."),
		sees("enabled-client", ClientTable, ModeClient, SeesPlaintext, "Nothing was lost."),
	}}
}
