// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/denial"
	"github.com/ddbseal/ddbseal/internal/keypolicy"
)

// keyRow is one key of the list.
type keyRow struct {
	ID, Alias, Description, State, Manager string
	Problem                                *problem // it cannot be described
}

type keysView struct {
	Keys    []keyRow
	Problem *problem
	Fixed   bool // nothing can be changed here
}

func (c *Console) keysPage(w http.ResponseWriter, r *http.Request, s *session) {
	v := keysView{Fixed: c.readOnly()}
	aliases := s.aliases(r.Context())
	pages := kms.NewListKeysPaginator(s.kms, &kms.ListKeysInput{})
	for pages.HasMorePages() {
		out, err := pages.NextPage(r.Context())
		if err != nil {
			if sessionOver(errorCode(err)) {
				c.failed(w, r, s, "keys", "Keys", err)
				return
			}
			v.Problem = c.explain(s, err)
			break
		}
		for _, k := range out.Keys {
			id := aws.ToString(k.KeyId)
			row := keyRow{ID: id, Alias: aliases[id]}
			if d, err := s.kms.DescribeKey(r.Context(), &kms.DescribeKeyInput{KeyId: &id}); err != nil {
				row.Problem = c.explain(s, err)
			} else {
				m := d.KeyMetadata
				row.Description, row.State, row.Manager = aws.ToString(m.Description), stateText(m),
					string(m.KeyManager)
			}
			v.Keys = append(v.Keys, row)
		}
	}
	// A user who may not list keys may still be allowed to look at some.
	if v.Problem != nil {
		for id, alias := range aliases {
			v.Keys = append(v.Keys, keyRow{ID: id, Alias: alias})
		}
		slices.SortFunc(v.Keys, func(a, b keyRow) int { return strings.Compare(a.Alias, b.Alias) })
	}
	c.render(w, r, s, http.StatusOK, "keys", page{Title: "Keys", Section: "keys", Body: v})
}

// aliases are the aliases that the user may list, by key id.
func (s *session) aliases(ctx context.Context) map[string]string {
	out := map[string]string{}
	pages := kms.NewListAliasesPaginator(s.kms, &kms.ListAliasesInput{})
	for pages.HasMorePages() {
		p, err := pages.NextPage(ctx)
		if err != nil {
			return out
		}
		for _, a := range p.Aliases {
			if a.TargetKeyId != nil {
				out[*a.TargetKeyId] = aws.ToString(a.AliasName)
			}
		}
	}
	return out
}

func stateText(m *types.KeyMetadata) string {
	if m.KeyState == types.KeyStatePendingDeletion && m.DeletionDate != nil {
		return "Pending deletion until " + m.DeletionDate.UTC().Format("2 January 2006")
	}
	return string(m.KeyState)
}

// keyView is one key; what the user may not see is a problem in its place.
type keyView struct {
	ID, ARN, Alias, Description string
	State                       string
	Pending, Enabled, Disabled  bool
	AWSManaged                  bool
	Fixed                       bool // nothing can be changed here
	PolicyView                  bool // else the default view
	Refused                     *refusedPolicy

	Denied         *problem // of policy, grants and rotation at once
	Policy         string
	PolicyProblem  *problem
	OtherForm      bool // the default view cannot show the policy
	Administrators []personView
	Users          []personView
	Candidates     []string // ARNs that could be added

	Grants        []grantView
	GrantsProblem *problem
	GrantChoices  []string

	Rotates         string // "on", "off" or ""
	Rotations       int
	RotationProblem *problem

	Changes []*change
}

type personView struct {
	ARN, Name string
	Self      bool
}

type grantView struct {
	ID, Name, Grantee, Operations, Context string
}

// grantChoices are the operations that a grant for a table's data can need.
func grantChoices() []string {
	return []string{"Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom",
		"ReEncryptTo", "DescribeKey"}
}

func (c *Console) keyPage(w http.ResponseWriter, r *http.Request, s *session) {
	c.showKey(w, r, s, http.StatusOK, nil)
}

// showKey shows a key, with the edit of its policy that was refused, if there is one.
func (c *Console) showKey(w http.ResponseWriter, r *http.Request, s *session, status int, refused *refusedPolicy) {
	id := r.PathValue("id")
	ctx := r.Context()
	d, err := s.kms.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &id})
	if err != nil {
		c.failed(w, r, s, "keys", "Key "+id, err)
		return
	}
	m := d.KeyMetadata
	id = aws.ToString(m.KeyId)
	v := keyView{ID: id, ARN: aws.ToString(m.Arn), Alias: s.aliases(ctx)[id], Description: aws.ToString(m.Description),
		State:   stateText(m),
		Pending: m.KeyState == types.KeyStatePendingDeletion, Enabled: m.KeyState == types.KeyStateEnabled,
		Disabled:   m.KeyState == types.KeyStateDisabled,
		AWSManaged: m.KeyManager == types.KeyManagerTypeAws,
		Fixed:      m.KeyManager == types.KeyManagerTypeAws || c.readOnly(),
		PolicyView: refused != nil || r.URL.Query().Get("view") == "policy", Refused: refused,
		GrantChoices: grantChoices()}
	c.fillPolicy(ctx, s, &v)
	c.fillGrants(ctx, s, &v)
	c.fillRotation(ctx, s, &v)
	if v.Denied = s.together(v.PolicyProblem, v.GrantsProblem, v.RotationProblem); v.Denied != nil {
		v.Denied.ID = "denied"
	}
	problems := []*problem{v.Denied, v.PolicyProblem, v.GrantsProblem, v.RotationProblem}
	if refused != nil {
		problems = append(problems, refused.Problem)
	}
	for _, p := range problems {
		if p != nil && p.Cure != nil && p.Cure.KeyLink == "/keys/"+id {
			p.Cure.KeyLink = "" // is this page
		}
	}
	v.Changes = s.changesOf(id)
	title := v.Alias
	if title == "" {
		title = "Key " + id
	}
	c.render(w, r, s, status, "key", page{Title: title, Section: "keys", Body: v})
}

