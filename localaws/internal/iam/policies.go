package iam

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/policy"
)

type policyView struct {
	PolicyName, PolicyId, Arn, Path, DefaultVersionId string
	AttachmentCount, PermissionsBoundaryUsageCount    int
	IsAttachable                                      bool
	Description                                       string `xml:",omitempty"`
	CreateDate, UpdateDate                            time.Time
	Tags                                              []tag `xml:"Tags>member,omitempty"`
}

// uses counts the entities that a policy is attached to and bounds.
func (a *account) uses(arn string) (attached, boundary int) {
	for e := range a.entities {
		if slices.Contains(e.Attached, arn) {
			attached++
		}
		if e.Boundary == arn {
			boundary++
		}
	}
	return attached, boundary
}

// entities iterates over users, groups and roles.
func (a *account) entities(yield func(*entity) bool) {
	for _, u := range sorted(a.Users) {
		if !yield(&u.entity) {
			return
		}
	}
	for _, g := range sorted(a.Groups) {
		if !yield(&g.entity) {
			return
		}
	}
	for _, r := range sorted(a.Roles) {
		if !yield(&r.entity) {
			return
		}
	}
}

func (a *account) viewPolicy(p *managedPolicy) policyView {
	attached, boundary := a.uses(p.ARN)
	return policyView{PolicyName: p.Name, PolicyId: p.ID, Arn: p.ARN, Path: p.Path, DefaultVersionId: p.current().ID,
		AttachmentCount: attached, PermissionsBoundaryUsageCount: boundary, IsAttachable: true, Description: p.Description,
		CreateDate: p.Created, UpdateDate: p.Updated, Tags: p.Tags}
}

// viewManaged shows one of AWS's own policies. Their ids are not
// AWS's: nothing can depend on them.
func (a *account) viewManaged(p *awsPolicy) policyView {
	attached, boundary := a.uses(p.ARN())
	return policyView{PolicyName: p.Name, PolicyId: "ANPA" + strings.ToUpper(p.Name), Arn: p.ARN(), Path: p.Path(), DefaultVersionId: p.VersionID,
		AttachmentCount: attached, PermissionsBoundaryUsageCount: boundary, IsAttachable: true, Description: p.Description, CreateDate: p.Updated, UpdateDate: p.Updated}
}

type createPolicy struct {
	PolicyName, Path, PolicyDocument, Description string
	Tags                                          []tag
}

