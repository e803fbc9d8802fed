// SPDX-License-Identifier: Apache-2.0

package keyname

import (
	"errors"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

const (
	here   = "111122223333"
	abroad = "444455556666"
	region = "eu-central-1"
)

func TestParse(t *testing.T) {
	home := wire.Place{Account: here, Region: region}
	const id, mrk = "11111111-1111-4111-8111-111111111111", "mrk-0123456789abcdef0123456789abcdef"
	prefix := "arn:aws:kms:" + region + ":" + here + ":"
	long := "alias/" + strings.Repeat("x", 250)
	for text, want := range map[string]Name{
		id: {home, id, ""}, mrk: {home, mrk, ""}, prefix + "key/" + id: {home, id, ""},
		prefix + "key/" + mrk: {home, mrk, ""},
		"alias/aZ09/_-":       {home, "", "alias/aZ09/_-"}, prefix + "alias/x": {home, "", "alias/x"}, long: {home, "", long},
		"arn:aws:kms:" + region + ":" + abroad + ":key/" + id: {wire.Place{Account: abroad, Region: region}, id, ""},
	} {
		if got, err := Parse(text, home); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for text, code := range map[string]string{
		"": "NotFoundException", "x": "NotFoundException", id[:35]: "NotFoundException", id + "1": "NotFoundException",
		strings.ReplaceAll(id, "-", ""): "NotFoundException",
		"{" + id[1:35] + "}":            "NotFoundException", "g" + id[1:]: "NotFoundException",
		"urn:uuid:" + id: "NotFoundException", "{" + id + "}": "NotFoundException",
		mrk[:35]: "NotFoundException", mrk + "0": "NotFoundException",
		"mrk-" + strings.Repeat("g", 32): "NotFoundException", "mrk-": "NotFoundException",
		"MRK" + mrk[3:]: "NotFoundException",
		"alias/":        "NotFoundException", "alias/a b": "NotFoundException", "alias/é": "NotFoundException",
		long + "x": "NotFoundException", prefix + "alias/": "NotFoundException",
		"alias/a:b": "NotFoundException", "alias/a@": "NotFoundException", "alias/a[": "NotFoundException",
		"alias/a`": "NotFoundException", "alias/a{": "NotFoundException", "alias/a.": "NotFoundException",
		prefix + id: "InvalidArnException", prefix + "key": "InvalidArnException",
		prefix + "grant/x": "InvalidArnException", "arn:aws:kms:" + region: "InvalidArnException",
		"arn:aws-cn:kms:" + region + ":" + here + ":key/" + id: "InvalidArnException",
		"arn:aws:s3:" + region + ":" + here + ":key/" + id:     "InvalidArnException",
		"arn:aws:kms::" + here + ":key/" + id:                  "InvalidArnException",
		"arn:aws:kms:" + region + ":11112222333:key/" + id:     "InvalidArnException",
		"arn:aws:kms:" + region + "::key/" + id:                "InvalidArnException",
		"arn:aws:kms:us-east-1:" + here + ":key/" + id:         "NotFoundException",
		prefix + "key/x": "NotFoundException",
	} {
		if got, err := Parse(text, home); err == nil {
			t.Errorf("%q is taken for %+v", text, got)
		} else {
			var e *request.Error
			if !errors.As(err, &e) || e.Code != code {
				t.Errorf("%q: %v, want %s", text, err, code)
			}
		}
	}
}

func TestWords(t *testing.T) {
	for name, c := range map[string]struct {
		valid      func(string) bool
		good, evil []string
	}{
		"account": {IsAccount, []string{here, "000000000000", "999999999999", "123456789012"},
			[]string{"", here[1:], here + "1", "11112222333/", "11112222333:", "11112222333a", "a11122223333",
				" 11122223333"}},
		"Region": {ValidRegion, []string{"us-east-1", "us-gov-east-1", "az-az-09", "aa-b-1", "us-" + strings.Repeat("x", 27) + "-1"},
			[]string{"", "us", "us-east", "u-east-1", "usa-east-1", "us-east-a", "us-East-1", "us-e1st-1", "u1-east-1",
				"us--1", "us-east-", "-east-1",
				"us-east-/", "us-east-:", "us-`-1", "us-{-1", "us-" + strings.Repeat("x", 28) + "-1"}},
		"alias": {ValidAlias, []string{"alias/azAZ09/_-"}, []string{"", "alias", "alias/", "azAZ", "aliasx/a", "alias/@", "alias/[", "alias/`", "alias/{", "alias/:", "alias/."}},
	} {
		for _, s := range c.good {
			if !c.valid(s) {
				t.Errorf("%s %q is refused", name, s)
			}
		}
		for _, s := range c.evil {
			if c.valid(s) {
				t.Errorf("%s %q is taken", name, s)
			}
		}
	}
}
