// SPDX-License-Identifier: Apache-2.0

package iam

import "slices"

type policyTags struct {
	paging
	PolicyArn string
	Tags      []tag
	TagKeys   []string
}

func (s *Service) tagPolicy(r *call, in *policyTags) (*task, error) {
	return change(on(in.PolicyArn), tagContext(in.Tags), func(a *account) (any, error) {
		p, err := a.ownPolicy(in.PolicyArn)
		if err != nil {
			return nil, err
		}
		tags, err := mergeTags(p.Tags, in.Tags)
		if err != nil {
			return nil, err
		}
		p.Tags = tags
		a.put(p)
		return nil, nil
	})
}

func (s *Service) untagPolicy(r *call, in *policyTags) (*task, error) {
	return change(on(in.PolicyArn), key("aws:TagKeys", in.TagKeys...), func(a *account) (any, error) {
		p, err := a.ownPolicy(in.PolicyArn)
		if err != nil {
			return nil, err
		}
		p.Tags = removeTags(p.Tags, in.TagKeys)
		a.put(p)
		return nil, nil
	})
}

func (s *Service) listPolicyTags(r *call, in *policyTags) (*task, error) {
	return view(on(in.PolicyArn), func(a *account) (any, error) {
		p, err := a.ownPolicy(in.PolicyArn)
		if err != nil {
			return nil, err
		}
		return pageTags(p.Tags, in.paging)
	})
}

// pageTags answers the tags of an entity or policy, by key.
func pageTags(tags []tag, p paging) (any, error) {
	tags = slices.SortedFunc(slices.Values(tags), func(x, y tag) int { return compare(x.Key, y.Key) })
	return list(tags, func(t tag) string { return t.Key }, p, func(tags []tag, more paged) any {
		return struct {
			paged
			Tags []tag `xml:"Tags>member"`
		}{more, tags}
	})
}

// tagMembers are the tags in an answer about an entity or policy. IAM leaves the
// member out if there are none.
type tagMembers struct {
	Members []tag `xml:"member"`
}

func viewTags(tags []tag) *tagMembers {
	if len(tags) == 0 {
		return nil
	}
	return &tagMembers{tags}
}
