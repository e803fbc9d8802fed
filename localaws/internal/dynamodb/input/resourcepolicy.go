// SPDX-License-Identifier: Apache-2.0

package input

import (
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/resourcepolicy"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/stream"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// ResourcePolicy is a GetResourcePolicy request, and the part of the other requests
// about policies that names the table or the stream.
type ResourcePolicy struct {
	ResourceArn *string

	// set by Prepare
	at       schema.Target
	onStream bool
}

// maxResourceARN is the longest ARN of a resource, in characters.
const maxResourceARN = 1283

// Check implements [wire.Checker].
func (in *ResourcePolicy) Check(c *wire.Checks) {
	if c.Required(in.ResourceArn == nil, "resourceArn") {
		c.Length(in.ResourceArn, "resourceArn", 1, maxResourceARN)
	}
}

// Prepare finds the table or the stream that the ARN means.
func (in *ResourcePolicy) Prepare(c *request.Call) (err error) {
	if in.at, in.onStream = stream.Locate(*in.ResourceArn); in.onStream {
		if in.at.Region != c.Region {
			return stream.NotFound(in.at.ARN)
		}
		return nil
	}
	in.at, err = locateResource(c, *in.ResourceArn)
	return err
}

// Target returns the table that the prepared request names, or the stream.
func (in *ResourcePolicy) Target() schema.Target { return in.at }

// OnStream reports whether the prepared request names a stream.
func (in *ResourcePolicy) OnStream() bool { return in.onStream }

// holder returns what the request names, as refusals do.
func (in *ResourcePolicy) holder() string {
	if in.onStream {
		return "stream " + in.at.ARN
	}
	return "table " + in.at.Name
}

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

// noPolicy is the expected revision of a table or stream without a policy.
const noPolicy = "NO_POLICY"

// Expect refuses a table or stream whose policy does not have the expected revision.
func (in *RevisedPolicy) Expect(d *schema.Definition) error {
	switch expected := in.ExpectedRevisionId; {
	case expected == nil:
	case *expected == noPolicy && d.Policy != nil:
		return refusal.NoPolicy(*in.ResourceArn, ": Requested policy update expecting none to be present for "+
			in.holder()+", but a policy exists with revision id "+d.Policy.Revision+".")
	case *expected == noPolicy:
	case d.Policy == nil:
		return refusal.NoPolicy(*in.ResourceArn, ": Requested update for policy with revision id "+*expected+
			", but "+in.holder()+" has no associated policy")
	case d.Policy.Revision != *expected:
		return refusal.NoPolicy(*in.ResourceArn, ": Requested update for policy with revision id "+*expected+
			", but the policy associated to target "+in.holder()+" has revision id "+d.Policy.Revision+".")
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
	if in.onStream {
		return resourcepolicy.ReadStream(*in.Policy, who)
	}
	return resourcepolicy.Read(*in.Policy, who)
}

// Confirmed reports whether the caller wants to lose the right to change the policy
// again.
func (in *PutResourcePolicy) Confirmed() bool {
	return in.ConfirmRemoveSelfResourceAccess != nil && *in.ConfirmRemoveSelfResourceAccess
}
