// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/fault"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/tablechange"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/tabledraft"
	"github.com/ddbseal/ddbseal/labsetup"
)

// encryptionView is the choice among DynamoDB's three keys.
type encryptionView struct {
	tabledraft.Encryption
	Options []optionView
	Keys    []keyChoice
	Faults  fault.List
}

// optionView is an option with links to the steps of the lab that prove it.
type optionView struct {
	tabledraft.Option
	Links []stepLink
}

type stepLink struct{ Title, Path string }

// keyChoice is a key under which a table can be.
type keyChoice struct{ ARN, Name string }

// choice prepares the options for a form.
func (c *Console) choice(ctx context.Context, s *session, e tabledraft.Encryption, faults fault.List) encryptionView {
	v := encryptionView{Encryption: e, Keys: s.customerKeys(ctx), Faults: faults}
	steps := c.labSteps(s)
	for _, o := range tabledraft.Options() {
		x := optionView{Option: o}
		for _, id := range o.Checks {
			if link, ok := steps[id]; ok {
				x.Links = append(x.Links, link)
			}
		}
		v.Options = append(v.Options, x)
	}
	return v
}

// labSteps are links to the steps of the lab, by ID.
func (c *Console) labSteps(s *session) map[string]stepLink {
	out := map[string]stepLink{}
	lab, err := labsetup.New(c.labConfig(s))
	if err != nil {
		return out
	}
	for i, step := range lab.Plan() {
		out[step.ID] = stepLink{step.Title + ": " + step.Expected, "/lab#step-" + strconv.Itoa(i+1)}
	}
	return out
}

// customerKeys are the keys that the user can list and that a table can be under.
func (s *session) customerKeys(ctx context.Context) (out []keyChoice) {
	aliases := s.aliases(ctx)
	pages := kms.NewListKeysPaginator(s.kms, &kms.ListKeysInput{})
	for pages.HasMorePages() && len(out) < maxCandidates {
		keys, err := pages.NextPage(ctx)
		if err != nil {
			return out // the user can still write the ARN of a key
		}
		for _, k := range keys.Keys {
			d, err := s.kms.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: k.KeyId})
			if err != nil {
				continue
			}
			m := d.KeyMetadata
			if m.KeyManager != types.KeyManagerTypeCustomer || m.KeyState != types.KeyStateEnabled ||
				m.KeySpec != types.KeySpecSymmetricDefault {
				continue
			}
			name := aliases[aws.ToString(m.KeyId)]
			if name == "" {
				name = aws.ToString(m.KeyId)
			}
			out = append(out, keyChoice{aws.ToString(m.Arn), name})
		}
	}
	return out
}

// keyIDOf is the ID of a key in its ARN.
func keyIDOf(arn string) string {
	_, id, _ := strings.Cut(arn, ":key/")
	return id
}

// manageView is the page on which a table changes its key.
type manageView struct {
	Name    string
	Now     tabledraft.Encryption
	NowText string
	NowLink string // to the key
	Choice  encryptionView
	Faults  fault.List
	Problem *problem
	Changes []*change
}

func (c *Console) encryptionPage(w http.ResponseWriter, r *http.Request, s *session) {
	c.showEncryption(w, r, s, manageView{Name: r.PathValue("name")}, nil)
}

// showEncryption shows the form with what the user chose, or with what is current.
func (c *Console) showEncryption(w http.ResponseWriter, r *http.Request, s *session, v manageView,
	chosen *tabledraft.Encryption) {
	ctx := r.Context()
	t, err := tablechange.Describe(ctx, s.ddb, v.Name)
	if err != nil {
		c.failed(w, r, s, "tables", "Manage encryption", err)
		return
	}
	v.Now = s.currentKey(ctx, t)
	v.NowText = s.encryptionText(ctx, v.Now)
	if v.Now.Key != "" {
		v.NowLink = "/keys/" + url.PathEscape(keyIDOf(v.Now.Key))
	}
	if chosen == nil {
		chosen = &v.Now
	}
	v.Choice, v.Changes = c.choice(ctx, s, *chosen, v.Faults), s.changesOf(tableKey(v.Name))
	c.render(w, r, s, v.Problem.status(), "encryption", page{Title: "Manage encryption", Section: "tables", Body: v})
}

// encryptionText names a choice, by the key's alias if the user can see one.
func (s *session) encryptionText(ctx context.Context, e tabledraft.Encryption) string {
	return e.Text(s.aliases(ctx)[keyIDOf(e.Key)])
}

// changeEncryption puts a table under the key of the form.
func (c *Console) changeEncryption(w http.ResponseWriter, r *http.Request, s *session) {
	ctx, name, chosen := r.Context(), r.PathValue("name"), tabledraft.EncryptionForm(r.PostForm)
	v := manageView{Name: name, Faults: chosen.Check()}
	t, err := tablechange.Describe(ctx, s.ddb, name)
	if err != nil {
		c.failed(w, r, s, "tables", "Manage encryption", err)
		return
	}
	now := s.currentKey(ctx, t)
	if len(v.Faults) == 0 && now.Same(chosen) {
		v.Faults.Add("encryption", "the table is under this key already")
	}
	if len(v.Faults) > 0 {
		c.showEncryption(w, r, s, v, &chosen)
		return
	}
	put := func(ctx context.Context, e tabledraft.Encryption) error {
		return tablechange.Encrypt(ctx, s.ddb, name, e.Specification())
	}
	if err := put(ctx, chosen); err != nil {
		v.Problem = c.explain(s, err)
		c.showEncryption(w, r, s, v, &chosen)
		return
	}
	written := chosen
	if t, err := tablechange.Describe(ctx, s.ddb, name); err == nil {
		written = s.currentKey(ctx, t) // with the ARN of a key that was typed as an alias
	}
	text := s.encryptionText(ctx, written)
	s.note(change{Key: tableKey(name), Table: name, Title: "Encryption of " + name + " changed",
		Diff: stateDiff(s.encryptionText(ctx, now), text),
		undo: func(ctx context.Context) error {
			t, err := tablechange.Describe(ctx, s.ddb, name)
			if err != nil {
				return err
			}
			if !s.currentKey(ctx, t).Same(written) {
				return inputError("the table has been put under another key since")
			}
			return put(ctx, now)
		}})
	s.say("The table " + name + " is now under the " + text + ".")
	c.redirect(w, r, "/tables/encryption/"+url.PathEscape(name))
}
