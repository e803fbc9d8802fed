// SPDX-License-Identifier: Apache-2.0

package ddbseal_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

// copyleft matches the titles of licences that set terms for the source of a
// program that links a module, or of the module. The text of a permissive
// licence holds none of them.
var copyleft = regexp.MustCompile(`(?i)(` + strings.Join([]string{
	`(Mozilla|Eclipse|Server\s+Side|European\s+Union)\s+Public\s+Licen[sc]e`,
	`GNU\s+(Affero\s+|Lesser\s+|Library\s+)?General\s+Public\s+Licen[sc]e`,
	`Common\s+Development\s+and\s+Distribution\s+Licen[sc]e`,
	`\b(MPL|A?L?GPL|EPL|CDDL|SSPL|EUPL)-[0-9]`,
}, "|") + `)`)

// licenceFile is a name under which a module's licence stands.
var licenceFile = regexp.MustCompile(`(?i)^(un)?(licen[sc]e|copying|copyright)`)

// TestLicences: everything that the command or a package of this module links
// has a permissive licence.
func TestLicences(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-json=Module", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := map[string]bool{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			Module *struct {
				Path, Dir string
				Main      bool
			}
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Module == nil || p.Module.Main || seen[p.Module.Path] { // nil: the standard library
			continue
		}
		seen[p.Module.Path] = true
		if problem := licence(os.DirFS(p.Module.Dir)); problem != "" {
			t.Errorf("%s: %s", p.Module.Path, problem)
		}
	}
	if !seen["github.com/alecthomas/kong"] || len(seen) < 20 {
		t.Errorf("only %d modules were found", len(seen))
	}
}

// licence returns what is wrong with the licence of a module, or nothing.
func licence(module fs.FS) string {
	entries, err := fs.ReadDir(module, ".")
	if err != nil {
		return err.Error()
	}
	found := false
	for _, e := range entries {
		if e.IsDir() || !licenceFile.MatchString(e.Name()) || filepath.Ext(e.Name()) == ".go" {
			continue
		}
		text, err := fs.ReadFile(module, e.Name())
		if err != nil {
			return err.Error()
		}
		if title := copyleft.Find(text); title != nil {
			return e.Name() + " says " + string(title)
		}
		found = found || len(text) > 100
	}
	if !found {
		return "there is no licence"
	}
	return ""
}

func TestLicenceIsRefused(t *testing.T) {
	permissive := strings.Repeat("Permission is hereby granted, free of charge, to any person. ", 3)
	for name, c := range map[string]struct {
		files map[string]string
		ok    bool
	}{
		"permissive":      {map[string]string{"LICENSE": permissive}, true},
		"another name":    {map[string]string{"COPYING.md": permissive}, true},
		"Mozilla":         {map[string]string{"LICENSE": "Mozilla Public License, version 2.0\n\n1. Definitions" + permissive}, false},
		"GNU":             {map[string]string{"LICENSE": permissive, "COPYING": "GNU LESSER GENERAL\n PUBLIC LICENSE"}, false},
		"identifier":      {map[string]string{"license.txt": "SPDX-License-Identifier: AGPL-3.0-only\n" + permissive}, false},
		"none":            {map[string]string{"README": permissive, "license.go": permissive}, false},
		"a title without": {map[string]string{"LICENSE": "MIT"}, false},
	} {
		module := fstest.MapFS{}
		for file, text := range c.files {
			module[file] = &fstest.MapFile{Data: []byte(text)}
		}
		if problem := licence(module); (problem == "") != c.ok {
			t.Errorf("%s: %q", name, problem)
		}
	}
}
