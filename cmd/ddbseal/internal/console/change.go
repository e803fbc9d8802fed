// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
)

// change is one thing that the user did to a key or a table in this session, and
// how to take it back.
type change struct {
	ID, Key, Title string
	Table          string // its name; Key is then tableKey(Table)
	Diff           []diffLine
	Final          string // why it cannot be undone; empty: it can
	Undone         bool
	undo           func(context.Context) error
}

// errChanged: undoing would overwrite somebody else's change.
var errChanged = errors.New("the key policy has changed since: look at it before undoing by hand")

// note keeps a change for its page.
func (s *session) note(c change) {
	c.ID = random()[:16]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes = append(s.changes, &c)
	if len(s.changes) > maxChanges {
		s.changes = s.changes[1:]
	}
}

// changesOf are the changes of a key, or of a table by tableKey, the newest first.
func (s *session) changesOf(key string) []*change {
	return s.changesWhere(func(c *change) bool { return c.Key == key })
}

func (s *session) changesWhere(ok func(*change) bool) (out []*change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range slices.Backward(s.changes) {
		if ok(c) {
			shown := *c
			out = append(out, &shown)
		}
	}
	return out
}

var errNoAction = errors.New("there is no such change")

// changeKey does one of the changes of the key page as the user.
func (c *Console) changeKey(w http.ResponseWriter, r *http.Request, s *session) {
	id, action := r.PathValue("id"), r.PathValue("action")
	switch action {
	case "policy":
		c.editPolicy(w, r, s)
		return
	case "revoke":
		if c.confirmRevoke(w, r, s) {
			return
		}
	}
	err := c.change(r.Context(), s, id, action, r.PostForm)
	var input inputError
	switch {
	case err == nil:
	case errors.Is(err, errNoAction):
		http.NotFound(w, r)
		return
	case errors.As(err, &input), errors.Is(err, errOtherForm), errors.Is(err, errChanged):
		s.say("Nothing was changed: " + err.Error() + ".")
	default:
		c.failed(w, r, s, "keys", "The change was refused", err)
		return
	}
	to := "/keys/" + url.PathEscape(id)
	if r.PostForm.Get("view") == "policy" {
		to += "?view=policy"
	}
	c.redirect(w, r, to)
}

// inputError is a form that was filled in wrongly.
type inputError string

func (e inputError) Error() string { return string(e) }

func (c *Console) change(ctx context.Context, s *session, id, action string, form url.Values) error {
	switch action {
	case "add", "remove":
		return c.changePeople(ctx, s, id, action, form.Get("role"), strings.TrimSpace(form.Get("arn")))
	case "grant":
		return s.createGrant(ctx, id, form)
	case "revoke":
		return s.revokeGrant(ctx, id, form.Get("grant"))
	case "enable", "disable":
		return s.setEnabled(ctx, id, action == "enable")
	case "rotation-on", "rotation-off":
		return s.setRotation(ctx, id, action == "rotation-on")
	case "rotate":
		return s.rotate(ctx, id)
	case "cancel":
		return s.cancel(ctx, id)
	case "undo":
		return s.undo(ctx, form.Get("change"))
	}
	return errNoAction
}

func (c *Console) changePeople(ctx context.Context, s *session, id, action, role, arn string) error {
	if !strings.HasPrefix(arn, "arn:") && (action == "add" || !keypolicy.IsUniqueID(arn)) {
		return inputError("choose a user or role")
	}
	sids, title := []string{keypolicy.SidUsers, keypolicy.SidAttachment}, "key user"
	if role == "administrator" {
		sids, title = []string{keypolicy.SidAdministrators}, "key administrator"
	}
	text, err := s.policyText(ctx, id)
	if err != nil {
		return err
	}
	p, err := parsePolicy(text)
	if err != nil {
		return err
	}
	verb := "added"
	if action == "add" {
		_, err = p.AddAsConsole(arn, sids...)
	} else {
		verb = "removed"
		_, err = p.Remove(arn, sids...)
	}
	if err == nil && p.Text() != text {
		// KMS would refuse the policy because of deleted principals.
		_, err = p.RemoveDeleted()
	}
	if err != nil {
		return otherForm(err)
	}
	return s.putPolicy(ctx, id, fmt.Sprintf("%s %s as %s", shortARN(arn), verb, title), p.Text())
}

