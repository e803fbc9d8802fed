// SPDX-License-Identifier: Apache-2.0

package markup

import (
	"strings"
	"testing"
)

func TestFinishLinks(t *testing.T) {
	for _, c := range []struct{ page, want string }{
		{`<a href="/c/keys">Keys</a>`, `<span aria-current="page">Keys</span>`},
		{`<p><a class="x" href="/c/keys" aria-current="page">K<b>ey</b>s</a> <a href="/c/a">a</a></p>`,
			`<p><span class="x" aria-current="page">K<b>ey</b>s</span> <a href="/c/a">a</a></p>`},
		{`<a href="/c/keys?view=policy">P</a>`, `<a href="/c/keys?view=policy">P</a>`},
		{`<a href="#main">Skip</a><abbr href="/c/keys">x</abbr>`, `<a href="#main">Skip</a><abbr href="/c/keys">x</abbr>`},
		{`<a name="x">y</a> a < b`, `<a name="x">y</a> a < b`},
		{`<`, `<`},
		{``, ``},
	} {
		if got := string(Finish([]byte(c.page), "/c/keys")); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.page, got, c.want)
		}
	}
	const query = `<a href="/c/tables?left=a&amp;right=b">x</a>`
	if got := string(Finish([]byte(query), "/c/tables?left=a&right=b")); strings.Contains(got, "<a") {
		t.Error(got)
	}
}

func TestFinishTables(t *testing.T) {
	const page = `<table class="list"><thead><tr><th scope="col">A "b"</th>` +
		`<th scope="col"><span class="visually-hidden">Action</span></th><th></th></tr></thead>` +
		`<tbody><tr><th scope="row">1</th><td>2</td><td>3</td><td>4</td></tr><tr><td class="x">5</td></tr></tbody></table>` +
		`<table><tbody><tr><td>6</td></tr></tbody></table>`
	const want = `<table class="list"><thead><tr><th scope="col">A "b"</th>` +
		`<th scope="col"><span class="visually-hidden">Action</span></th><th></th></tr></thead>` +
		`<tbody><tr><th data-label="A &#34;b&#34;" scope="row">1</th><td data-label="Action">2</td><td>3</td><td>4</td></tr>` +
		`<tr><td data-label="A &#34;b&#34;" class="x">5</td></tr></tbody></table>` +
		`<table><tbody><tr><td>6</td></tr></tbody></table>`
	if got := string(Finish([]byte(page), "/")); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
