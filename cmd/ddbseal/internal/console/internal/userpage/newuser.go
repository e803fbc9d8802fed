// SPDX-License-Identifier: Apache-2.0

package userpage

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/iamuser"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/reply"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/userform"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/password"
)

// newUserView is the form of a new user, or its review.
type newUserView struct {
	userform.Draft
	Policies []userform.Policy
	Chosen   userform.Policy
	SignIn   string
	Review   string // ID of the draft; empty: the form
	Wrong    string // what is wrong in the form
	Field    string // and in which field
}

// NewUser shows the empty form.
func (d *Desk) NewUser() reply.Reply {
	return d.newUser(http.StatusOK, newUserView{Draft: userform.Draft{Console: true, Policy: "full"}})
}

func (d *Desk) newUser(status int, v newUserView) reply.Reply {
	v.Policies, v.SignIn = userform.Policies(), d.SignIn
	v.Chosen, _ = userform.Choice(v.Policy)
	v.Password = "" // never in a page
	title := "Create user"
	if v.Review != "" {
		title = "Review the user"
	}
	return reply.Reply{Status: status, Template: "newuser", Title: title, Body: v}
}

// Review keeps the draft in the session, where its password stays, and shows
// what will be created.
func (d *Desk) Review(ctx context.Context, form url.Values) reply.Reply {
	draft, err := userform.Parse(form)
	v := newUserView{Draft: draft}
	var wrong *userform.Error
	if errors.As(err, &wrong) {
		v.Wrong, v.Field = wrong.Text, wrong.Field
		return d.newUser(badForm, v)
	}
	// A user who may not read users learns the same when the user is created.
	if _, err := d.IAM.GetUser(ctx, &iam.GetUserInput{UserName: &draft.Name}); err == nil {
		return d.taken(draft)
	}
	v.Review = d.NewID()
	d.Kept.mu.Lock()
	d.Kept.draft, d.Kept.draftID = draft, v.Review
	d.Kept.mu.Unlock()
	return d.newUser(http.StatusOK, v)
}

func (d *Desk) taken(draft userform.Draft) reply.Reply {
	return d.newUser(http.StatusConflict, newUserView{Draft: draft, Field: "name", Wrong: "There is already a user " +
		draft.Name + ": choose another name, or open that user on the page Users."})
}

// takeDraft returns the draft of a review, once.
func (s *Kept) takeDraft(id string) (userform.Draft, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id == "" || id != s.draftID {
		return userform.Draft{}, false
	}
	draft := s.draft
	s.draft, s.draftID = userform.Draft{}, ""
	return draft, true
}

// Create creates the user of a review, or goes back to the form.
func (d *Desk) Create(ctx context.Context, form url.Values) reply.Reply {
	draft, ok := d.Kept.takeDraft(form.Get("review"))
	if !ok {
		return reply.Done("/users/new", "That review is over: fill in the form again.", nil)
	}
	if form.Get("back") != "" {
		return d.newUser(http.StatusOK, newUserView{Draft: draft})
	}
	if draft.Console && !draft.Own {
		draft.Password = password.New()
	}
	choice, _ := userform.Choice(draft.Policy)
	attached, err := iamuser.Create(ctx, d.IAM, iamuser.New{Name: draft.Name, Password: draft.Password,
		Policy: choice.ARN})
	var exists *types.EntityAlreadyExistsException
	if errors.As(err, &exists) {
		return d.taken(draft)
	}
	if err != nil {
		r := d.newUser(0, newUserView{Draft: draft})
		r.Err = err
		return r
	}
	r := reply.Done(link(draft.Name), "The user "+draft.Name+" is created, without a password.", nil)
	if draft.Console {
		r = d.showPassword(draft.Name, "User "+draft.Name+" created", draft.Password)
	}
	if attached != choice.ARN {
		r.Say += " AWS no longer attaches " + choice.Name + ": the user has its successor."
	}
	return r
}
