// SPDX-License-Identifier: Apache-2.0

package atrest

import (
	"context"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// Custodian makes, checks and replaces the keys of tables. Its errors are what
// DynamoDB answers when KMS refuses. Its methods may be called at the same time.
type Custodian struct {
	keys  Keys
	clock func() time.Time
	cache keyCache
}

// NewCustodian returns a custodian that remembers for ttl which callers KMS
// allowed. Under a ttl of zero it asks KMS about every call.
func NewCustodian(keys Keys, clock func() time.Time, ttl time.Duration) *Custodian {
	return &Custodian{keys: keys, clock: clock, cache: keyCache{ttl: ttl, end: map[cacheKey]time.Time{}}}
}

// via returns the call to KMS that DynamoDB makes on behalf of c's caller.
func via(c *request.Call, operation string) *request.Call {
	return c.Via("kms", operation, ServicePrincipal(c.Region))
}

// own returns the call to KMS that DynamoDB makes for itself, under its grant, for
// the table with the ARN.
func own(c *request.Call, operation, account, table string) *request.Call {
	k := c.Via("kms", operation, "")
	k.AccountID, k.SourceARN = account, table
	k.Caller = request.Caller{Principal: policy.Principal{Type: policy.Service, ARN: ServicePrincipal(c.Region)}}
	return k
}

// ServicePrincipal returns the name under which DynamoDB in a region calls KMS.
func ServicePrincipal(region string) string { return "dynamodb." + region + ".amazonaws.com" }

// EncryptionContext returns what a wrapped table key is bound to: the name of
// the table and the account.
func EncryptionContext(table, account string) map[string]string {
	return map[string]string{"aws:dynamodb:tableName": table, "aws:dynamodb:subscriberId": account}
}

var grantOperations = []string{"Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo", "RetireGrant",
	"DescribeKey"}

// Resolve returns the mode and the ARN of the key that w asks for, for a table of an
// account. It asks KMS as the caller, who may be of another account.
func (k *Custodian) Resolve(ctx context.Context, c *request.Call, account string, w schema.Wish) (
	mode schema.KeyMode, arn string, err error) {
	if w.Mode == schema.KeyOwned {
		return schema.KeyOwned, "", nil
	}
	id := w.KeyID
	if w.Mode == schema.KeyManaged {
		owner := via(c, "DescribeKey")
		owner.AccountID = account
		if id, err = k.keys.EnsureAWSManagedKey(ctx, owner); err != nil {
			return 0, "", keyError(c, err)
		}
	}
	info, err := k.keys.DescribeKey(ctx, via(c, "DescribeKey"), id)
	if err != nil {
		return 0, "", keyError(c, err)
	}
	if info.AWSManaged {
		return schema.KeyManaged, info.ARN, nil
	}
	return schema.KeyCustomer, info.ARN, nil
}

// Adopt makes the table key of t under a resolved key, and the grant by which
// DynamoDB uses that key. It returns what is stored of the encryption and the
// plaintext table key, which the caller must wipe.
func (k *Custodian) Adopt(ctx context.Context, c *request.Call, t schema.Target, mode schema.KeyMode, arn string,
	generation int) (schema.Encryption, []byte, error) {
	e := schema.Encryption{Mode: mode, KeyARN: arn, Generation: generation}
	if mode == schema.KeyOwned {
		key := newTableKey()
		e.TableKey = append([]byte(nil), key...)
		return e, key, nil
	}
	call := via(c, "CreateGrant")
	call.ForAWSResource = true
	bound := EncryptionContext(t.Name, t.Account)
	grant, err := k.keys.CreateGrant(ctx, call, arn, TableGrant{
		GranteePrincipal: ServicePrincipal(t.Region), RetiringPrincipal: ServicePrincipal(t.Region),
		Operations: grantOperations, ContextSubset: bound,
	})
	if err != nil {
		return e, nil, keyError(c, err)
	}
	e.Grant = grant
	plain, wrapped, err := k.keys.GenerateDataKey(ctx, own(c, "GenerateDataKey", t.Account, t.ARN), arn, bound)
	if err != nil {
		k.Retire(ctx, c, t, e)
		return e, nil, keyError(c, err)
	}
	e.TableKey = wrapped
	return e, plain, nil
}

// Retire ends the grant of a table. It ignores errors of KMS: a grant of a key
// that is gone or unusable has no effect.
func (k *Custodian) Retire(ctx context.Context, c *request.Call, t schema.Target, e schema.Encryption) {
	if e.Grant == "" {
		return
	}
	_ = k.keys.RetireGrant(ctx, own(c, "RetireGrant", t.Account, t.ARN), e.KeyARN, e.Grant)
}
