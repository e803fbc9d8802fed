package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/ddbseal/ddbseal/labsetup"
)

// Statements of the console's default view, by their Sid.
const (
	sidAdministrators = "Allow access for Key Administrators"
	sidUsers          = "Allow use of the key"
	sidAttachment     = "Allow attachment of persistent resources"
)

// keyPolicy is a policy with the members that key policies have; another one
// is an error when it is read, so that nothing gets lost in a change.
type keyPolicy struct {
	Version   string      `json:"Version"`
	ID        string      `json:"Id,omitempty"`
	Statement []statement `json:"Statement"`
}

type statement struct {
	Sid          string          `json:"Sid,omitempty"`
	Effect       string          `json:"Effect"`
	Principal    json.RawMessage `json:"Principal,omitempty"`
	NotPrincipal json.RawMessage `json:"NotPrincipal,omitempty"`
	Action       json.RawMessage `json:"Action,omitempty"`
	NotAction    json.RawMessage `json:"NotAction,omitempty"`
	Resource     json.RawMessage `json:"Resource,omitempty"`
	NotResource  json.RawMessage `json:"NotResource,omitempty"`
	Condition    json.RawMessage `json:"Condition,omitempty"`
}

var errOtherForm = errors.New("the policy is not in the form that the default view can change: use the policy view")

func parsePolicy(text string) (*keyPolicy, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	p := &keyPolicy{}
	if err := d.Decode(p); err != nil {
		return nil, fmt.Errorf("%w (%w)", errOtherForm, err)
	}
	return p, nil
}

// text is the policy in one fixed layout.
func (p *keyPolicy) text() (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(p)
	return b.String(), err
}

// layout gives any policy text in the layout that differences are taken of.
func layout(text string) string {
	if p, err := parsePolicy(text); err == nil {
		if out, err := p.text(); err == nil {
			return out
		}
	}
	var b bytes.Buffer
	if json.Indent(&b, []byte(text), "", "  ") != nil {
		return text
	}
	return b.String() + "\n"
}

func (p *keyPolicy) find(sid string) int {
	return slices.IndexFunc(p.Statement, func(s statement) bool { return s.Sid == sid })
}

// names are the principals of a statement; ok is false for one that names
// others than ARNs of AWS.
func (s *statement) names() (arns []string, ok bool) {
	var by map[string]json.RawMessage
	if json.Unmarshal(s.Principal, &by) != nil || len(by) != 1 || by["AWS"] == nil {
		return nil, false
	}
	var one string
	if json.Unmarshal(by["AWS"], &one) == nil {
		return []string{one}, true
	}
	return arns, json.Unmarshal(by["AWS"], &arns) == nil
}

func (s *statement) setNames(arns []string) error {
	var value any = arns
	if len(arns) == 1 {
		value = arns[0] // as KMS returns it
	}
	text, err := json.Marshal(map[string]any{"AWS": value})
	s.Principal = text
	return err
}

// principals are those that the default view lists under a Sid.
func (p *keyPolicy) principals(sid string) []string {
	if i := p.find(sid); i >= 0 {
		names, _ := p.Statement[i].names()
		return names
	}
	return nil
}

// add names the principal in each statement; one that is missing is made as
// the KMS console makes it.
func (p *keyPolicy) add(account, arn string, sids ...string) error {
	for _, sid := range sids {
		i := p.find(sid)
		if i < 0 {
			model, err := parsePolicy(labsetup.ConsolePolicy(account, []string{arn}, []string{arn}))
			if err != nil {
				return err
			}
			p.Statement = append(p.Statement, model.Statement[model.find(sid)])
			continue
		}
		names, ok := p.Statement[i].names()
		if !ok {
			return errOtherForm
		}
		if slices.Contains(names, arn) {
			continue
		}
		if err := p.Statement[i].setNames(append(names, arn)); err != nil {
			return err
		}
	}
	return nil
}

// remove takes the principal out of each statement; one that would name nobody
// goes.
func (p *keyPolicy) remove(arn string, sids ...string) error {
	for _, sid := range sids {
		i := p.find(sid)
		if i < 0 {
			continue
		}
		names, ok := p.Statement[i].names()
		if !ok {
			return errOtherForm
		}
		names = slices.DeleteFunc(names, func(n string) bool { return n == arn })
		if len(names) == 0 {
			p.Statement = slices.Delete(p.Statement, i, i+1)
			continue
		}
		if err := p.Statement[i].setNames(names); err != nil {
			return err
		}
	}
	return nil
}

// diffLine is a line of a difference.
type diffLine struct {
	Kind string // "add", "remove", "same"
	Text string
}

// difference compares two texts line by line.
func difference(before, after string) []diffLine {
	var out []diffLine
	for line := range strings.Lines(udiff.Unified("before", "after", before, after)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "--- "), strings.HasPrefix(line, "+++ "), strings.HasPrefix(line, "\\"):
		case strings.HasPrefix(line, "+"):
			out = append(out, diffLine{"add", line})
		case strings.HasPrefix(line, "-"):
			out = append(out, diffLine{"remove", line})
		default:
			out = append(out, diffLine{"same", line})
		}
	}
	return out
}
