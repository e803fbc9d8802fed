package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/fault"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/keydraft"
)

// createKeyView is a page of the form that creates a key. Each page carries the
// others' fields, so the form needs no memory of the server and the browser's
// Back works.
type createKeyView struct {
	keydraft.Draft
	Page       int
	Faults     fault.List
	Problem    *problem
	Made       string // ID of the key that exists although its alias was refused
	Candidates []string
	Account    string
}

// stage is a page of the form in the list of all.
type stage struct {
	Number int
	Title  string
}

// Stages are the pages of the form.
func (v createKeyView) Stages() []stage {
	return []stage{{keydraft.Configure, "Configure key"}, {keydraft.Labels, "Add labels"},
		{keydraft.Administrators, "Define key administrative permissions"},
		{keydraft.Users, "Define key usage permissions"}, {keydraft.Review, "Review"}}
}

// Title names the page.
func (v createKeyView) Title() string { return v.Stages()[v.Page-1].Title }

// Previous is the number of the page before.
func (v createKeyView) Previous() int { return v.Page - 1 }

// Hidden are the fields of the other pages.
func (v createKeyView) Hidden() []keydraft.Field { return v.Fields(v.Page) }

// Kinds explains the kinds of keys.
func (v createKeyView) Kinds() []keydraft.Kind { return keydraft.Kinds() }

// UserActions are what key users may do.
func (v createKeyView) UserActions() []keydraft.Action { return keydraft.UserActions() }

// Explained is the key policy, statement by statement.
func (v createKeyView) Explained() []keydraft.Statement { return v.Statements(v.Account) }

// tick is a user or role that can be chosen.
type tick struct {
	ARN, Name string
	Chosen    bool
}

// Ticks are the users and roles to choose from, with those that were chosen.
func (v createKeyView) Ticks(chosen []string) (out []tick) {
	for _, arn := range v.Candidates {
		out = append(out, tick{arn, shortARN(arn), slices.Contains(chosen, arn)})
	}
	for _, arn := range chosen {
		if !slices.Contains(v.Candidates, arn) { // deleted since, or beyond those that are listed
			out = append(out, tick{arn, shortARN(arn), true})
		}
	}
	return out
}

// createKeyPage shows the page that is asked for, or the first one before it that
// is filled in wrongly.
func (c *Console) createKeyPage(w http.ResponseWriter, r *http.Request, s *session) {
	v := createKeyView{Draft: keydraft.New(), Page: keydraft.Configure}
	if form := r.URL.Query(); form.Has("page") {
		v.Draft = keydraft.Read(form)
		page, _ := strconv.Atoi(form.Get("page"))
		v.Page = min(max(page, keydraft.Configure), keydraft.Review)
		v.check(r.Context(), s)
	}
	c.showCreateKey(w, r, s, v)
}

// check goes back to the first page before v.Page that is filled in wrongly.
func (v *createKeyView) check(ctx context.Context, s *session) {
	for page := keydraft.Configure; page < v.Page; page++ {
		faults := v.Check(page, s.account)
		if page == keydraft.Labels && len(faults) == 0 && s.hasAlias(ctx, v.AliasName()) {
			faults.Add("alias", v.AliasName()+" is another key's alias already: choose another name")
		}
		if len(faults) > 0 {
			v.Page, v.Faults = page, faults
			return
		}
	}
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
	if v.Page == keydraft.Administrators || v.Page == keydraft.Users {
		v.Candidates = s.candidates(r.Context())
	}
	c.render(w, r, s, v.Problem.status(), "createkey", page{Title: "Create key", Section: "keys", Body: v})
}

// createKey creates the key that all pages describe, and its alias.
func (c *Console) createKey(w http.ResponseWriter, r *http.Request, s *session) {
	ctx := r.Context()
	v := createKeyView{Draft: keydraft.Read(r.PostForm), Page: keydraft.Review}
	if v.check(ctx, s); len(v.Faults) > 0 {
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
