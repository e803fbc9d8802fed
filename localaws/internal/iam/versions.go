// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/policytext"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

type versionView struct {
	Document         string `xml:",omitempty"`
	VersionId        string
	IsDefaultVersion bool
	CreateDate       time.Time
}

type createPolicyVersion struct {
	PolicyArn      string
	PolicyDocument wire.LongText
	SetAsDefault   bool
}

func (s *Service) createPolicyVersion(r *call, in *createPolicyVersion) (*task, error) {
	d, err := policytext.ReadManaged(in.PolicyDocument, maxManagedDocument)
	if err != nil {
		return nil, err
	}
	return change(on(in.PolicyArn), nil, func(a *account) (any, error) {
		p, err := a.ownPolicy(in.PolicyArn)
		if err != nil {
			return nil, err
		}
		if len(p.Versions) >= maxPolicyVersions {
			return nil, conflict("LimitExceeded",
				"A managed policy can have up to %d versions. Before you create a new version, you must delete an "+
					"existing version.", maxPolicyVersions)
		}
		v := &policyVersion{ID: fmt.Sprintf("v%d", p.NextVersion), Created: s.now(), Document: d}
		p.NextVersion++
		p.Versions = append(p.Versions, v)
		if in.SetAsDefault {
			p.setDefault(v)
			p.Updated = v.Created
		}
		a.put(p)
		return struct{ PolicyVersion versionView }{versionView{VersionId: v.ID, IsDefaultVersion: v.IsDefault,
			CreateDate: v.Created}}, nil
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

// ownVersion finds a version of a customer managed policy.
func (a *account) ownVersion(in *policyInput) (*managedPolicy, *policyVersion, error) {
	p, err := a.ownPolicy(in.PolicyArn)
	if err != nil {
		return nil, nil, err
	}
	v, err := p.version(in.VersionId)
	return p, v, err
}

func (s *Service) getPolicyVersion(r *call, in *policyInput) (*task, error) {
	return view(on(in.PolicyArn), func(a *account) (any, error) {
		if m := awsPolicies()[in.PolicyArn]; m != nil && m.VersionID == in.VersionId {
			return struct{ PolicyVersion versionView }{versionView{Document: encoded(m.Document),
				VersionId: m.VersionID, IsDefaultVersion: true}}, nil
		}
		p := a.Policies[in.PolicyArn]
		if p == nil {
			return nil, noPolicy(in.PolicyArn)
		}
		v, err := p.version(in.VersionId)
		if err != nil {
			return nil, err
		}
		return struct{ PolicyVersion versionView }{versionView{encoded(v.Document.Text), v.ID, v.IsDefault, v.Created}},
			nil
	})
}

type versionPage struct {
	paging
	PolicyArn string
}

// newestFirst sorts versions: v10 comes before v9.
func newestFirst(v versionView) string {
	n, _ := strconv.Atoi(strings.TrimPrefix(v.VersionId, "v"))
	return fmt.Sprintf("%010d", math.MaxInt32-n)
}

func (s *Service) listPolicyVersions(r *call, in *versionPage) (*task, error) {
	return view(on(in.PolicyArn), func(a *account) (any, error) {
		var views []versionView
		if m := awsPolicies()[in.PolicyArn]; m != nil {
			views = append(views, versionView{VersionId: m.VersionID, IsDefaultVersion: true})
		} else if p := a.Policies[in.PolicyArn]; p != nil {
			for _, v := range slices.Backward(p.Versions) {
				views = append(views, versionView{VersionId: v.ID, IsDefaultVersion: v.IsDefault,
					CreateDate: v.Created})
			}
		} else {
			return nil, noPolicy(in.PolicyArn)
		}
		return list(views, newestFirst, in.paging, func(views []versionView, more paged) any {
			return struct {
				paged
				Versions []versionView `xml:"Versions>member"`
			}{more, views}
		})
	})
}

func (s *Service) deletePolicyVersion(r *call, in *policyInput) (*task, error) {
	return change(on(in.PolicyArn), nil, func(a *account) (any, error) {
		p, v, err := a.ownVersion(in)
		if err != nil {
			return nil, err
		}
		if v.IsDefault {
			return nil, conflict("DeleteConflict", "Cannot delete the default version of a policy.")
		}
		p.Versions = slices.DeleteFunc(p.Versions, func(x *policyVersion) bool { return x == v })
		a.put(p)
		return nil, nil
	})
}

func (s *Service) setDefaultPolicyVersion(r *call, in *policyInput) (*task, error) {
	return change(on(in.PolicyArn), nil, func(a *account) (any, error) {
		p, v, err := a.ownVersion(in)
		if err != nil {
			return nil, err
		}
		p.setDefault(v)
		p.Updated = s.now()
		a.put(p)
		return nil, nil
	})
}
