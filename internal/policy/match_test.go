// SPDX-License-Identifier: Apache-2.0

package policy_test

import "testing"

func TestEvaluateActionsAndResources(t *testing.T) {
	allow := func(action, resource string) []string {
		return []string{`{"Effect":"Allow","Action":` + action + `,"Resource":` + resource + `}`}
	}
	run(t, []testCase{
		{name: "action exactly", identity: allow(`"kms:Decrypt"`, `"*"`)},
		{name: "action in another case", identity: allow(`"KMS:decrypt"`, `"*"`)},
		{name: "action of the request in another case", action: "kms:decrypt", identity: allow(`"kms:Decrypt"`, `"*"`)},
		{name: "action list", identity: allow(`["kms:Encrypt","kms:Decrypt"]`, `"*"`)},
		{name: "another action", identity: allow(`"kms:Encrypt"`, `"*"`), want: "identity"},
		{name: "action star", identity: allow(`"*"`, `"*"`)},
		{name: "action star colon star", identity: allow(`"*:*"`, `"*"`)},
		{name: "service star", identity: allow(`"kms:*"`, `"*"`)},
		{name: "another service star", identity: allow(`"dynamodb:*"`, `"*"`), want: "identity"},
		{name: "action prefix", identity: allow(`"kms:De*"`, `"*"`)},
		{name: "action prefix in another case", identity: allow(`"kms:DE*"`, `"*"`)},
		{name: "action suffix", identity: allow(`"kms:*crypt"`, `"*"`)},
		{name: "action middle", identity: allow(`"kms:D*r*t"`, `"*"`)},
		{name: "action question mark", identity: allow(`"kms:Decryp?"`, `"*"`)},
		{name: "action question mark wants a letter", identity: allow(`"kms:Decrypt?"`, `"*"`), want: "identity"},
		{name: "action prefix of another", action: "kms:DecryptAll", identity: allow(`"kms:Decrypt"`, `"*"`), want: "identity"},
		{name: "NotAction of another", identity: []string{`{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`}},
		{name: "NotAction of this", identity: []string{`{"Effect":"Allow","NotAction":["iam:*","kms:D*"],"Resource":"*"}`}, want: "identity"},
		{name: "NotAction deny spares", identity: []string{adminAccess + `,{"Effect":"Deny","NotAction":"kms:*","Resource":"*"}`}},
		{name: "NotAction deny hits", identity: []string{adminAccess + `,{"Effect":"Deny","NotAction":"dynamodb:*","Resource":"*"}`}, want: "deny identity"},
		{name: "resource exactly", identity: allow(`"kms:*"`, `"`+key+`"`)},
		{name: "resource in another case", identity: allow(`"kms:*"`, `"arn:aws:kms:eu-central-1:111122223333:KEY/11111111-2222-3333-4444-555555555555"`), want: "identity"},
		{name: "resource star in one part", identity: allow(`"kms:*"`, `"arn:aws:kms:*:111122223333:key/*"`)},
		{name: "resource star crosses a colon", identity: allow(`"kms:*"`, `"arn:aws:kms:eu-central-1:*"`)},
		{name: "resource question mark", identity: allow(`"kms:*"`, `"arn:aws:kms:eu-central-?:111122223333:key/11111111-*"`)},
		{name: "resource of another account", identity: allow(`"kms:*"`, `"arn:aws:kms:*:444455556666:key/*"`), want: "identity"},
		{name: "resource list", identity: allow(`"kms:*"`, `["`+table+`","`+key+`"]`)},
		{name: "NotResource of another", identity: []string{`{"Effect":"Allow","Action":"*","NotResource":"` + table + `"}`}},
		{name: "NotResource of this", identity: []string{`{"Effect":"Allow","Action":"*","NotResource":["` + table + `","` + key + `"]}`}, want: "identity"},
		{name: "NotResource deny hits", identity: []string{adminAccess + `,{"Effect":"Deny","Action":"*","NotResource":"` + table + `"}`}, want: "deny identity"},
		{name: "an ARN does not cover the star resource", action: "kms:ListKeys", resource: "*", identity: allow(`"kms:*"`, `"arn:aws:kms:*:*:key/*"`), want: "identity"},
		{name: "index of a table", action: "dynamodb:Query", resource: table + "/index/byDate", identity: allow(`"dynamodb:*"`, `"`+table+`/index/*"`)},
		{name: "table ARN does not cover its index", action: "dynamodb:Query", resource: table + "/index/byDate", identity: allow(`"dynamodb:*"`, `"`+table+`"`), want: "identity"},
	})
}