// putPolicy writes the policy and remembers the one before.
func (s *session) putPolicy(ctx context.Context, id, title, after string) error {
	before, err := s.policyText(ctx, id)
	if err != nil {
		return err
	}
	put := func(ctx context.Context, text string) error {
		_, err := s.kms.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: &id, PolicyName: aws.String("default"),
			Policy: &text})
		return err
	}
	if keypolicy.Layout(before) == keypolicy.Layout(after) {
		return inputError("the policy is the same as before")
	}
	if err := put(ctx, after); err != nil {
		return err
	}
	written, err := s.policyText(ctx, id)
	if err != nil {
		written = after // one may write a policy after which one may not read it
	}
	s.note(change{Key: id, Title: title, Diff: keypolicy.Diff(before, written), undo: func(ctx context.Context) error {
		now, err := s.policyText(ctx, id)
		if err != nil {
			return err
		}
		if now != written {
			return errChanged
		}
		return put(ctx, before)
	}})
	return nil
}

func (s *session) createGrant(ctx context.Context, id string, form url.Values) error {
	in := &kms.CreateGrantInput{KeyId: &id, GranteePrincipal: aws.String(strings.TrimSpace(form.Get("grantee")))}
	for _, o := range form["operation"] {
		if !slices.Contains(grantChoices(), o) {
			return inputError("unknown operation")
		}
		in.Operations = append(in.Operations, types.GrantOperation(o))
	}
	if *in.GranteePrincipal == "" || len(in.Operations) == 0 {
		return inputError("a grant needs somebody to be given it and at least one operation")
	}
	if name := form.Get("name"); name != "" {
		in.Name = &name
	}
	if k, v := form.Get("contextKey"), form.Get("contextValue"); k != "" {
		in.Constraints = &types.GrantConstraints{EncryptionContextSubset: map[string]string{k: v}}
	}
	return s.grant(ctx, in, "Grant created")
}

// grant creates a grant and remembers how to revoke it.
func (s *session) grant(ctx context.Context, in *kms.CreateGrantInput, title string) error {
	out, err := s.kms.CreateGrant(ctx, in)
	if err != nil {
		return err
	}
	id, grant := *in.KeyId, aws.ToString(out.GrantId)
	entry := types.GrantListEntry{GranteePrincipal: in.GranteePrincipal, Operations: in.Operations,
		Constraints: in.Constraints, Name: in.Name}
	s.note(change{Key: id, Title: title, Diff: []diffLine{added(grantText(&entry))},
		undo: func(ctx context.Context) error {
			_, err := s.kms.RevokeGrant(ctx, &kms.RevokeGrantInput{KeyId: &id, GrantId: &grant})
			return err
		}})
	return nil
}

func grantText(g *types.GrantListEntry) string {
	v := viewGrant(g)
	text := "grant to " + v.Grantee + " for " + v.Operations
	if v.Context != "" {
		text += " where " + v.Context
	}
	return text
}

// isService reports whether a grantee is a service of AWS.
func isService(grantee string) bool { return strings.HasSuffix(grantee, ".amazonaws.com") }

// confirmView is a page that asks before a change.
type confirmView struct {
	Title        string
	Text         []string
	Action, Back string // paths
	Grant        string
	Button       string
}

// confirmRevoke asks before a service's own grant is revoked. It reports whether it
// has written a page.
func (c *Console) confirmRevoke(w http.ResponseWriter, r *http.Request, s *session) bool {
	id, grant := r.PathValue("id"), r.PostForm.Get("grant")
	if r.PostForm.Get("confirm") == "yes" {
		return false
	}
	found, err := s.kms.ListGrants(r.Context(), &kms.ListGrantsInput{KeyId: &id, GrantId: &grant})
	if err != nil || len(found.Grants) != 1 || !isService(aws.ToString(found.Grants[0].GranteePrincipal)) {
		return false // revokeGrant says what is wrong
	}
	g := viewGrant(&found.Grants[0])
	back := "/keys/" + url.PathEscape(id)
	c.render(w, r, s, http.StatusOK, "confirm", page{Title: "Revoke the service's grant?", Section: "keys",
		Body: confirmView{Title: "Revoke the grant of " + g.Grantee + "?", Text: []string{
			"The service made this grant for itself: " + g.Operations + ", where " + g.Context + ".",
			"Without it, the service can no longer decrypt the data key of what it keeps under this key. DynamoDB " +
				"then marks a table inaccessible, and archives it if that lasts. This console cannot make the " +
				"grant again; DynamoDB makes a new one when the table's encryption is changed."},
			Action: back + "/revoke", Back: back, Grant: grant, Button: "Revoke the grant"}})
	return true
}

