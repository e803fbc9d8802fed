// SPDX-License-Identifier: Apache-2.0

package atrest

import (
	"context"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// Keys is what a [Custodian] asks of KMS. Every method is authorized as
// c.Caller, with c.ViaService in its context, and returns KMS's own *request.Error
// when KMS refuses. Keys are named by key ARN unless said otherwise.
type Keys interface {
	// Decrypt opens a wrapped table key.
	Decrypt(ctx context.Context, c *request.Call, keyARN string, ciphertext []byte,
		encryptionContext map[string]string) ([]byte, error)
	// GenerateDataKey makes a 256-bit key and its wrapped form.
	GenerateDataKey(ctx context.Context, c *request.Call, keyARN string,
		encryptionContext map[string]string) (plaintext, wrapped []byte, err error)
	// DescribeKey resolves a key id, key ARN, alias name or alias ARN.
	DescribeKey(ctx context.Context, c *request.Call, keyID string) (KeyInfo, error)
	// CreateGrant makes the grant of a table and returns its id.
	CreateGrant(ctx context.Context, c *request.Call, keyARN string, g TableGrant) (string, error)
	// RetireGrant ends the grant.
	RetireGrant(ctx context.Context, c *request.Call, keyARN, grantID string) error
	// RetireAbandoned ends the grants of tables that are not in use. The engine
	// calls it when it starts.
	RetireAbandoned(inUse func(keyARN, grantID string) bool) error
	// EnsureAWSManagedKey returns the ARN of alias/aws/dynamodb in the call's
	// account and region, and makes the key when it is missing.
	EnsureAWSManagedKey(ctx context.Context, c *request.Call) (string, error)
}

// KeyInfo is what [Keys.DescribeKey] returns of a key.
type KeyInfo struct {
	ARN string
	// AWSManaged marks alias/aws/dynamodb and its like.
	AWSManaged bool
}

// TableGrant is the grant that DynamoDB makes per table.
type TableGrant struct {
	GranteePrincipal  string
	RetiringPrincipal string
	Operations        []string
	ContextSubset     map[string]string
}
