// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

func TestUpdateKeyDescription(t *testing.T) {
	w := newWorld(t)
	arn := w.key(members{"Description": "first"})
	for _, description := range []string{"second", ""} {
		w.do(root(here), "UpdateKeyDescription", members{"KeyId": arn, "Description": description})
		for range 2 {
			if got := w.describe(arn)["Description"]; got != description {
				t.Errorf("the description is %q, want %q", got, description)
			}
			w.restart()
		}
	}
}

// TestSameState: to enable an enabled key, or to disable a disabled one, changes
// and files nothing.
func TestSameState(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	for _, c := range []struct {
		operation string
		files     int
	}{{"EnableKey", 0}, {"DisableKey", 1}, {"DisableKey", 0}, {"EnableKey", 1}, {"EnableKey", 0}} {
		before := w.filed
		w.do(root(here), c.operation, members{"KeyId": arn})
		if got := w.filed - before; got != c.files {
			t.Errorf("%s has filed %d changes, want %d", c.operation, got, c.files)
		}
	}
}

// TestDescribeMakesManagedKey: each name of DynamoDB's key makes it, in Regions
// that there may be.
func TestDescribeMakesManagedKey(t *testing.T) {
	for _, id := range []string{dynamodbAlias, "arn:aws:kms:" + region + ":" + here + ":" + dynamodbAlias} {
		w := newWorld(t)
		w.asked = func(_ *request.Call, k request.Check) {
			if got := k.Context[conditionResourceAliases]; !slices.Equal(got, []string{dynamodbAlias}) {
				t.Errorf("asked about a key with the aliases %q", got)
			}
		}
		if m := w.describe(id); m["KeyManager"] != "AWS" ||
			m["Description"] != "Default key that protects my DynamoDB data when no other key is defined" {
			t.Errorf("%s: %v", id, m)
		}
		w.asked = nil
		a := w.do(root(here), "ListAliases", nil)["Aliases"].([]any)[0].(members)
		if at := float64(w.clock().Unix()); a["AliasName"] != dynamodbAlias || a["CreationDate"] != at ||
			a["LastUpdatedDate"] != at {
			t.Errorf("alias %v", a)
		}
		w.failsIn("nowhere", root(here), "DescribeKey", members{"KeyId": dynamodbAlias}, "NotFoundException",
			"Alias arn:aws:kms:nowhere:"+here+":alias/aws/dynamodb is not found.")
	}
}

// TestListKeysPage: a page has 100 keys unless the request says otherwise.
func TestListKeysPage(t *testing.T) {
	w := newWorld(t)
	var want []string
	for range 101 {
		want = append(want, keyIDOf(w.key(nil)))
	}
	slices.Sort(want)
	page := w.do(root(here), "ListKeys", nil)
	var got []string
	for _, k := range page["Keys"].([]any) {
		got = append(got, k.(members)["KeyId"].(string))
	}
	if !slices.Equal(got, want[:100]) || page["Truncated"] != true {
		t.Errorf("the first page has %d keys, truncated %v", len(got), page["Truncated"])
	}
	page = w.do(root(here), "ListKeys", members{"Marker": page["NextMarker"]})
	if last := page["Keys"].([]any); len(last) != 1 || last[0].(members)["KeyId"] != want[100] ||
		page["Truncated"] != false {
		t.Errorf("the second page: %v", page)
	}
	// The last key does not follow itself.
	marker := w.do(root(here), "ListKeys", members{"Limit": 100})["NextMarker"]
	w.do(root(here), "ScheduleKeyDeletion", members{"KeyId": want[100], "PendingWindowInDays": 7})
	w.advance(7 * day)
	if page := w.do(root(here), "ListKeys", members{"Marker": marker}); len(page["Keys"].([]any)) != 0 {
		t.Errorf("after the last key: %v", page)
	}
}

