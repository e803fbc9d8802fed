// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"maps"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/policytext"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// The operations on inline policies, attachments, tags and boundaries are the
// same for users, groups and roles: each function here makes the operation for
// one kind.

type inlineInput struct {
	entityNames
	PolicyName     string
	PolicyDocument wire.LongText
}

func putInline(k kind) entry {
	return writes(k.action("Put%sPolicy"), func(s *Service, r *call, in *inlineInput) (*task, error) {
		if err := checkName("policyName", in.PolicyName, longPattern); err != nil {
			return nil, err
		}
		d, err := policytext.Read(in.PolicyDocument, policy.Identity, k.maxInline)
		if err != nil {
			return nil, err
		}
		name := *k.listedAs(&in.entityNames)
		return change(k.named(name), nil, func(a *account) (any, error) {
			e, err := k.get(a, name)
			if err != nil {
				return nil, err
			}
			size := policytext.Size(d.Text)
			for n, other := range e.Inline {
				if n != in.PolicyName {
					size += policytext.Size(other.Text)
				}
			}
			if size > k.maxInline {
				return nil, conflict("LimitExceeded", "Maximum policy size of %d bytes exceeded for %s %s", k.maxInline,
					k.word, name)
			}
			e.Inline[in.PolicyName] = d
			a.put(k.record(a, name))
			return nil, nil
		})
	})
}

func getInline(k kind) entry {
	return reads(k.action("Get%sPolicy"), func(s *Service, r *call, in *inlineInput) (*task, error) {
		name := *k.listedAs(&in.entityNames)
		return view(k.named(name), func(a *account) (any, error) {
			e, err := k.get(a, name)
			if err != nil {
				return nil, err
			}
			d := e.Inline[in.PolicyName]
			if d == nil {
				return nil, notFound("The %s policy with name %s cannot be found.", k.word, in.PolicyName)
			}
			var out struct {
				UserName, GroupName, RoleName string `xml:",omitempty"`
				PolicyName, PolicyDocument    string
			}
			out.UserName, out.GroupName, out.RoleName = in.UserName, in.GroupName, in.RoleName
			out.PolicyName, out.PolicyDocument = in.PolicyName, encoded(d.Text)
			return out, nil
		})
	})
}

func deleteInline(k kind) entry {
	return writes(k.action("Delete%sPolicy"), func(s *Service, r *call, in *inlineInput) (*task, error) {
		name := *k.listedAs(&in.entityNames)
		return change(k.named(name), nil, func(a *account) (any, error) {
			e, err := k.get(a, name)
			if err != nil {
				return nil, err
			}
			if e.Inline[in.PolicyName] == nil {
				return nil, notFound("The %s policy with name %s cannot be found.", k.word, in.PolicyName)
			}
			delete(e.Inline, in.PolicyName)
			a.put(k.record(a, name))
			return nil, nil
		})
	})
}

type entityPage struct {
	paging
	entityNames
}

func listInline(k kind) entry {
	return reads(k.action("List%sPolicies"), func(s *Service, r *call, in *entityPage) (*task, error) {
		name := *k.listedAs(&in.entityNames)
		return view(k.named(name), func(a *account) (any, error) {
			e, err := k.get(a, name)
			if err != nil {
				return nil, err
			}
			return list(slices.Sorted(maps.Keys(e.Inline)), func(n string) string { return n }, in.paging,
				func(names []string, more paged) any {
					return struct {
						paged
						PolicyNames []string `xml:"PolicyNames>member"`
					}{more, names}
				})
		})
	})
}

type attachInput struct {
	entityNames
	PolicyArn string
}

func (in *attachInput) context() policy.Context {
	return key("iam:PolicyARN", in.PolicyArn)
}

func attach(k kind) entry {
	return writes(k.action("Attach%sPolicy"), func(s *Service, r *call, in *attachInput) (*task, error) {
		name := *k.listedAs(&in.entityNames)
		return change(k.named(name), in.context(), func(a *account) (any, error) {
			e, err := k.get(a, name)
			if err != nil {
				return nil, err
			}
			if _, _, ok := a.policyDocument(in.PolicyArn); !ok {
				return nil, notFound("Policy %s does not exist or is not attachable.", in.PolicyArn)
			}
			if slices.Contains(e.Attached, in.PolicyArn) {
				return nil, nil
			}
			if len(e.Attached) >= maxAttached {
				return nil, conflict("LimitExceeded", "Cannot exceed quota for PoliciesPer%s: %d", k.title(),
					maxAttached)
			}
			e.Attached = append(e.Attached, in.PolicyArn)
			a.put(k.record(a, name))
			return nil, nil
		})
	})
}

