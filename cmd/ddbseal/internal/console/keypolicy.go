package console

import (
	"errors"
	"fmt"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
)

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
