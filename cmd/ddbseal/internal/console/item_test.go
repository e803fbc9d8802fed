// SPDX-License-Identifier: Apache-2.0

package console

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/labsetup"
)

// put puts an item as root, who is asked nothing.
func (s *site) put(table string, item map[string]types.AttributeValue) {
	s.t.Helper()
	client := dynamodb.NewFromConfig(s.server.Config(s.server.RootCredentials()))
	if _, err := client.PutItem(s.t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) item(table, id string) map[string]types.AttributeValue {
	s.t.Helper()
	client := dynamodb.NewFromConfig(s.server.Config(s.server.RootCredentials()))
	out, err := client.GetItem(s.t.Context(), &dynamodb.GetItemInput{TableName: &table,
		Key: map[string]types.AttributeValue{"id": text(id)}, ConsistentRead: aws.Bool(true)})
	if err != nil {
		s.t.Fatal(err)
	}
	return out.Item
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

const (
	deniedChip  = `<span class="chip denied">denied</span>`
	damagedChip = `<span class="chip damaged">damaged</span>`
)

// TestDeniedAndDamaged: to the administrator two items are damaged and one is not;
// to the user, who has no key, all are denied. Each page says why once.
func TestDeniedAndDamaged(t *testing.T) {
	s := newSite(t)
	copied := s.item(labsetup.ClientTable, "1")
	copied["id"] = text("copied")
	s.put(labsetup.ClientTable, copied)
	changed := s.item(labsetup.ClientTable, "1")
	changed["ward"] = text("forged")
	s.put(labsetup.ClientTable, changed)
	whole := s.item(labsetup.OtherTable, "1")
	if len(whole) == 0 {
		t.Fatal("there is no item in the other table")
	}

	b := s.administrator()
	page := b.get("/tables?left="+labsetup.ClientTable, http.StatusOK)
	b.lacks(page, deniedChip)
	b.contains(page, "Damaged: the item does not verify")
	if n := strings.Count(page, damagedChip); n != 4 { // name and diagnosis of two items
		t.Errorf("%d values are marked damaged", n)
	}
	ref := regexp.MustCompile(`/tables/item/[0-9a-f]{24}`).FindString(page)
	page = b.get(ref, http.StatusOK)
	b.contains(page, damagedChip, "Damaged: the item does not verify")
	b.lacks(page, "class=\"problem denied\"")

	u := s.user()
	page = u.get("/tables?left="+labsetup.OtherTable, http.StatusOK)
	u.contains(page, deniedChip, "Denied: this user may not use the key. The item may be intact.")
	u.lacks(page, damagedChip)
}

// TestOnePanel: denials that say the same are one panel, to which the others refer.
func TestOnePanel(t *testing.T) {
	s := newSite(t)
	for _, id := range []string{"2", "3"} {
		item := s.item(labsetup.ClientTable, "1")
		item["note-"+id] = text("x") // nothing that is looked at before the key is asked for
		item["id"] = text(id)
		s.put(labsetup.ClientTable, item)
	}
	u := s.user()
	page := u.get("/tables", http.StatusOK)
	if n := strings.Count(page, `<details open class="cure">`); n != 1 {
		t.Errorf("%d panels say what would change it", n)
	}
	if n := strings.Count(page, `class="problem denied"`); n != 2 { // by DynamoDB, and by AWS KMS
		t.Errorf("%d panels of denials", n)
	}
	for _, place := range regexp.MustCompile(`href="#(problem-[0-9]+)"`).FindAllStringSubmatch(page, -1) {
		u.contains(page, `id="`+place[1]+`"`)
	}

	path := s.administrator().keyPath()
	page = u.get(path, http.StatusOK)
	if n := strings.Count(page, `class="problem denied"`); n != 1 {
		t.Errorf("%d panels on the key's page", n)
	}
	u.contains(page, "kms:GetKeyPolicy", "<code>kms:ListGrants</code>", "<code>kms:GetKeyRotationStatus</code>",
		`href="#denied"`, `id="denied"`)
	u.lacks(page, "Open the key")
}

// TestInvisibleCharacters: what shows nothing, or turns the direction of text, is
// shown as an escape, in names, keys and values.
func TestInvisibleCharacters(t *testing.T) {
	s := newSite(t)
	const hidden = "a\u202eb\u200b\u3164\ufe0fc"
	const shown = `a\u202eb\u200b\u3164\ufe0fc`
	s.put(labsetup.ServerTable, map[string]types.AttributeValue{"id": text(hidden),
		hidden: text(hidden + "\nsecond line"),
		"list": &types.AttributeValueMemberL{Value: []types.AttributeValue{text(hidden)}}})
	b := s.administrator()
	page := b.get("/tables?left="+labsetup.ServerTable, http.StatusOK)
	if n := strings.Count(page, shown); n < 5 { // the key twice, the name, the value, the list
		t.Errorf("%d escapes:\n%s", n, gist(page))
	}
	b.contains(page, shown+"\nsecond line")
	for _, ref := range regexp.MustCompile(`/tables/item/[0-9a-f]{24}`).FindAllString(page, -1) {
		page += b.get(ref, http.StatusOK)
	}
	b.lacks(page, "\u202e", "\u200b", "\u3164", "\ufe0f")
}
