// SPDX-License-Identifier: Apache-2.0

package console

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/labsetup"
)

var (
	valuePattern     = regexp.MustCompile(`(?s)name="(value-\d+)"[^>]*>\n(.*?)</textarea>`)
	itemInputPattern = regexp.MustCompile(`<input [^>]*name="([a-z0-9-]+)" value="([^"]*)"`)
	selectPattern    = regexp.MustCompile(`(?s)<select id="[^"]*" name="([a-z]+-?\d*)">(.*?)</select>`)
	chosenPattern    = regexp.MustCompile(`value="([^"]*)" selected`)
	actionPattern    = regexp.MustCompile(`<form method="post" action="/c-[0-9a-f]+([^"]*)" class="stack itemform"`)
)

// itemForm is what a browser would send for the form of an item, and where to.
type itemForm struct {
	path   string
	values map[string]string
}

func (b *browser) itemForm(page string) itemForm {
	b.t.Helper()
	m := actionPattern.FindStringSubmatch(page)
	if m == nil {
		b.t.Fatalf("there is no form of an item:\n%s", gist(page))
	}
	_, page, _ = strings.Cut(page, `class="stack itemform">`)
	page, _, _ = strings.Cut(page, "</form>")
	f := itemForm{m[1], map[string]string{}}
	for _, x := range itemInputPattern.FindAllStringSubmatch(page, -1) {
		if strings.Contains(x[0], `type="radio"`) || strings.Contains(x[0], `type="checkbox"`) || x[1] == "csrf" {
			continue
		}
		f.values[x[1]] = html.UnescapeString(x[2])
	}
	for _, x := range valuePattern.FindAllStringSubmatch(page, -1) {
		f.values[x[1]] = html.UnescapeString(x[2])
	}
	for _, x := range selectPattern.FindAllStringSubmatch(page, -1) {
		if chosen := chosenPattern.FindStringSubmatch(x[2]); chosen != nil {
			f.values[x[1]] = html.UnescapeString(chosen[1])
		}
	}
	for _, mode := range []string{"plain", "client"} {
		if strings.Contains(page, `name="mode" value="`+mode+`" checked`) {
			f.values["mode"] = mode
		}
	}
	return f
}

// row is the number of the row with a name; "" finds the first empty one.
func (b *browser) row(f itemForm, name string) string {
	b.t.Helper()
	for i := range 100 {
		n := fmt.Sprint(i)
		if got, ok := f.values["name-"+n]; ok && got == name {
			return n
		}
	}
	b.t.Fatalf("no row is called %q: %v", name, f.values)
	return ""
}

func (b *browser) set(f itemForm, name, kind, value, action string) {
	b.t.Helper()
	for i := range 100 {
		if n := fmt.Sprint(i); f.values["name-"+n] == name {
			f.values["value-"+n] = value
			return
		}
	}
	n := b.row(f, "")
	f.values["name-"+n], f.values["type-"+n], f.values["value-"+n], f.values["action-"+n] = name, kind, value, action
}

func (b *browser) send(f itemForm, status int, more ...string) string {
	b.t.Helper()
	var pairs []string
	for k, v := range f.values {
		pairs = append(pairs, k, v)
	}
	return b.post(f.path, status, append(pairs, more...)...)
}

func ref(page string) string { return regexp.MustCompile(`/tables/item/[0-9a-f]{24}`).FindString(page) }

// ownTable makes a table that the lab does not know.
func (s *site) ownTable() *dynamodb.Client {
	client := dynamodb.NewFromConfig(s.server.Config(s.server.RootCredentials()))
	if _, err := client.CreateTable(s.t.Context(), &dynamodb.CreateTableInput{TableName: aws.String("visits"),
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("patient"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("at"), AttributeType: types.ScalarAttributeTypeN}},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("patient"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("at"), KeyType: types.KeyTypeRange}}}); err != nil {
		s.t.Fatal(err)
	}
	return client
}

