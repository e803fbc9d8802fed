package iam

import (
	"slices"

	"github.com/ddbseal/ddbseal/localaws/internal/policy"
)

type simulateInput struct {
	PolicySourceArn        string
	ActionNames            []string
	ResourceArns           []string
	PolicyInputList        []string
	ResourcePolicy         string
	ResourceOwner          string
	CallerArn              string
	ContextEntries         []contextEntry
	ResourceHandlingOption string
}

type contextEntry struct {
	ContextKeyName, ContextKeyType string
	ContextKeyValues               []string
}

type evaluationResult struct {
	EvalActionName, EvalResourceName, EvalDecision string
	MatchedStatements                              []matched `xml:"MatchedStatements>member,omitempty"`
	MissingContextValues                           []string  `xml:"MissingContextValues>member,omitempty"`
}

type matched struct{ SourcePolicyId, SourcePolicyType string }

// simulatePrincipalPolicy asks the evaluator what a user, group or role may
// do, with the caller's context values only. Resource policies are not
// simulated: the parameter is refused rather than ignored.
func (s *Service) simulatePrincipalPolicy(r *request, in *simulateInput) (any, error) {
	if in.ResourcePolicy != "" || in.CallerArn != "" || in.ResourceOwner != "" || in.ResourceHandlingOption != "" {
		return nil, call400("InvalidInput", "ResourcePolicy, ResourceOwner, CallerArn and ResourceHandlingOption are not supported by this server.")
	}
	if len(in.ActionNames) == 0 {
		return nil, invalid("1 validation error detected: Value null at 'actionNames' failed to satisfy constraint: Member must not be null")
	}
	var extra []policy.Attached
	for _, text := range in.PolicyInputList {
		d, err := parseDocument(text, policy.Identity, maxManagedDocument)
		if err != nil {
			return nil, err
		}
		extra = append(extra, policy.Attached{Name: "PolicyInputList", Source: policy.SourceInline, Document: d.parsed})
	}
	resources := in.ResourceArns
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	return s.view(r, "iam:SimulatePrincipalPolicy", in.PolicySourceArn, func(a *account) (any, error) {
		principal, policies, err := s.simulated(a, in.PolicySourceArn)
		if err != nil {
			return nil, err
		}
		policies.Identity = append(policies.Identity, extra...)
		context := policy.Context{}
		for _, e := range in.ContextEntries {
			context.Set(e.ContextKeyName, e.ContextKeyValues...)
		}
		var out struct {
			paged
			EvaluationResults []evaluationResult `xml:"EvaluationResults>member"`
		}
		for _, action := range in.ActionNames {
			for _, resource := range resources {
				d := policy.Evaluate(policy.Request{Principal: principal, Action: action, Resource: resource, Context: context}, policies)
				out.EvaluationResults = append(out.EvaluationResults, explain(action, resource, d))
			}
		}
		return out, nil
	})
}

// simulated finds the policies of the entity; a group is simulated as a user
// with nothing but the group's policies.
func (s *Service) simulated(a *account, arn string) (policy.Principal, policy.Policies, error) {
	for e := range a.entities {
		if e.ARN != arn {
			continue
		}
		p := policy.Principal{Type: policy.User, AccountID: a.ID, ARN: e.ARN, UniqueID: e.ID}
		switch e.ID[:4] {
		case roleKind.idPrefix:
			p = policy.Principal{Type: policy.AssumedRole, AccountID: a.ID, ARN: sessionARN(a.ID, e.Name, "simulation"), UniqueID: e.ID + ":simulation", RoleARN: e.ARN, RoleUniqueID: e.ID}
		case groupKind.idPrefix:
			return p, policy.Policies{Identity: a.appendPolicies(nil, e, policy.SourceGroupInline, policy.SourceGroupManaged)}, nil
		}
		return p, s.principalPolicies(p), nil
	}
	return policy.Principal{}, policy.Policies{}, notFound("No such entity: %s", arn)
}

// explain lists, as the simulator does, the statements that matched and the
// condition keys that were asked for and not given.
func explain(action, resource string, d policy.Decision) evaluationResult {
	out := evaluationResult{EvalActionName: action, EvalResourceName: resource, EvalDecision: d.Outcome.String()}
	for _, r := range d.Reasons() {
		if r.Applies {
			kind := "IAM Policy"
			if r.Source == policy.SourceBoundary {
				kind = "Permissions Boundary Policy"
			}
			out.MatchedStatements = append(out.MatchedStatements, matched{r.Policy, kind})
		}
		for _, c := range r.Conditions {
			if c.Absent && !slices.Contains(out.MissingContextValues, c.Key) {
				out.MissingContextValues = append(out.MissingContextValues, c.Key)
			}
		}
	}
	return out
}
