// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"slices"
	"strconv"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/awspolicies"
	"github.com/ddbseal/ddbseal/localaws/internal/identifier"
	"github.com/ddbseal/ddbseal/localaws/internal/policytext"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

type simulateInput struct {
	PolicySourceArn                    string
	ActionNames                        []string
	ResourceArns                       []string
	PolicyInputList                    []wire.LongText
	PermissionsBoundaryPolicyInputList []wire.LongText
	Marker                             string
	MaxItems                           *int
	ResourcePolicy                     wire.LongText
	ResourceOwner                      string
	CallerArn                          string
	ContextEntries                     []contextEntry
	ResourceHandlingOption             string
}

type contextEntry struct {
	ContextKeyName, ContextKeyType string
	ContextKeyValues               []string
}

type evaluationResult struct {
	EvalActionName, EvalResourceName, EvalDecision string
	MatchedStatements                              []matched `xml:"MatchedStatements>member,omitempty"`
	MissingContextValues                           []string  `xml:"MissingContextValues>member,omitempty"`
	PermissionsBoundaryDecisionDetail              *boundaryDecision
}

type boundaryDecision struct{ AllowedByPermissionsBoundary bool }

type matched struct{ SourcePolicyId, SourcePolicyType string }

// simulatePrincipalPolicy asks the evaluator what a user, group or role may
// do, with the caller's context values only.
func (s *Service) simulatePrincipalPolicy(r *call, in *simulateInput) (any, error) {
	if err := s.permit(r, on(in.PolicySourceArn), nil); err != nil {
		return nil, err
	}
	extra, err := in.policies()
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	principal, policies, err := s.simulated(s.accounts[r.AccountID], in.PolicySourceArn)
	s.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	policies.Identity = append(policies.Identity, extra.Identity...)
	if extra.Boundary != nil {
		policies.Boundary = extra.Boundary
	}
	return in.simulate(s, principal, policies)
}

// simulateCustomPolicy asks what the policies of the request would allow a
// user.
func (s *Service) simulateCustomPolicy(r *call, in *simulateInput) (any, error) {
	if err := s.permit(r, on("*"), nil); err != nil {
		return nil, err
	}
	policies, err := in.policies()
	if err != nil {
		return nil, err
	}
	if len(policies.Identity) == 0 {
		return nil, missing("policyInputList")
	}
	var anyone policy.Principal // of no type: a resource policy needs to know the caller
	if in.ResourcePolicy == "" {
		anyone = policy.Principal{Type: policy.User, AccountID: r.AccountID,
			ARN:      userKind.arn(r.AccountID, "/", "simulation"),
			UniqueID: identifier.New(userKind.idPrefix)}
	}
	return in.simulate(s, anyone, policies)
}

// maxCompared bounds the bytes of policies that one answer is compared with:
// more results are left to the next page.
const maxCompared = 4 << 20

// maxAction is IAM's bound on the name of an action.
const maxAction = 128

// simulate answers one page of actions and resources. CallerArn takes the place of
// principal.
func (in *simulateInput) simulate(s *Service, principal policy.Principal, policies policy.Policies) (any, error) {
	if in.ResourceHandlingOption != "" {
		return nil, call400("InvalidInput", "ResourceHandlingOption is not supported by this server.")
	}
	if in.CallerArn != "" {
		var err error
		if principal, err = s.caller(in.CallerArn); err != nil {
			return nil, err
		}
	}
	target, err := in.resource(&principal)
	if err != nil {
		return nil, err
	}
	policies.Resource = target.policy
	if len(in.ActionNames) == 0 {
		return nil, missing("actionNames")
	}
	for _, action := range in.ActionNames {
		if len(action) > maxAction {
			return nil, tooLong("actionNames", maxAction)
		}
	}
	resources := in.ResourceArns
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	all := len(in.ActionNames) * len(resources)
	from, to, err := in.page(all)
	if err != nil {
		return nil, err
	}
	size := 1 + len(in.ResourcePolicy)
	for _, a := range policies.Identity {
		if a.Document != nil {
			size += len(a.Document.Text())
		}
	}
	to = min(to, from+1+maxCompared/size)
	context := policy.Context{}
	for _, e := range in.ContextEntries {
		context.Set(e.ContextKeyName, e.ContextKeyValues...)
	}
	var out struct {
		paged
		EvaluationResults []evaluationResult `xml:"EvaluationResults>member"`
	}
	for i := from; i < to; i++ {
		action, resource := in.ActionNames[i/len(resources)], resources[i%len(resources)]
		policies.ResourceMode = target.mode(action)
		d := policy.Evaluate(policy.Request{Principal: principal, Action: action, Resource: resource,
			ResourceAccountID: target.ownerOf(resource), Context: context}, policies)
		result := explain(action, resource, d)
		if policies.Boundary != nil {
			result.PermissionsBoundaryDecisionDetail = &boundaryDecision{boundaryAllows(principal, action, resource,
				context, policies.Boundary)}
		}
		out.EvaluationResults = append(out.EvaluationResults, result)
	}
	if to < all {
		out.paged = paged{IsTruncated: true, Marker: strconv.Itoa(to)}
	}
	return out, nil
}

