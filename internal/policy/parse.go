// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/internal/jsontree"
)

// ParseError says why a document is refused. Reason is the message AWS gives
// with MalformedPolicyDocument (KMS: MalformedPolicyDocumentException); Detail
// says where and what, which AWS does not.
type ParseError struct {
	Reason string
	Detail string
	// Principal says that the fault is the form of a principal.
	Principal bool
}

func (e *ParseError) Error() string {
	if e.Detail == "" {
		return e.Reason
	}
	return e.Reason + " (" + e.Detail + ")"
}

const (
	reasonSyntax    = "Syntax errors in policy."
	reasonJSON      = "This policy contains invalid Json" // of the policy of a role or a resource
	reasonEmpty     = "Could not parse the policy: Statement is empty!"
	reasonNoAction  = "Policy statement must contain actions."
	reasonPrincipal = "Policy document should not specify a principal."
	reasonKMS       = "Policy contains a statement with one or more invalid principals."
)

func syntaxError(format string, args ...any) error {
	return &ParseError{Reason: reasonSyntax, Detail: fmt.Sprintf(format, args...)}
}

// quote writes s as a JSON string.
func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil { // not for strings
		panic(err)
	}
	return string(b)
}

// Parse reads and compiles a document, of at most 131,072 bytes and ten levels.
// Every error is a *ParseError. The limits of IAM and KMS on a document's size
// are smaller and those services' own.
func Parse(text []byte, kind Kind) (*Document, error) {
	if kind < Identity || kind > Resource {
		return nil, syntaxError("kind of policy not given")
	}
	root, err := jsontree.Parse(text)
	if err != nil && (kind == Trust || kind == Resource) {
		return nil, &ParseError{Reason: reasonJSON, Detail: err.Error()}
	}
	if err != nil {
		return nil, syntaxError("%v", err)
	}
	if root.Kind != jsontree.Object {
		return nil, syntaxError("document is not an object")
	}
	d := &Document{Version: "2008-10-17", kind: kind, text: string(text)}
	var statements *jsontree.Node
	for i, name := range root.Names {
		v := &root.Items[i]
		switch name {
		case "Version":
			if v.Kind != jsontree.String || v.Text != "2012-10-17" && v.Text != "2008-10-17" {
				return nil, syntaxError("Version is neither 2012-10-17 nor 2008-10-17")
			}
			d.Version = v.Text
		case "Id":
			if v.Kind != jsontree.String {
				return nil, syntaxError("Id is not a string")
			}
			d.ID = v.Text
		case "Statement":
			statements = v
		default:
			return nil, syntaxError("unknown element %.64q", name)
		}
	}
	var list []jsontree.Node
	switch {
	case statements == nil:
	case statements.Kind == jsontree.Array:
		list = statements.Items
	default:
		list = []jsontree.Node{*statements}
	}
	switch {
	case len(list) > 0:
	case kind == Resource:
		return nil, &ParseError{Reason: reasonEmpty, Detail: "no Statement"}
	default:
		return nil, syntaxError("no Statement")
	}
	p := parser{kind: kind, variables: d.Version == "2012-10-17", sids: map[string]bool{}}
	d.Statements = make([]Statement, len(list))
	for i := range list {
		p.where = fmt.Sprintf("Statement %d", i+1)
		if d.Statements[i], err = p.statement(&list[i]); err != nil {
			return nil, err
		}
	}
	d.setDynamic()
	return d, nil
}

// parser has what the statements of one document share.
type parser struct {
	kind      Kind
	variables bool
	sids      map[string]bool
	where     string
}

func (p *parser) fail(reason, format string, args ...any) error {
	return &ParseError{Reason: reason, Detail: p.where + ": " + fmt.Sprintf(format, args...)}
}

