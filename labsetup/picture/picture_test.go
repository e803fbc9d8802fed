// SPDX-License-Identifier: Apache-2.0

package picture_test

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/labsetup/picture"
)

func sample() picture.Picture {
	clear := picture.Part{Kind: picture.Clear, Text: "hay fever"}
	sealed := picture.Part{Kind: picture.Sealed, Text: "(unreadable)"}
	return picture.Picture{Title: "The same record, the same key",
		Columns: [3]string{"on AWS's disk", "DynamoDB answers", "your program shows"},
		Rows: []picture.Row{
			{Title: "server-side", Detail: "with the key", Cells: [3][]picture.Part{{sealed}, {clear}, {clear}}},
			{Title: "server-side", Detail: "without the key", Lit: true, Cells: [3][]picture.Part{{sealed},
				{{Kind: picture.Refused, Text: "AccessDenied"}}, {{Kind: picture.Nothing, Text: "nothing"}}}},
			{Title: "client-side", Detail: "without the key", Cells: [3][]picture.Part{{sealed},
				{{Kind: picture.Clear, Text: "ward: north"}, sealed},
				{sealed, {Kind: picture.Refused, Text: "KMS: denied"}}}},
		},
		Caption: "Server-side, without the key you get an error and never see ciphertext. Client-side, you get the " +
			"ciphertext and cannot open it."}
}

var pathData = regexp.MustCompile(`^([MLHVQAahvz]|[-. 0-9]|Z)+$`)

// wellFormed reads the SVG as XML and returns the texts of its elements.
func wellFormed(t *testing.T, svg string) string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	var b strings.Builder
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
		switch token := token.(type) {
		case xml.CharData:
			b.Write(token)
		case xml.StartElement:
			for _, a := range token.Attr {
				if a.Name.Local == "d" && !pathData.MatchString(a.Value) {
					t.Errorf("no browser draws the path %q", a.Value)
				}
			}
		}
	}
}

func TestSVG(t *testing.T) {
	if dir := os.Getenv("DDBSEAL_SCREENSHOTS"); dir != "" {
		_ = os.WriteFile(dir+"/picture.svg", []byte(sample().SVG(picture.Light)), 0o600)
	}
	light := sample().SVG(picture.Light)
	shown := wellFormed(t, light)
	for _, want := range []string{"The same record", "hay fever", "AccessDenied", "ward: north", "KMS: denied",
		"server-side, without the key: on AWS's disk (unreadable); DynamoDB answers AccessDenied",
		"Client-side, you get"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the picture lacks %q", want)
		}
	}
	if strings.Count(light, `stroke-width="3"`) != 1 {
		t.Error("not one row is lit")
	}
	if sample().SVG(picture.Light) != light || sample().SVG(picture.Dark) == light {
		t.Error("the picture differs from one time to the next, or does not between the themes")
	}
	if vars := sample().SVG(picture.Variables); strings.Contains(vars, `"#`) || !strings.Contains(vars,
		"var(--picture-ink)") {
		t.Error("a picture for a page has colours of its own")
	}
}

func TestEscapes(t *testing.T) {
	const evil = `"><script>alert(1)</script>&`
	p := picture.Picture{Title: evil, Columns: [3]string{evil, evil, evil}, Caption: evil,
		Rows: []picture.Row{{Title: evil, Detail: evil, Cells: [3][]picture.Part{{{Kind: picture.Clear, Text: evil}}}}}}
	svg := p.SVG(picture.Light)
	wellFormed(t, svg)
	if strings.Contains(svg, "<script") {
		t.Error(svg)
	}
}
