// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAliases(t *testing.T) {
	w := newWorld(t)
	first, second := w.key(nil), w.key(nil)
	mac := w.key(members{"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"})
	alias := func(name, target string) members { return members{"AliasName": name, "TargetKeyId": target} }
	w.do(root(here), "CreateAlias", alias("alias/a/b_c-1", first))
	for name, c := range map[string]struct {
		operation     string
		in            members
		code, message string
	}{
		"twice":         {"CreateAlias", alias("alias/a/b_c-1", second), "AlreadyExistsException", "arn:aws:kms:eu-central-1:111122223333:alias/a/b_c-1"},
		"no prefix":     {"CreateAlias", alias("name", first), "ValidationException", `Alias must start with the prefix "alias/". Please see https://`},
		"empty":         {"CreateAlias", alias("alias/", first), "ValidationException", "Invalid identifier"},
		"reserved":      {"CreateAlias", alias("alias/aws/mine", first), "NotAuthorizedException", ""},
		"reserved, del": {"DeleteAlias", members{"AliasName": "alias/aws/dynamodb"}, "NotAuthorizedException", ""},
		"characters": {"CreateAlias", alias("alias/$", first), "ValidationException",
			"1 validation error detected: Value 'alias/$' at 'aliasName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$"},
		"colon":        {"CreateAlias", alias("alias/a:b", first), "ValidationException", "alias/a:b contains invalid characters for an alias"},
		"of an alias":  {"CreateAlias", alias("alias/c", "arn:aws:kms:eu-central-1:111122223333:alias/a/b_c-1"), "ValidationException", "Aliases must refer to keys. Not aliases"},
		"to an alias":  {"UpdateAlias", alias("alias/a/b_c-1", "alias/a/b_c-1"), "ValidationException", "Aliases must refer to keys. Not aliases"},
		"too long":     {"CreateAlias", alias("alias/"+strings.Repeat("x", 251), first), "ValidationException", "at 'aliasName'"},
		"alias target": {"CreateAlias", alias("alias/c", "alias/a/b_c-1"), "ValidationException", "Aliases must refer to keys. Not aliases"},
		"unknown":      {"UpdateAlias", alias("alias/none", first), "NotFoundException", "Alias arn:aws:kms:eu-central-1:111122223333:alias/none is not found."},
		"other usage":  {"UpdateAlias", alias("alias/a/b_c-1", mac), "ValidationException", "cannot be changed"},
		"delete none":  {"DeleteAlias", members{"AliasName": "alias/none"}, "NotFoundException", "is not found"},
		"no name":      {"DeleteAlias", members{}, "ValidationException", "Value null at 'aliasName'"},
	} {
		t.Run(name, func(t *testing.T) { w.fails(root(here), c.operation, c.in, c.code, c.message) })
	}
	w.do(root(here), "UpdateAlias", alias("alias/a/b_c-1", second))
	if got := w.describe("alias/a/b_c-1")["Arn"]; got != second {
		t.Errorf("alias points to %v", got)
	}
	w.do(root(here), "UpdateAlias", alias("alias/a/b_c-1", second))
	w.do(root(here), "CreateAlias", alias("alias/z", first))
	list := func(in members) string {
		var got []string
		for _, a := range w.do(root(here), "ListAliases", in)["Aliases"].([]any) {
			m := a.(members)
			got = append(got, fmt.Sprint(m["AliasName"], ">", m["TargetKeyId"] == keyIDOf(first)))
		}
		return strings.Join(got, " ")
	}
	if got := list(nil); got != "alias/a/b_c-1>false alias/z>true" {
		t.Errorf("all: %s", got)
	}
	if got := list(members{"KeyId": first}); got != "alias/z>true" {
		t.Errorf("of one key: %s", got)
	}
	page := w.do(root(here), "ListAliases", members{"Limit": 1})
	if got := list(members{"Marker": page["NextMarker"]}); got != "alias/z>true" {
		t.Errorf("second page: %s", got)
	}
	w.do(root(here), "DeleteAlias", members{"AliasName": "alias/z"})
	w.fails(root(here), "DescribeKey", members{"KeyId": "alias/z"}, "NotFoundException", "alias/z is not found.")

	// The alias needs a permission and the key does.
	text := func(resource string) members {
		return members{"Effect": "Allow", "Principal": members{"AWS": "*"}, "Action": "kms:CreateAlias",
			"Resource": resource}
	}
	user := w.user(here, "user")
	open := w.key(members{"Policy": policyText(rootStatement(), text("*"))})
	w.fails(user, "CreateAlias", alias("alias/mine", open), "AccessDeniedException",
		"kms:CreateAlias on resource: arn:aws:kms:eu-central-1:111122223333:alias/mine because no identity-based "+
			"policy allows")
	permitted := w.user(here, "permitted", "kms:CreateAlias")
	w.do(permitted, "CreateAlias", alias("alias/mine", open))
	w.do(permitted, "CreateAlias", alias("alias/mine2", first))
}

