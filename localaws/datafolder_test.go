// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/ddbseal/ddbseal/localaws"
)

// goldenFolders is where data folders of earlier builds are kept: NAME.zip is
// a folder as a build wrote it, NAME.json is what a server over it answers. A
// folder is packed because it keeps its mode that way, and because the root
// user's access key in it would alarm programs that search for secrets.
const goldenFolders = "testdata/datafolders"

var writeFolder = flag.Bool("update", false, "write a golden data folder by this build, beside those that exist")

// goldenFolder is what a server over a golden data folder answers.
type goldenFolder struct {
	// Written is the server's clock when the folder was written.
	Written time.Time
	// Alice is the access key of an IAM user, and AliceSecret its secret.
	Alice       string
	AliceSecret []byte
	// Ciphertexts are ciphertexts of the customer managed key by plaintext.
	Ciphertexts map[string][]byte
	// Answers are the answers to goldenReads by name. A later build may answer
	// more fields, but has to answer these.
	Answers map[string]any
}

// TestGoldenDataFolders opens the data folders that earlier builds have written
// and checks that everything is there.
//
// To keep a folder of today's build, after a change of what is written, run
//
//	go test ./localaws -run TestGoldenDataFolders -update
//
// It adds a folder that is named by its format and never replaces one: a folder
// is evidence of what its build wrote. When goldenReads gets a further entry,
// only folders that are written afterwards hold its answer.
func TestGoldenDataFolders(t *testing.T) {
	if *writeFolder {
		writeGoldenFolder(t)
	}
	packed, err := filepath.Glob(filepath.Join(goldenFolders, "*.zip"))
	if err != nil || len(packed) == 0 {
		t.Fatalf("%s holds no data folder: %v", goldenFolders, err)
	}
	for _, path := range packed {
		name := strings.TrimSuffix(path, ".zip")
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			var want goldenFolder
			if err := json.Unmarshal(text, &want); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			unpackFolder(t, path, dir)
			// The second server opens what the first has written back.
			for _, opened := range []string{"as it was written", "after use"} {
				t.Run(opened, func(t *testing.T) { checkGoldenFolder(t, dir, want) })
			}
		})
	}
}

// checkGoldenFolder compares what a server over dir answers, and uses it as the
// people do who are in it.
func checkGoldenFolder(t *testing.T, dir string, want goldenFolder) {
	s := start(t, localaws.Options{DataDir: dir, Clock: func() time.Time { return want.Written }})
	answers := goldenAnswers(t, s)
	for name, recorded := range want.Answers {
		for _, difference := range missing(name, recorded, answers[name]) {
			t.Error(difference)
		}
	}
	if len(want.Answers) == 0 || len(want.Ciphertexts) == 0 {
		t.Error("nothing was compared")
	}
	useGoldenFolder(t, s, want)
}

// missing tells what of recorded is not in got: fields, values, and elements of
// lists.
func missing(path string, recorded, got any) (differences []string) {
	if object, ok := recorded.(map[string]any); ok {
		if now, ok := got.(map[string]any); ok {
			for name, value := range object {
				differences = append(differences, missing(path+"."+name, value, now[name])...)
			}
			return differences
		}
	}
	if list, ok := recorded.([]any); ok {
		if len(list) == 0 && got == nil {
			return nil // an answer may leave out an empty list
		}
		if now, ok := got.([]any); ok && len(now) == len(list) {
			for i, value := range list {
				differences = append(differences, missing(fmt.Sprintf("%s[%d]", path, i), value, now[i])...)
			}
			return differences
		}
	}
	if !reflect.DeepEqual(recorded, got) {
		return []string{fmt.Sprintf("%s is %v, was written as %v", path, got, recorded)}
	}
	return nil
}

// TestMissing: what a golden data folder is compared with finds a difference at
// every depth, and takes a further field.
func TestMissing(t *testing.T) {
	for _, c := range []struct {
		recorded, got string
		want          int
	}{
		{`{"a":{"b":[1,{"c":"x"}]}}`, `{"a":{"b":[1,{"c":"x","d":1}],"e":2}}`, 0},
		{`{"a":{"b":[1,{"c":"x"}]}}`, `{"a":{"b":[1,{"c":"y"}]}}`, 1},
		{`{"a":[1]}`, `{"a":[1,2]}`, 1},
		{`{"a":1,"b":null}`, `{}`, 1},
		{`{"a":{}}`, `{"a":[]}`, 1},
		{`{"a":[]}`, `{}`, 0},
		{`{"a":[1]}`, `{}`, 1},
	} {
		var recorded, got any
		err := errors.Join(json.Unmarshal([]byte(c.recorded), &recorded), json.Unmarshal([]byte(c.got), &got))
		if err != nil {
			t.Fatal(err)
		}
		if found := missing("", recorded, got); len(found) != c.want {
			t.Errorf("%s in %s: %q, want %d differences", c.recorded, c.got, found, c.want)
		}
	}
}

// writeGoldenFolder keeps a data folder of this build.
func writeGoldenFolder(t *testing.T) {
	dir := t.TempDir()
	var contents goldenFolder
	if !t.Run("write", func(t *testing.T) { contents = fillGoldenFolder(t, dir) }) {
		t.FailNow()
	}
	text, err := json.MarshalIndent(contents, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	format := filepath.Join(goldenFolders, "format-"+folderFormat(t, dir))
	name := format
	for n := 2; exists(name+".json") || exists(name+".zip"); n++ {
		name = fmt.Sprintf("%s.%d", format, n)
	}
	packed := packFolder(t, dir)
	for path, content := range map[string][]byte{name + ".json": append(text, '\n'), name + ".zip": packed} {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Write(content)
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("wrote %s", name)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// folderFormat returns the format that the data file in dir names.
func folderFormat(t *testing.T, dir string) (format string) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(dir, "localaws.db"), 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		format = string(tx.Bucket([]byte("ddbseal localaws")).Get([]byte("format")))
		return nil
	})
	if err != nil || format == "" {
		t.Fatalf("format %q, %v", format, err)
	}
	return format
}

func packFolder(t *testing.T, dir string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	if err := errors.Join(w.AddFS(os.DirFS(dir)), w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// unpackFolder writes the files of a packed folder, for their owner alone: a
// server refuses a root key that others can read.
func unpackFolder(t *testing.T, path, dir string) {
	t.Helper()
	r, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var names []string
	for _, f := range r.File {
		if f.FileInfo().IsDir() {
			continue
		}
		content, err := fs.ReadFile(r, f.Name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(f.Name)), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, f.Name)
	}
	if !slices.Contains(names, "root.key") || !slices.Contains(names, "root-credentials.json") {
		t.Fatalf("%s holds %q", path, names)
	}
}
