// SPDX-License-Identifier: Apache-2.0

package iam

// instanceProfile has no members, since nothing makes one.
type instanceProfile struct{}

type instanceProfileList struct {
	paged
	InstanceProfiles []instanceProfile `xml:"InstanceProfiles>member"`
}

func noInstanceProfiles(p paging) (any, error) {
	return list(nil, func(instanceProfile) string { return "" }, p, func(none []instanceProfile, more paged) any {
		return instanceProfileList{more, none}
	})
}

// listInstanceProfiles answers an empty list: there is nothing here that could
// run under a profile.
func (s *Service) listInstanceProfiles(r *call, in *listByPath) (*task, error) {
	return view(on("arn:aws:iam::"+r.AccountID+":instance-profile/"), func(*account) (any, error) {
		return noInstanceProfiles(in.paging)
	})
}

type rolePage struct {
	paging
	RoleName string
}

// listInstanceProfilesForRole answers an empty list for a role that exists.
// Tools ask for it before they delete a role.
func (s *Service) listInstanceProfilesForRole(r *call, in *rolePage) (*task, error) {
	return view(roleKind.named(in.RoleName), func(a *account) (any, error) {
		if _, err := roleKind.get(a, in.RoleName); err != nil {
			return nil, err
		}
		return noInstanceProfiles(in.paging)
	})
}