// TestPlainItem creates, changes and deletes an item of any table. A second
// window that began with the older item gets a conflict, and nothing is lost.
func TestPlainItem(t *testing.T) {
	s := newSite(t)
	client := s.ownTable()
	one, two := s.administrator(), s.administrator()
	f := one.itemForm(one.get("/tables/item/new?table=visits", http.StatusOK))
	one.set(f, "patient", "", "p1", "")
	one.set(f, "at", "", "twelve", "")
	one.set(f, "weight", "N", "71.5", "encrypt")
	page := one.send(f, http.StatusBadRequest)
	one.contains(page, "This is not a number", ">\np1</textarea>", "71.5") // kept
	f = one.itemForm(page)
	one.set(f, "at", "", "12", "")
	one.set(f, "seen", "JSON", `{"SS":["north","south"]}`, "encrypt")
	one.contains(one.send(f, http.StatusOK, "more", "yes"), ">\n71.5</textarea>", "More attributes")
	page = one.send(f, http.StatusOK)
	one.contains(page, "The item is created", "71.5", "north")
	one.contains(one.send(f, http.StatusConflict), "There is already an item with this key", "71.5")
	path := ref(page)

	two.get("/tables?left=visits", http.StatusOK)
	first, second := one.itemForm(one.get(path+"/edit", http.StatusOK)),
		two.itemForm(two.get(ref(two.get("/tables?left=visits", http.StatusOK))+"/edit", http.StatusOK))
	one.set(first, "weight", "", "72", "")
	first.values["remove-"+one.row(first, "seen")] = "yes"
	one.contains(one.send(first, http.StatusOK), "The item is saved", ">72<")
	two.set(second, "weight", "", "99", "")
	page = two.send(second, http.StatusConflict)
	two.contains(page, "Not saved: the item has changed", "<dd>72</dd>", ">\n99</textarea>", "Save again")
	got := func() map[string]types.AttributeValue {
		out, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("visits"),
			Key: map[string]types.AttributeValue{"patient": &types.AttributeValueMemberS{Value: "p1"},
				"at": &types.AttributeValueMemberN{Value: "12"}}})
		if err != nil {
			t.Fatal(err)
		}
		return out.Item
	}
	if item := got(); len(item) != 3 || item["weight"].(*types.AttributeValueMemberN).Value != "72" {
		t.Fatalf("the conflict changed the item: %v", item)
	}
	two.contains(two.send(two.itemForm(page), http.StatusOK), "The item is saved", ">99<")

	// A change between the form and the deletion is noticed as well.
	ask := one.get(path+"/delete", http.StatusOK)
	mark := between(ask, `name="fingerprint" value="`, `"`)
	edit := two.itemForm(two.get(ref(two.get("/tables?left=visits", http.StatusOK))+"/edit", http.StatusOK))
	two.set(edit, "weight", "", "100", "")
	two.send(edit, http.StatusOK)
	page = one.post(path+"/delete", http.StatusConflict, "fingerprint", mark)
	one.contains(page, "Not deleted: the item has changed")
	before := got()
	page = one.post(path+"/delete", http.StatusOK, "fingerprint", between(page, `name="fingerprint" value="`, `"`))
	one.contains(page, "Item deleted", "Put it back")
	if len(got()) != 0 {
		t.Error("the item is still there")
	}
	two.contains(two.send(edit, http.StatusConflict), "was deleted since you opened it", "100")
	one.contains(one.post(path+"/restore", http.StatusOK), "The item is back as it was")
	if fmt.Sprint(len(got())) != fmt.Sprint(len(before)) {
		t.Error("another item came back")
	}
	one.contains(one.post(path+"/restore", http.StatusOK), "There is another item with this key now")
}

