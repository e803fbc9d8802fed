// SPDX-License-Identifier: Apache-2.0

package principal

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestPrincipals(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "principals.json")
	p, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Add("somebody", aws.Credentials{AccessKeyID: "AKIA1", SecretAccessKey: "hush"}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Fatal(info, err)
	}
	again, err := Read(path)
	if err != nil || again.Keys["somebody"].Credentials().SecretAccessKey != "hush" || again.Names() != "somebody" {
		t.Fatal(again, err)
	}
	if text := again.Keys["somebody"].String() + again.Keys["somebody"].GoString(); strings.Contains(text, "hush") {
		t.Error("a secret prints")
	}
	if err := os.WriteFile(path, []byte(`{"accessKeys":{"a":{"secretAccessKey":"hush"`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); err == nil || strings.Contains(err.Error(), "hush") ||
		!strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged file: %v", err)
	}
}

func TestDefaultDataDir(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_DATA_HOME", "")
	if runtime.GOOS == "linux" {
		if dir, err := DefaultFolder(); err != nil || dir != filepath.Join(home, ".local", "share", "ddbseal") {
			t.Error(dir, err)
		}
	}
	t.Setenv("XDG_DATA_HOME", home)
	if dir, err := DefaultFolder(); err != nil || dir != filepath.Join(home, "ddbseal") {
		t.Error(dir, err)
	}
}
