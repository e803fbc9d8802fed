package console

import (
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