// page says which of n results are asked for: the marker is the number of the
// first. The work of one call is bounded by it.
func (in *simulateInput) page(n int) (from, to int, err error) {
	limit := defaultPage
	if in.MaxItems != nil {
		limit = *in.MaxItems
	}
	if limit < 1 || limit > maxPage {
		return 0, 0, wire.Outside("maxItems", limit, 1, maxPage)
	}
	if in.Marker != "" {
		if from, err = strconv.Atoi(in.Marker); err != nil || from < 0 || from > n {
			return 0, 0, call400("InvalidInput", "Invalid Marker.")
		}
	}
	return from, min(from+limit, n), nil
}

// policies are those that the request brings.
func (in *simulateInput) policies() (p policy.Policies, err error) {
	for i, text := range in.PolicyInputList {
		d, err := policytext.Read(text, policy.Identity, maxManagedDocument)
		if err != nil {
			return p, err
		}
		p.Identity = append(p.Identity,
			policy.Attached{Name: "PolicyInputList." + strconv.Itoa(i+1), Source: policy.SourceInline,
				Document: d.Parsed()})
	}
	if len(in.PermissionsBoundaryPolicyInputList) > 1 {
		return p, call400("InvalidInput", "There can be only one permissions boundary.")
	}
	for _, text := range in.PermissionsBoundaryPolicyInputList {
		d, err := policytext.Read(text, policy.Identity, maxManagedDocument)
		if err != nil {
			return p, err
		}
		p.Boundary = &policy.Attached{Name: "PermissionsBoundaryPolicyInputList", Source: policy.SourceBoundary,
			Document: d.Parsed()}
	}
	return p, nil
}

// boundaryAllows asks the boundary alone, under an identity policy that allows
// everything.
func boundaryAllows(p policy.Principal, action, resource string, context policy.Context,
	boundary *policy.Attached) bool {
	all := policy.Attached{Source: policy.SourceIdentity,
		Document: awsPolicies()[awspolicies.ARNPrefix+"AdministratorAccess"].parsed}
	return policy.Evaluate(policy.Request{Principal: p, Action: action, Resource: resource, Context: context},
		policy.Policies{Identity: []policy.Attached{all}, Boundary: boundary}).Allowed
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
			p = simulatedSession(a.ID, e.ARN, e.ID)
		case groupKind.idPrefix:
			return p, policy.Policies{Identity: a.appendPolicies(nil, e, policy.SourceGroupInline,
				policy.SourceGroupManaged)}, nil
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
			switch r.Source {
			case policy.SourceBoundary:
				kind = "Permissions Boundary Policy"
			case policy.SourceResource:
				kind, r.Policy = "Resource Policy", "ResourcePolicy"
			}
			// Where in a policy a statement stands is not told, so one mention of
			// the policy is enough.
			if m := (matched{r.Policy, kind}); len(out.MatchedStatements) == 0 ||
				out.MatchedStatements[len(out.MatchedStatements)-1] != m {
				out.MatchedStatements = append(out.MatchedStatements, m)
			}
		}
		for _, c := range r.Conditions {
			if c.Absent && !slices.Contains(out.MissingContextValues, c.Key) {
				out.MissingContextValues = append(out.MissingContextValues, c.Key)
			}
		}
	}
	return out
}

type contextKeysInput struct {
	PolicySourceArn string
	PolicyInputList []wire.LongText
}

// contextKeys answers the condition keys that policies ask for.
func contextKeys(policies []policy.Attached) any {
	var out struct {
		ContextKeyNames []string `xml:"ContextKeyNames>member"`
	}
	for _, a := range policies {
		out.ContextKeyNames = append(out.ContextKeyNames, a.Document.ContextKeys()...)
	}
	slices.Sort(out.ContextKeyNames)
	out.ContextKeyNames = slices.Compact(out.ContextKeyNames)
	return out
}

func (in *contextKeysInput) policies() ([]policy.Attached, error) {
	p, err := (&simulateInput{PolicyInputList: in.PolicyInputList}).policies()
	return p.Identity, err
}

func (s *Service) getContextKeysForCustomPolicy(_ *call, in *contextKeysInput) (*task, error) {
	policies, err := in.policies()
	if err != nil {
		return nil, err
	}
	if len(policies) == 0 {
		return nil, missing("policyInputList")
	}
	return view(on("*"), func(*account) (any, error) { return contextKeys(policies), nil })
}

func (s *Service) getContextKeysForPrincipalPolicy(_ *call, in *contextKeysInput) (*task, error) {
	more, err := in.policies()
	if err != nil {
		return nil, err
	}
	if in.PolicySourceArn == "" {
		return nil, missing("policySourceArn")
	}
	return view(on(in.PolicySourceArn), func(a *account) (any, error) {
		_, own, err := s.simulated(a, in.PolicySourceArn)
		if err != nil {
			return nil, err
		}
		return contextKeys(append(own.Identity, more...)), nil
	})
}
