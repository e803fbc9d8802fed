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
			"New material under the same key; KMS keeps the old for what it encrypted.",
			"aws kms rotate-key-on-demand --key-id KEY", doing(func(ctx context.Context) error {
				_, err := a.kms.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: aws.String(l.keyARN)})
				return err
			})),
		sees("rotations", "list the rotations", administratorRole, ModeDirect, "rotated",
			"One more rotation is on record.", "aws kms list-key-rotations --key-id KEY",
			func(ctx context.Context) (string, error) {
				out, err := a.kms.ListKeyRotations(ctx, &kms.ListKeyRotationsInput{KeyId: aws.String(l.keyARN)})
				if err != nil || len(out.Rotations) == 0 {
					return "not rotated", err
				}
				return "rotated", nil
			}),
		sees("rotated-server", "administrator reads the server-side item written before", administratorRole, ModeServer,
			SeesPlaintext, "DynamoDB notices nothing.", getCLI(ServerTable), l.reads(a, ServerTable)),
		sees("rotated-client", "administrator reads the client-side item written before", administratorRole, ModeClient,
			SeesPlaintext, "Nothing was encrypted again: the old material still opens it.", getCLI(ClientTable),
			l.reads(a, ClientTable)),
	}}
}
