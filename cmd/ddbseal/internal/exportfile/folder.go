// SPDX-License-Identifier: Apache-2.0

package exportfile

import (
	"bufio"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/store/change"
)

// Names of the files that an export has beside its data.
const (
	summaryName = "manifest-summary.json"
	filesName   = "manifest-files.json"
)

// maxManifest bounds a line of a manifest.
const maxManifest = 64 << 10

// ErrIncomplete means that the export lacks a file that its manifest lists, or a file is
// not as the manifest says.
var ErrIncomplete = errors.New("export is incomplete")

// export is a folder with the files of an export.
type export struct{ files []dataFile }

// dataFile is a file of items.
type dataFile struct {
	name, path string
	listed     *manifestFile // nil: there is no manifest
}

// manifestFile is a line of manifest-files.json.
type manifestFile struct {
	ItemCount   *int64 `json:"itemCount"`
	MD5Checksum string `json:"md5Checksum"`
	DataFileKey string `json:"dataFileS3Key"`
}

// open finds the files of items in a folder and its subfolders. If there are
// manifests, all that they list must be there, and files that they do not list
// are refused.
func open(dir string) (*export, error) {
	x := &export{}
	listed := map[string]manifestFile{} // by the file's base name
	manifest := false
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		switch name := path.Base(filepath.ToSlash(p)); {
		case err != nil:
			return err
		case d.IsDir():
			return nil
		case name == summaryName:
			return checkSummary(p)
		case name == filesName:
			manifest = true
			return readManifest(p, listed)
		case strings.HasSuffix(name, ".ion.gz"), strings.HasSuffix(name, ".ion"):
			return fmt.Errorf("%w: %s is in Amazon Ion: export with ExportFormat DYNAMODB_JSON", change.ErrFormat, p)
		case strings.HasPrefix(name, "manifest-"),
			!strings.HasSuffix(name, ".json.gz") && !strings.HasSuffix(name, ".json"):
			return nil
		case !d.Type().IsRegular():
			return fmt.Errorf("%s is not a regular file", p)
		}
		rel, err := filepath.Rel(dir, p)
		x.files = append(x.files, dataFile{name: filepath.ToSlash(rel), path: p})
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(x.files, func(a, b dataFile) int { return strings.Compare(a.name, b.name) })
	if manifest {
		if err := x.compare(dir, listed); err != nil {
			return nil, err
		}
	}
	if len(x.files) == 0 && !manifest {
		return nil, fmt.Errorf("no file of an export, such as data/….json.gz, in %s", dir)
	}
	outputs := map[string]string{}
	for _, f := range x.files {
		if other := outputs[f.output()]; other != "" {
			return nil, fmt.Errorf("%s and %s of %s would get one output file: decrypt them apart", other, f.name, dir)
		}
		outputs[f.output()] = f.name
	}
	return x, nil
}

// compare holds the files against the manifests.
func (x *export) compare(dir string, listed map[string]manifestFile) error {
	for i := range x.files {
		f := &x.files[i]
		m, known := listed[path.Base(f.name)]
		if !known {
			return fmt.Errorf("%w: %s of %s is not in its %s", ErrIncomplete, f.name, dir, filesName)
		}
		f.listed = &m
		delete(listed, path.Base(f.name))
	}
	for _, m := range listed {
		return fmt.Errorf("%w: %d files that %s lists are not in %s, such as %s", ErrIncomplete, len(listed), filesName,
			dir, m.DataFileKey)
	}
	return nil
}

func checkSummary(p string) error {
	f, err := os.Open(p)
	if err != nil {
		return err
	}
	defer f.Close()
	var summary struct {
		OutputFormat string `json:"outputFormat"`
	}
	if err := json.NewDecoder(io.LimitReader(f, maxManifest)).Decode(&summary); err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	if summary.OutputFormat != "" && summary.OutputFormat != "DYNAMODB_JSON" {
		return fmt.Errorf("%w: %s says that the export is in %q: export with ExportFormat DYNAMODB_JSON",
			change.ErrFormat, p, summary.OutputFormat)
	}
	return nil
}

func readManifest(p string, to map[string]manifestFile) error {
	f, err := os.Open(p)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxManifest)
	for number := 1; lines.Scan(); number++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var m manifestFile
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil || m.DataFileKey == "" {
			return fmt.Errorf("%s: line %d does not name a file", p, number)
		}
		to[path.Base(m.DataFileKey)] = m
	}
	return lines.Err()
}

// output is the name of the file with the plaintext.
func (f *dataFile) output() string { return strings.TrimSuffix(path.Base(f.name), ".gz") }

// checker reads a file and compares it with what the manifest says of it. The
// checksum finds damage, not manipulation, against which items are signed.
type checker struct {
	io.Reader
	listed *manifestFile
	sum    hash.Hash
}

func (f *dataFile) checker(in io.Reader) *checker {
	c := &checker{Reader: in, listed: f.listed}
	if f.listed != nil && f.listed.MD5Checksum != "" {
		c.sum = md5.New()
		c.Reader = io.TeeReader(in, c.sum)
	}
	return c
}

// verify is called at the end of the file.
func (c *checker) verify(lines int64) error {
	if c.listed == nil {
		return nil
	}
	if n := c.listed.ItemCount; n != nil && *n != lines {
		return fmt.Errorf("%w: %d lines, %s says %d", ErrIncomplete, lines, filesName, *n)
	}
	if c.sum == nil {
		return nil
	}
	if _, err := io.Copy(io.Discard, c.Reader); err != nil { // what gzip left unread
		return err
	}
	if got := base64.StdEncoding.EncodeToString(c.sum.Sum(nil)); got != c.listed.MD5Checksum {
		return fmt.Errorf("%w: checksum %s, %s says %s", ErrIncomplete, got, filesName, c.listed.MD5Checksum)
	}
	return nil
}
