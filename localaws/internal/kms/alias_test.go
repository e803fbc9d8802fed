package kms

import (
	"fmt"
	"strings"
	"testing"
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
