// SPDX-License-Identifier: Apache-2.0

package console

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/ddbseal/ddbseal/internal/privatefile"
)

// pathFile keeps the prefix of a data folder, mode 0600.
const pathFile = "console-path"

// prefixBits is the size of the random part of the prefix.
const prefixBits = 128

var validPrefix = regexp.MustCompile(`^/c-[0-9a-f]{32}$`)

// Browsers send a cookie to every port of its host, but only under the cookie's
// path. So all pages are under a path that another program on this host does not
// know: a page of that program gets no cookie of the console, and cannot link
// to the console either.

// openPrefix returns the prefix of all paths, without a slash at its end: the
// one that the folder keeps, so that an address works again after a restart, or
// a new one.
func openPrefix(folder string) (string, error) {
	fresh := "/c-" + random()[:prefixBits/4]
	if folder == "" {
		return fresh, nil
	}
	path := filepath.Join(folder, pathFile)
	text, exists, err := privatefile.Read(path)
	if err != nil {
		return "", fmt.Errorf("read the console's path: %w", err)
	}
	if exists && private(path) {
		kept := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "/")
		if !validPrefix.MatchString(kept) {
			return "", fmt.Errorf("%s is damaged: delete it, and the console gets a new address", path)
		}
		return kept, nil
	}
	if err := privatefile.Replace(path, []byte(fresh+"/\n")); err != nil {
		return "", fmt.Errorf("keep the console's path: %w", err)
	}
	return fresh, nil
}

// PathOf returns the path at which a console over a data folder is, as
// [Console.Path] does, before there is one. It makes the path if the folder has
// none yet. It fails if the folder's file cannot be read or written.
func PathOf(folder string) (string, error) {
	prefix, err := openPrefix(folder)
	return prefix + "/", err
}

// private reports whether only the owner can read the file. A path that others
// could read is replaced.
func private(path string) bool {
	info, err := os.Stat(path)
	return err == nil && (info.Mode().Perm()&0o077 == 0 || runtime.GOOS == "windows")
}

// Path returns the path of the console's first page, which begins and ends with
// a slash. Every other page is below it, and the console answers 404 elsewhere.
// The path is random, and the same as long as Config.Folder keeps it.
func (c *Console) Path() string { return c.prefix + "/" }

// inside hands a request below the prefix to next, without the prefix.
func (c *Console) inside(next http.Handler) http.Handler {
	pages := http.StripPrefix(c.prefix, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := r.URL.Path[:min(len(r.URL.Path), len(c.prefix))]
		if subtle.ConstantTimeCompare([]byte(begin), []byte(c.prefix)) != 1 {
			http.NotFound(w, r)
			return
		}
		switch rest := r.URL.Path[len(begin):]; {
		case rest == "":
			c.redirect(w, r, "/")
		case rest[0] != '/':
			http.NotFound(w, r)
		default:
			pages.ServeHTTP(w, r)
		}
	})
}

// redirect sends the browser to a page of the console, whose path begins with a
// slash and lacks the prefix.
func (c *Console) redirect(w http.ResponseWriter, r *http.Request, to string) {
	http.Redirect(w, r, c.prefix+to, http.StatusSeeOther)
}
