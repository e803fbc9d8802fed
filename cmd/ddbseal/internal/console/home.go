// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"encoding/json"
	"html/template"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/labsetup/picture"
	"github.com/ddbseal/ddbseal/localaws"
)

// homeView is the page with the lab's picture.
type homeView struct {
	Main, Others         template.HTML // pictures as SVG
	MainText, OthersText string        // the same in words
	Live                 bool          // the rows of the user come from reads of this moment
	Problem              *problem      // why they do not
	Pushed               bool          // the page follows changes by itself
	Last                 string        // id of the newest event before the reads, where it follows
}

// home shows who sees what: what every run of the lab finds, with the rows of the
// signed-in user as a read of this moment finds them.
func (c *Console) home(w http.ResponseWriter, r *http.Request, s *session) {
	v := homeView{Pushed: c.cfg.Server != nil}
	if v.Pushed {
		if events := c.cfg.Server.Audit().Events(); len(events) > 0 {
			v.Last = events[len(events)-1].EventID
		}
	}
	main, live, err := c.look(r.Context(), s)
	if err != nil {
		if sessionOver(errorCode(err)) {
			c.failed(w, r, s, "home", "Who sees what", err)
			return
		}
		v.Problem = c.explain(s, err)
	}
	others := picture.OfOthers(picture.ExpectedOthers())
	// The texts of the pictures are escaped there.
	v.Main, v.Others = template.HTML(main.SVG(picture.Variables)), template.HTML(others.SVG(picture.Variables))
	v.Live, v.MainText, v.OthersText = live, main.Text(), others.Text()
	c.render(w, r, s, http.StatusOK, "home", page{Title: "Who sees what", Section: "home", Body: v})
}

// look returns the picture, with the rows of the user live if that is possible.
func (c *Console) look(ctx context.Context, s *session) (p picture.Picture, live bool, err error) {
	p = picture.Of(labsetup.ExpectedPicture())
	keyARN, err := c.labKey(ctx, s)
	if err == nil {
		live, err = c.light(ctx, s, keyARN, p.Rows)
	}
	return p, live, err
}

// pictureChange is what the home page is told when the picture has changed.
type pictureChange struct {
	SVG    string `json:"svg,omitempty"`
	Text   string `json:"text,omitempty"`
	Reload bool   `json:"reload,omitempty"` // the rows can be read now, or no longer
}

// pictureEvents pushes the picture after each change in the account that alters
// what the user sees. Reads change nothing, its own among them.
func (c *Console) pictureEvents(w http.ResponseWriter, r *http.Request, s *session) {
	if c.cfg.Server == nil {
		http.NotFound(w, r)
		return
	}
	events, cancel := c.cfg.Server.Audit().Subscribe(streamBuffer)
	defer cancel()
	wasLive, shown := r.URL.Query().Get("live") == "yes", ""
	push := func(send sender, e *localaws.Event) error {
		if e.ReadOnly || !s.own(e) {
			return nil
		}
		for more := true; more; { // one look is enough for what has happened meanwhile
			select {
			case next, open := <-events:
				if more = open; open {
					e = next
				}
			default:
				more = false
			}
		}
		p, live, err := c.look(r.Context(), s)
		if r.Context().Err() != nil {
			return r.Context().Err()
		}
		if !live && !wasLive {
			return nil // it could not be read before either
		}
		change := pictureChange{Reload: err != nil || live != wasLive}
		if !change.Reload {
			change.SVG, change.Text = p.SVG(picture.Variables), p.Text()
		}
		wasLive = live
		text, err := json.Marshal(change)
		if err != nil || string(text) == shown {
			return err
		}
		shown = string(text)
		return send(e.EventID, text)
	}
	c.stream(w, r, s, events, func(send sender) error {
		for _, e := range c.missed(newestSeen(r)) {
			if !e.ReadOnly && s.own(e) {
				return push(send, e)
			}
		}
		return nil
	}, push)
}

// labKey finds the lab's key as one who may use the tables and not the key: the
// server-side table names it. A table that was taken off the key does not, and
// then only who may describe the key learns its ARN.
func (c *Console) labKey(ctx context.Context, s *session) (string, error) {
	table := c.progress.Named().ServerTable
	out, err := s.ddb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		return "", err
	}
	if sse := out.Table.SSEDescription; sse != nil && sse.KMSMasterKeyArn != nil {
		return aws.ToString(sse.KMSMasterKeyArn), nil
	}
	return labsetup.NamedKeyARN(ctx, s.cfg, c.progress.Named().Key)
}

// light reads the lab's record as the user and puts what comes into the rows of
// the picture that it belongs to: with the key if the record shows.
func (c *Console) light(ctx context.Context, s *session, keyARN string, rows []picture.Row) (bool, error) {
	viewer := labsetup.Viewer{Config: s.cfg, Name: s.user, KeyARN: keyARN, Names: c.progress.Named()}
	if c.cfg.Server != nil {
		viewer.Disk = c.onDisk
	}
	for i, mode := range []string{labsetup.ModeServer, labsetup.ModeClient} {
		look, err := labsetup.Look(ctx, viewer, mode)
		if err != nil {
			return false, err
		}
		if look.Answer.Kind == labsetup.Unexpected && strings.HasPrefix(look.Answer.Text, "error") {
			return false, nil // the table or its record is missing
		}
		at := 2 * i // the row with the key; the one without it follows
		if !look.WithKey {
			at++
		}
		rows[at].Lit, rows[at].Cells = true, picture.RowOf(look).Cells
	}
	return true, nil
}
