// SPDX-License-Identifier: Apache-2.0

package console

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/policytext"
	"github.com/ddbseal/ddbseal/internal/keypolicy"
)

// refusedPolicy is an edit of a key policy that was not taken: the text as it was
// sent, and what is wrong with it.
type refusedPolicy struct {
	Text    string
	Wrong   string   // where, if that is known, and what
	Line    string   // the line that is wrong
	Problem *problem // what AWS says; nil: it was not asked
}

// editPolicy writes the policy of the form, or shows the form again with what is
// wrong.
func (c *Console) editPolicy(w http.ResponseWriter, r *http.Request, s *session) {
	id, text := r.PathValue("id"), policytext.Submitted(r.PostForm.Get("policy"))
	if wrong, line, ok := policytext.Check(text); !ok {
		c.showKey(w, r, s, http.StatusBadRequest, &refusedPolicy{Text: text, Wrong: wrong, Line: shown(line)})
		return
	}
	err := s.putPolicy(r.Context(), id, "Key policy edited", text)
	var input inputError
	switch {
	case err == nil:
		c.redirect(w, r, "/keys/"+url.PathEscape(id)+"?view=policy")
		return
	case errors.As(err, &input):
		c.showKey(w, r, s, http.StatusOK, &refusedPolicy{Text: text, Wrong: err.Error()})
		return
	case sessionOver(errorCode(err)), unreachable(err):
		c.failed(w, r, s, "keys", "The change was refused", err)
		return
	}
	p, status := c.explain(s, err), http.StatusBadRequest
	if p.Denied {
		status = http.StatusForbidden
	}
	c.showKey(w, r, s, status, &refusedPolicy{Text: text, Problem: p})
}

var errOtherForm = errors.New("the policy is not in the form that the default view can change: use the policy view")

// parsePolicy reads a policy for the default view.
func parsePolicy(text string) (*keypolicy.Policy, error) {
	p, err := keypolicy.Parse(text)
	return p, otherForm(err)
}

// otherForm sends the user to the policy view where the editor does not edit.
func otherForm(err error) error {
	if errors.Is(err, keypolicy.ErrForm) || errors.Is(err, keypolicy.ErrTooLarge) {
		return fmt.Errorf("%w (%w)", errOtherForm, err)
	}
	return err
}

// diffLine is a line of a difference.
type diffLine = keypolicy.Line

func added(text string) diffLine { return diffLine{Kind: keypolicy.Added, Text: "+ " + text} }

func removed(text string) diffLine { return diffLine{Kind: keypolicy.Removed, Text: "- " + text} }
