package console

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/localaws"
)

// TestLab runs two steps, restarts everything, goes on where it was, and ends
// with the report.
func TestLab(t *testing.T) {
	data := t.TempDir()
	durable := func(c *Config, o *localaws.Options) { c.Folder, o.DataDir = data, data }
	t.Run("begin", func(t *testing.T) {
		b := newSite(t, durable).administrator()
		b.get("/lab", http.StatusOK)
		b.contains(b.post("/lab/run", http.StatusOK, "step", "1"), "1 of ", "as expected", "Run step 2")
		b.contains(b.post("/lab/run", http.StatusOK, "step", "2"), "2 of ")
	})
	info, err := os.Stat(filepath.Join(data, progressFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	t.Run("go on", func(t *testing.T) {
		s := newSite(t, durable)
		b := s.administrator()
		b.contains(b.get("/lab", http.StatusOK), "2 of ", "Run step 3")
		page := b.post("/lab/run", http.StatusOK, "step", "22")
		b.contains(page, "22 of ")
		b.lacks(page, "new console password") // the one that exists stays
		s.user()
		b.lacks(s.as("root").get("/lab", http.StatusOK), "new console password", "22 of ")
		page = b.post("/lab/run", http.StatusOK, "step", between(page, `id="run-all" name="step" value="`, `"`))
		b.contains(page, "every check held", "Who sees what", "What made the difference", `<span class="add">`,
			"denied kms:Decrypt")
		b.lacks(page, "not as expected")
		text, err := os.ReadFile(filepath.Join(data, progressFile))
		if err != nil || strings.Contains(string(text), "Robin") ||
			strings.Contains(string(text), s.passwords[labsetup.UserName]) {
			t.Errorf("the progress file holds values or passwords (%v)", err)
		}
	})
	t.Run("report stays", func(t *testing.T) {
		b := newSite(t, durable).administrator()
		b.contains(b.get("/lab", http.StatusOK), "every check held", "Start over", "Clean up", "create-key")
		b.contains(b.post("/lab/reset", http.StatusOK), "Run step 1", "0 of ")
	})
}

// TestPrediction: before a read the page asks what it will show, and says after it
// whether that was right. Clean-up is its own step.
func TestPrediction(t *testing.T) {
	b := newSite(t).administrator()
	page := b.post("/lab/run", http.StatusOK, "step", "8")
	b.contains(page, "What will administrator see?", "the record", "ciphertext", "an error", "goal", "Optional:")
	page = b.post("/lab/run", http.StatusOK, "step", "9", "predicts", "administrator-"+labsetup.ServerTable,
		"guess", "1")
	b.contains(page, "You said ciphertext", "not quite")
	page = b.post("/lab/run", http.StatusOK, "step", "10", "predicts", "administrator-"+labsetup.ClientTable,
		"guess", "0")
	b.contains(page, "You said the record", "right")
	page = b.post("/lab/clean", http.StatusOK)
	b.contains(page, "0 of ")
	b.contains(b.post("/lab/run", http.StatusOK, "step", "1"), "1 of ", "as expected")
}

// TestLabWithoutRights shows that the lab has the user's power only.
func TestLabWithoutRights(t *testing.T) {
	u := newSite(t).user()
	u.get("/lab", http.StatusOK)
	page := u.post("/lab/run", http.StatusOK, "step", "3")
	u.contains(page, "not as expected", "The lab stopped", "is not authorized to perform: kms:ListResourceTags")
	u.contains(u.post("/lab/reset", http.StatusOK), "0 of ")
	u.post("/lab/run", http.StatusBadRequest, "step", "x")
}
