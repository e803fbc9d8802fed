// SPDX-License-Identifier: Apache-2.0

package kmsarn

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	const id = "1234abcd-12ab-34cd-56ef-1234567890ab"
	for text, want := range map[string]bool{
		"arn:aws:kms:us-west-2:111122223333:key/" + id:                        true,
		"arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-" + id:         true,
		"arn:aws:kms:us-west-2:111122223333:key/a/b":                          true,
		"arn:aws:kms:us-west-2:111122223333:alias/name":                       false,
		"arn:aws:kms:us-west-2:111122223333:key/":                             false,
		"arn:aws:kms:us-west-2:111122223333:key":                              false,
		"arn:aws:kms:us-west-2:111122223333:key:" + id:                        false,
		"arn:aws:kms:us-west-2::key/" + id:                                    false,
		"arn:aws:kms::111122223333:key/" + id:                                 false,
		"arn::kms:us-west-2:111122223333:key/" + id:                           false,
		"arn:aws:s3:us-west-2:111122223333:key/" + id:                         false,
		"ARN:aws:kms:us-west-2:111122223333:key/" + id:                        false,
		"arn:aws:kms:us-west-2:111122223333:key/" + id + ":x":                 false,
		"arn:aws:dynamodb:us-west-2:111122223333:table/" + id:                 false,
		"arn:aws:kms:us-west-2:111122223333:key/\x1b[2J":                      false,
		"arn:aws:kms:us-west-2:111122223333:key/a b":                          false,
		"arn:aws:kms:us-west-2:111122223333:key/é":                            false,
		"arn:aws:kms:us-west-2:111122223333:key/\xff":                         false,
		"arn:aws:kms:us-west-2:111122223333:key/" + strings.Repeat("a", 2010): false,
		"alias/name": false, id: false, "mrk-" + id: false, "": false,
	} {
		a, err := Parse(text)
		if (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil && a.String() != text {
			t.Errorf("%q became %q", text, a)
		}
	}
}

func TestMatches(t *testing.T) {
	west := ARN{"aws", "us-west-2", "111122223333", "mrk-1"}
	east := west.InRegion("us-east-1")
	single := ARN{"aws", "us-west-2", "111122223333", "1"}
	otherAccount, otherKey, otherPartition := east, east, east
	otherAccount.Account, otherKey.ID, otherPartition.Partition = "444455556666", "mrk-2", "aws-cn"
	movedSingle := single
	movedSingle.Region = "us-east-1"
	for _, c := range []struct {
		a, b ARN
		want bool
	}{
		{west, west, true}, {west, east, true}, {east, west, true}, {single, single, true},
		{west, otherAccount, false}, {west, otherKey, false}, {west, otherPartition, false},
		{single, movedSingle, false}, {single, west, false},
	} {
		if c.a.Matches(c.b) != c.want {
			t.Errorf("%v and %v: want %v", c.a, c.b, c.want)
		}
	}
	if single.InRegion("us-east-1") != single {
		t.Error("a single-Region key moved")
	}
}
