// SPDX-License-Identifier: Apache-2.0

package console

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/labsetup"
)

// table is the form with a name and a partition key.
func table(name string, pairs ...string) []string {
	return append([]string{"name", name, "partition", "id", "partition-type", "S", "sort", "", "sort-type", "S"},
		pairs...)
}

// TestCreateTable creates tables with default settings and with own ones, and
// refuses each form once.
func TestCreateTable(t *testing.T) {
	s := newSite(t)
	b := s.administrator()
	b.contains(b.get("/tables", http.StatusOK), `/tables/create">Create table`)
	b.contains(b.get("/tables/create", http.StatusOK), "Partition key", "Default settings", "Owned by Amazon DynamoDB",
		"AWS managed key", "Stored in your account, and owned and managed by you", labsetup.KeyAlias,
		"Client-side encryption is not a setting of the table")

	// Refused, the text kept: a bad name, no key attribute, a name that exists, no key.
	b.contains(b.post("/tables/create", http.StatusOK, "name", "my table", "partition", "", "partition-type", "N",
		"sort", "at"), "nothing else", `href="#name"`, "such as id", `value="my table"`, `value="at"`,
		`value="N" selected`, `aria-invalid="true"`)
	b.contains(b.post("/tables/create", http.StatusOK, table(labsetup.ServerTable)...), "Table already exists",
		"a table has this name already", `value="`+labsetup.ServerTable+`"`)
	b.contains(b.post("/tables/create", http.StatusOK, table("visits", "settings", "own", "encryption", "customer",
		"capacity", "provisioned", "read", "none", "write", "2")...), "choose a customer managed key, or write its ARN",
		"at least 1", `value="none"`, `id="settings-own" name="settings" value="own" checked`)
	b.contains(b.post("/tables/create", http.StatusOK, table("visits", "settings", "own", "encryption", "customer",
		"other-key", "alias/absent")...), `<strong class="code">`, `value="alias/absent"`)

	// With the default settings, whatever stands in the hidden own ones.
	b.contains(b.post("/tables/create", http.StatusOK, table("visits", "settings", "default", "encryption", "customer",
		"capacity", "provisioned", "read", "none")...), "The table visits was created", `id="visits"`, "AWS owned key")

	key := regexp.MustCompile(`<option value="(arn:aws:kms:[^"]+)">` + labsetup.KeyAlias).FindStringSubmatch(
		b.get("/tables/create", http.StatusOK))
	if key == nil {
		t.Fatal("the key cannot be chosen")
	}
	b.contains(b.post("/tables/create", http.StatusOK, "name", "notes", "partition", "patient", "partition-type", "S",
		"sort", "at", "sort-type", "N", "settings", "own", "capacity", "provisioned", "read", "3", "write", "4",
		"encryption", "customer", "key", key[1], "protection", "yes"), "The table notes was created", "a KMS key")
	client := dynamodb.NewFromConfig(s.server.Config(s.server.RootCredentials()))
	out, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("notes")})
	if err != nil {
		t.Fatal(err)
	}
	d := out.Table
	if len(d.KeySchema) != 2 || *d.ProvisionedThroughput.WriteCapacityUnits != 4 || !*d.DeletionProtectionEnabled ||
		aws.ToString(d.SSEDescription.KMSMasterKeyArn) != key[1] {
		t.Errorf("%+v", d)
	}

	// No right: the lab's user may use tables and not the key.
	u := s.user()
	u.get("/tables/create", http.StatusOK)
	u.contains(u.post("/tables/create", http.StatusForbidden, table("mine", "settings", "own", "encryption", "customer",
		"other-key", key[1])...), "AccessDeniedException", `value="mine"`, key[1])
	u.contains(u.post("/tables/create", http.StatusOK, table("mine")...), "The table mine was created")
}

