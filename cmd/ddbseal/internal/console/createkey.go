// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/keydraft"
)

// createKeyView is a page of the form that creates a key.
type createKeyView struct {
	keydraft.Page
	Problem *problem
	Made    string // ID of the key that exists although its alias was refused
}

// maxQuery is the maximum size of a draft in an address. Servers and browsers take
// longer ones, but not all of them.
const maxQuery = 6 << 10

// createKeyPage shows the page that is asked for, or the first one before it that
// is filled in wrongly.
func (c *Console) createKeyPage(w http.ResponseWriter, r *http.Request, s *session) {
	v := createKeyView{Page: keydraft.Page{Draft: keydraft.New(), Number: keydraft.Configure}}
	if form := r.URL.Query(); form.Has("page") {
		v.Draft, v.Number = keydraft.Read(form), keydraft.Number(form)
	}
	c.showCreateKey(w, r, s, v)
}

// hasAlias reports whether the user can see that an alias exists.
func (s *session) hasAlias(ctx context.Context, name string) bool {
	pages := kms.NewListAliasesPaginator(s.kms, &kms.ListAliasesInput{})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return false // KMS will say so when the alias is created
		}
		for _, a := range out.Aliases {
			if aws.ToString(a.AliasName) == name {
				return true
			}
		}
	}
	return false
}

func (c *Console) showCreateKey(w http.ResponseWriter, r *http.Request, s *session, v createKeyView) {
	v.Account = s.account
	if v.Made == "" {
		v.Go(func(alias string) bool { return s.hasAlias(r.Context(), alias) })
	}
	if v.Number == keydraft.Administrators || v.Number == keydraft.Users {
		v.Candidates = s.candidates(r.Context())
	}
	c.render(w, r, s, v.Problem.status(), "createkey", page{Title: "Create key", Section: "keys", Body: v})
}

// createKey goes to the page that the form asks for, or creates the key that all
// pages describe, and its alias.
func (c *Console) createKey(w http.ResponseWriter, r *http.Request, s *session) {
	ctx := r.Context()
	v := createKeyView{Page: keydraft.Page{Draft: keydraft.Read(r.PostForm), Number: keydraft.Review,
		Account: s.account}}
	if r.PostForm.Has("page") {
		v.Number = keydraft.Number(r.PostForm)
		if query := v.Query(v.Number); len(query) <= maxQuery { // so that the browser's Back works
			c.redirect(w, r, "/keys/create?"+query)
			return
		}
		c.showCreateKey(w, r, s, v)
		return
	}
	if v.Go(func(alias string) bool { return s.hasAlias(ctx, alias) }); len(v.Faults) > 0 {
		c.showCreateKey(w, r, s, v)
		return
	}
	in := &kms.CreateKeyInput{Policy: aws.String(v.Policy(s.account).Text())}
	if v.Description != "" {
		in.Description = aws.String(v.Description)
	}
	made, err := s.kms.CreateKey(ctx, in)
	if err == nil {
		v.Made = aws.ToString(made.KeyMetadata.KeyId)
		_, err = s.kms.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String(v.AliasName()),
			TargetKeyId: &v.Made})
	}
	if err != nil {
		if sessionOver(errorCode(err)) {
			c.failed(w, r, s, "keys", "Create key", err)
			return
		}
		v.Problem = c.explain(s, err)
		c.showCreateKey(w, r, s, v)
		return
	}
	s.note(change{Key: v.Made, Title: "Key created", Diff: []diffLine{added(v.AliasName())},
		Final: "a key is never deleted at once; you can schedule its deletion"})
	s.say("The key " + v.AliasName() + " was created.")
	c.redirect(w, r, "/keys/"+url.PathEscape(v.Made))
}