func (p *parser) statement(n *jsontree.Node) (s Statement, err error) {
	if n.Kind != jsontree.Object {
		return s, p.fail(reasonSyntax, "is not an object")
	}
	s.trust = p.kind == Trust
	has := func(name string) bool { return slices.Contains(n.Names, name) }
	for _, name := range []string{"Principal", "Action", "Resource"} {
		if has(name) && has("Not"+name) {
			return s, p.fail(reasonSyntax, "both %s and Not%s", name, name)
		}
	}
	for i, name := range n.Names {
		v := &n.Items[i]
		switch name {
		case "Sid":
			err = p.sid(&s, v)
		case "Effect":
			switch {
			case v.Kind == jsontree.String && v.Text == "Allow":
				s.Effect = Allow
			case v.Kind == jsontree.String && v.Text == "Deny":
				s.Effect = Deny
			default:
				err = p.fail(reasonSyntax, "Effect is neither Allow nor Deny")
			}
		case "Principal", "NotPrincipal":
			s.NotPrincipal = name == "NotPrincipal"
			err = p.principals(&s, name, v)
		case "Action", "NotAction":
			s.NotAction = name == "NotAction"
			err = p.actions(&s, name, v)
		case "Resource", "NotResource":
			s.NotResource = name == "NotResource"
			err = p.resources(&s, name, v)
		case "Condition":
			err = p.conditions(&s, v)
		default:
			err = p.fail(reasonSyntax, "unknown element %.64q", name)
		}
		if err != nil {
			return s, err
		}
	}
	return s, p.complete(&s)
}

// complete checks what a statement of this kind must have.
func (p *parser) complete(s *Statement) error {
	if s.Effect == 0 {
		if p.kind == Trust || p.kind == Resource {
			return p.fail("Missing required field Effect", "no Effect")
		}
		return p.fail(reasonSyntax, "no Effect")
	}
	switch p.kind {
	case Trust, Resource:
		if len(s.Principals) == 0 {
			return p.fail("Missing required field Principal", "no Principal")
		}
		if len(s.Actions) == 0 {
			return p.fail("Missing required field Action", "no Action")
		}
		if p.kind == Resource && len(s.Resources) == 0 {
			return p.fail("Missing required field Resource", "no Resource")
		}
	case KeyPolicy:
		// KMS takes a statement without Action or Resource; it has no effect.
		if len(s.Principals) == 0 {
			return p.fail(reasonKMS, "no Principal")
		}
	default:
		if len(s.Actions) == 0 {
			return p.fail(reasonNoAction, "neither Action nor NotAction")
		}
		if len(s.Resources) == 0 {
			return p.fail("Policy statement must contain resources.", "neither Resource nor NotResource")
		}
	}
	return nil
}

