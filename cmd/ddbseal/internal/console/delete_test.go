// SPDX-License-Identifier: Apache-2.0

package console

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/ddbseal/ddbseal/labsetup"
)

// TestDeleteTable deletes a table for good, and one with a backup, which undo
// restores; each form is refused once.
func TestDeleteTable(t *testing.T) {
	s := newSite(t)
	b, u := s.administrator(), s.user()
	const path = "/tables/delete/" + labsetup.ServerTable
	b.contains(b.get("/tables", http.StatusOK), path+`">Delete table`)
	b.contains(b.get(path, http.StatusOK), "type <b>confirm</b>", "CloudWatch alarms", "on-demand backup", "1 item;")
	b.contains(b.post(path, http.StatusOK, "confirm", "yes", "backup", "yes"), "type the word confirm", `value="yes"`,
		`name="backup" value="yes" aria-describedby="backup-hint" checked`)
	b.contains(b.get("/tables", http.StatusOK), `id="`+labsetup.ServerTable+`"`)
	b.get("/tables/delete/absent", http.StatusNotFound)

	page := b.post(path, http.StatusOK, "confirm", "confirm", "backup", "yes")
	b.contains(page, "The table "+labsetup.ServerTable+" was deleted", "Your changes to tables", "Undo")
	b.lacks(page, `id="`+labsetup.ServerTable+`"`)
	id := regexp.MustCompile(`name="change" value="([0-9a-f]{16})"`).FindStringSubmatch(page)
	b.contains(b.post("/tables/undo", http.StatusOK, "table", labsetup.ServerTable, "change", id[1]), "Undone",
		"Robin Example", "a KMS key")
	u.lacks(u.get("/tables?left="+labsetup.ServerTable, http.StatusOK), "Robin Example") // under its key as before

	b.contains(b.post("/tables/delete/"+labsetup.OwnedTable, http.StatusOK, "confirm", " confirm "), "was deleted",
		"cannot be undone: there is no backup")

	// Deletion protection, which is turned off here and comes back by undo.
	b.post("/tables/create", http.StatusOK, table("kept", "settings", "own", "encryption", "owned", "protection",
		"yes")...)
	b.contains(b.get("/tables/delete/kept", http.StatusOK), "Deletion protection is on")
	b.contains(b.post("/tables/delete/kept", http.StatusOK, "confirm", "confirm"), "protected against deletion",
		`value="confirm"`)
	b.lacks(b.post("/tables/delete/kept", http.StatusOK, "action", "unprotect"), "Deletion protection is on")
	id = regexp.MustCompile(`name="change" value="([0-9a-f]{16})"`).FindStringSubmatch(b.get("/tables", http.StatusOK))
	b.post("/tables/undo", http.StatusOK, "table", "kept", "change", id[1])
	b.contains(b.get("/tables/delete/kept", http.StatusOK), "Deletion protection is on")

	// No right to delete, or to back up.
	s.detach(labsetup.UserName, "AmazonDynamoDBFullAccess", "AmazonDynamoDBReadOnlyAccess")
	u.get("/tables/delete/"+labsetup.ServerTable, http.StatusOK)
	u.contains(u.post("/tables/delete/"+labsetup.ServerTable, http.StatusForbidden, "confirm", "confirm"),
		"is not authorized to perform: dynamodb:DeleteTable", `value="confirm"`)
	u.contains(u.post("/tables/delete/"+labsetup.ServerTable, http.StatusForbidden, "confirm", "confirm", "backup",
		"yes"), "is not authorized to perform: dynamodb:CreateBackup")
}

// TestDeleteKey schedules a key's deletion, undoes it, and is refused.
func TestDeleteKey(t *testing.T) {
	s := newSite(t)
	b, u := s.administrator(), s.user()
	path := b.keyPath()
	del := "/keys/delete" + path[len("/keys"):]
	b.contains(b.get(path, http.StatusOK), del+`">Schedule key deletion`)
	b.contains(b.get(del, http.StatusOK), labsetup.ServerTable, labsetup.KeyAlias, `value="30"`, "CloudWatch alarm")
	b.contains(b.post(del, http.StatusOK, "days", "7"), "tick the box", `value="7"`)
	b.contains(b.post(del, http.StatusOK, "days", "3", "understood", "yes"), "7 to 30", `value="3"`,
		`name="understood" value="yes" checked`)
	b.contains(b.post(del, http.StatusOK, "days", "soon", "understood", "yes"), "7 to 30", `value="soon"`)
	u.get(del, http.StatusOK)
	u.contains(u.post(del, http.StatusForbidden, "days", "7", "understood", "yes"),
		"is not authorized to perform: kms:ScheduleKeyDeletion", `value="7"`)
	b.contains(b.post(del, http.StatusOK, "days", "7", "understood", "yes"), "Pending deletion until",
		"Deletion scheduled in 7 days", "Cancel deletion")
	b.contains(b.post(del, http.StatusOK, "days", "7", "understood", "yes"), "pending deletion")
	b.contains(b.post(path+"/cancel", http.StatusOK), "Deletion cancelled", ">Disabled<")
	b.post(path+"/enable", http.StatusOK)
	page := b.post(del, http.StatusOK, "days", "30", "understood", "yes")
	id := regexp.MustCompile(`name="change" value="([0-9a-f]{16})"`).FindStringSubmatch(page)
	b.contains(b.post(path+"/undo", http.StatusOK, "change", id[1]), "Undone", `chip plaintext">Enabled`)
}
