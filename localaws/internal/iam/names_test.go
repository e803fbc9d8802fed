// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// The front door recovers from a panic in a handler; the state must not stay
// locked behind it, nor keep half a change for the next one to file.
func TestPanicLeavesNoLock(t *testing.T) {
	w := newWorld(t, nil)
	_, caller, err := w.service.Credentials("AKIAROOT"+account1, "")
	if err != nil {
		t.Fatal(err)
	}
	r := &call{Call: &request.Call{Service: "iam", Operation: "CreateUser", AccountID: account1, Caller: caller},
		ctx: t.Context(), service: w.service}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_, _ = r.perform(change(on("*"), nil, func(a *account) (any, error) {
			a.put(a)
			panic("handler")
		}))
	}()
	must(t)(w.iam(w.root(account1)).ListUsers(t.Context(), nil))
	_, err = r.perform(change(on("*"), nil, func(a *account) (any, error) {
		if len(a.edits) != 0 {
			t.Error("half a change is left")
		}
		return nil, errors.New("stop")
	}))
	if err == nil {
		t.Error("no error")
	}
}

// Names are not told apart by case; ARNs and answers keep the spelling that
// the entity was made with.
func TestNamesAreFoundInAnyCase(t *testing.T) {
	w := newWorld(t, nil)
	ctx, c := t.Context(), w.iam(w.root(account1))
	alice := w.user(account1, "Alice")
	must(t)(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: aws.String("Devs")}))
	must(t)(c.CreateRole(ctx,
		&iam.CreateRoleInput{RoleName: aws.String("Reader"), AssumeRolePolicyDocument: trusting(account1)}))
	out, err := c.GetUser(ctx, &iam.GetUserInput{UserName: aws.String("aLICE")})
	if err != nil || *out.User.UserName != "Alice" || *out.User.Arn != "arn:aws:iam::111122223333:user/Alice" {
		t.Fatal(out, err)
	}
	must(t)(c.AddUserToGroup(ctx,
		&iam.AddUserToGroupInput{UserName: aws.String("alice"), GroupName: aws.String("DEVS")}))
	must(t)(c.AddUserToGroup(ctx,
		&iam.AddUserToGroupInput{UserName: aws.String("ALICE"), GroupName: aws.String("devs")}))
	groups, err := c.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: aws.String("alice")})
	if err != nil || len(groups.Groups) != 1 || *groups.Groups[0].GroupName != "Devs" {
		t.Fatal(groups, err)
	}
	// Permissions are about the ARN as it is.
	w.give("alice", allowing("iam:GetRole", "arn:aws:iam::111122223333:role/Reader", ""))
	must(t)(w.iam(alice).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("reader")}))
	_, err = c.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("alice")})
	wantCode(t, err, "EntityAlreadyExists", "User with name alice already exists.")
	must(t)(c.UpdateUser(ctx, &iam.UpdateUserInput{UserName: aws.String("ALICE"), NewUserName: aws.String("alice")}))
	out, err = c.GetUser(ctx, &iam.GetUserInput{UserName: aws.String("Alice")})
	if err != nil || *out.User.UserName != "alice" {
		t.Fatal(out, err)
	}
	_, err = c.GetUser(ctx, &iam.GetUserInput{UserName: aws.String("bob")})
	wantCode(t, err, "NoSuchEntity", "name bob")
}
