// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// disabledChapter shows what disabling the key does to each mode.
func (l *Lab) disabledChapter() chapter {
	a := &l.administrator
	reads := func(id, table, mode, expected, why string) labStep {
		return sees(id, administratorTitle(table, mode), administratorRole, mode, expected, why,
			readCLI("", table, mode), l.reads(a, table))
	}
	return chapter{"The key disabled", []labStep{
		does("disable", "disable the key", "A disabled key cannot be used, whatever the key policy says.",
			`aws kms disable-key --key-id "$KEY"`, doing(func(ctx context.Context) error {
				_, err := a.kms.DisableKey(ctx, &kms.DisableKeyInput{KeyId: aws.String(l.keyARN)})
				return err
			})),
		reads("disabled-server", ServerTable, ModeServer, KeyDisabled,
			"The table is still there, and DynamoDB refuses every caller."+takesMinutes),
		reads("disabled-owned", OwnedTable, ModeServer, SeesPlaintext,
			"This table is under another key, so it is as before.").under(KeyOwned),
		reads("disabled-client", ClientTable, ModeClient, KeyDisabled,
			"DynamoDB returned the item, and KMS refused to decrypt its data key. The program has ciphertext."),
		does("enable", "enable it again", "Disabling can be undone at any time.", `aws kms enable-key --key-id "$KEY"`,
			doing(func(ctx context.Context) error {
				_, err := a.kms.EnableKey(ctx, &kms.EnableKeyInput{KeyId: aws.String(l.keyARN)})
				return err
			})),
		reads("enabled-server", ServerTable, ModeServer, SeesPlaintext, "The table opens as before."),
		reads("enabled-client", ClientTable, ModeClient, SeesPlaintext, "The item opens as before. Nothing was lost."),
	}}
}