func detach(k kind) entry {
	return writes(k.action("Detach%sPolicy"), func(s *Service, r *call, in *attachInput) (*task, error) {
		name := *k.listedAs(&in.entityNames)
		return change(k.named(name), in.context(), func(a *account) (any, error) {
			e, err := k.get(a, name)
			if err != nil {
				return nil, err
			}
			i := slices.Index(e.Attached, in.PolicyArn)
			if i < 0 {
				return nil, notFound("Policy %s was not found.", in.PolicyArn)
			}
			e.Attached = slices.Delete(e.Attached, i, i+1)
			a.put(k.record(a, name))
			return nil, nil
		})
	})
}

type attachedPage struct {
	entityPage
	PathPrefix string
}

type attachedPolicy struct{ PolicyName, PolicyArn string }

func listAttached(k kind) entry {
	return reads(k.action("ListAttached%sPolicies"), func(s *Service, r *call, in *attachedPage) (*task, error) {
		name := *k.listedAs(&in.entityNames)
		return view(k.named(name), func(a *account) (any, error) {
			e, err := k.get(a, name)
			if err != nil {
				return nil, err
			}
			policies := slices.DeleteFunc(a.attachedTo(e), func(p attachedPolicy) bool {
				return !strings.HasPrefix(policyPath(p.PolicyArn), in.PathPrefix)
			})
			return list(policies, func(p attachedPolicy) string { return p.PolicyArn }, in.paging,
				func(policies []attachedPolicy, more paged) any {
					return struct {
						paged
						AttachedPolicies []attachedPolicy `xml:"AttachedPolicies>member"`
					}{more, policies}
				})
		})
	})
}

// policyPath is the path in a managed policy's ARN.
func policyPath(arn string) string {
	_, rest, _ := strings.Cut(arn, ":policy")
	return rest[:strings.LastIndexByte(rest, '/')+1]
}

type boundaryInput struct {
	entityNames
	PermissionsBoundary string
}

func checkBoundary(a *account, arn string) error {
	if arn == "" {
		return nil
	}
	if _, _, ok := a.policyDocument(arn); !ok {
		return notFound("Scope ARN: %s does not exist or is not attachable.", arn)
	}
	return nil
}

func putBoundary(k kind) entry {
	return writes(k.action("Put%sPermissionsBoundary"), func(s *Service, r *call, in *boundaryInput) (*task, error) {
		name := *k.listedAs(&in.entityNames)
		context := key("iam:PermissionsBoundary", in.PermissionsBoundary)
		return change(k.named(name), context, func(a *account) (any, error) {
			e, err := k.get(a, name)
			if err != nil {
				return nil, err
			}
			if in.PermissionsBoundary == "" {
				return nil, missing("permissionsBoundary")
			}
			if err := checkBoundary(a, in.PermissionsBoundary); err != nil {
				return nil, err
			}
			e.Boundary = in.PermissionsBoundary
			a.put(k.record(a, name))
			return nil, nil
		})
	})
}

func deleteBoundary(k kind) entry {
	return writes(k.action("Delete%sPermissionsBoundary"), func(s *Service, r *call, in *boundaryInput) (*task, error) {
		name := *k.listedAs(&in.entityNames)
		return change(k.named(name), nil, func(a *account) (any, error) {
			e, err := k.get(a, name)
			if err != nil {
				return nil, err
			}
			if e.Boundary == "" {
				return nil, notFound("%s %s does not have a permissions boundary.", k.title(), name)
			}
			e.Boundary = ""
			a.put(k.record(a, name))
			return nil, nil
		})
	})
}

type tagInput struct {
	entityNames
	Tags    []tag
	TagKeys []string
}

func tagEntity(k kind) entry {
	return writes(k.action("Tag%s"), func(s *Service, r *call, in *tagInput) (*task, error) {
		name := *k.listedAs(&in.entityNames)
		return change(k.named(name), tagContext(in.Tags), func(a *account) (any, error) {
			e, err := k.get(a, name)
			if err != nil {
				return nil, err
			}
			tags, err := mergeTags(e.Tags, in.Tags)
			if err != nil {
				return nil, err
			}
			e.Tags = tags
			a.put(k.record(a, name))
			return nil, nil
		})
	})
}

func untagEntity(k kind) entry {
	return writes(k.action("Untag%s"), func(s *Service, r *call, in *tagInput) (*task, error) {
		name := *k.listedAs(&in.entityNames)
		return change(k.named(name), key("aws:TagKeys", in.TagKeys...), func(a *account) (any, error) {
			e, err := k.get(a, name)
			if err != nil {
				return nil, err
			}
			e.Tags = removeTags(e.Tags, in.TagKeys)
			a.put(k.record(a, name))
			return nil, nil
		})
	})
}

func listTags(k kind) entry {
	return reads(k.action("List%sTags"), func(s *Service, r *call, in *entityPage) (*task, error) {
		name := *k.listedAs(&in.entityNames)
		return view(k.named(name), func(a *account) (any, error) {
			e, err := k.get(a, name)
			if err != nil {
				return nil, err
			}
			return pageTags(e.Tags, in.paging)
		})
	})
}
