// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"net/url"
	"strings"

	"github.com/ddbseal/ddbseal/labsetup"
)

// Screen is a page on which a step of the lab is done by hand.
type Screen struct{ Path, Title, Do string }

// ByHand returns where a step of the core path is done or seen by hand, and what to do
// there; an empty one for other steps.
func ByHand(step string, n labsetup.Names) Screen {
	tables := "/tables?" + url.Values{"left": {n.ServerTable}, "right": {n.ClientTable}}.Encode()
	item := func(table string) string { return "/tables/item/new?" + url.Values{"table": {table}}.Encode() }
	const record = "Put an item: id 1, name Robin Example, diagnosis hay fever, ward north."
	switch step {
	case "put-" + labsetup.ServerTable:
		return Screen{item(n.ServerTable), "Create item", record}
	case "put-" + labsetup.ClientTable:
		return Screen{item(n.ClientTable), "Create item",
			record + " Let the console encrypt name and diagnosis, and sign ward."}
	case "administrator-" + labsetup.ServerTable, "administrator-" + labsetup.ClientTable:
		return Screen{tables, "Tables", "Read the item in both tables, as yourself."}
	case "disk-" + labsetup.ServerTable, "disk-" + labsetup.ClientTable:
		return Screen{tables, "Tables", "Inspect the item: its page shows what lies on the disk."}
	case "key":
		return Screen{"/keys/create", "Create key",
			"Choose symmetric, encrypt and decrypt, and the alias " + strings.TrimPrefix(n.Key, "alias/") + "."}
	case "alias":
		return Screen{"/keys", "Keys", "You gave the key its alias when you made it. The list of keys shows it."}
	case "key-policy":
		return Screen{"/keys", "Keys", "Open the key. Name yourself as a key user, and " + n.User + " nowhere."}
	case "table", "client-table":
		name := n.ServerTable
		if step == "client-table" {
			name = n.ClientTable
		}
		return Screen{"/tables/create", "Create table",
			"Name it " + name + ", with the partition key id (String) and default settings."}
	case "table-key":
		return Screen{"/tables/encryption/" + url.PathEscape(n.ServerTable), "Manage encryption",
			"Choose the customer managed key " + n.Key + "."}
	case "user":
		return Screen{"/users/new", "Create user", "Name them " + n.User + ", and attach AmazonDynamoDBFullAccess."}
	case "user-password":
		return Screen{"/user?" + url.Values{"name": {n.User}}.Encode(), "The user",
			"Give them a console password, unless they have one."}
	case "user-server", "user-client-raw", "user-client", "key-user-server", "key-user-client", "key-user-server-gone",
		"key-user-client-gone":
		return Screen{tables, "Tables", "Read the item as " + n.User + ", in a private window."}
	case "key-user":
		return Screen{"/keys", "Keys", "Open the key, and add " + n.User + " as a key user."}
	case "key-user-undone":
		return Screen{"/keys", "Keys", "Open the key, and remove " + n.User + " from the key users."}
	case "picture":
		return Screen{"/", "Who sees what", "Compare the rows with those of " + n.User + ", in the other window."}
	}
	return Screen{}
}