// An alias may move between HMAC keys of any size, and not to a key of another
// kind.
func TestAliasMovesWithinAKind(t *testing.T) {
	w := newWorld(t)
	small, large := w.key(members{"KeySpec": "HMAC_256", "KeyUsage": usageMAC}),
		w.key(members{"KeySpec": "HMAC_512", "KeyUsage": usageMAC})
	w.do(root(here), "CreateAlias", members{"AliasName": "alias/mac", "TargetKeyId": small})
	w.do(root(here), "UpdateAlias", members{"AliasName": "alias/mac", "TargetKeyId": large})
	if got := w.describe("alias/mac")["Arn"]; got != large {
		t.Errorf("the alias is of %v", got)
	}
	w.fails(root(here), "UpdateAlias", members{"AliasName": "alias/mac", "TargetKeyId": w.key(nil)},
		"ValidationException", "usage")
}

func TestAliasLimit(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	for i := range maxAliasesPerKey {
		w.do(root(here), "CreateAlias", members{"AliasName": fmt.Sprintf("alias/%d", i), "TargetKeyId": arn})
	}
	w.fails(root(here), "CreateAlias", members{"AliasName": "alias/more", "TargetKeyId": arn}, "LimitExceededException",
		"50")
	w.fails(root(here), "DescribeKey", members{"KeyId": "alias/more"}, "NotFoundException", "")
}

// aliases returns the aliases of a key as policies see them.
func (w *world) aliases(arn string) string {
	w.t.Helper()
	k, ok := w.kms.findByARN(arn)
	if !ok {
		w.t.Fatalf("there is no %s", arn)
	}
	return strings.Join(k.conditions.with(nil, "")[conditionResourceAliases], " ")
}

// TestAliasRights: the caller needs permission on the alias, on the key that it
// is of, and on the key that it becomes an alias of.
func TestAliasRights(t *testing.T) {
	w := newWorld(t)
	user := w.user(here, "user")
	from, to := w.key(nil), w.key(nil)
	const alias = "arn:aws:kms:" + region + ":" + here + ":alias/app"
	for _, c := range []struct {
		operation string
		in        members
		needs     []string
	}{
		{"CreateAlias", members{"TargetKeyId": from}, []string{alias, from}},
		{"UpdateAlias", members{"TargetKeyId": to}, []string{alias, from, to}},
		{"DeleteAlias", members{}, []string{alias, to}},
	} {
		c.in["AliasName"] = "alias/app"
		allowed := func(resources []string) {
			w.allow(user, members{"Effect": "Allow", "Action": "kms:" + c.operation, "Resource": resources})
		}
		for i, missing := range c.needs {
			allowed(slices.Delete(slices.Clone(c.needs), i, i+1))
			w.fails(user, c.operation, c.in, "AccessDeniedException", "kms:"+c.operation+" on resource: "+missing+" ")
		}
		allowed(c.needs)
		w.do(user, c.operation, c.in)
	}
}