func (s *session) revokeGrant(ctx context.Context, id, grant string) error {
	found, err := s.kms.ListGrants(ctx, &kms.ListGrantsInput{KeyId: &id, GrantId: &grant})
	if err != nil {
		return err
	}
	if _, err := s.kms.RevokeGrant(ctx, &kms.RevokeGrantInput{KeyId: &id, GrantId: &grant}); err != nil {
		return err
	}
	if len(found.Grants) != 1 {
		return nil
	}
	g := found.Grants[0]
	ch := change{Key: id, Title: "Grant revoked", Diff: []diffLine{removed(grantText(&g))}}
	if isService(aws.ToString(g.GranteePrincipal)) {
		ch.Final = "the grant was a service's own"
	}
	if aws.ToString(g.Name) == "" {
		g.Name = nil
	}
	ch.undo = func(ctx context.Context) error {
		_, err := s.kms.CreateGrant(ctx,
			&kms.CreateGrantInput{KeyId: &id, GranteePrincipal: g.GranteePrincipal,
				RetiringPrincipal: g.RetiringPrincipal, Operations: g.Operations, Constraints: g.Constraints,
				Name: g.Name})
		return err
	}
	s.note(ch)
	return nil
}

// stateDiff is the difference of a key's state.
func stateDiff(before, after string) []diffLine {
	return []diffLine{removed(before), added(after)}
}

func (s *session) enable(ctx context.Context, id string, on bool) (err error) {
	if on {
		_, err = s.kms.EnableKey(ctx, &kms.EnableKeyInput{KeyId: &id})
	} else {
		_, err = s.kms.DisableKey(ctx, &kms.DisableKeyInput{KeyId: &id})
	}
	return err
}

func (s *session) setEnabled(ctx context.Context, id string, on bool) error {
	if err := s.enable(ctx, id, on); err != nil {
		return err
	}
	title, diff := "Key disabled", stateDiff("Enabled", "Disabled")
	if on {
		title, diff = "Key enabled", stateDiff("Disabled", "Enabled")
	}
	s.note(change{Key: id, Title: title, Diff: diff,
		undo: func(ctx context.Context) error { return s.enable(ctx, id, !on) }})
	return nil
}

func (s *session) setRotation(ctx context.Context, id string, on bool) error {
	set := func(ctx context.Context, on bool) (err error) {
		if on {
			_, err = s.kms.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: &id})
		} else {
			_, err = s.kms.DisableKeyRotation(ctx, &kms.DisableKeyRotationInput{KeyId: &id})
		}
		return err
	}
	if err := set(ctx, on); err != nil {
		return err
	}
	title, diff := "Yearly rotation off", stateDiff("rotation on", "rotation off")
	if on {
		title, diff = "Yearly rotation on", stateDiff("rotation off", "rotation on")
	}
	s.note(change{Key: id, Title: title, Diff: diff, undo: func(ctx context.Context) error { return set(ctx, !on) }})
	return nil
}

func (s *session) rotate(ctx context.Context, id string) error {
	if _, err := s.kms.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: &id}); err != nil {
		return err
	}
	s.note(change{Key: id, Title: "Key rotated",
		Diff:  []diffLine{added("new material; the old still opens what it encrypted")},
		Final: "material is never taken back"})
	return nil
}

func (s *session) cancel(ctx context.Context, id string) error {
	if _, err := s.kms.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: &id}); err != nil {
		return err
	}
	s.note(change{Key: id, Title: "Deletion cancelled", Diff: stateDiff("PendingDeletion", "Disabled"),
		Final: "schedule the deletion again instead"})
	return nil
}

// undo takes a change back, once.
func (s *session) undo(ctx context.Context, id string) error {
	s.mu.Lock()
	i := slices.IndexFunc(s.changes, func(c *change) bool { return c.ID == id && c.Final == "" && !c.Undone })
	if i < 0 {
		s.mu.Unlock()
		return inputError("that change cannot be undone any more")
	}
	ch := s.changes[i]
	ch.Undone = true
	s.mu.Unlock()
	err := ch.undo(ctx)
	if err != nil {
		s.mu.Lock()
		ch.Undone = false
		s.mu.Unlock()
		return err
	}
	s.say("Undone: " + ch.Title + ".")
	return nil
}
