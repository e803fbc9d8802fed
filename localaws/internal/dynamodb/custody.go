package dynamodb

import (
	"context"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// custodian asks KMS for what the keys of tables need.
type custodian struct {
	keys  Keys
	clock func() time.Time
	cache keyCache
}

// via is the call to KMS that DynamoDB makes on behalf of c's caller.
func via(c *request.Call, operation string) *request.Call {
	return c.Via("kms", operation, servicePrincipal(c.Region))
}

// own is the call to KMS that DynamoDB makes for itself, under its grant, for
// the table with the ARN.
func own(c *request.Call, operation, account, table string) *request.Call {
	k := c.Via("kms", operation, "")
	k.AccountID, k.SourceARN = account, table
	k.Caller = request.Caller{Principal: policy.Principal{Type: policy.Service, ARN: servicePrincipal(c.Region)}}
	return k
}

func servicePrincipal(region string) string { return "dynamodb." + region + ".amazonaws.com" }

// encryptionContext binds a wrapped table key to its table and account.
func encryptionContext(table, account string) map[string]string {
	return map[string]string{"aws:dynamodb:tableName": table, "aws:dynamodb:subscriberId": account}
}

var grantOperations = []string{"Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo", "RetireGrant", "DescribeKey"}

// resolve finds the key of a wish, as the caller.
func (k *custodian) resolve(ctx context.Context, c *request.Call, w schema.Wish) (mode schema.KeyMode, arn string, err error) {
	if w.Mode == schema.KeyOwned {
		return schema.KeyOwned, "", nil
	}
	id := w.KeyID
	if w.Mode == schema.KeyManaged {
		if id, err = k.keys.EnsureAWSManagedKey(ctx, via(c, "DescribeKey")); err != nil {
			return 0, "", keyError(c, err)
		}
	}
	info, err := k.keys.DescribeKey(ctx, via(c, "DescribeKey"), id)
	if err != nil {
		return 0, "", keyError(c, err)
	}
	if !info.Symmetric {
		return 0, "", refusal.Parameter("KMSMasterKeyId must be a symmetric encryption key: %s", info.ARN)
	}
	if info.AWSManaged {
		return schema.KeyManaged, info.ARN, nil
	}
	return schema.KeyCustomer, info.ARN, nil
}

// adopt makes grant and table key for a table under a resolved key. The
// returned plaintext key is the caller's to wipe.
func (k *custodian) adopt(ctx context.Context, c *request.Call, t schema.Target, mode schema.KeyMode, arn string, generation int) (schema.Encryption, []byte, error) {
	e := schema.Encryption{Mode: mode, KeyARN: arn, Generation: generation}
	if mode == schema.KeyOwned {
		key := newTableKey()
		e.TableKey = append([]byte(nil), key...)
		return e, key, nil
	}
	call := via(c, "CreateGrant")
	call.ForAWSResource = true
	bound := encryptionContext(t.Name, t.Account)
	grant, err := k.keys.CreateGrant(ctx, call, arn, TableGrant{
		GranteePrincipal: servicePrincipal(t.Region), RetiringPrincipal: servicePrincipal(t.Region),
		Operations: grantOperations, ContextSubset: bound,
	})
	if err != nil {
		return e, nil, keyError(c, err)
	}
	e.Grant = grant
	plain, wrapped, err := k.keys.GenerateDataKey(ctx, own(c, "GenerateDataKey", t.Account, t.ARN), arn, bound)
	if err != nil {
		k.retire(ctx, c, t, e)
		return e, nil, keyError(c, err)
	}
	e.TableKey = wrapped
	return e, plain, nil
}

// retire ends the grant of a table. A key that is gone or unusable has no
// grant worth keeping, so errors do not matter.
func (k *custodian) retire(ctx context.Context, c *request.Call, t schema.Target, e schema.Encryption) {
	if e.Grant == "" {
		return
	}
	_ = k.keys.RetireGrant(ctx, own(c, "RetireGrant", t.Account, t.ARN), e.KeyARN, e.Grant)
}