func TestEvaluateVariables(t *testing.T) {
	const own = "arn:aws:dynamodb:eu-central-1:111122223333:table/alice"
	allow := func(resource string) []string {
		return []string{`{"Effect":"Allow","Action":"*","Resource":"` + resource + `"}`}
	}
	if_ := func(condition string) []string {
		return []string{`{"Effect":"Allow","Action":"*","Resource":"*","Condition":` + condition + `}`}
	}
	const prefix = "arn:aws:dynamodb:eu-central-1:111122223333:table/"
	cases := []testCase{
		{name: "aws:username", resource: own, identity: allow(prefix + "${aws:username}")},
		{name: "name of the key in another case", resource: own, identity: allow(prefix + "${AWS:UserName}")},
		{name: "another user", who: bob, resource: own, identity: allow(prefix + "${aws:username}"), want: "identity"},
		{name: "absent variable matches nothing", who: worker, resource: prefix, identity: allow(prefix + "${aws:username}"), want: "identity"},
		{name: "absent variable is not the literal text", who: worker, resource: prefix + "${aws:username}", identity: allow(prefix + "${aws:username}"), want: "identity"},
		{name: "absent variable in a Deny denies nothing", who: worker, resource: own, identity: []string{adminAccess + `,{"Effect":"Deny","Action":"*","Resource":"` + prefix + `${aws:username}"}`}},
		{name: "absent variable in NotResource matches nothing, so all is denied", who: worker, resource: own, identity: []string{adminAccess + `,{"Effect":"Deny","Action":"*","NotResource":"` + prefix + `${aws:username}"}`}, want: "deny identity"},
		{name: "default", who: worker, resource: prefix + "shared", identity: allow(prefix + "${aws:username, 'shared'}")},
		{name: "default without blank", who: worker, resource: prefix + "shared", identity: allow(prefix + "${aws:username,'shared'}")},
		{name: "default not used when present", resource: prefix + "shared", identity: allow(prefix + "${aws:username, 'shared'}"), want: "identity"},
		{name: "empty default", who: worker, resource: prefix, identity: allow(prefix + "${aws:username, ''}")},
		{name: "tag of the principal", resource: prefix + "red-Orders", context: with("aws:PrincipalTag/Team", "red"), identity: allow(prefix + "${aws:PrincipalTag/team}-*")},
		{name: "tag of the principal absent", resource: prefix + "red-Orders", identity: allow(prefix + "${aws:PrincipalTag/team}-*"), want: "identity"},
		{name: "wildcard in a value is not a wildcard", resource: prefix + "red-Orders", context: with("aws:PrincipalTag/team", "*"), identity: allow(prefix + "${aws:PrincipalTag/team}-Orders"), want: "identity"},
		{name: "several values match nothing", resource: prefix + "a", context: with("aws:TagKeys", "a"), identity: allow(prefix + "${aws:TagKeys}"), want: "identity"},
		{name: "variable before the last part matches nothing", resource: own, identity: allow("arn:aws:dynamodb:eu-central-1:${aws:PrincipalAccount}:table/alice"), want: "identity"},
		{name: "star as a literal", resource: prefix + "a*", identity: allow(prefix + "a${*}")},
		{name: "star as a literal matches only itself", resource: prefix + "ab", identity: allow(prefix + "a${*}"), want: "identity"},
		{name: "question mark as a literal", resource: prefix + "a?", identity: allow(prefix + "a${?}")},
		{name: "dollar as a literal", resource: prefix + "$x", identity: allow(prefix + "${$}x")},
		{name: "variable in StringEquals", context: with("kms:RequestAlias", "alias/alice"), identity: if_(`{"StringEquals":{"kms:RequestAlias":"alias/${aws:username}"}}`)},
		{name: "variable in StringEqualsIgnoreCase", context: with("kms:RequestAlias", "alias/ALICE"), identity: if_(`{"StringEqualsIgnoreCase":{"kms:RequestAlias":"alias/${aws:username}"}}`)},
		{name: "variable in StringLike", context: with("kms:RequestAlias", "alias/alice/1"), identity: if_(`{"StringLike":{"kms:RequestAlias":"alias/${aws:username}/*"}}`)},
		{name: "variable in ArnLike", context: with("aws:SourceArn", own), identity: if_(`{"ArnLike":{"aws:SourceArn":"arn:aws:dynamodb:*:${aws:PrincipalAccount}:table/${aws:username}"}}`)},
		{name: "absent variable in ArnLike", who: worker, context: with("aws:SourceArn", own), identity: if_(`{"ArnLike":{"aws:SourceArn":"arn:aws:dynamodb:*:*:table/${aws:username}"}}`), want: "identity"},
		{name: "absent variable in StringNotEquals holds", who: worker, context: with("kms:RequestAlias", "a"), identity: if_(`{"StringNotEquals":{"kms:RequestAlias":"${aws:username}"}}`)},
		{name: "variable in NumericEquals is not a number", context: with("kms:RotationPeriodInDays", "90"), identity: if_(`{"NumericEquals":{"kms:RotationPeriodInDays":"${kms:RotationPeriodInDays}"}}`), want: "identity"},
		{name: "principal account equals resource account", identity: if_(`{"StringEquals":{"aws:ResourceAccount":"${aws:PrincipalAccount}"}}`)},
		{name: "version 2008-10-17 has no variables", resource: own, identity: []string{`{"Version":"2008-10-17","Statement":` + allow(prefix + "${aws:username}")[0] + `}`}, want: "identity"},
		{name: "version 2008-10-17 takes the text literally", resource: prefix + "${aws:username}", identity: []string{`{"Version":"2008-10-17","Statement":` + allow(prefix + "${aws:username}")[0] + `}`}},
	}
	for i := range cases {
		cases[i].action = "dynamodb:GetItem"
	}
	run(t, cases)
}
