// SPDX-License-Identifier: Apache-2.0

package localaws

import (
	"context"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/atrest"
	"github.com/ddbseal/ddbseal/localaws/internal/kms"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// tableKeyAlias is the AWS managed key of DynamoDB.
const tableKeyAlias = "alias/aws/dynamodb"

// tableKeySize is the length of a table's data key in bytes.
const tableKeySize = 32

// tableKeys is KMS as DynamoDB sees it.
type tableKeys struct{ kms *kms.Service }

var _ atrest.Keys = tableKeys{}

func (k tableKeys) Decrypt(ctx context.Context, c *request.Call, keyARN string, ciphertext []byte,
	encryptionContext map[string]string) ([]byte, error) {
	return k.kms.Decrypt(ctx, c, keyARN, ciphertext, encryptionContext)
}

func (k tableKeys) GenerateDataKey(ctx context.Context, c *request.Call, keyARN string,
	encryptionContext map[string]string) (plaintext, wrapped []byte, err error) {
	d, err := k.kms.GenerateDataKey(ctx, c, keyARN, encryptionContext, tableKeySize)
	return d.Plaintext, d.Ciphertext, err
}

func (k tableKeys) DescribeKey(ctx context.Context, c *request.Call, keyID string) (atrest.KeyInfo, error) {
	m, err := k.kms.DescribeKey(ctx, c, keyID)
	if err != nil {
		return atrest.KeyInfo{}, err
	}
	return atrest.KeyInfo{ARN: m.ARN, AWSManaged: m.KeyManager == "AWS"}, nil
}

func (k tableKeys) CreateGrant(ctx context.Context, c *request.Call, keyARN string,
	g atrest.TableGrant) (string, error) {
	return k.kms.CreateGrant(ctx, c,
		kms.GrantRequest{KeyID: keyARN, Grantee: g.GranteePrincipal, Retiring: g.RetiringPrincipal,
			Operations: g.Operations, EncryptionContextSubset: g.ContextSubset})
}

func (k tableKeys) RetireGrant(ctx context.Context, c *request.Call, keyARN, grantID string) error {
	return k.kms.RetireGrant(ctx, c, keyARN, grantID)
}

func (k tableKeys) RetireAbandoned(inUse func(keyARN, grantID string) bool) error {
	return k.kms.RetireAbandoned("dynamodb", inUse)
}

func (k tableKeys) EnsureAWSManagedKey(ctx context.Context, c *request.Call) (string, error) {
	return k.kms.EnsureAWSManagedKey(ctx, c.AccountID, c.Region, tableKeyAlias)
}