// freeze returns a check that the keys that exist now, and what related keys
// share, have not been changed in place.
func (w *world) freeze() (check func(after string)) {
	keys, states := map[*key]key{}, map[*shared]shared{}
	for _, k := range w.kms.keys {
		c := *k
		c.tags, c.aliases, c.conditions = slices.Clone(k.tags), slices.Clone(k.aliases), slices.Clone(k.conditions)
		keys[k] = c
		state := k.family.load()
		f := *state
		f.regions, f.versions = slices.Clone(state.regions), slices.Clone(state.versions)
		states[state] = f
	}
	return func(after string) {
		w.t.Helper()
		for k, before := range keys {
			if !reflect.DeepEqual(*k, before) {
				w.t.Errorf("%s has changed a key in use: %+v, before %+v", after, *k, before)
			}
		}
		for state, before := range states {
			if !reflect.DeepEqual(*state, before) {
				w.t.Errorf("%s has changed a family in use: %+v, before %+v", after, *state, before)
			}
		}
	}
}

// TestKeysAreReplaced: a change replaces a key and what it shares with related
// keys, since other requests use the old ones without a lock.
func TestKeysAreReplaced(t *testing.T) {
	w := newWorld(t)
	arn, other := w.key(members{"MultiRegion": true}), w.key(nil)
	alias := func(name, target string) members { return members{"AliasName": name, "TargetKeyId": target} }
	replicate := func(there string) members { return members{"ReplicaRegion": there} }
	for _, c := range []struct {
		operation string
		in        members
	}{
		{"TagResource", members{"Tags": manyTags(3)}}, {"TagResource", members{"Tags": tagsWith("k1", "new")}},
		{"UntagResource", members{"TagKeys": []string{"k0"}}},
		{"CreateAlias", alias("alias/m", arn)}, {"CreateAlias", alias("alias/n", arn)},
		{"CreateAlias", alias("alias/a", arn)}, {"CreateAlias", alias("alias/b", arn)},
		{"UpdateAlias", alias("alias/a", other)}, {"DeleteAlias", members{"AliasName": "alias/b"}},
		{"UpdateKeyDescription", members{"Description": "d"}},
		{"EnableKeyRotation", members{"RotationPeriodInDays": 90}}, {"RotateKeyOnDemand", nil},
		{"DisableKey", nil}, {"a year", nil}, {"EnableKey", nil},
		{"EnableKeyRotation", members{"RotationPeriodInDays": 91}},
		{"PutKeyPolicy", members{"Policy": policyText(rootStatement())}},
		{"ReplicateKey", replicate("us-west-1")}, {"ReplicateKey", replicate("us-east-2")},
		{"ReplicateKey", replicate("us-east-1")}, {"ReplicateKey", replicate("ap-south-1")},
		{"ReplicateKey", replicate("af-south-1")},
		{"ScheduleKeyDeletion", nil}, {"the end of a replica", nil}, {"the end of the replicas", nil},
		{"CancelKeyDeletion", nil}, {"UpdatePrimaryRegion", nil},
	} {
		check := w.freeze()
		switch c.operation {
		case "a year":
			w.advance(365 * day)
			w.describe(arn)
		case "the end of a replica", "the end of the replicas":
			ends := []string{"us-west-1"}
			if c.operation == "the end of the replicas" {
				ends = []string{"us-east-2", "us-east-1", "ap-south-1", "af-south-1"}
			}
			for _, there := range ends {
				w.doIn(there, root(here), "ScheduleKeyDeletion",
					members{"KeyId": keyIDOf(arn), "PendingWindowInDays": 7})
			}
			check(c.operation)
			check = w.freeze()
			w.advance(7 * day)
			w.describe(arn)
		case "UpdatePrimaryRegion":
			w.do(root(here), "EnableKey", members{"KeyId": arn})
			w.do(root(here), "ReplicateKey", members{"KeyId": arn, "ReplicaRegion": "us-east-1"})
			check = w.freeze()
			w.do(root(here), "UpdatePrimaryRegion", members{"KeyId": arn, "PrimaryRegion": "us-east-1"})
		default:
			in := members{}
			if !strings.HasSuffix(c.operation, "Alias") {
				in["KeyId"] = arn
			}
			maps.Copy(in, c.in)
			w.do(root(here), c.operation, in)
		}
		check(c.operation)
	}
}
