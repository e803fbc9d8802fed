// SPDX-License-Identifier: Apache-2.0

// Package userpage has the console's pages of IAM users: the list, one user with
// password, policies and access keys, and the deletion with what must go first.
// Every call is made as the signed-in user.
package userpage

import (
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/iamuser"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/reply"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/userform"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/password"
)

// Desk is what one request for these pages works with.
type Desk struct {
	IAM      *iam.Client // signs as the signed-in user
	Self     string      // ARN of the signed-in user
	SignIn   string      // address at which passwords work; empty: nowhere
	ReadOnly bool
	Now      time.Time
	NewID    func() string // names what the session keeps, unguessable
	Kept     *Kept         // of the session
}

type usersView struct {
	Users    []iamuser.User
	ReadOnly bool
}

// List shows all users.
func (d *Desk) List(ctx context.Context) reply.Reply {
	users, err := iamuser.List(ctx, d.IAM)
	if err != nil {
		return reply.Fail("Users", err)
	}
	return reply.Reply{Template: "users", Title: "Users", Body: usersView{users, d.ReadOnly}}
}

// userView is one user.
type userView struct {
	iamuser.User
	Policies []userform.Policy // that could be attached
	SignIn   string
	Problem  string // why nothing was changed
	ReadOnly bool
	Self     bool
	MaxKeys  bool // IAM allows no more
}

const maxAccessKeys = 2 // of a user, IAM's quota

// Show shows one user.
func (d *Desk) Show(ctx context.Context, name, problem string) reply.Reply {
	u, err := iamuser.Read(ctx, d.IAM, name)
	if err != nil {
		return reply.Fail("User", err)
	}
	v := userView{User: u, SignIn: d.SignIn, ReadOnly: d.ReadOnly, Self: u.ARN == d.Self, Problem: problem,
		MaxKeys: len(u.Keys) >= maxAccessKeys}
	for _, p := range userform.Policies() {
		if p.ARN != "" && !slices.ContainsFunc(u.Attached, func(a iamuser.Policy) bool { return a.ARN == p.ARN }) {
			v.Policies = append(v.Policies, p)
		}
	}
	r := reply.Reply{Template: "user", Title: u.Name, Body: v}
	if problem != "" {
		r.Status = badForm
	}
	return r
}

const badForm = 400 // status of a page that asks to correct a form

func link(name string) string { return "/user?name=" + url.QueryEscape(name) }

// Act does one of the changes of the user's page.
func (d *Desk) Act(ctx context.Context, action string, form url.Values) reply.Reply {
	name, key := form.Get("name"), form.Get("key")
	to := link(name)
	switch action {
	case "password":
		return d.setPassword(ctx, name, form)
	case "no-password":
		_, err := d.IAM.DeleteLoginProfile(ctx, &iam.DeleteLoginProfileInput{UserName: &name})
		return reply.Done(to, "The user has no password any more and cannot sign in at the console.", err)
	case "attach":
		p, ok := userform.Choice(form.Get("policy"))
		if !ok || p.ARN == "" {
			return d.Show(ctx, name, "Choose a policy.")
		}
		_, err := iamuser.Attach(ctx, d.IAM, name, p.ARN)
		return reply.Done(to, p.Name+" is attached.", err)
	case "detach":
		policy := form.Get("policy")
		_, err := d.IAM.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: &name, PolicyArn: &policy})
		return reply.Done(to, "The policy is detached.", err)
	case "key-create":
		return d.createKey(ctx, name)
	case "key-activate", "key-deactivate":
		status, text := types.StatusTypeActive, " is active."
		if action == "key-deactivate" {
			status, text = types.StatusTypeInactive, " is inactive: requests signed with it are refused."
		}
		_, err := d.IAM.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: &name, AccessKeyId: &key,
			Status: status})
		return reply.Done(to, "The access key "+key+text, err)
	case "key-delete":
		_, err := d.IAM.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &name, AccessKeyId: &key})
		return reply.Done(to, "The access key "+key+" is deleted.", err)
	case "delete":
		return d.delete(ctx, name, form)
	}
	return reply.Reply{Err: reply.ErrNoAction}
}

