// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/fault"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/tablechange"
)

// deletionWord is what AWS's console has a user type before it deletes a table.
const deletionWord = "confirm"

// deleteTableView is the page that deletes a table.
type deleteTableView struct {
	Name      string
	Items     int64
	Protected bool
	Typed     string // the word
	Backup    bool
	Faults    fault.List
	Problem   *problem
}

func (c *Console) deleteTablePage(w http.ResponseWriter, r *http.Request, s *session) {
	c.showDeleteTable(w, r, s, deleteTableView{Name: r.PathValue("name")})
}

func (c *Console) showDeleteTable(w http.ResponseWriter, r *http.Request, s *session, v deleteTableView) {
	t, err := tablechange.Describe(r.Context(), s.ddb, v.Name)
	if err != nil {
		c.failed(w, r, s, "tables", "Delete table", err)
		return
	}
	v.Items, v.Protected = aws.ToInt64(t.ItemCount), aws.ToBool(t.DeletionProtectionEnabled)
	c.render(w, r, s, v.Problem.status(), "deletetable", page{Title: "Delete table", Section: "tables", Body: v})
}

// deleteTable deletes the table when the word was typed, after a backup when the
// user asks for one. It also turns off the protection from deletion.
func (c *Console) deleteTable(w http.ResponseWriter, r *http.Request, s *session) {
	v := deleteTableView{Name: r.PathValue("name"), Typed: r.PostForm.Get("confirm"),
		Backup: r.PostForm.Get("backup") == "yes"}
	var err error
	switch {
	case r.PostForm.Get("action") == "unprotect":
		if err = tablechange.Protect(r.Context(), s.ddb, v.Name, false); err == nil {
			s.note(change{Key: tableKey(v.Name), Table: v.Name,
				Title: "Deletion protection of " + v.Name + " turned off",
				Diff:  stateDiff("protected from deletion", "not protected from deletion"),
				undo:  func(ctx context.Context) error { return tablechange.Protect(ctx, s.ddb, v.Name, true) }})
			c.redirect(w, r, "/tables/delete/"+url.PathEscape(v.Name))
			return
		}
	case strings.TrimSpace(v.Typed) != deletionWord:
		v.Faults.Add("confirm", "type the word "+deletionWord)
	default:
		if err = s.deleteTable(r.Context(), v.Name, v.Backup); err == nil {
			s.say("The table " + v.Name + " was deleted.")
			c.redirect(w, r, "/tables")
			return
		}
	}
	if sessionOver(errorCode(err)) {
		c.failed(w, r, s, "tables", "Delete table", err)
		return
	}
	v.Problem = c.explain(s, err)
	c.showDeleteTable(w, r, s, v)
}

func (s *session) deleteTable(ctx context.Context, name string, backup bool) error {
	ch := change{Key: tableKey(name), Table: name, Title: "Table " + name + " deleted",
		Diff: []diffLine{removed(name)}, Final: "there is no backup"}
	t, err := tablechange.Describe(ctx, s.ddb, name)
	if err != nil {
		return err
	}
	if aws.ToBool(t.DeletionProtectionEnabled) {
		backup = false // DynamoDB refuses the deletion, and the backup would stay
	}
	if backup {
		arn, err := tablechange.Backup(ctx, s.ddb, name)
		if err != nil {
			return err
		}
		ch.Final, ch.undo = "", func(ctx context.Context) error { return tablechange.Restore(ctx, s.ddb, name, arn) }
	}
	if err := tablechange.Delete(ctx, s.ddb, name); err != nil {
		if backup {
			s.say("The backup was created before the deletion was refused, and stays.")
		}
		return err
	}
	s.note(ch)
	return nil
}

// deleteKeyView is the page that schedules the deletion of a key.
type deleteKeyView struct {
	ID, ARN, Name string
	Days          string
	Understood    bool
	Tables        []string // that become unreadable
	TablesProblem *problem
	Faults        fault.List
	Problem       *problem
}

// defaultDays is the waiting time that AWS proposes, which is the longest one.
const defaultDays = "30"

func (c *Console) deleteKeyPage(w http.ResponseWriter, r *http.Request, s *session) {
	c.showDeleteKey(w, r, s, deleteKeyView{ID: r.PathValue("id"), Days: defaultDays})
}

func (c *Console) showDeleteKey(w http.ResponseWriter, r *http.Request, s *session, v deleteKeyView) {
	ctx := r.Context()
	d, err := s.kms.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &v.ID})
	if err != nil {
		c.failed(w, r, s, "keys", "Schedule key deletion", err)
		return
	}
	v.ID, v.ARN = aws.ToString(d.KeyMetadata.KeyId), aws.ToString(d.KeyMetadata.Arn)
	if v.Name = s.aliases(ctx)[v.ID]; v.Name == "" {
		v.Name = v.ID
	}
	if v.Tables, err = tablechange.Under(ctx, s.ddb, v.ARN); err != nil {
		v.TablesProblem = c.explain(s, err)
	}
	c.render(w, r, s, v.Problem.status(), "deletekey",
		page{Title: "Schedule key deletion", Section: "keys", Body: v})
}

// deleteKey schedules the deletion of a key.
func (c *Console) deleteKey(w http.ResponseWriter, r *http.Request, s *session) {
	v := deleteKeyView{ID: r.PathValue("id"), Days: strings.TrimSpace(r.PostForm.Get("days")),
		Understood: r.PostForm.Get("understood") == "yes"}
	days, err := strconv.Atoi(v.Days)
	if err != nil || days < 7 || days > 30 {
		v.Faults.Add("days", "the waiting time is 7 to 30 days")
	}
	if !v.Understood {
		v.Faults.Add("understood", "tick the box that says what is lost")
	}
	if len(v.Faults) > 0 {
		c.showDeleteKey(w, r, s, v)
		return
	}
	if err := s.schedule(r.Context(), v.ID, int32(days)); err != nil {
		if sessionOver(errorCode(err)) {
			c.failed(w, r, s, "keys", "Schedule key deletion", err)
			return
		}
		v.Problem = c.explain(s, err)
		c.showDeleteKey(w, r, s, v)
		return
	}
	c.redirect(w, r, "/keys/"+url.PathEscape(v.ID))
}

func (s *session) schedule(ctx context.Context, id string, days int32) error {
	was, err := s.kms.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &id})
	if err != nil {
		return err
	}
	if _, err := s.kms.ScheduleKeyDeletion(ctx,
		&kms.ScheduleKeyDeletionInput{KeyId: &id, PendingWindowInDays: &days}); err != nil {
		return err
	}
	s.note(change{Key: id, Title: fmt.Sprintf("Deletion scheduled in %d days", days),
		Diff: stateDiff(string(was.KeyMetadata.KeyState), "PendingDeletion"), undo: func(ctx context.Context) error {
			if _, err := s.kms.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: &id}); err != nil {
				return err
			}
			if was.KeyMetadata.KeyState == types.KeyStateEnabled {
				return s.enable(ctx, id, true)
			}
			return nil
		}})
	return nil
}
