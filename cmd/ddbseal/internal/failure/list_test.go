// SPDX-License-Identifier: Apache-2.0

package failure_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/failure"
	"github.com/ddbseal/ddbseal/store"
)

// run adds an item to the list for each of the keys, and returns the keys that are
// in the file afterwards.
func run(t *testing.T, path string, whole bool, keys ...string) (found []string) {
	t.Helper()
	l, err := failure.OpenList(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		item, _ := failure.OfRead(store.ErrNotFound, "t", store.Key{Partition: k}, failure.Names{Partition: "id"})
		if err := l.Add(item); err != nil {
			t.Fatal(err)
		}
	}
	if l.Len() != int64(len(keys)) {
		t.Errorf("length %d", l.Len())
	}
	if err := l.Close(whole); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	for line := range bytes.Lines(text) {
		var item struct {
			Key struct{ ID struct{ S string } }
		}
		if err := json.Unmarshal(line, &item); err != nil {
			continue // the unfinished line
		}
		found = append(found, item.Key.ID.S)
	}
	return found
}

func TestList(t *testing.T) {
	path := filepath.Join(t.TempDir(), "failures.jsonl")
	for i, c := range []struct {
		whole bool
		keys  []string
		want  string
	}{
		{true, []string{"a", "b"}, "a b"},
		{false, []string{"c"}, "a b c"}, // went on
		{false, nil, "a b c"},
		{true, []string{"d\u202e"}, "d\u202e"}, // began again
		{true, nil, ""},
	} {
		if got := strings.Join(run(t, path, c.whole, c.keys...), " "); got != c.want {
			t.Errorf("run %d: %q, want %q", i, got, c.want)
		}
	}
	// A killed run left half a line, and a file that others could read.
	if err := os.WriteFile(path, []byte(`{"table":`), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(run(t, path, false, "e"), " "); got != "e" {
		t.Errorf("%q", got)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
		t.Error("left:", left)
	}
	if _, err := failure.OpenList(t.TempDir()); err == nil {
		t.Error("a folder is a list")
	}
}
