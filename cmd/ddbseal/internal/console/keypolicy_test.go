// SPDX-License-Identifier: Apache-2.0

package console

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/labsetup"
)

// TestRefusedPolicy: an edit that is refused, by the page or by AWS, stays in the
// form, and the page says what is wrong.
func TestRefusedPolicy(t *testing.T) {
	s := newSite(t)
	b, u := s.administrator(), s.user()
	path := b.keyPath()
	b.get(path+"?view=policy", http.StatusOK)
	kept := func(page, text string) {
		t.Helper()
		if got := htmlText(between(between(page, "<textarea", "</textarea>")+"<", ">", "<")); got != text {
			t.Errorf("the form has %q, want %q", got, text)
		}
	}
	const broken = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [,]\n}"
	page := b.post(path+"/policy", http.StatusBadRequest, "view", "policy", "policy",
		strings.ReplaceAll(broken, "\n", "\r\n"))
	b.contains(page, "Nothing was changed.", "Line 3, column 17: invalid character", `aria-invalid="true"`,
		`aria-describedby="policy-wrong"`, "&#34;Statement&#34;: [,]</pre>")
	kept(page, broken)

	const malformed = `{"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps"}]}`
	page = b.post(path+"/policy", http.StatusBadRequest, "view", "policy", "policy", malformed)
	b.contains(page, "Nothing was changed.", "MalformedPolicyDocumentException", `aria-invalid="true"`)
	kept(page, malformed)

	// The policy is not shown to a user who may not read it, but their own text is.
	u.get("/tables", http.StatusOK)
	page = u.post(path+"/policy", http.StatusForbidden, "view", "policy", "policy", `{"mine": true}`)
	u.contains(page, "is not authorized to perform", "kms:GetKeyPolicy")
	u.lacks(page, "Allow use of the key&#34;,", "Open the key")
	kept(page, `{"mine": true}`)

	// Nothing was written.
	b.contains(b.get(path, http.StatusOK), "Key users", "Key administrators")
}

// TestRevokeServiceGrant: a grant of DynamoDB's own is revoked only after a page
// that says what breaks.
func TestRevokeServiceGrant(t *testing.T) {
	s := newSite(t)
	b := s.administrator()
	path := b.keyPath()
	page := between(b.get(path, http.StatusOK), `id="grants"`, "</section>")
	m := regexp.MustCompile(`(?s)dynamodb[^<]*amazonaws\.com.*?name="grant" value="([^"]+)"`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("DynamoDB has no grant:\n%s", page)
	}
	grants := func() int {
		t.Helper()
		id := strings.TrimPrefix(path, "/keys/")
		out, err := kms.NewFromConfig(s.server.Config(s.server.RootCredentials())).ListGrants(t.Context(),
			&kms.ListGrantsInput{KeyId: &id, GrantId: aws.String(m[1])})
		if err != nil {
			t.Fatal(err)
		}
		return len(out.Grants)
	}
	page = b.post(path+"/revoke", http.StatusOK, "grant", m[1])
	b.contains(page, "Revoke the grant of dynamodb.", "marks a table inaccessible", labsetup.ServerTable,
		`name="confirm" value="yes"`,
		`value="`+m[1]+`"`, "Keep it")
	if grants() != 1 {
		t.Fatal("the grant is revoked without being asked for")
	}
	b.contains(b.post(path+"/revoke", http.StatusOK, "grant", m[1], "confirm", "yes"), "Grant revoked",
		"cannot be undone")
	if grants() != 0 {
		t.Error("the grant is still there")
	}
}