// TestSealedItem does the same where the client encrypts: the form says what is
// encrypted, signed and open, and under which key.
func TestSealedItem(t *testing.T) {
	s := newSite(t)
	client := dynamodb.NewFromConfig(s.server.Config(s.server.RootCredentials()))
	one, two, user := s.administrator(), s.administrator(), s.user()
	page := one.get("/tables/item/new?table="+labsetup.ClientTable, http.StatusOK)
	one.contains(page, `value="client" checked`, "<code>ward</code> readable, signed", labsetup.KeyAlias+"</option>")
	f := one.itemForm(page)
	one.set(f, "id", "", "77", "")
	one.set(f, "patient", "S", "Kim Example\nsecond line", "encrypt")
	one.set(f, "ward", "S", "south", "encrypt")
	page = one.send(f, http.StatusBadRequest)
	one.contains(page, "The other items of this table have this attribute readable, signed")
	f = one.itemForm(page)
	one.set(f, "note", "S", "open to all", "open")
	page = one.send(f, http.StatusBadRequest)
	one.contains(page, "begin this one with")
	f = one.itemForm(page)
	f.values["name-"+one.row(f, "note")] = ":note"
	page = one.send(f, http.StatusOK)
	one.contains(page, "The item is created", "Kim Example", "open to all", "ciphertext")
	path := ref(page)
	get := func() map[string]types.AttributeValue {
		out, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String(labsetup.ClientTable),
			Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "77"}}})
		if err != nil {
			t.Fatal(err)
		}
		return out.Item
	}
	stored := get()
	if _, encrypted := stored["patient"].(*types.AttributeValueMemberB); !encrypted || stored["aws_dbe_head"] == nil ||
		stored["ward"].(*types.AttributeValueMemberS).Value != "south" ||
		stored[":note"].(*types.AttributeValueMemberS).Value != "open to all" {
		t.Fatalf("stored: %v", stored)
	}

	two.get("/tables/item/new?table="+labsetup.ClientTable, http.StatusOK)
	read := two.post("/tables/read", http.StatusOK, "table", labsetup.ClientTable, "left", labsetup.ClientTable,
		"partition", "77")
	edit := one.get(path+"/edit", http.StatusOK)
	one.contains(edit, ">\nKim Example\nsecond line</textarea>", "arn:aws:kms:", "encrypted and signed</option>")
	first, second := one.itemForm(edit), two.itemForm(two.get(ref(read)+"/edit", http.StatusOK))
	one.contains(one.send(first, http.StatusOK), "Nothing was changed")
	if fmt.Sprint(get()["aws_dbe_foot"]) == "" || len(get()) != len(stored) {
		t.Error("a form without a change wrote the item")
	}
	one.set(first, "patient", "", "Kim Changed", "")
	one.contains(one.send(first, http.StatusOK), "The item is saved", "Kim Changed")
	two.set(second, "ward", "", "west", "")
	page = two.send(second, http.StatusConflict)
	two.contains(page, "Not saved: the item has changed", "<dd>Kim Changed</dd>", ">\nwest</textarea>")
	one.contains(one.get(path, http.StatusOK), "Kim Changed", "south")
	two.contains(two.send(two.itemForm(page), http.StatusOK), "The item is saved", "west")

	// Without the key: refused with AWS's words and the reasons, and what was
	// typed stays.
	read = user.post("/tables/read", http.StatusOK, "table", labsetup.ClientTable, "left", labsetup.ClientTable,
		"partition", "77")
	user.contains(user.get(ref(read)+"/edit", http.StatusForbidden), "kms:Decrypt", "What would change it",
		"statement 3 (Allow use of the key)")
	user.contains(user.send(second, http.StatusOK), "not known any more") // a link of another session
	second.path = ref(read) + "/edit"
	user.contains(user.send(second, http.StatusForbidden), "kms:Decrypt", ">\nwest</textarea>")
	f = user.itemForm(user.get("/tables/item/new?table="+labsetup.ClientTable, http.StatusOK))
	user.contains(fmt.Sprint(f.values["mode"]), "client")
	user.set(f, "id", "", "78", "")
	user.set(f, "patient", "S", "Lee Example", "encrypt")
	user.contains(user.send(f, http.StatusForbidden), "kms:GenerateDataKey", "What would change it",
		">\nLee Example</textarea>")
	if strings.Contains(s.logged(), "Example") {
		t.Error("the log holds values of an item")
	}
}

// TestItemRefused: a user without the right to write, and a table whose key the
// user may not use.
func TestItemRefused(t *testing.T) {
	s := newSite(t)
	b := s.administrator()
	b.created("name", "reader", "console", "yes", "kind", "own", "password", "Reader-password-1", "policy", "read")
	s.passwords["reader"] = "Reader-password-1"
	for user, c := range map[string]struct{ table, want string }{
		"reader":          {labsetup.OwnedTable, "dynamodb:PutItem"},
		labsetup.UserName: {labsetup.ServerTable, "kms:Decrypt"},
	} {
		u := s.as(user)
		f := u.itemForm(u.get("/tables/item/new?table="+c.table, http.StatusOK))
		u.set(f, "id", "", "9", "")
		u.set(f, "patient", "S", "Lee Example", "encrypt")
		f.values["mode"] = "plain"
		u.contains(u.send(f, http.StatusForbidden), c.want, "Nothing was saved", ">\nLee Example</textarea>")
	}
	b.get("/tables/item/new?table=missing", http.StatusNotFound)
	f := b.itemForm(b.get("/tables/item/new?table="+labsetup.OwnedTable, http.StatusOK))
	b.set(f, "id", "", "9", "")
	f.values["mode"], f.values["other-key"] = "client", labsetup.KeyAlias
	b.contains(b.send(f, http.StatusBadRequest), "Choose the KMS key that encrypts the item", "An alias is not enough")
}
