// SPDX-License-Identifier: Apache-2.0

package console

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/administrator"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/localaws"
)

const adminARN = "arn:aws:iam::" + localaws.DefaultAccountID + ":user/" + administrator.Name

var inputPattern = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// hidden are the hidden fields of a page's form, without its token.
func hidden(page string) (pairs []string) {
	for _, m := range inputPattern.FindAllStringSubmatch(between(page, `id="create-key-form"`, "</form>"), -1) {
		if m[1] != "csrf" {
			pairs = append(pairs, html.UnescapeString(m[1]), html.UnescapeString(m[2]))
		}
	}
	return pairs
}

// fill sends a page of the form: its hidden fields, the pairs, and the button.
func (b *browser) fill(page, to string, pairs ...string) string {
	b.t.Helper()
	return b.post("/keys/create", http.StatusOK, append(append(hidden(page), pairs...), "page", to)...)
}

// finish sends the last page.
func (b *browser) finish(page string, status int) string {
	b.t.Helper()
	return b.post("/keys/create", status, hidden(page)...)
}

// TestCreateKey goes through all pages, back and forth, and refuses each form
// once.
func TestCreateKey(t *testing.T) {
	s := newSite(t)
	b := s.administrator()
	b.contains(b.get("/keys", http.StatusOK), `/keys/create">Create key`)
	page := b.get("/keys/create", http.StatusOK)
	b.contains(page, "Configure key", `value="symmetric" checked`, `value="encrypt" checked`, "HMAC_256", "RSA_3072",
		"DynamoDB takes no other kind")

	// Refused: kinds that do not fit a table.
	refused := b.fill(page, "2", "type", "asymmetric", "usage", "mac")
	b.contains(refused, "<h2>Configure key", `href="#type"`, "symmetric key only", "an HMAC key does not encrypt",
		`value="asymmetric" checked`, `value="mac" checked`)
	page = b.fill(page, "2", "type", "symmetric", "usage", "encrypt")
	b.contains(page, "<h2>Add labels")

	// Refused: no name, a bad name, a name that exists; the text stays.
	b.contains(b.fill(page, "3", "alias", ""), "write an alias")
	b.contains(b.fill(page, "3", "alias", "my key", "description", "for <b>tests</b>"), "<h2>Add labels",
		"nothing else", `href="#alias"`, `value="my key"`, `aria-invalid="true"`, "for &lt;b&gt;tests&lt;/b&gt;")
	b.contains(b.fill(page, "3", "alias", labsetup.KeyAlias), "another key&#39;s alias already")
	// A draft that is too long for an address passes from page to page too.
	long := strings.Repeat("é", 8192)
	b.contains(b.fill(b.fill(page, "3", "alias", "clinic-key", "description", long), "2"), long+"</textarea>")
	page = b.fill(page, "3", "alias", "clinic-key", "description", "of the clinic")
	b.contains(page, "<h2>Define key administrative permissions", "user/nextwork-admin", "user/nextwork-kms-user",
		"kms:ScheduleKeyDeletion", "Allow key administrators to delete this key")

	// Refused: an ARN that is none.
	b.contains(b.fill(page, "4", "administrator", adminARN, "administrators", "ann", "deletion", "yes"),
		"“ann” is not the ARN", ">ann</textarea>", `value="`+adminARN+`" checked`)
	page = b.fill(page, "4", "administrator", adminARN)
	b.contains(page, "<h2>Define key usage permissions", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")

	// Back, and forth again: nothing is lost.
	back := b.fill(page, "3", "user", userARN)
	b.contains(back, `value="`+adminARN+`" checked`, `name="user" value="`+userARN+`"`)
	b.lacks(back, `id="deletion" name="deletion" value="yes" checked`)
	page = b.fill(back, "4", "administrator", adminARN)
	b.contains(page, `value="`+userARN+`" checked`)

	// Refused: accounts.
	b.contains(b.fill(page, "5", "accounts", "4444"), "“4444” is not an account ID", ">4444</textarea>")
	page = b.fill(page, "5", "user", userARN, "accounts", "444455556666")
	b.contains(page, "<h2>Review", "alias/clinic-key", "of the clinic", "Enable IAM User Permissions",
		"Allow access for Key Administrators", "Allow use of the key", "Allow attachment of persistent resources",
		"arn:aws:iam::444455556666:root", "They may not schedule the key")
	b.lacks(page, "kms:ScheduleKeyDeletion</code>", "have the key deleted")

	// Refused by KMS: a principal that does not exist. The form stays.
	b.contains(b.finish(page, http.StatusOK), "MalformedPolicyDocumentException", `id="finish"`,
		`name="alias" value="clinic-key"`)
	page = b.fill(b.fill(page, "4"), "5", "user", userARN)
	made := b.finish(page, http.StatusOK)
	b.contains(made, "The key alias/clinic-key was created", "of the clinic", "Key created",
		"a key is never deleted at once", "user/nextwork-kms-user", "user/nextwork-admin")

	id := regexp.MustCompile(`/keys/([0-9a-f-]{36})/add"`).FindStringSubmatch(made)
	if id == nil {
		t.Fatal("not the key's page")
	}
	client := kms.NewFromConfig(s.server.Config(s.server.RootCredentials()))
	out, err := client.GetKeyPolicy(t.Context(), &kms.GetKeyPolicyInput{KeyId: &id[1]})
	if err != nil {
		t.Fatal(err)
	}
	policy := aws.ToString(out.Policy)
	if strings.Contains(policy, "ScheduleKeyDeletion") || strings.Count(policy, userARN) != 2 ||
		strings.Count(policy, adminARN) != 1 {
		t.Error(policy)
	}

	// No right: the lab's user sees AWS's refusal, and what was filled in stays.
	u := s.user()
	page = u.fill(u.get("/keys/create", http.StatusOK), "5", "type", "symmetric", "usage", "encrypt", "alias", "mine",
		"administrators", userARN, "deletion", "yes")
	u.contains(page, "<h2>Review", "You named no key user")
	u.lacks(page, "You named no key administrator")
	u.contains(u.finish(page, http.StatusForbidden), "is not authorized to perform: kms:CreateKey",
		`name="alias" value="mine"`, `id="finish"`)
	// The right to create keys alone: the key exists, and the page says so.
	people := iam.NewFromConfig(s.server.Config(s.server.RootCredentials()))
	if _, err := people.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: aws.String(labsetup.UserName),
		PolicyName: aws.String("keys"), PolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:CreateKey","Resource":"*"}}`),
	}); err != nil {
		t.Fatal(err)
	}
	half := u.finish(page, http.StatusForbidden)
	u.contains(half, "The key was created, and its alias was refused", "kms:CreateAlias", "--alias-name alias/mine")
	u.lacks(half, `id="finish"`) // a second key would come of it
	id = regexp.MustCompile(`/keys/([0-9a-f-]{36})">Open the key`).FindStringSubmatch(half)
	if id == nil {
		t.Fatal("no link to the key")
	}
	u.contains(u.get("/keys/"+id[1], http.StatusOK), "Key administrators")
	// Without the right to list users the form takes ARNs.
	u.contains(u.fill(page, "3"), "write their ARNs below", userARN+"</textarea>")
}
