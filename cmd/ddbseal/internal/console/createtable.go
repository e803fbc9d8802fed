// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/fault"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/tablechange"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/tabledraft"
)

// createTableView is the form that creates a table.
type createTableView struct {
	tabledraft.Draft
	Choice  encryptionView
	Faults  fault.List
	Problem *problem
}

func (c *Console) createTablePage(w http.ResponseWriter, r *http.Request, s *session) {
	c.showCreateTable(w, r, s, createTableView{Draft: tabledraft.New()})
}

func (c *Console) showCreateTable(w http.ResponseWriter, r *http.Request, s *session, v createTableView) {
	v.Choice = c.choice(r.Context(), s, v.Draft.Encryption, v.Faults)
	c.render(w, r, s, v.Problem.status(), "createtable", page{Title: "Create table", Section: "tables", Body: v})
}

// createTable creates the table of the form as the user, and waits until it can
// be used.
func (c *Console) createTable(w http.ResponseWriter, r *http.Request, s *session) {
	v := createTableView{Draft: tabledraft.Form(r.PostForm)}
	if v.Faults = v.Draft.Check(); len(v.Faults) > 0 {
		c.showCreateTable(w, r, s, v)
		return
	}
	ready, err := tablechange.Create(r.Context(), s.ddb, v.Input())
	if err != nil {
		if sessionOver(errorCode(err)) {
			c.failed(w, r, s, "tables", "Create table", err)
			return
		}
		v.Problem = c.explain(s, err)
		if v.Problem.Code == "ResourceInUseException" {
			v.Faults.Add("name", "a table has this name already: choose another")
		}
		c.showCreateTable(w, r, s, v)
		return
	}
	said := "The table " + v.Name + " was created."
	if !ready {
		said += " It takes a while until it can be used."
	}
	s.say(said)
	c.redirect(w, r, "/tables?left="+url.QueryEscape(v.Name))
}

// tableKey is the place of a table's changes in session.changes.
func tableKey(name string) string { return "table/" + name }

// changeList are changes of tables with what their forms need.
type changeList struct {
	Changes []*change
	CSRF    string
}

// ChangeList is for the template of changes.
func (v tablesView) ChangeList(csrf string) changeList { return changeList{v.Changes, csrf} }

// ChangeList is for the template of changes.
func (v manageView) ChangeList(csrf string) changeList { return changeList{v.Changes, csrf} }

// undoTable takes back a change of a table.
func (c *Console) undoTable(w http.ResponseWriter, r *http.Request, s *session) {
	err := s.undo(r.Context(), r.PostForm.Get("change"))
	var input inputError
	switch {
	case errors.As(err, &input):
		s.say("Nothing was changed: " + err.Error() + ".")
	case err != nil:
		c.failed(w, r, s, "tables", "The change was refused", err)
		return
	}
	c.redirect(w, r, "/tables?left="+url.QueryEscape(r.PostForm.Get("table")))
}

// currentKey is the key under which a table is.
func (s *session) currentKey(ctx context.Context, t *types.TableDescription) tabledraft.Encryption {
	now := tabledraft.Current(t)
	if now.Key == "" {
		return now
	}
	if d, err := s.kms.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &now.Key}); err == nil {
		if d.KeyMetadata.KeyManager == kmstypes.KeyManagerTypeAws {
			return now.AsManaged(now.Key)
		}
		return now
	}
	if s.aliases(ctx)[keyIDOf(now.Key)] == "alias/aws/dynamodb" {
		return now.AsManaged(now.Key)
	}
	return now
}
