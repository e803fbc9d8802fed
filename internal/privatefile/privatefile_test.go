// SPDX-License-Identifier: Apache-2.0

package privatefile

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "secret.json")
	// An old file that others can read must not lend its mode.
	if err := os.WriteFile(path, []byte("a long old content"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{"first", "second", ""} {
		if err := Replace(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != content {
			t.Errorf("%q, %v; want %q", got, err, content)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v", info.Mode())
		}
	}
	onlyFile(t, dir)
}

func TestReplaceFails(t *testing.T) {
	dir := t.TempDir()
	if err := Replace(filepath.Join(dir, "missing", "file"), nil); err == nil {
		t.Error("a folder that is not there was written to")
	}
	// A folder has the name: the rename fails, and nothing is left over.
	if err := os.MkdirAll(filepath.Join(dir, "taken", "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Replace(filepath.Join(dir, "taken"), []byte("x")); err == nil {
		t.Error("a folder was replaced")
	}
	onlyFile(t, dir)
}

func onlyFile(t *testing.T, dir string) {
	t.Helper()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if content, exists, err := Read(path); content != nil || exists || err != nil {
		t.Errorf("no file: %q, %v, %v", content, exists, err)
	}
	for _, want := range []string{"", "content"} {
		if err := Replace(path, []byte(want)); err != nil {
			t.Fatal(err)
		}
		if content, exists, err := Read(path); string(content) != want || !exists || err != nil {
			t.Errorf("%q, %v, %v; want %q", content, exists, err, want)
		}
	}
	if _, exists, err := Read(dir); exists || err == nil {
		t.Errorf("a folder was read: %v, %v", exists, err)
	}
}
