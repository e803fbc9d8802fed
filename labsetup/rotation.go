// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// rotationChapter rotates the key and reads what was written before.
func (l *Lab) rotationChapter() chapter {
	a := &l.administrator
	return chapter{"Rotation", []labStep{
		does("rotate", "rotate the key on demand",
			"KMS makes new key material under the same key. It keeps the old material for what it encrypted.",
			`aws kms rotate-key-on-demand --key-id "$KEY"`, doing(func(ctx context.Context) (err error) {
				if l.rotations, err = l.countRotations(ctx); err != nil {
					return err
				}
				_, err = a.kms.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: aws.String(l.keyARN)})
				return err
			})),
		sees("rotations", "list the rotations", administratorRole, ModeDirect, "rotated",
			"One more rotation is on record than before.",
			`aws kms list-key-rotations --key-id "$KEY" --query 'Rotations[-1].RotationType' --output text`,
			func(ctx context.Context) (string, error) {
				n, err := l.countRotations(ctx)
				if err != nil || n <= l.rotations {
					return "not rotated", err
				}
				return "rotated", nil
			}),
		sees("rotated-server", "administrator reads the server-side item written before", administratorRole, ModeServer,
			SeesPlaintext, "DynamoDB does not notice a rotation, and neither does anyone who reads the table.",
			getCLI(ServerTable), l.reads(a, ServerTable)),
		sees("rotated-client", "administrator decrypts the client-side item written before", administratorRole,
			ModeClient, SeesPlaintext,
			"Nothing was encrypted again. KMS opens the item's data key with the old "+
				"material.", openCLI("", ModeClient),
			l.reads(a, ClientTable)),
	}}
}

func (l *Lab) countRotations(ctx context.Context) (int, error) {
	n := 0
	pages := kms.NewListKeyRotationsPaginator(l.administrator.kms,
		&kms.ListKeyRotationsInput{KeyId: aws.String(l.keyARN)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, err
		}
		n += len(page.Rotations)
	}
	return n, nil
}
