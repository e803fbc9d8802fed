// SPDX-License-Identifier: Apache-2.0

package ci_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// spdx is how each Go file begins. The empty line keeps it out of the package's
// documentation.
const spdx = "// SPDX-License-Identifier: Apache-2.0\n\n"

var update = flag.Bool("update", false, "write the licence into the files that lack it")

// TestSPDX: each Go file names its licence. To add it where it is missing:
//
//	go test -run TestSPDX -update ./internal/ci
func TestSPDX(t *testing.T) {
	const root = "../.."
	out, err := exec.Command("git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard",
		"*.go").Output()
	if err != nil {
		t.Skipf("git does not list the files: %v", err)
	}
	read := 0
	for path := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if strings.Contains(path, "/testdata/") { // read by tests, as it is
			continue
		}
		name := filepath.Join(root, path)
		text, err := os.ReadFile(name)
		if os.IsNotExist(err) { // deleted and not committed yet
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if read++; bytes.HasPrefix(text, []byte(spdx)) {
			continue
		}
		if !*update {
			t.Errorf("%s does not begin with %q: run go test -run TestSPDX -update ./internal/ci", path, spdx)
			continue
		}
		if err := os.WriteFile(name, append([]byte(spdx), text...), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read < 500 {
		t.Errorf("only %d files were read", read)
	}
}
