// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"
	"encoding/base64"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// access is what one item call wants to do, for the identity room: the action
// and DynamoDB's own condition keys. Empty members are absent keys.
type access struct {
	action       string
	at           schema.Target
	index        string
	keys         []schema.Item // whose partition keys are dynamodb:LeadingKeys and its like
	attributes   []string
	selects      string
	returnValues string
	enclosing    string
}

// allowAccess authorizes a. b is the table, zero when there is none: then the
// caller learns that only if the policies let them ask.
func (s *Service) allowAccess(ctx context.Context, c *request.Call, a access, b bound) error {
	conditions := make(policy.Context, 8)
	resource := a.at.ARN
	if a.index != "" {
		resource += "/index/" + a.index
	}
	if b.Table != nil {
		key := &b.def.Key
		if a.index != "" {
			if i, _ := b.def.Index(a.index); i != nil {
				key = &i.Key
			}
		}
		wire.ResourceTags(conditions, b.def.Tags...)
		if leading := conditionTexts(a.keys, key.Partition.Name); leading != nil {
			conditions["dynamodb:leadingkeys"] = leading
			conditions["dynamodb:firstpartitionkeyvalues"] = leading
		}
		for i, more := range key.MorePartition {
			if values := conditionTexts(a.keys, more.Name); values != nil {
				conditions[morePartitionKeys[i]] = values
			}
		}
	}
	if a.attributes != nil {
		conditions["dynamodb:attributes"] = a.attributes
	}
	if a.selects != "" {
		conditions["dynamodb:select"] = []string{a.selects}
	}
	if a.returnValues != "" {
		conditions["dynamodb:returnvalues"] = []string{a.returnValues}
	}
	if a.enclosing != "" {
		conditions["dynamodb:enclosingoperation"] = []string{a.enclosing}
	}
	return s.allowUnder(ctx, c, a.action, resource, a.at.Account, conditions, b.policy())
}

// morePartitionKeys are the condition keys of the attributes after the first of a
// partition key.
var morePartitionKeys = [schema.MaxParts - 1]string{"dynamodb:secondpartitionkeyvalues",
	"dynamodb:thirdpartitionkeyvalues", "dynamodb:fourthpartitionkeyvalues"}

// conditionTexts returns the values of an attribute as policies write them.
func conditionTexts(keys []schema.Item, name string) (texts []string) {
	for _, key := range keys {
		if text, ok := conditionText(key[name]); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// conditionText is a key value as policies write it.
func conditionText(v types.AttributeValue) (string, bool) {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value, true
	case *types.AttributeValueMemberN:
		return v.Value, true
	case *types.AttributeValueMemberB:
		return base64.StdEncoding.EncodeToString(v.Value), true
	}
	return "", false
}

// ready finds the table of an authorized data call: it exists and is not
// being created.
func (s *Service) ready(b bound) error {
	if b.Table == nil || b.def.Status(s.cfg.Clock()) == "CREATING" {
		return refusal.NoTable()
	}
	return nil
}

// enter does what comes after the schema checks of every data call: the fault
// that throttles, the key check, and the items whose time is over.
func (s *Service) enter(ctx context.Context, c *request.Call, b bound) error {
	if s.cfg.Faults.throttled(b.def.Name, c.Operation) {
		return throttled(b.def)
	}
	return s.unlock(ctx, c, b)
}

// unlock is enter without the fault.
func (s *Service) unlock(ctx context.Context, c *request.Call, b bound) error {
	if err := s.custodian.Check(ctx, c, b.def, b.Table); err != nil {
		return err
	}
	return b.Expire(s.cfg.Clock())
}

func throttled(d *schema.Definition) *request.Error {
	if d.OnDemand {
		return request.Errorf("ThrottlingException", "Throughput exceeds the current capacity of your table or "+
			"index. DynamoDB is automatically scaling your table or index so please try again shortly. If "+
			"exceptions persist, check if you have a hot key: "+
			"https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html")
	}
	return request.Errorf("ProvisionedThroughputExceededException",
		"The level of configured provisioned throughput for the table was exceeded. Consider increasing your "+
			"provisioning level with the UpdateTable API.")
}
