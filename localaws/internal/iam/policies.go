// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/awspolicies"
	"github.com/ddbseal/ddbseal/localaws/internal/identifier"
	"github.com/ddbseal/ddbseal/localaws/internal/policytext"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

type policyView struct {
	PolicyName, PolicyId, Arn, Path, DefaultVersionId string
	AttachmentCount, PermissionsBoundaryUsageCount    int
	IsAttachable                                      bool
	Description                                       string `xml:",omitempty"`
	CreateDate, UpdateDate                            time.Time
	Tags                                              *tagMembers `xml:",omitempty"`
}

func viewPolicy(p *managedPolicy, usage map[string]use) policyView {
	u := usage[p.ARN]
	return policyView{PolicyName: p.Name, PolicyId: p.ID, Arn: p.ARN, Path: p.Path, DefaultVersionId: p.current().ID,
		AttachmentCount: u.attached, PermissionsBoundaryUsageCount: u.boundary, IsAttachable: true,
		Description: p.Description,
		CreateDate:  p.Created, UpdateDate: p.Updated, Tags: viewTags(p.Tags)}
}

// listed returns what ListPolicies answers of a policy.
func (v policyView) listed() policyView {
	v.Description, v.Tags = "", nil
	return v
}

// viewManaged shows one of AWS's own policies. Their ids are not
// AWS's: nothing can depend on them.
func viewManaged(p *awsPolicy, usage map[string]use) policyView {
	u := usage[p.ARN()]
	return policyView{PolicyName: p.Name, PolicyId: "ANPA" + strings.ToUpper(p.Name), Arn: p.ARN(), Path: p.Path(),
		DefaultVersionId: p.VersionID,
		AttachmentCount:  u.attached, PermissionsBoundaryUsageCount: u.boundary, IsAttachable: true,
		Description: p.Description, CreateDate: p.Updated, UpdateDate: p.Updated}
}

type createPolicy struct {
	PolicyName, Path, Description string
	PolicyDocument                wire.LongText
	Tags                          []tag
}

func (s *Service) createPolicy(r *call, in *createPolicy) (*task, error) {
	if err := checkName("policyName", in.PolicyName, longPattern); err != nil {
		return nil, err
	}
	path, err := checkPath(in.Path)
	if err != nil {
		return nil, err
	}
	if err := checkDescription(in.Description); err != nil {
		return nil, err
	}
	d, err := policytext.ReadManaged(in.PolicyDocument, maxManagedDocument)
	if err != nil {
		return nil, err
	}
	arn := "arn:aws:iam::" + r.AccountID + ":policy" + path + in.PolicyName
	return change(on(arn), tagContext(in.Tags), func(a *account) (any, error) {
		for _, p := range a.Policies {
			if strings.EqualFold(p.Name, in.PolicyName) {
				return nil, conflict("EntityAlreadyExists",
					"A policy called %s already exists. Duplicate names are not allowed.", in.PolicyName)
			}
		}
		if len(a.Policies) >= maxPolicies {
			return nil, conflict("LimitExceeded", "Cannot exceed quota for PoliciesPerAccount: %d", maxPolicies)
		}
		tags, err := mergeTags(nil, in.Tags)
		if err != nil {
			return nil, err
		}
		now := s.now()
		p := &managedPolicy{Name: in.PolicyName, Path: path, ID: identifier.New("ANPA"), ARN: arn,
			Description: in.Description, Created: now, Updated: now, Tags: tags,
			Versions: []*policyVersion{{ID: "v1", IsDefault: true, Created: now, Document: d}}, NextVersion: 2}
		a.Policies[arn] = p
		a.put(p)
		return struct{ Policy policyView }{viewPolicy(p, nil)}, nil
	})
}

// policyInput names a policy, or one of its versions.
type policyInput struct{ PolicyArn, VersionId string }

func noPolicy(arn string) error { return notFound("Policy %s was not found.", arn) }