func (p *parser) sid(s *Statement, v *jsontree.Node) error {
	if v.Kind != jsontree.String {
		return p.fail(reasonSyntax, "Sid is not a string")
	}
	s.Sid = v.Text
	if p.kind == KeyPolicy || s.Sid == "" {
		return nil // KMS takes blanks, as the console's own policy has them
	}
	if p.kind == Resource {
		if p.sids[s.Sid] {
			return p.fail("The Statement Ids in the policy are not unique", "Sid %.64q again", s.Sid)
		}
		p.sids[s.Sid] = true
		return nil
	}
	for i := range len(s.Sid) {
		if c := s.Sid[i]; !alphanumeric(c) {
			return p.fail("Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular "+
				"expression [0-9A-Za-z]*", "Sid %.64q", s.Sid)
		}
	}
	if p.sids[s.Sid] {
		return p.fail("Statement IDs (SID) in a single policy must be unique.", "Sid %.64q again", s.Sid)
	}
	p.sids[s.Sid] = true
	return nil
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// list reads one string or an array of them.
func (p *parser) list(name string, v *jsontree.Node) ([]string, error) {
	if v.Kind == jsontree.String {
		return []string{v.Text}, nil
	}
	if v.Kind != jsontree.Array {
		return nil, p.fail(reasonSyntax, "%s is neither string nor array", name)
	}
	all := make([]string, len(v.Items))
	for i := range v.Items {
		if v.Items[i].Kind != jsontree.String {
			return nil, p.fail(reasonSyntax, "%s has a value that is not a string", name)
		}
		all[i] = v.Items[i].Text
	}
	return all, nil
}

func (p *parser) actions(s *Statement, name string, v *jsontree.Node) (err error) {
	if s.Actions, err = p.list(name, v); err != nil {
		return err
	}
	for _, a := range s.Actions {
		vendor, rest, ok := strings.Cut(a, ":")
		switch {
		case a == "*":
		case !ok || vendor == "":
			return p.fail("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.", "%s %.64q",
				name, a)
		case strings.Contains(rest, ":"):
			return p.fail("Actions/Condition can contain only one colon.", "%s %.64q", name, a)
		case rest == "" || vendor != "*" &&
			strings.Trim(strings.ToLower(vendor), "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
			return p.fail(fmt.Sprintf("Vendor %.64s is not valid", vendor), "%s %.64q", name, a)
		}
		if p.kind == Trust && !strings.EqualFold(vendor, "sts") {
			return p.fail("AssumeRole policy may only specify STS AssumeRole actions.", "%s %.64q", name, a)
		}
		c, err := compile(a, syntax{wildcards: true, fold: true})
		if err != nil {
			return p.fail(reasonSyntax, "%s: %v", name, err)
		}
		s.actions = append(s.actions, c)
	}
	return nil
}

func (p *parser) resources(s *Statement, name string, v *jsontree.Node) (err error) {
	if p.kind == Trust {
		return p.fail("Has prohibited field Resource", "%s", name)
	}
	if s.Resources, err = p.list(name, v); err != nil {
		return err
	}
	for _, r := range s.Resources {
		if r != "*" && !strings.HasPrefix(r, "arn:") {
			return p.fail(fmt.Sprintf("Resource %.256s must be in ARN format or \"*\".", r), "%s", name)
		}
		c, err := compile(r, syntax{wildcards: true, variables: p.variables})
		if err != nil {
			return p.fail(reasonSyntax, "%s: %v", name, err)
		}
		// A variable may stand only in the last part of an ARN.
		if i := strings.Index(r, "${"); c.kind == patternTemplate && strings.Count(r[:i], ":") < 5 {
			c.kind = patternNever
		}
		s.resources = append(s.resources, c)
	}
	return nil
}

func (p *parser) conditions(s *Statement, v *jsontree.Node) error {
	if v.Kind != jsontree.Object {
		return p.fail(reasonSyntax, "Condition is not an object")
	}
	for i, operator := range v.Names {
		if _, ok := parseOperator(operator); !ok {
			return p.fail(fmt.Sprintf("Invalid Condition type : %.64s", operator), "Condition")
		}
		block := &v.Items[i]
		if block.Kind != jsontree.Object {
			return p.fail(reasonSyntax, "%s is not an object", operator)
		}
		for j, key := range block.Names {
			if !strings.Contains(key, ":") {
				return p.fail("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
					"condition key %.64q", key)
			}
			values, err := p.scalars(key, &block.Items[j])
			if err != nil {
				return err
			}
			c, err := newCondition(operator, key, values, p.variables)
			if err != nil {
				return p.fail(reasonSyntax, "condition key %.64q: %v", key, err)
			}
			s.Conditions = append(s.Conditions, c)
		}
	}
	return nil
}

// scalars reads the values of a condition: strings, numbers and booleans, one
// or an array of them.
func (p *parser) scalars(key string, v *jsontree.Node) ([]string, error) {
	list := []jsontree.Node{*v}
	if v.Kind == jsontree.Array {
		list = v.Items
	}
	all := make([]string, len(list))
	for i := range list {
		if n := &list[i]; n.Kind != jsontree.String && n.Kind != jsontree.Scalar || n.Kind == jsontree.Scalar &&
			n.Text == "null" {
			return nil, p.fail(reasonSyntax, "condition key %.64q has a value that is not a string, number or boolean",
				key)
		}
		all[i] = list[i].Text
	}
	return all, nil
}
