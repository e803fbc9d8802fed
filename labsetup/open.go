// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/store"
)

// OpenTable returns the lab's table of a mode (ModeServer, ModeClient or ModeBoth)
// for the principal that cfg signs as. keyARN is the lab's key. It makes no call.
// It returns an error for another mode, and the errors of store.New.
func OpenTable(cfg aws.Config, keyARN, mode string) (*store.Table[Record], error) {
	return OpenNamedTable(cfg, keyARN, mode, tableOf(mode))
}

// OpenNamedTable is like [OpenTable] but for a table with another name, such as
// OtherTable.
func OpenNamedTable(cfg aws.Config, keyARN, mode, name string) (*store.Table[Record], error) {
	if tableOf(mode) == "" {
		return nil, fmt.Errorf("no table of the lab has mode %q", mode)
	}
	client := dynamodb.NewFromConfig(cfg)
	if mode == ModeServer {
		return store.New[Record](client, name, store.ServerSide{KMSKeyARN: keyARN})
	}
	keyring, err := awskms.New(awskms.Config{Client: kms.NewFromConfig(cfg), KeyARN: keyARN})
	if err != nil {
		return nil, err
	}
	return store.New[Record](client, name, store.ClientSide{Keyring: keyring})
}

// tableOf is the lab's table of a mode, or empty.
func tableOf(mode string) string {
	return map[string]string{ModeServer: ServerTable, ModeClient: ClientTable, ModeBoth: BothTable}[mode]
}

// KeyARN returns the ARN of the key that KeyAlias names. The principal that cfg signs as
// needs kms:DescribeKey. Errors: [ErrNoKey], and those of AWS.
func KeyARN(ctx context.Context, cfg aws.Config) (string, error) {
	return NamedKeyARN(ctx, cfg, KeyAlias)
}

// NamedKeyARN is like [KeyARN] but for a key with another alias, such as
// "alias/my-key".
func NamedKeyARN(ctx context.Context, cfg aws.Config, alias string) (string, error) {
	out, err := kms.NewFromConfig(cfg).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(alias)})
	var missing *kmstypes.NotFoundException
	if errors.As(err, &missing) {
		return "", ErrNoKey
	}
	if err != nil {
		return "", err
	}
	return aws.ToString(out.KeyMetadata.Arn), nil
}