func (s *Service) getPolicy(r *call, in *policyInput) (*task, error) {
	return view(on(in.PolicyArn), func(a *account) (any, error) {
		if p := a.Policies[in.PolicyArn]; p != nil {
			return struct{ Policy policyView }{viewPolicy(p, a.usage())}, nil
		}
		if p := awsPolicies()[in.PolicyArn]; p != nil {
			return struct{ Policy policyView }{viewManaged(p, a.usage())}, nil
		}
		return nil, noPolicy(in.PolicyArn)
	})
}

type listPolicies struct {
	paging
	Scope, PathPrefix, PolicyUsageFilter string
	OnlyAttached                         bool
}

// scopes are the values of Scope: whether it means AWS's policies, and the
// account's own.
var scopes = map[string]struct{ aws, local bool }{"": {true, true}, "All": {true, true}, "AWS": {aws: true},
	"Local": {local: true}}

func (s *Service) listPolicies(r *call, in *listPolicies) (*task, error) {
	scope, err := choose("scope", in.Scope, scopes)
	if err != nil {
		return nil, err
	}
	used, err := choose("policyUsageFilter", in.PolicyUsageFilter, usageFilters)
	if err != nil {
		return nil, err
	}
	return view(on("*"), func(a *account) (any, error) {
		var views []policyView
		usage := a.usage()
		if scope.local {
			for _, p := range a.Policies {
				views = append(views, viewPolicy(p, usage).listed())
			}
		}
		if scope.aws {
			for _, p := range awsPolicies() {
				views = append(views, viewManaged(p, usage).listed())
			}
		}
		views = slices.DeleteFunc(views, func(v policyView) bool {
			return in.OnlyAttached && v.AttachmentCount == 0 || !used(usage[v.Arn]) ||
				!strings.HasPrefix(v.Path, in.PathPrefix)
		})
		slices.SortFunc(views, func(x, y policyView) int { return compare(x.Arn, y.Arn) })
		return list(views, func(v policyView) string { return v.Arn }, in.paging,
			func(views []policyView, more paged) any {
				return struct {
					paged
					Policies []policyView `xml:"Policies>member"`
				}{more, views}
			})
	})
}

// ownPolicy finds a customer managed policy; AWS's own cannot be changed.
func (a *account) ownPolicy(arn string) (*managedPolicy, error) {
	if p := a.Policies[arn]; p != nil {
		return p, nil
	}
	if awsPolicies()[arn] != nil {
		return nil, forbidden("Policy is outside your own account.")
	}
	return nil, noPolicy(arn)
}

func (s *Service) deletePolicy(r *call, in *policyInput) (*task, error) {
	return change(on(in.PolicyArn), nil, func(a *account) (any, error) {
		p, err := a.ownPolicy(in.PolicyArn)
		if err != nil {
			return nil, err
		}
		if a.usage()[p.ARN] != (use{}) {
			return nil, conflict("DeleteConflict", "Cannot delete a policy attached to entities.")
		}
		if len(p.Versions) > 1 {
			return nil, conflict("DeleteConflict",
				"This policy has more than one version. Before you delete a policy, you must delete the policy's "+
					"versions. The default version is deleted with the policy.")
		}
		delete(a.Policies, p.ARN)
		a.drop(p)
		return nil, nil
	})
}

// awsPolicy is one of AWS's own managed policies, parsed.
type awsPolicy struct {
	awspolicies.Policy
	parsed *policy.Document
}

// awsPolicies parses them at the first use: they are constant, and a server
// that is not asked for one need not wait for it.
var awsPolicies = sync.OnceValue(func() map[string]*awsPolicy {
	out := map[string]*awsPolicy{}
	for _, p := range awspolicies.All() {
		parsed, err := policy.Parse([]byte(p.Document), policy.Identity)
		if err != nil {
			panic("iam: embedded policy " + p.Name + ": " + err.Error())
		}
		out[p.ARN()] = &awsPolicy{p, parsed}
	}
	return out
})