// TestAliasMoves: an alias that moved or was deleted is no longer one of its old
// key, whose other aliases stay.
func TestAliasMoves(t *testing.T) {
	w := newWorld(t)
	from, to := w.key(nil), w.key(nil)
	set := func(operation, name, target string) {
		t.Helper()
		w.do(root(here), operation, members{"AliasName": name, "TargetKeyId": target})
	}
	wants := func(ofFrom, ofTo string) {
		t.Helper()
		if got := w.aliases(from); got != ofFrom {
			t.Errorf("the first key has %q, want %q", got, ofFrom)
		}
		if got := w.aliases(to); got != ofTo {
			t.Errorf("the second key has %q, want %q", got, ofTo)
		}
	}
	for _, name := range []string{"alias/m", "alias/z", "alias/a"} {
		set("CreateAlias", name, from)
	}
	wants("alias/a alias/m alias/z", "")
	set("UpdateAlias", "alias/m", from)
	wants("alias/a alias/m alias/z", "")
	set("UpdateAlias", "alias/m", to)
	wants("alias/a alias/z", "alias/m")
	w.do(root(here), "DeleteAlias", members{"AliasName": "alias/z"})
	wants("alias/a", "alias/m")
	w.restart()
	wants("alias/a", "alias/m")
	set("CreateAlias", "alias/z", to)
	// The old key does not take the alias with it.
	w.do(root(here), "ScheduleKeyDeletion", members{"KeyId": from, "PendingWindowInDays": 7})
	w.advance(7 * day)
	w.fails(root(here), "DescribeKey", members{"KeyId": "alias/a"}, "NotFoundException", "is not found")
	for _, name := range []string{"alias/m", "alias/z"} {
		if got := w.describe(name)["Arn"]; got != to {
			t.Errorf("%s is of %v", name, got)
		}
	}
}

// TestAliasStays: an alias that cannot move stays where it is.
func TestAliasStays(t *testing.T) {
	w := newWorld(t)
	from, doomed, full := w.key(nil), w.key(nil), w.key(nil)
	w.do(root(here), "ScheduleKeyDeletion", members{"KeyId": doomed})
	for i := range maxAliasesPerKey {
		w.do(root(here), "CreateAlias", members{"AliasName": fmt.Sprintf("alias/%d", i), "TargetKeyId": full})
	}
	w.do(root(here), "CreateAlias", members{"AliasName": "alias/a", "TargetKeyId": from})
	for _, c := range []struct{ target, code, message string }{
		{full, "LimitExceededException", "50"}, {doomed, "KMSInvalidStateException", doomed + " is pending deletion."},
		{strings.Replace(from, from[len(from)-4:], "0000", 1), "NotFoundException", "does not exist"},
	} {
		w.fails(root(here), "UpdateAlias", members{"AliasName": "alias/a", "TargetKeyId": c.target}, c.code, c.message)
		if got := w.aliases(from); got != "alias/a" {
			t.Errorf("the key has %q after a refusal", got)
		}
		if got := w.describe("alias/a")["Arn"]; got != from {
			t.Errorf("the alias is of %v", got)
		}
	}
}

// TestListedAliases: a list has the dates of each alias, and ends where it says.
func TestListedAliases(t *testing.T) {
	w := newWorld(t)
	first, second := w.key(nil), w.key(nil)
	if out := w.doIn("us-east-1", root(here), "ListAliases", nil); len(out["Aliases"].([]any)) != 0 ||
		out["Truncated"] != false || out["NextMarker"] != nil {
		t.Errorf("a Region without keys: %v", out)
	}
	created := w.clock()
	for i := range maxAliasesPerKey + 1 {
		target := second
		if i == 0 {
			target = first
		}
		w.do(root(here), "CreateAlias", members{"AliasName": fmt.Sprintf("alias/%02d", i), "TargetKeyId": target})
	}
	w.advance(time.Hour)
	w.do(root(here), "UpdateAlias", members{"AliasName": "alias/00", "TargetKeyId": first})
	page := w.do(root(here), "ListAliases", nil)
	list := page["Aliases"].([]any)
	if len(list) != 50 || page["Truncated"] != true {
		t.Errorf("a page of %d, truncated %v", len(list), page["Truncated"])
	}
	for i, updated := range []time.Time{w.clock(), created} {
		if m := list[i].(members); m["CreationDate"] != float64(created.Unix()) ||
			m["LastUpdatedDate"] != float64(updated.Unix()) ||
			m["AliasArn"] != "arn:aws:kms:"+region+":"+here+":"+m["AliasName"].(string) {
			t.Errorf("%v, want an update at %v", m, updated)
		}
	}
	page = w.do(root(here), "ListAliases", members{"Marker": page["NextMarker"]})
	if list := page["Aliases"].([]any); len(list) != 1 || list[0].(members)["AliasName"] != "alias/50" ||
		page["Truncated"] != false || page["NextMarker"] != nil {
		t.Errorf("the last page: %v", page)
	}
}
