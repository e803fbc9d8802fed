// SPDX-License-Identifier: Apache-2.0

package sts_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/storage/storagetest"
	"github.com/ddbseal/ddbseal/localaws/internal/sts"
)

// identities are one user.
type identities struct{ arn string }

func (identities) Authorize(context.Context, *request.Call, request.Check) policy.Decision {
	return policy.Decision{}
}
func (identities) RoleByARN(string) (sts.Role, bool) { return sts.Role{}, false }
func (identities) ManagedPolicy(string, string) (string, *policy.Document, bool) {
	return "", nil, false
}
func (identities) KeyAccount(string) (string, bool) { return "", false }
func (i *identities) ARN(id string) (string, bool)  { return i.arn, id == "AIDA1" && i.arn != "" }

// TestSignIn: a session opens with the key of its store only, and ends with its
// time and with its user.
func TestSignIn(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	users := &identities{"arn:aws:iam::111122223333:user/old"}
	open := func(store storage.Store) *sts.Service {
		s, err := sts.New(sts.Config{Clock: func() time.Time { return now }, Store: store, Identities: users})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	store := storagetest.NewRecorder()
	p := policy.Principal{Type: policy.User, AccountID: "111122223333", ARN: users.arn, UniqueID: "AIDA1"}
	c, err := open(store).SignIn(p, "old", time.Hour)
	if err != nil || !c.Expires.Equal(now.Add(time.Hour)) {
		t.Fatal(c.Expires, err)
	}
	if _, _, err := open(storagetest.NewRecorder()).Credentials(c.AccessKeyID, c.Token); !errors.Is(err,
		sts.ErrInvalidToken) {
		t.Errorf("under another key: %v", err)
	}
	s := open(store)
	users.arn = "arn:aws:iam::111122223333:user/path/new"
	secret, caller, err := s.Credentials(c.AccessKeyID, c.Token)
	if err != nil || secret != c.Secret || caller.UserName != "new" || caller.Principal.ARN != users.arn {
		t.Errorf("%v of %v: %v", caller.UserName, caller.Principal.ARN, err)
	}
	if sts.Of(caller).Plain() || sts.Of(request.Caller{}).Plain() {
		t.Error("a sign-in is taken for a session of GetSessionToken")
	}
	users.arn = ""
	if _, _, err := s.Credentials(c.AccessKeyID, c.Token); !errors.Is(err, sts.ErrInvalidToken) {
		t.Errorf("of a user who is gone: %v", err)
	}
	now = now.Add(time.Hour)
	if _, _, err := s.Credentials(c.AccessKeyID, c.Token); !errors.Is(err, sts.ErrExpiredToken) {
		t.Errorf("after its time: %v", err)
	}
}
