// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/localaws"
)

// TestCORS: pages of an origin that is allowed may call and read, pages of every
// other origin may not, and without the option none may.
func TestCORS(t *testing.T) {
	const page, other = "http://localhost:3000", "http://localhost:3001"
	s := start(t, localaws.Options{AllowedOrigins: []string{page, "https://app.example"}})
	url := listen(t, s).URL()
	closed := start(t, localaws.Options{})
	closedURL := listen(t, closed).URL()

	preflight := func(url, origin, headers string) (int, http.Header) {
		r := rawRequest{method: http.MethodOptions, unsigned: true, header: map[string]string{"Origin": origin,
			"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": headers}}
		status, header, _ := do(t, http.DefaultClient, r.build(t, url))
		return status, header
	}
	const asked = "authorization,content-type,x-amz-date,x-amz-target"
	for _, origin := range []string{page, "https://app.example"} {
		status, header := preflight(url, origin, asked)
		if status != http.StatusNoContent || header.Get("Access-Control-Allow-Origin") != origin ||
			header.Get("Access-Control-Allow-Methods") != "GET, POST" ||
			header.Get("Access-Control-Allow-Headers") != strings.ReplaceAll(asked, ",", ", ") ||
			header.Get("Access-Control-Max-Age") == "" {
			t.Errorf("preflight of %s: %d %v", origin, status, header)
		}
	}
	_, header := preflight(url, page, "x-amz-date, bad name,\"x\"")
	if header.Get("Access-Control-Allow-Headers") != "x-amz-date" {
		t.Errorf("malformed names are repeated: %v", header)
	}
	if _, header := preflight(url, page, strings.Repeat("x", 5000)); header.Get("Access-Control-Allow-Headers") != "" {
		t.Errorf("a list of any length is repeated: %v", header)
	}
	for _, c := range [][2]string{
		{url, other}, {url, "null"}, {url, page + ".example"}, {url, strings.ToUpper(page)}, {closedURL, page},
	} {
		if status, header := preflight(c[0], c[1], asked); status != http.StatusNotFound ||
			header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("preflight of %s: %d %v", c[1], status, header)
		}
	}
	for origin, allowed := range map[string]string{page: page, other: "", "": ""} {
		r := rawRequest{target: "DynamoDB_20120810.ListTables", contentType: json10, service: "dynamodb", body: `{}`, creds: s.RootCredentials()}
		if origin != "" {
			r.header = map[string]string{"Origin": origin}
		}
		status, header, _ := do(t, http.DefaultClient, r.build(t, url))
		if status != http.StatusOK || header.Get("Access-Control-Allow-Origin") != allowed ||
			header.Get("Vary") != "Origin" {
			t.Errorf("a call from %q: %d %v", origin, status, header)
		}
		exposed := header.Get("Access-Control-Expose-Headers")
		if strings.Contains(exposed, "X-Amzn-Requestid") != (allowed != "") ||
			header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("a call from %q: %v", origin, header)
		}
	}
}

func TestOriginsAreExact(t *testing.T) {
	for _, origin := range []string{"", "*", "null", "localhost:3000", "http://", "http://*.example",
		"http://localhost:3000/", "http://LOCALHOST",
		"file:///x", "http://user@localhost", "http://localhost?x", "http://a http://b"} {
		s, err := localaws.New(localaws.Options{AllowedOrigins: []string{origin}})
		if err == nil {
			s.Close()
			t.Errorf("%q was accepted", origin)
		} else if !errors.Is(err, localaws.ErrOrigin) {
			t.Errorf("%q: %v", origin, err)
		}
	}
}
