package input

import (
	"strings"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/resourcepolicy"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// ResourcePolicy is a GetResourcePolicy request, and the part of the other requests
// about policies that names the table.
type ResourcePolicy struct {
	ResourceArn *string

	at schema.Target // set by Prepare
}

// maxResourceARN is the longest ARN of a resource, in characters.
const maxResourceARN = 1283

// Check implements [wire.Checker].
func (in *ResourcePolicy) Check(c *wire.Checks) {
	if c.Required(in.ResourceArn == nil, "resourceArn") {
		c.Length(in.ResourceArn, "resourceArn", 1, maxResourceARN)
	}
}

// Prepare finds the table that the ARN means.
func (in *ResourcePolicy) Prepare(c *request.Call) (err error) {
	if strings.HasPrefix(*in.ResourceArn, "arn:") && strings.Contains(*in.ResourceArn, "/stream/") {
		return refusal.Validation("ResourceArn is not supported by this embedded DynamoDB if it names a stream: " +
			"streams are not there")
	}
	in.at, err = locateResource(c, *in.ResourceArn)
	return err
}

// Target returns the table that the prepared request names.
func (in *ResourcePolicy) Target() schema.Target { return in.at }

// RevisedPolicy is a DeleteResourcePolicy request, and the part of PutResourcePolicy
// that names the table and the revision that the policy must have.
type RevisedPolicy struct {
	ResourcePolicy
	ExpectedRevisionId *string
}

// Check implements [wire.Checker].
func (in *RevisedPolicy) Check(c *wire.Checks) {
	in.ResourcePolicy.Check(c)
	c.Length(in.ExpectedRevisionId, "expectedRevisionId", 1, 255)
}

// noPolicy is the expected revision of a table without a policy.
const noPolicy = "NO_POLICY"

// Expect refuses a table whose policy does not have the expected revision.
func (in *RevisedPolicy) Expect(d *schema.Definition) error {
	switch expected := in.ExpectedRevisionId; {
	case expected == nil:
	case *expected == noPolicy && d.Policy != nil:
		return refusal.NoPolicy(*in.ResourceArn, ": Requested policy update expecting none to be present for table "+
			d.Name+", but a policy exists with revision id "+d.Policy.Revision+".")
	case *expected == noPolicy:
	case d.Policy == nil:
		return refusal.NoPolicy(*in.ResourceArn, ": Requested update for policy with revision id "+*expected+
			", but table "+d.Name+" has no associated policy")
	case d.Policy.Revision != *expected:
		return refusal.NoPolicy(*in.ResourceArn, ": Requested update for policy with revision id "+*expected+
			", but the policy associated to target table "+d.Name+" has revision id "+d.Policy.Revision+".")
	}
	return nil
}

// PutResourcePolicy is a PutResourcePolicy request.
type PutResourcePolicy struct {
	RevisedPolicy
	Policy                          *string
	ConfirmRemoveSelfResourceAccess *bool
}

// Check implements [wire.Checker].
func (in *PutResourcePolicy) Check(c *wire.Checks) {
	c.Required(in.Policy == nil, "policy")
	in.RevisedPolicy.Check(c)
}

// Read reads the policy of the request.
func (in *PutResourcePolicy) Read(who resourcepolicy.Principals) (*resourcepolicy.Policy, error) {
	return resourcepolicy.Read(*in.Policy, who)
}

// Confirmed reports whether the caller wants to lose the right to change the policy
// again.
func (in *PutResourcePolicy) Confirmed() bool {
	return in.ConfirmRemoveSelfResourceAccess != nil && *in.ConfirmRemoveSelfResourceAccess
}
