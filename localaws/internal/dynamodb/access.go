package dynamodb

import (
	"context"
	"encoding/base64"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/resourcepolicy"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/table"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// access is what one item call wants to do, for the identity room: the action
// and DynamoDB's own condition keys. Empty members are absent keys.
type access struct {
	action       string
	at           schema.Target
	index        string
	keys         []schema.Item // whose partition keys are dynamodb:LeadingKeys
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
	var on *resourcepolicy.Policy
	if b.Table != nil {
		on = b.def.Policy
		partition := b.def.Key.Partition.Name
		if a.index != "" {
			if i, _ := b.def.Index(a.index); i != nil {
				partition = i.Key.Partition.Name
			}
		}
		wire.ResourceTags(conditions, b.def.Tags...)
		var leading []string
		for _, key := range a.keys {
			if text, ok := conditionText(key[partition]); ok {
				leading = append(leading, text)
			}
		}
		if leading != nil {
			conditions["dynamodb:leadingkeys"] = leading
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
	return s.allowUnder(ctx, c, a.action, resource, a.at.Account, conditions, on)
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

// allowNamed authorizes a request that names a table, which need not exist.
func allowNamed[In any, P interface {
	*In
	Target() schema.Target
}](s *Service, ctx context.Context, c *request.Call, in *In) error {
	at := P(in).Target()
	trail(c, at)
	return s.allowTable(ctx, c, c.Operation, at)
}

// existing finds the table of an authorized request; missing is the answer
// when there is none of the name.
func (s *Service) existing(at schema.Target, missing func(name string) error) (*table.Table, error) {
	if b := s.lookup(at); b.Table != nil {
		return b.Table, nil
	}
	return nil, missing(at.Name)
}
