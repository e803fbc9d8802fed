// SPDX-License-Identifier: Apache-2.0

package atrest

import (
	"context"
	"slices"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// Switch makes the key for an UpdateTable with an SSESpecification: a new table
// key under the wanted KMS key, and a grant. It loads the items of the table,
// which the new key is going to seal. The caller must wipe the returned plaintext
// key. delay is how long the description of the encryption stays
// UPDATING.
func (k *Custodian) Switch(ctx context.Context, c *request.Call, def *schema.Definition, t Table, want schema.Wish,
	delay time.Duration) (schema.Encryption, []byte, error) {
	before, now := &def.Encryption, k.clock()
	switch {
	case want.Mode == schema.KeyOwned && before.Mode == schema.KeyOwned:
		return schema.Encryption{}, nil, refusal.Parameter("Table is already encrypted by default")
	case want.KeyID != "" && want.KeyID == before.KeyARN:
		// Only the ARN is compared: any other name of the same key, and
		// Enabled alone, encrypt again and count as a change, as on AWS.
		return schema.Encryption{}, nil, refusal.Parameter("Table is already encrypted with given KMSMasterKeyId. " +
			"Use KMSMasterKeyId parameter if you want to change Master Key")
	}
	changes, err := before.MayChange(now)
	if err != nil {
		return schema.Encryption{}, nil, err
	}
	// Re-encryption reads the old data. The old key comes first: a caller who is
	// refused it changes nothing, and is told of that key.
	if err := k.OpenAsCaller(ctx, c, def, t); err != nil {
		return schema.Encryption{}, nil, err
	}
	mode, arn, err := k.Resolve(ctx, c, def.AccountID, want)
	if err != nil {
		return schema.Encryption{}, nil, err
	}
	enc, key, err := k.Adopt(ctx, c, def.Target(), mode, arn, before.Generation+1)
	if err != nil {
		return schema.Encryption{}, nil, err
	}
	enc.Changes = append(slices.Clone(changes), now)
	if delay > 0 {
		enc.Before, enc.Settles = before.KeyARN, now.Add(delay)
	}
	return enc, key, nil
}