// setPassword gives a user another password, or the first.
func (d *Desk) setPassword(ctx context.Context, name string, form url.Values) reply.Reply {
	if err := userform.CheckChoice(form); err != nil {
		return d.Show(ctx, name, err.Error())
	}
	fresh := password.New()
	if form.Get("kind") == "own" {
		fresh = form.Get("password")
	}
	if err := iamuser.SetPassword(ctx, d.IAM, name, fresh); err != nil {
		return reply.Fail("The change was refused", err)
	}
	return d.showPassword(name, "New password of "+name, fresh)
}

// showPassword leads to the page that shows a password once.
func (d *Desk) showPassword(name, title, password string) reply.Reply {
	file, err := userform.PasswordFile(name, password, d.SignIn)
	if err != nil {
		return reply.Fail(title, err)
	}
	x := &secret{User: name, Title: title, file: file,
		Rows: []secretRow{{"User name", name}, {"Password", password}},
		Text: "Hand it over with the file, and sign in with it in a second browser profile or a private window."}
	if d.SignIn != "" {
		x.Rows = append(x.Rows, secretRow{"Console sign-in URL", d.SignIn})
	} else {
		x.Text = "This server has no page that takes passwords: sign in at this console with an access key."
	}
	return reply.Go("/secret/" + d.Kept.hold(d.NewID(), x, d.Now))
}

func (d *Desk) createKey(ctx context.Context, name string) reply.Reply {
	made, err := d.IAM.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		return reply.Fail("The change was refused", err)
	}
	id, text := *made.AccessKey.AccessKeyId, *made.AccessKey.SecretAccessKey
	file, err := userform.AccessKeyFile(name, id, text)
	if err != nil {
		return reply.Fail("New access key", err)
	}
	x := &secret{User: name, Title: "New access key of " + name, file: file,
		Rows: []secretRow{{"Access key ID", id}, {"Secret access key", text}},
		Text: "Programs sign their requests with it. Deactivate it when it is lost or no longer used."}
	return reply.Go("/secret/" + d.Kept.hold(d.NewID(), x, d.Now))
}

type deleteView struct {
	Name    string
	First   []string // what must go before the user
	Problem string
}

// DeletePage lists what goes with the user, and asks for the name.
func (d *Desk) DeletePage(ctx context.Context, name, problem string) reply.Reply {
	u, err := iamuser.Read(ctx, d.IAM, name)
	if err != nil {
		return reply.Fail("Delete user", err)
	}
	r := reply.Reply{Template: "userdelete", Title: "Delete " + u.Name,
		Body: deleteView{u.Name, u.First(), problem}}
	if problem != "" {
		r.Status = badForm
	}
	return r
}

// delete removes a user and what must go first, if that is what the page listed.
func (d *Desk) delete(ctx context.Context, name string, form url.Values) reply.Reply {
	if form.Get("typed") != name {
		return d.DeletePage(ctx, name, "Type the name of the user to delete it.")
	}
	u, err := iamuser.Read(ctx, d.IAM, name)
	switch {
	case err != nil:
		return reply.Fail("Delete user", err)
	case u.ARN == d.Self:
		return d.DeletePage(ctx, name,
			"You are signed in as this user. Sign in as another administrator to delete it.")
	case !slices.Equal(form["first"], u.First()):
		return d.DeletePage(ctx, name, "The user has changed since you opened this page. Read the list again.")
	}
	if err := iamuser.Delete(ctx, d.IAM, &u); err != nil {
		return reply.Fail("The user was not deleted", err)
	}
	return reply.Done("/users", "The user "+name+" is deleted.", nil)
}
