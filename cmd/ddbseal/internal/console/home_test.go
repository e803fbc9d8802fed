// SPDX-License-Identifier: Apache-2.0

package console

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/labsetup"
)

// TestHome: the framed rows show what the signed-in user reads now.
func TestHome(t *testing.T) {
	s := newSite(t)
	admin, user := s.administrator(), s.user()
	// lit returns the titles of the framed rows.
	lit := func(b *browser) string {
		t.Helper()
		page := b.get("/", http.StatusOK)
		var all []string
		for _, row := range strings.Split(page, `stroke-width="3"`)[1:] {
			texts := strings.SplitN(row, "</text>", 3)
			detail := texts[1][strings.LastIndex(texts[1], ">")+1:]
			all = append(all, texts[0][strings.LastIndex(texts[0], ">")+1:]+" "+detail)
		}
		return strings.Join(all, ", ")
	}
	if got := lit(admin); got != "server-side with the key, client-side with the key" {
		t.Errorf("administrator: %s", got)
	}
	const without = "server-side without the key, client-side without the key"
	if got := lit(user); got != without {
		t.Errorf("user: %s", got)
	}
	user.contains(user.get("/", http.StatusOK), "KMS: denied", "AccessDenied", "were read just now")
	key := admin.keyPath()
	admin.get(key, http.StatusOK)
	admin.post(key+"/add", http.StatusOK, "role", "user", "arn", userARN)
	if got := lit(user); got != "server-side with the key, client-side with the key" {
		t.Errorf("user with the key: %s", got)
	}
	admin.post(key+"/disable", http.StatusOK)
	if got := lit(admin); got != without {
		t.Errorf("with the key disabled: %s", got)
	}
	admin.contains(admin.get("/", http.StatusOK), "key disabled")

	client := dynamodb.NewFromConfig(s.server.Config(s.server.RootCredentials()))
	if _, err := client.DeleteTable(t.Context(),
		&dynamodb.DeleteTableInput{TableName: aws.String(labsetup.ServerTable)}); err != nil {
		t.Fatal(err)
	}
	page := admin.get("/", http.StatusOK)
	admin.contains(page, "what every run of the lab finds", "ResourceNotFoundException")
	admin.lacks(page, `stroke-width="3"`)
}

// pushed opens the home page's stream as it stands on the page, and returns a
// function that waits for the next message.
func (b *browser) pushed(page string) func() pictureChange {
	b.t.Helper()
	query := "?after=" + between(page, `data-after="`, `"`) + "&live=" + between(page, `data-live="`, `"`)
	answer, err := (&http.Client{Jar: b.client.Jar}).Do(b.request(http.MethodGet, "/picture/events"+query, nil))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { answer.Body.Close() })
	if answer.StatusCode != http.StatusOK {
		b.t.Fatal(answer.Status)
	}
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	return func() (change pictureChange) {
		b.t.Helper()
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				if err := json.Unmarshal([]byte(data), &change); err != nil {
					b.t.Fatal(err)
				}
				return change
			}
		}
		b.t.Fatal("the stream ended", lines.Err())
		return change
	}
}

// TestHomeFollows: what another user changes comes to the page by itself, also
// what happened between the page and its stream; reads push nothing.
func TestHomeFollows(t *testing.T) {
	s := newSite(t)
	admin, user := s.administrator(), s.user()
	page := user.get("/", http.StatusOK)
	user.contains(page, `id="follow"`, "the rows change")
	before := len(s.server.Audit().Events())
	user.get("/", http.StatusOK)
	for _, e := range s.server.Audit().Events()[before:] {
		if !e.ReadOnly {
			t.Errorf("a look at the page would push itself: %s", e.EventName)
		}
	}
	key := admin.keyPath()
	admin.get(key, http.StatusOK)
	admin.post(key+"/add", http.StatusOK, "role", "user", "arn", userARN)
	next := user.pushed(page)
	const withKey, without = "server-side, with the key: ", "client-side, without the key: "
	lit := func(c pictureChange) bool {
		return strings.Contains(c.SVG, `stroke-width="3"`) && strings.Contains(c.Text, withKey)
	}
	if c := next(); !lit(c) || c.Reload || strings.Count(c.SVG, `stroke-width="3"`) != 2 {
		t.Errorf("%+v", c)
	}
	admin.post(key+"/disable", http.StatusOK)
	if c := next(); !lit(c) || !strings.Contains(c.Text, "key disabled") || !strings.Contains(c.Text, without) {
		t.Errorf("%+v", c)
	}
	client := dynamodb.NewFromConfig(s.server.Config(s.server.RootCredentials()))
	if _, err := client.DeleteTable(t.Context(),
		&dynamodb.DeleteTableInput{TableName: aws.String(labsetup.ServerTable)}); err != nil {
		t.Fatal(err)
	}
	if c := next(); !c.Reload || c.SVG != "" {
		t.Errorf("%+v", c)
	}
}
