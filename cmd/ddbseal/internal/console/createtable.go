package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/fault"
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
	if _, err := s.ddb.CreateTable(r.Context(), v.Input()); err != nil {
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
	if !s.settles(r.Context(), v.Name, isActive) {
		said += " It takes a while until it can be used."
	}
	s.say(said)
	c.redirect(w, r, "/tables?left="+url.QueryEscape(v.Name))
}

// How long a request waits for a table, and how often it looks.
const (
	settleWait  = 40 * time.Second
	settleFirst = 50 * time.Millisecond
	settleMost  = 2 * time.Second
)

// settles reports whether a table became what ok asks for while the request
// waits.
func (s *session) settles(ctx context.Context, name string, ok func(*types.TableDescription) bool) bool {
	return wait(ctx, func(ctx context.Context) bool {
		out, err := s.ddb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		return err == nil && ok(out.Table)
	})
}

// wait asks until ok holds, for settleWait at most, and reports whether it did.
func wait(ctx context.Context, ok func(context.Context) bool) bool {
	ctx, cancel := context.WithTimeout(ctx, settleWait)
	defer cancel()
	for pause := settleFirst; ; pause = min(2*pause, settleMost) {
		if ok(ctx) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
		}
	}
}

func isActive(t *types.TableDescription) bool { return t.TableStatus == types.TableStatusActive }

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
	if s.aliases(ctx)[keyIDOf(now.Key)] == "alias/aws/dynamodb" {
		return now.AsManaged(now.Key)
	}
	return now
}

// describeTable is DescribeTable.
func (s *session) describeTable(ctx context.Context, name string) (*types.TableDescription, error) {
	out, err := s.ddb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)})
	if err != nil {
		return nil, err
	}
	return out.Table, nil
}
