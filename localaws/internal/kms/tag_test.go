// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"strings"
	"testing"
)

// TestTagLimit: a key has at most 50 tags, however they come.
func TestTagLimit(t *testing.T) {
	w := newWorld(t)
	full := w.key(members{"Tags": manyTags(maxTags)})
	if out := w.do(root(here), "ListResourceTags", members{"KeyId": full}); len(out["Tags"].([]any)) != maxTags ||
		out["Truncated"] != false || out["NextMarker"] != nil {
		t.Errorf("tags %v", out)
	}
	w.do(root(here), "TagResource", members{"KeyId": full, "Tags": manyTags(maxTags)}) // no more than before
	w.fails(root(here), "TagResource", members{"KeyId": full, "Tags": tagsWith("more", "")}, "TagException",
		"Too many tags")
	if n := len(w.do(root(here), "ListResourceTags", members{"KeyId": full})["Tags"].([]any)); n != maxTags {
		t.Errorf("%d tags after the refusal", n)
	}
	w.do(root(here), "UntagResource", members{"KeyId": full, "TagKeys": []string{"k0"}})
	w.do(root(here), "TagResource", members{"KeyId": full, "Tags": tagsWith("more", "")})
}

// TestTagsInOneRequest: the tags of a request may come in any order, and a key
// twice is found in any.
func TestTagsInOneRequest(t *testing.T) {
	w := newWorld(t)
	arn := w.key(members{"Tags": []members{{"TagKey": "c", "TagValue": "3"}, {"TagKey": "a", "TagValue": "1"}}})
	w.fails(root(here), "TagResource", members{"KeyId": arn, "Tags": []members{{"TagKey": "x", "TagValue": ""},
		{"TagKey": "y", "TagValue": ""}, {"TagKey": "x", "TagValue": ""}}}, "TagException", "Duplicate tag keys")
	w.do(root(here), "TagResource", members{"KeyId": arn, "Tags": []members{{"TagKey": "b", "TagValue": "2"},
		{"TagKey": "a", "TagValue": "9"}}})
	var got []string
	for _, tag := range w.do(root(here), "ListResourceTags", members{"KeyId": arn})["Tags"].([]any) {
		got = append(got, tag.(members)["TagKey"].(string)+"="+tag.(members)["TagValue"].(string))
	}
	if s := strings.Join(got, " "); s != "a=9 b=2 c=3" {
		t.Errorf("tags %s", s)
	}
}