func (s *Service) createPolicy(r *request, in *createPolicy) (any, error) {
	if err := checkName("policyName", in.PolicyName, longPattern); err != nil {
		return nil, err
	}
	path, err := checkPath(in.Path)
	if err != nil {
		return nil, err
	}
	d, err := parseDocument(in.PolicyDocument, policy.Identity, maxManagedDocument)
	if err != nil {
		return nil, err
	}
	arn := "arn:aws:iam::" + r.AccountID + ":policy" + path + in.PolicyName
	return s.change(r, "iam:CreatePolicy", arn, tagContext(in.Tags), func(a *account) (any, error) {
		for _, p := range a.Policies {
			if strings.EqualFold(p.Name, in.PolicyName) {
				return nil, conflict("EntityAlreadyExists", "A policy called %s already exists. Duplicate names are not allowed.", in.PolicyName)
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
		p := &managedPolicy{Name: in.PolicyName, Path: path, ID: newID("ANPA"), ARN: arn, Description: in.Description, Created: now, Updated: now, Tags: tags,
			Versions: []*policyVersion{{ID: "v1", IsDefault: true, Created: now, Document: d}}, NextVersion: 2}
		a.Policies[arn] = p
		return struct{ Policy policyView }{a.viewPolicy(p)}, nil
	})
}

type policyInput struct {
	paging
	PolicyArn, VersionId, PolicyDocument string
	SetAsDefault                         bool
	Scope, PathPrefix, EntityFilter      string
	OnlyAttached                         bool
}

func noPolicy(arn string) error { return notFound("Policy %s was not found.", arn) }

func (s *Service) getPolicy(r *request, in *policyInput) (any, error) {
	return s.view(r, "iam:GetPolicy", in.PolicyArn, func(a *account) (any, error) {
		if p := a.Policies[in.PolicyArn]; p != nil {
			return struct{ Policy policyView }{a.viewPolicy(p)}, nil
		}
		if p := awsPolicies()[in.PolicyArn]; p != nil {
			return struct{ Policy policyView }{a.viewManaged(p)}, nil
		}
		return nil, noPolicy(in.PolicyArn)
	})
}

func (s *Service) listPolicies(r *request, in *policyInput) (any, error) {
	return s.view(r, "iam:ListPolicies", "*", func(a *account) (any, error) {
		var views []policyView
		if in.Scope != "AWS" {
			for _, p := range a.Policies {
				views = append(views, a.viewPolicy(p))
			}
		}
		if in.Scope != "Local" {
			for _, p := range awsPolicies() {
				views = append(views, a.viewManaged(p))
			}
		}
		views = slices.DeleteFunc(views, func(v policyView) bool {
			return in.OnlyAttached && v.AttachmentCount == 0 || !strings.HasPrefix(v.Path, in.PathPrefix)
		})
		slices.SortFunc(views, func(x, y policyView) int { return compare(x.Arn, y.Arn) })
		return list(views, func(v policyView) string { return v.Arn }, in.paging, func(views []policyView, more paged) any {
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

func (s *Service) deletePolicy(r *request, in *policyInput) (any, error) {
	return s.change(r, "iam:DeletePolicy", in.PolicyArn, nil, func(a *account) (any, error) {
		p, err := a.ownPolicy(in.PolicyArn)
		if err != nil {
			return nil, err
		}
		if attached, boundary := a.uses(p.ARN); attached+boundary > 0 {
			return nil, conflict("DeleteConflict", "Cannot delete a policy attached to entities.")
		}
		if len(p.Versions) > 1 {
			return nil, conflict("DeleteConflict", "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
		}
		delete(a.Policies, p.ARN)
		return nil, nil
	})
}

type versionView struct {
	Document         string `xml:",omitempty"`
	VersionId        string
	IsDefaultVersion bool
	CreateDate       time.Time
}

func (s *Service) createPolicyVersion(r *request, in *policyInput) (any, error) {
	d, err := parseDocument(in.PolicyDocument, policy.Identity, maxManagedDocument)
	if err != nil {
		return nil, err
	}
	return s.change(r, "iam:CreatePolicyVersion", in.PolicyArn, nil, func(a *account) (any, error) {
		p, err := a.ownPolicy(in.PolicyArn)
		if err != nil {
			return nil, err
		}
		if len(p.Versions) >= maxPolicyVersions {
			return nil, conflict("LimitExceeded", "A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxPolicyVersions)
		}
		v := &policyVersion{ID: fmt.Sprintf("v%d", p.NextVersion), Created: s.now(), Document: d}
		p.NextVersion++
		p.Versions = append(p.Versions, v)
		if in.SetAsDefault {
			p.setDefault(v)
			p.Updated = v.Created
		}
		return struct{ PolicyVersion versionView }{versionView{VersionId: v.ID, IsDefaultVersion: v.IsDefault, CreateDate: v.Created}}, nil
	})
}

func (p *managedPolicy) setDefault(v *policyVersion) {
	for _, other := range p.Versions {
		other.IsDefault = other == v
	}
}

func (p *managedPolicy) version(id string) (*policyVersion, error) {
	for _, v := range p.Versions {
		if v.ID == id {
			return v, nil
		}
	}
	return nil, notFound("Policy %s version %s does not exist or is not attachable.", p.ARN, id)
}

func (s *Service) getPolicyVersion(r *request, in *policyInput) (any, error) {
	return s.view(r, "iam:GetPolicyVersion", in.PolicyArn, func(a *account) (any, error) {
		if m := awsPolicies()[in.PolicyArn]; m != nil && m.VersionID == in.VersionId {
			return struct{ PolicyVersion versionView }{versionView{Document: encoded(m.Document), VersionId: m.VersionID, IsDefaultVersion: true}}, nil
		}
		p := a.Policies[in.PolicyArn]
		if p == nil {
			return nil, noPolicy(in.PolicyArn)
		}
		v, err := p.version(in.VersionId)
		if err != nil {
			return nil, err
		}
		return struct{ PolicyVersion versionView }{versionView{encoded(v.Document.Text), v.ID, v.IsDefault, v.Created}}, nil
	})
}

func (s *Service) listPolicyVersions(r *request, in *policyInput) (any, error) {
	return s.view(r, "iam:ListPolicyVersions", in.PolicyArn, func(a *account) (any, error) {
		var views []versionView
		if m := awsPolicies()[in.PolicyArn]; m != nil {
			views = append(views, versionView{VersionId: m.VersionID, IsDefaultVersion: true})
		} else if p := a.Policies[in.PolicyArn]; p != nil {
			for _, v := range slices.Backward(p.Versions) {
				views = append(views, versionView{VersionId: v.ID, IsDefaultVersion: v.IsDefault, CreateDate: v.Created})
			}
		} else {
			return nil, noPolicy(in.PolicyArn)
		}
		return struct {
			paged
			Versions []versionView `xml:"Versions>member"`
		}{Versions: views}, nil
	})
}

func (s *Service) deletePolicyVersion(r *request, in *policyInput) (any, error) {
	return s.change(r, "iam:DeletePolicyVersion", in.PolicyArn, nil, func(a *account) (any, error) {
		p, err := a.ownPolicy(in.PolicyArn)
		if err != nil {
			return nil, err
		}
		v, err := p.version(in.VersionId)
		if err != nil {
			return nil, err
		}
		if v.IsDefault {
			return nil, conflict("DeleteConflict", "Cannot delete the default version of a policy.")
		}
		p.Versions = slices.DeleteFunc(p.Versions, func(x *policyVersion) bool { return x == v })
		return nil, nil
	})
}

func (s *Service) setDefaultPolicyVersion(r *request, in *policyInput) (any, error) {
	return s.change(r, "iam:SetDefaultPolicyVersion", in.PolicyArn, nil, func(a *account) (any, error) {
		p, err := a.ownPolicy(in.PolicyArn)
		if err != nil {
			return nil, err
		}
		v, err := p.version(in.VersionId)
		if err != nil {
			return nil, err
		}
		p.setDefault(v)
		p.Updated = s.now()
		return nil, nil
	})
}

func (s *Service) listEntitiesForPolicy(r *request, in *policyInput) (any, error) {
	return s.view(r, "iam:ListEntitiesForPolicy", in.PolicyArn, func(a *account) (any, error) {
		if _, _, ok := a.policyDocument(in.PolicyArn); !ok {
			return nil, noPolicy(in.PolicyArn)
		}
		type policyUser struct{ UserName, UserId string }
		type policyGroup struct{ GroupName, GroupId string }
		type policyRole struct{ RoleName, RoleId string }
		var out struct {
			paged
			PolicyUsers  []policyUser  `xml:"PolicyUsers>member"`
			PolicyGroups []policyGroup `xml:"PolicyGroups>member"`
			PolicyRoles  []policyRole  `xml:"PolicyRoles>member"`
		}
		for e := range a.entities {
			if !slices.Contains(e.Attached, in.PolicyArn) {
				continue
			}
			switch e.ID[:4] {
			case userKind.idPrefix:
				out.PolicyUsers = append(out.PolicyUsers, policyUser{e.Name, e.ID})
			case groupKind.idPrefix:
				out.PolicyGroups = append(out.PolicyGroups, policyGroup{e.Name, e.ID})
			case roleKind.idPrefix:
				out.PolicyRoles = append(out.PolicyRoles, policyRole{e.Name, e.ID})
			}
		}
		return out, nil
	})
}
