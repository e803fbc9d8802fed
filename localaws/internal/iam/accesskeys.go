// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"slices"
	"sync"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/identifier"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

type keyView struct {
	UserName, AccessKeyId, Status string
	SecretAccessKey               string `xml:",omitempty"`
	CreateDate                    time.Time
}

func viewKey(k *accessKey, withSecret bool) keyView {
	v := keyView{UserName: k.UserName, AccessKeyId: k.ID, Status: "Inactive", CreateDate: k.Created}
	if k.Active {
		v.Status = "Active"
	}
	if withSecret {
		v.SecretAccessKey = k.Secret
	}
	return v
}

// rootKeys reports whether a request without a user name means the root
// user's own keys.
func rootKeys(r *call, name string) bool {
	return name == "" && r.Caller.Principal.Type == policy.Root
}

func (s *Service) createAccessKey(r *call, in *userName) (*task, error) {
	name, err := orSelf(r, in.UserName)
	if err != nil {
		return nil, err
	}
	resource := userKind.named(name)
	if rootKeys(r, name) {
		resource = on(r.Caller.Principal.ARN)
	}
	return change(resource, nil, func(a *account) (any, error) {
		keys := &a.RootKeys
		if !rootKeys(r, name) {
			if _, err := userKind.get(a, name); err != nil {
				return nil, err
			}
			keys = &a.Users[name].Keys
		}
		if len(*keys) >= maxAccessKeys {
			return nil, conflict("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: %d", maxAccessKeys)
		}
		k := &accessKey{ID: identifier.NewAccessKey("AKIA"), Secret: identifier.NewSecret(), AccountID: a.ID,
			UserName: name, Active: true, Created: s.now()}
		*keys = append(*keys, k)
		s.keys[k.ID] = k
		a.putHolder(k)
		r.Trail.ResponseElements = map[string]any{"accessKey": map[string]any{"userName": name, "accessKeyId": k.ID,
			"status": "Active"}}
		return struct{ AccessKey keyView }{viewKey(k, true)}, nil
	})
}

type listKeys struct {
	paging
	UserName string
}

func (s *Service) listAccessKeys(r *call, in *listKeys) (*task, error) {
	name, err := orSelf(r, in.UserName)
	if err != nil {
		return nil, err
	}
	resource := userKind.named(name)
	if rootKeys(r, name) {
		resource = on(r.Caller.Principal.ARN)
	}
	return view(resource, func(a *account) (any, error) {
		keys := a.RootKeys
		if !rootKeys(r, name) {
			if _, err := userKind.get(a, name); err != nil {
				return nil, err
			}
			keys = a.Users[name].Keys
		}
		keys = slices.SortedFunc(slices.Values(keys), func(x, y *accessKey) int { return compare(x.ID, y.ID) })
		return list(keys, func(k *accessKey) string { return k.ID }, in.paging,
			func(keys []*accessKey, more paged) any {
				var out struct {
					paged
					UserName          string
					AccessKeyMetadata []keyView `xml:"AccessKeyMetadata>member"`
				}
				out.paged, out.UserName = more, name
				for _, k := range keys {
					out.AccessKeyMetadata = append(out.AccessKeyMetadata, viewKey(k, false))
				}
				return out
			})
	})
}

// putHolder notes a change of who has the key: a user, or the account for its
// root user.
func (a *account) putHolder(k *accessKey) {
	if k.UserName == "" {
		a.put(a)
		return
	}
	a.put(a.Users[k.UserName])
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

type accessKeyName struct{ UserName, AccessKeyId, Status string }

// ownKey finds the key among those of the named user, or among root's for an
// empty name.
func (s *Service) ownKey(a *account, name string, in *accessKeyName) (*accessKey, error) {
	k := s.keys[in.AccessKeyId]
	if k == nil || k.AccountID != a.ID || k.UserName != name {
		return nil, notFound("The Access Key with id %s cannot be found.", in.AccessKeyId)
	}
	return k, nil
}

// changeKey is the task of changing an access key.
func (s *Service) changeKey(r *call, in *accessKeyName, do func(*account, *accessKey) error) (*task, error) {
	name, err := orSelf(r, in.UserName)
	if err != nil {
		return nil, err
	}
	holder := userKind.named(name)
	if rootKeys(r, name) {
		holder = on(r.Caller.Principal.ARN)
	}
	return change(holder, nil, func(a *account) (any, error) {
		k, err := s.ownKey(a, name, in)
		if err != nil {
			return nil, err
		}
		return nil, do(a, k)
	})
}

func (s *Service) updateAccessKey(r *call, in *accessKeyName) (*task, error) {
	return s.changeKey(r, in, func(a *account, k *accessKey) error {
		if in.Status != "Active" && in.Status != "Inactive" {
			return wire.Violated("'"+in.Status+"'", "status", wire.OneOf("Active", "Inactive"))
		}
		k.Active = in.Status == "Active"
		a.putHolder(k)
		return nil
	})
}

func (s *Service) deleteAccessKey(r *call, in *accessKeyName) (*task, error) {
	return s.changeKey(r, in, func(a *account, k *accessKey) error {
		same := func(x *accessKey) bool { return x == k }
		if k.UserName == "" {
			a.RootKeys = slices.DeleteFunc(a.RootKeys, same)
		} else {
			u := a.Users[k.UserName]
			u.Keys = slices.DeleteFunc(u.Keys, same)
		}
		delete(s.keys, k.ID)
		a.putHolder(k)
		return nil
	})
}

func (s *Service) getAccessKeyLastUsed(r *call, in *accessKeyName) (*task, error) {
	holder := on("*")
	s.mu.RLock()
	if k := s.keys[in.AccessKeyId]; k != nil && k.AccountID == r.AccountID && k.UserName != "" {
		holder = userKind.named(k.UserName)
	}
	s.mu.RUnlock()
	return view(holder, func(a *account) (any, error) {
		k := s.keys[in.AccessKeyId]
		if k == nil || k.AccountID != a.ID {
			return nil, notFound("The Access Key with id %s cannot be found.", in.AccessKeyId)
		}
		var out struct {
			UserName          string
			AccessKeyLastUsed struct {
				LastUsedDate        *time.Time `xml:",omitempty"`
				ServiceName, Region string
			}
		}
		out.UserName = k.UserName
		out.AccessKeyLastUsed.ServiceName, out.AccessKeyLastUsed.Region = "N/A", "N/A"
		k.lastUsed.Lock()
		defer k.lastUsed.Unlock()
		if !k.lastUsed.time.IsZero() {
			t := k.lastUsed.time
			out.AccessKeyLastUsed.LastUsedDate = &t
			out.AccessKeyLastUsed.ServiceName, out.AccessKeyLastUsed.Region = k.lastUsed.service, k.lastUsed.region
		}
		return out, nil
	})
}

// lastUse is when and for what an access key signed last. It is kept in memory.
type lastUse struct {
	sync.Mutex
	time            time.Time
	service, region string
}