func (c *Console) fillPolicy(ctx context.Context, s *session, v *keyView) {
	text, err := s.policyText(ctx, v.ID)
	if err != nil {
		v.PolicyProblem = c.explain(s, err)
		return
	}
	v.Policy = keypolicy.Layout(text)
	p, err := parsePolicy(text)
	if err != nil {
		v.OtherForm = true
		return
	}
	people := func(sid string) (out []personView) {
		for _, arn := range p.Principals(sid) {
			out = append(out, personView{arn, shortARN(arn), arn == s.arn})
		}
		return out
	}
	v.Administrators, v.Users = people(keypolicy.SidAdministrators), people(keypolicy.SidUsers)
	v.Candidates = s.candidates(ctx)
}

// shortARN is the part of an ARN that people know.
func shortARN(arn string) string {
	if i := strings.LastIndexByte(arn, ':'); i >= 0 {
		return arn[i+1:]
	}
	return arn
}

func (s *session) policyText(ctx context.Context, id string) (string, error) {
	out, err := s.kms.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &id, PolicyName: aws.String("default")})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.Policy), nil
}

const maxCandidates = 100

// candidates are the users and roles that the user may list.
func (s *session) candidates(ctx context.Context) []string {
	var out []string
	if users, err := s.iam.ListUsers(ctx, &iam.ListUsersInput{MaxItems: aws.Int32(maxCandidates)}); err == nil {
		for _, u := range users.Users {
			out = append(out, aws.ToString(u.Arn))
		}
	}
	if roles, err := s.iam.ListRoles(ctx, &iam.ListRolesInput{MaxItems: aws.Int32(maxCandidates)}); err == nil {
		for _, role := range roles.Roles {
			out = append(out, aws.ToString(role.Arn))
		}
	}
	return out
}

func (c *Console) fillGrants(ctx context.Context, s *session, v *keyView) {
	pages := kms.NewListGrantsPaginator(s.kms, &kms.ListGrantsInput{KeyId: &v.ID})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			v.GrantsProblem = c.explain(s, err)
			return
		}
		for i := range out.Grants {
			v.Grants = append(v.Grants, viewGrant(&out.Grants[i]))
		}
	}
}

func viewGrant(g *types.GrantListEntry) grantView {
	v := grantView{ID: aws.ToString(g.GrantId), Name: aws.ToString(g.Name),
		Grantee: shortARN(aws.ToString(g.GranteePrincipal)), Context: contextText(g.Constraints)}
	var ops []string
	for _, o := range g.Operations {
		ops = append(ops, string(o))
	}
	v.Operations = strings.Join(ops, ", ")
	return v
}

func contextText(g *types.GrantConstraints) string {
	if g == nil {
		return ""
	}
	var parts []string
	for k, x := range g.EncryptionContextEquals {
		parts = append(parts, k+" = "+x)
	}
	for k, x := range g.EncryptionContextSubset {
		parts = append(parts, k+" = "+x+" (and others)")
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func (c *Console) fillRotation(ctx context.Context, s *session, v *keyView) {
	out, err := s.kms.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: &v.ID})
	if err != nil {
		var unsupported *types.UnsupportedOperationException
		if !errors.As(err, &unsupported) {
			v.RotationProblem = c.explain(s, err)
		}
		return
	}
	v.Rotates = "off"
	if out.KeyRotationEnabled {
		v.Rotates = "on"
	}
	if list, err := s.kms.ListKeyRotations(ctx, &kms.ListKeyRotationsInput{KeyId: &v.ID}); err == nil {
		v.Rotations = len(list.Rotations)
	}
}

// Part is what a part of the page shows of its problem: a place above, where one
// panel stands for several.
func (v keyView) Part(p *problem) *problem {
	if p != nil && v.Denied != nil {
		return &problem{denial.Problem{Above: v.Denied.ID}}
	}
	return p
}

// peopleView is the list of key users or administrators with its forms.
type peopleView struct {
	ID, CSRF, Role, Label, Title string
	List                         []personView
	Candidates                   []personView
	Fixed                        bool
}

// People makes the list for a role of the default view.
func (v keyView) People(role, csrf string) peopleView {
	p := peopleView{ID: v.ID, CSRF: csrf, Role: role, Label: "key user", Title: "Add a key user", List: v.Users,
		Fixed: v.Fixed}
	if role == "administrator" {
		p.Label, p.Title, p.List = "key administrator", "Add a key administrator", v.Administrators
	}
	for _, candidate := range v.CandidateViews() {
		if !slices.ContainsFunc(p.List, func(x personView) bool { return x.ARN == candidate.ARN }) {
			p.Candidates = append(p.Candidates, candidate)
		}
	}
	return p
}

// CandidateViews are the candidates with their short names.
func (v keyView) CandidateViews() (out []personView) {
	for _, arn := range v.Candidates {
		out = append(out, personView{ARN: arn, Name: shortARN(arn)})
	}
	return out
}