// TestManageEncryption goes through the three keys and back.
func TestManageEncryption(t *testing.T) {
	s := newSite(t)
	b, u := s.administrator(), s.user()
	const path = "/tables/encryption/" + labsetup.ServerTable
	b.contains(b.get("/tables", http.StatusOK), path+`">Manage encryption`)
	page := b.get(path, http.StatusOK)
	b.contains(page, `id="encryption-customer" name="encryption" value="customer" checked`, "AWS managed key",
		"Audit trail", "Rotation", "Check: user reads the server-side table: denied kms:Decrypt",
		"Check: user reads the server-side table: plaintext",
		"Check: user reads the table under the AWS owned key: plaintext",
		"Check: user reads the table under the AWS managed key: plaintext", labsetup.KeyAlias+"</a></b>")
	// Every check leads to the step of the lab that has its title.
	lab := b.get("/lab", http.StatusOK)
	links := regexp.MustCompile(`href="/c-[0-9a-f]+/lab#(step-\d+)">Check: ([^<]+): [^:<]+(?::Decrypt)?<`).FindAllStringSubmatch(page, -1)
	if len(links) != 4 {
		t.Errorf("%d checks", len(links))
	}
	for _, l := range links {
		b.contains(between(lab, `id="`+l[1]+`"`, "</h3>"), "<h3>"+l[2])
	}

	// Refused: nothing chosen, no key, the same key, a key that does not exist, no right.
	b.contains(b.post(path, http.StatusOK), "choose a key")
	b.contains(b.post(path, http.StatusOK, "encryption", "customer", "key", ""), "choose a customer managed key")
	key := regexp.MustCompile(`<option value="(arn:[^"]+)" selected>`).FindStringSubmatch(page)[1]
	b.contains(b.post(path, http.StatusOK, "encryption", "customer", "key", key), "under this key already")
	b.contains(b.post(path, http.StatusOK, "encryption", "customer", "other-key", "alias/absent"),
		`<strong class="code">`, `value="alias/absent"`)
	const owned = "/tables/encryption/" + labsetup.OwnedTable
	u.get(owned, http.StatusOK)
	u.contains(u.post(owned, http.StatusForbidden, "encryption", "customer", "other-key", key), "AccessDeniedException",
		key)
	b.get("/tables/encryption/absent", http.StatusNotFound)

	sees := func(want bool) {
		t.Helper()
		page := u.get("/tables?left="+labsetup.ServerTable, http.StatusOK)
		if want {
			u.contains(page, "Robin Example")
		} else {
			u.lacks(page, "Robin Example")
		}
	}
	sees(false)
	b.contains(b.post(path, http.StatusOK, "encryption", "owned"), "is now under the AWS owned key", "Undo",
		`id="current-key">AWS owned key<`)
	sees(true)
	b.contains(b.post(path, http.StatusOK, "encryption", "managed"), "is now under the AWS managed key",
		`value="managed" checked`)
	sees(true)
	// Undo takes the last change back; an older one no longer fits. AWS allows four
	// changes a day, and the lab has made one.
	undo := regexp.MustCompile(`name="change" value="([0-9a-f]{16})"`)
	ids := undo.FindAllStringSubmatch(b.get(path, http.StatusOK), -1)
	if len(ids) != 2 {
		t.Fatalf("%d changes", len(ids))
	}
	b.contains(b.post("/tables/undo", http.StatusOK, "table", labsetup.ServerTable, "change", ids[1][1]),
		"under another key since")
	b.contains(b.post("/tables/undo", http.StatusOK, "table", labsetup.ServerTable, "change", ids[0][1]), "Undone",
		"AWS owned key")

	u.contains(u.get("/tables?left="+labsetup.OwnedTable, http.StatusOK), "Robin Example")
	b.contains(b.post(owned, http.StatusOK, "encryption", "customer", "other-key", labsetup.KeyAlias),
		"is now under the customer managed key "+labsetup.KeyAlias)
	u.lacks(u.get("/tables?left="+labsetup.OwnedTable, http.StatusOK), "Robin Example")
}
