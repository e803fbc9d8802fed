// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// conditionCase is a Condition element and whether it holds. It is asked as an
// Allow, which then allows, and as a Deny, which then denies.
type conditionCase struct {
	name      string
	condition string
	context   policy.Context
	pairs     map[string]string
	who       policy.Principal
	holds     bool
}

func runConditions(t *testing.T, cases []conditionCase) {
	t.Helper()
	var all []testCase
	for _, c := range cases {
		allow := testCase{name: c.name + ", allow", who: c.who, context: c.context, pairs: c.pairs,
			identity: []string{`{"Effect":"Allow","Action":"*","Resource":"*","Condition":` + c.condition + `}`},
			want:     "identity"}
		deny := allow
		deny.name = c.name + ", deny"
		deny.identity = []string{adminAccess + "," + strings.Replace(allow.identity[0], "Allow", "Deny", 1)}
		deny.want = ""
		if c.holds {
			allow.want, deny.want = "", "deny identity"
		}
		all = append(all, allow, deny)
	}
	run(t, all)
}

// with has one condition key.
func with(key string, values ...string) policy.Context {
	c := policy.Context{}
	c.Set(key, values...)
	return c
}

func TestConditionOperators(t *testing.T) {
	const viaService = `"kms:ViaService"`
	runConditions(t, []conditionCase{
		{name: "StringEquals", condition: `{"StringEquals":{"kms:ViaService":"a"}}`, context: with("kms:ViaService", "a"), holds: true},
		{name: "StringEquals differs in case", condition: `{"StringEquals":{"kms:ViaService":"A"}}`, context: with("kms:ViaService", "a")},
		{name: "StringEquals one of several", condition: `{"StringEquals":{"kms:ViaService":["b","a"]}}`, context: with("kms:ViaService", "a"), holds: true},
		{name: "StringEquals none of several", condition: `{"StringEquals":{"kms:ViaService":["b","c"]}}`, context: with("kms:ViaService", "a")},
		{name: "StringEquals no value", condition: `{"StringEquals":{"kms:ViaService":[]}}`, context: with("kms:ViaService", "a")},
		{name: "StringEquals takes a star literally", condition: `{"StringEquals":{"kms:ViaService":"a*"}}`, context: with("kms:ViaService", "ab")},
		{name: "StringEquals absent", condition: `{"StringEquals":{"kms:ViaService":"a"}}`},
		{name: "StringEquals key in another case", condition: `{"StringEquals":{"KMS:viaSERVICE":"a"}}`, context: with("kms:ViaService", "a"), holds: true},
		{name: "StringEquals of the empty string", condition: `{"StringEquals":{"kms:ViaService":""}}`, context: with("kms:ViaService", ""), holds: true},
		{name: "StringNotEquals", condition: `{"StringNotEquals":{"kms:ViaService":"a"}}`, context: with("kms:ViaService", "b"), holds: true},
		{name: "StringNotEquals same", condition: `{"StringNotEquals":{"kms:ViaService":"a"}}`, context: with("kms:ViaService", "a")},
		{name: "StringNotEquals one of several", condition: `{"StringNotEquals":{"kms:ViaService":["a","b"]}}`, context: with("kms:ViaService", "b")},
		{name: "StringNotEquals absent is true", condition: `{"StringNotEquals":{"kms:ViaService":"a"}}`, holds: true},
		{name: "StringEqualsIgnoreCase", condition: `{"StringEqualsIgnoreCase":{"kms:ViaService":"DynamoDB"}}`, context: with("kms:ViaService", "dynamodb"), holds: true},
		{name: "StringEqualsIgnoreCase differs", condition: `{"StringEqualsIgnoreCase":{"kms:ViaService":"DynamoDB"}}`, context: with("kms:ViaService", "dynamo")},
		{name: "StringNotEqualsIgnoreCase", condition: `{"StringNotEqualsIgnoreCase":{"kms:ViaService":"A"}}`, context: with("kms:ViaService", "a")},
		{name: "StringNotEqualsIgnoreCase differs", condition: `{"StringNotEqualsIgnoreCase":{"kms:ViaService":"A"}}`, context: with("kms:ViaService", "b"), holds: true},
		{name: "StringLike star", condition: `{"StringLike":{"kms:ViaService":"dynamodb.*.amazonaws.com"}}`, context: with("kms:ViaService", "dynamodb.eu-central-1.amazonaws.com"), holds: true},
		{name: "StringLike star matches nothing too", condition: `{"StringLike":{"kms:ViaService":"a*b"}}`, context: with("kms:ViaService", "ab"), holds: true},
		{name: "StringLike question mark", condition: `{"StringLike":{"kms:ViaService":"a?c"}}`, context: with("kms:ViaService", "abc"), holds: true},
		{name: "StringLike question mark is one character", condition: `{"StringLike":{"kms:ViaService":"a?c"}}`, context: with("kms:ViaService", "ac")},
		{name: "StringLike question mark is one letter of several bytes", condition: `{"StringLike":{"kms:ViaService":"*??"}}`, context: with("kms:ViaService", "€")},
		{name: "StringLike is case-sensitive", condition: `{"StringLike":{"kms:ViaService":"A*"}}`, context: with("kms:ViaService", "ab")},
		{name: "StringLike absent", condition: `{"StringLike":{"kms:ViaService":"*"}}`},
		{name: "StringNotLike", condition: `{"StringNotLike":{"kms:ViaService":"a*"}}`, context: with("kms:ViaService", "ab")},
		{name: "StringNotLike absent is true", condition: `{"StringNotLike":{"kms:ViaService":"*"}}`, holds: true},
		{name: "StringEqualsIfExists absent is true", condition: `{"StringEqualsIfExists":{` + viaService + `:"a"}}`, holds: true},
		{name: "StringEqualsIfExists present and different", condition: `{"StringEqualsIfExists":{"kms:ViaService":"a"}}`, context: with("kms:ViaService", "b")},
		{name: "StringNotEqualsIfExists absent is true", condition: `{"StringNotEqualsIfExists":{"kms:ViaService":"a"}}`, holds: true},
		{name: "StringNotEqualsIfExists same", condition: `{"StringNotEqualsIfExists":{"kms:ViaService":"a"}}`, context: with("kms:ViaService", "a")},

		{name: "NumericEquals", condition: `{"NumericEquals":{"kms:RotationPeriodInDays":"90"}}`, context: with("kms:RotationPeriodInDays", "90.0"), holds: true},
		{name: "NumericEquals JSON number", condition: `{"NumericEquals":{"kms:RotationPeriodInDays":90}}`, context: with("kms:RotationPeriodInDays", "90"), holds: true},
		{name: "NumericEquals of great numbers is exact", condition: `{"NumericEquals":{"kms:RotationPeriodInDays":"9007199254740993"}}`, context: with("kms:RotationPeriodInDays", "9007199254740992")},
		{name: "NumericNotEquals", condition: `{"NumericNotEquals":{"kms:RotationPeriodInDays":"90"}}`, context: with("kms:RotationPeriodInDays", "91"), holds: true},
		{name: "NumericNotEquals absent is true", condition: `{"NumericNotEquals":{"kms:RotationPeriodInDays":"90"}}`, holds: true},
		{name: "NumericLessThan", condition: `{"NumericLessThan":{"kms:RotationPeriodInDays":"90"}}`, context: with("kms:RotationPeriodInDays", "89"), holds: true},
		{name: "NumericLessThan equal", condition: `{"NumericLessThan":{"kms:RotationPeriodInDays":"90"}}`, context: with("kms:RotationPeriodInDays", "90")},
		{name: "NumericLessThanEquals", condition: `{"NumericLessThanEquals":{"kms:RotationPeriodInDays":"90"}}`, context: with("kms:RotationPeriodInDays", "90"), holds: true},
		{name: "NumericGreaterThan compares numbers, not strings", condition: `{"NumericGreaterThan":{"kms:RotationPeriodInDays":"9"}}`, context: with("kms:RotationPeriodInDays", "10"), holds: true},
		{name: "NumericGreaterThan equal", condition: `{"NumericGreaterThan":{"kms:RotationPeriodInDays":"9"}}`, context: with("kms:RotationPeriodInDays", "9")},
		{name: "NumericGreaterThanEquals", condition: `{"NumericGreaterThanEquals":{"kms:RotationPeriodInDays":"9"}}`, context: with("kms:RotationPeriodInDays", "9"), holds: true},
		{name: "NumericLessThan absent", condition: `{"NumericLessThan":{"kms:RotationPeriodInDays":"90"}}`},
		{name: "NumericLessThanIfExists absent is true", condition: `{"NumericLessThanIfExists":{"kms:RotationPeriodInDays":"90"}}`, holds: true},
		{name: "NumericEquals of no number", condition: `{"NumericEquals":{"kms:RotationPeriodInDays":"many"}}`, context: with("kms:RotationPeriodInDays", "many")},

		{name: "DateEquals", condition: `{"DateEquals":{"aws:CurrentTime":"2026-01-02T03:04:05Z"}}`, context: with("aws:CurrentTime", "2026-01-02T04:04:05+01:00"), holds: true},
		{name: "DateNotEquals", condition: `{"DateNotEquals":{"aws:CurrentTime":"2026-01-02"}}`, context: with("aws:CurrentTime", "2026-01-02T00:00:00Z")},
		{name: "DateLessThan", condition: `{"DateLessThan":{"aws:CurrentTime":"2026-01-02"}}`, context: with("aws:CurrentTime", "2026-01-01T23:59:59.999Z"), holds: true},
		{name: "DateLessThan equal", condition: `{"DateLessThan":{"aws:CurrentTime":"2026-01-02"}}`, context: with("aws:CurrentTime", "2026-01-02T00:00:00Z")},
		{name: "DateLessThanEquals", condition: `{"DateLessThanEquals":{"aws:CurrentTime":"2026"}}`, context: with("aws:CurrentTime", "2026-01-01T00:00:00Z"), holds: true},
		{name: "DateGreaterThan", condition: `{"DateGreaterThan":{"aws:CurrentTime":"2026-01"}}`, context: with("aws:CurrentTime", "2026-01-01T00:01Z"), holds: true},
		{name: "DateGreaterThanEquals of epoch seconds", condition: `{"DateGreaterThanEquals":{"aws:EpochTime":"1767225600"}}`, context: with("aws:EpochTime", "1767225600"), holds: true},
		{name: "DateGreaterThan epoch seconds and a date", condition: `{"DateGreaterThan":{"aws:CurrentTime":"1767225600"}}`, context: with("aws:CurrentTime", "2026-01-01T00:00:01Z"), holds: true},
		{name: "DateLessThan absent", condition: `{"DateLessThan":{"aws:TokenIssueTime":"2026-01-02"}}`},
		{name: "DateLessThan of no date", condition: `{"DateLessThan":{"aws:CurrentTime":"tomorrow"}}`, context: with("aws:CurrentTime", "2026-01-01T00:00:01Z")},

		{name: "Bool true", condition: `{"Bool":{"aws:SecureTransport":"true"}}`, context: with("aws:SecureTransport", "true"), holds: true},
		{name: "Bool JSON boolean", condition: `{"Bool":{"aws:SecureTransport":true}}`, context: with("aws:SecureTransport", "true"), holds: true},
		{name: "Bool false", condition: `{"Bool":{"aws:SecureTransport":"false"}}`, context: with("aws:SecureTransport", "true")},
		{name: "Bool in another case", condition: `{"Bool":{"aws:SecureTransport":"True"}}`, context: with("aws:SecureTransport", "true"), holds: true},
		{name: "Bool absent, even false", condition: `{"Bool":{"aws:MultiFactorAuthPresent":"false"}}`},
		{name: "BoolIfExists absent is true", condition: `{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}`, holds: true},

		{name: "BinaryEquals", condition: `{"BinaryEquals":{"kms:MacAlgorithm":"AAEC"}}`, context: with("kms:MacAlgorithm", "AAEC"), holds: true},
		{name: "BinaryEquals differs", condition: `{"BinaryEquals":{"kms:MacAlgorithm":"AAEC"}}`, context: with("kms:MacAlgorithm", "AAED")},
		{name: "BinaryEquals of no base64", condition: `{"BinaryEquals":{"kms:MacAlgorithm":"%"}}`, context: with("kms:MacAlgorithm", "%")},

		{name: "IpAddress in range", condition: `{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, context: with("aws:SourceIp", "203.0.113.7"), holds: true},
		{name: "IpAddress out of range", condition: `{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, context: with("aws:SourceIp", "203.0.114.7")},
		{name: "IpAddress single", condition: `{"IpAddress":{"aws:SourceIp":"203.0.113.7"}}`, context: with("aws:SourceIp", "203.0.113.7"), holds: true},
		{name: "IpAddress with host bits", condition: `{"IpAddress":{"aws:SourceIp":"203.0.113.7/24"}}`, context: with("aws:SourceIp", "203.0.113.9"), holds: true},
		{name: "IpAddress version 6", condition: `{"IpAddress":{"aws:SourceIp":"2001:db8::/32"}}`, context: with("aws:SourceIp", "2001:db8::1"), holds: true},
		{name: "IpAddress version 4 inside version 6", condition: `{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, context: with("aws:SourceIp", "::ffff:203.0.113.7"), holds: true},
		{name: "IpAddress of a service's name", condition: `{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}`, context: with("aws:SourceIp", "dynamodb.amazonaws.com")},
		{name: "IpAddress of no range", condition: `{"IpAddress":{"aws:SourceIp":"here"}}`, context: with("aws:SourceIp", "203.0.113.7")},
		{name: "IpAddress absent", condition: `{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}`},
		{name: "NotIpAddress", condition: `{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, context: with("aws:SourceIp", "203.0.113.7")},
		{name: "NotIpAddress out of range", condition: `{"NotIpAddress":{"aws:SourceIp":["203.0.113.0/24","10.0.0.0/8"]}}`, context: with("aws:SourceIp", "192.0.2.1"), holds: true},
		{name: "NotIpAddress absent is true", condition: `{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, holds: true},

		{name: "ArnEquals", condition: `{"ArnEquals":{"aws:SourceArn":"` + table + `"}}`, context: with("aws:SourceArn", table), holds: true},
		{name: "ArnEquals takes wildcards as ArnLike does", condition: `{"ArnEquals":{"aws:SourceArn":"arn:aws:dynamodb:*:111122223333:table/*"}}`, context: with("aws:SourceArn", table), holds: true},
		{name: "ArnLike", condition: `{"ArnLike":{"aws:SourceArn":"arn:aws:dynamodb:eu-*-1:*:table/Ord?rs"}}`, context: with("aws:SourceArn", table), holds: true},
		{name: "ArnLike does not cross a colon", condition: `{"ArnLike":{"aws:SourceArn":"arn:aws:dynamodb:*:table/Orders"}}`, context: with("aws:SourceArn", table)},
		{name: "ArnLike last part may have colons", condition: `{"ArnLike":{"aws:SourceArn":"arn:aws:lambda:eu-central-1:111122223333:function:*"}}`, context: with("aws:SourceArn", "arn:aws:lambda:eu-central-1:111122223333:function:f:1"), holds: true},
		{name: "ArnLike star in the last part crosses colons", condition: `{"ArnLike":{"aws:SourceArn":"arn:aws:lambda:*:*:func*:1"}}`, context: with("aws:SourceArn", "arn:aws:lambda:eu-central-1:111122223333:function:f:1"), holds: true},
		{name: "ArnLike is case-sensitive", condition: `{"ArnLike":{"aws:SourceArn":"arn:aws:dynamodb:*:*:table/orders"}}`, context: with("aws:SourceArn", table)},
		{name: "ArnLike of no ARN", condition: `{"ArnLike":{"aws:SourceArn":"*"}}`, context: with("aws:SourceArn", "Orders")},
		{name: "ArnLike empty segments", condition: `{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::bucket"}}`, context: with("aws:SourceArn", "arn:aws:s3:::bucket"), holds: true},
		{name: "ArnNotEquals", condition: `{"ArnNotEquals":{"aws:SourceArn":"` + table + `"}}`, context: with("aws:SourceArn", table)},
		{name: "ArnNotLike", condition: `{"ArnNotLike":{"aws:SourceArn":"arn:aws:dynamodb:*:*:table/I*"}}`, context: with("aws:SourceArn", table), holds: true},
		{name: "ArnNotLike absent is true", condition: `{"ArnNotLike":{"aws:SourceArn":"*"}}`, holds: true},
		{name: "ArnLikeIfExists absent is true", condition: `{"ArnLikeIfExists":{"aws:SourceArn":"arn:aws:s3:::*"}}`, holds: true},

		{name: "Null true of an absent key", condition: `{"Null":{"kms:ViaService":"true"}}`, holds: true},
		{name: "Null true of a present key", condition: `{"Null":{"kms:ViaService":"true"}}`, context: with("kms:ViaService", "a")},
		{name: "Null false of a present key", condition: `{"Null":{"kms:ViaService":false}}`, context: with("kms:ViaService", "a"), holds: true},
		{name: "Null false of an absent key", condition: `{"Null":{"kms:ViaService":"false"}}`},
		{name: "Null of a key with no values", condition: `{"Null":{"aws:TagKeys":"true"}}`, context: policy.Context{"aws:tagkeys": {}}, holds: true},
		{name: "Null of a key with several values", condition: `{"Null":{"aws:TagKeys":"false"}}`, context: with("aws:TagKeys", "a", "b"), holds: true},

		{name: "two operators both hold", condition: `{"Bool":{"aws:SecureTransport":"true"},"StringEquals":{"kms:ViaService":"a"}}`, context: policy.Context{"aws:securetransport": {"true"}, "kms:viaservice": {"a"}}, holds: true},
		{name: "two operators, one fails", condition: `{"Bool":{"aws:SecureTransport":"true"},"StringEquals":{"kms:ViaService":"a"}}`, context: policy.Context{"aws:securetransport": {"true"}, "kms:viaservice": {"b"}}},
		{name: "two keys, one fails", condition: `{"StringEquals":{"aws:RequestedRegion":"eu-central-1","kms:ViaService":"a"}}`, context: with("kms:ViaService", "a")},
		{name: "no condition", condition: `{}`, holds: true},
		{name: "no key", condition: `{"StringEquals":{}}`, holds: true},
	})
}

func TestConditionSets(t *testing.T) {
	runConditions(t, []conditionCase{
		{name: "ForAllValues all in", condition: `{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}}`, context: with("aws:TagKeys", "a"), holds: true},
		{name: "ForAllValues one out", condition: `{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}}`, context: with("aws:TagKeys", "a", "c")},
		{name: "ForAllValues absent is true", condition: `{"ForAllValues:StringEquals":{"aws:TagKeys":["a"]}}`, holds: true},
		{name: "ForAllValues no values is true", condition: `{"ForAllValues:StringEquals":{"aws:TagKeys":["a"]}}`, context: policy.Context{"aws:tagkeys": {}}, holds: true},
		{name: "ForAllValues negated", condition: `{"ForAllValues:StringNotEquals":{"aws:TagKeys":["a"]}}`, context: with("aws:TagKeys", "b", "c"), holds: true},
		{name: "ForAllValues negated, one in", condition: `{"ForAllValues:StringNotEquals":{"aws:TagKeys":["a"]}}`, context: with("aws:TagKeys", "b", "a")},
		{name: "ForAllValues of dynamodb:LeadingKeys", condition: `{"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["user-*"]}}`, context: with("dynamodb:LeadingKeys", "user-1", "user-2"), holds: true},
		{name: "ForAnyValue one in", condition: `{"ForAnyValue:StringEquals":{"aws:CalledVia":["dynamodb.amazonaws.com"]}}`, context: with("aws:CalledVia", "athena.amazonaws.com", "dynamodb.amazonaws.com"), holds: true},
		{name: "ForAnyValue none in", condition: `{"ForAnyValue:StringEquals":{"aws:CalledVia":["dynamodb.amazonaws.com"]}}`, context: with("aws:CalledVia", "athena.amazonaws.com")},
		{name: "ForAnyValue absent", condition: `{"ForAnyValue:StringEquals":{"aws:CalledVia":["dynamodb.amazonaws.com"]}}`},
		{name: "ForAnyValue negated, one out", condition: `{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["a"]}}`, context: with("aws:TagKeys", "a", "b"), holds: true},
		{name: "ForAnyValue negated, all in", condition: `{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["a","b"]}}`, context: with("aws:TagKeys", "a", "b")},
		{name: "ForAnyValue negated absent", condition: `{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["a"]}}`},
		{name: "ForAnyValue IfExists absent is true", condition: `{"ForAnyValue:StringEqualsIfExists":{"aws:TagKeys":["a"]}}`, holds: true},
		{name: "ForAnyValue of a single-valued key", condition: `{"ForAnyValue:StringEquals":{"kms:ViaService":["a"]}}`, context: with("kms:ViaService", "a"), holds: true},
		{name: "ForAnyValue ArnLike", condition: `{"ForAnyValue:ArnLike":{"aws:SourceArn":"arn:aws:dynamodb:*:*:table/*"}}`, context: with("aws:SourceArn", table), holds: true},
		{name: "scalar operator on aws:TagKeys", condition: `{"StringEquals":{"aws:TagKeys":"a"}}`, context: with("aws:TagKeys", "a")},
		{name: "negated scalar operator on aws:TagKeys", condition: `{"StringNotEquals":{"aws:TagKeys":"a"}}`, context: with("aws:TagKeys", "b")},
		{name: "negated scalar operator on absent aws:TagKeys is true", condition: `{"StringNotEquals":{"aws:TagKeys":"a"}}`, holds: true},
		{name: "scalar operator on kms:ResourceAliases", condition: `{"StringEquals":{"kms:ResourceAliases":"alias/a"}}`, context: with("kms:ResourceAliases", "alias/a")},
		{name: "ForAnyValue on kms:ResourceAliases", condition: `{"ForAnyValue:StringEquals":{"kms:ResourceAliases":"alias/a"}}`, context: with("kms:ResourceAliases", "alias/a"), holds: true},
		{name: "scalar operator on dynamodb:Attributes", condition: `{"StringEquals":{"dynamodb:Attributes":"id"}}`, context: with("dynamodb:Attributes", "id")},
		{name: "scalar operator on dynamodb:LeadingKeys", condition: `{"StringEquals":{"dynamodb:LeadingKeys":"id"}}`, context: with("dynamodb:LeadingKeys", "id")},
		{name: "scalar operator on aws:CalledVia", condition: `{"StringEquals":{"aws:CalledVia":"dynamodb.amazonaws.com"}}`, context: with("aws:CalledVia", "dynamodb.amazonaws.com")},
		{name: "scalar operator on several values of any key", condition: `{"StringEquals":{"kms:ViaService":"a"}}`, context: with("kms:ViaService", "a", "a")},
	})
}

func TestConditionEncryptionContext(t *testing.T) {
	orders := map[string]string{"tableName": "Orders", "tenant": "7"}
	runConditions(t, []conditionCase{
		{name: "pair", condition: `{"StringEquals":{"kms:EncryptionContext:tableName":"Orders"}}`, pairs: orders, holds: true},
		{name: "another value", condition: `{"StringEquals":{"kms:EncryptionContext:tableName":"orders"}}`, pairs: orders},
		{name: "key name in another case", condition: `{"StringEquals":{"kms:EncryptionContext:TABLENAME":"Orders"}}`, pairs: orders, holds: true},
		{name: "exact spelling comes before another case", condition: `{"StringEquals":{"kms:EncryptionContext:b":"2"}}`, pairs: map[string]string{"B": "1", "b": "2"}, holds: true},
		{name: "first of other cases", condition: `{"StringEquals":{"kms:EncryptionContext:ab":"1"}}`, pairs: map[string]string{"AB": "1", "aB": "2", "Ab": "3"}, holds: true},
		{name: "no context", condition: `{"StringEquals":{"kms:EncryptionContext:tableName":"Orders"}}`},
		{name: "negated without context is true", condition: `{"StringNotEquals":{"kms:EncryptionContext:tableName":"Orders"}}`, holds: true},
		{name: "key without name", condition: `{"StringEquals":{"kms:EncryptionContext:":"Orders"}}`, pairs: orders},
		{name: "empty value is present", condition: `{"Null":{"kms:EncryptionContext:a":"false"}}`, pairs: map[string]string{"a": ""}, holds: true},
		{name: "keys, ForAnyValue", condition: `{"ForAnyValue:StringEquals":{"kms:EncryptionContextKeys":"tenant"}}`, pairs: orders, holds: true},
		{name: "keys, ForAllValues", condition: `{"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["tenant","tableName"]}}`, pairs: orders, holds: true},
		{name: "keys, ForAllValues and one more", condition: `{"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["tenant"]}}`, pairs: orders},
		{name: "keys are case-sensitive values", condition: `{"ForAnyValue:StringEquals":{"kms:EncryptionContextKeys":"TENANT"}}`, pairs: orders},
		{name: "keys, scalar operator", condition: `{"StringEquals":{"kms:EncryptionContextKeys":"a"}}`, pairs: map[string]string{"a": "1"}},
		{name: "keys, Null without context", condition: `{"Null":{"kms:EncryptionContextKeys":"true"}}`, holds: true},
	})
}

// TestConditionKeysOfTheRequest asks for the keys that Evaluate derives itself.
func TestConditionKeysOfTheRequest(t *testing.T) {
	equals := func(key, value string) string { return `{"StringEquals":{"` + key + `":"` + value + `"}}` }
	absent := func(key string) string { return `{"Null":{"` + key + `":"true"}}` }
	cases := []conditionCase{
		{name: "aws:PrincipalArn of a user", condition: equals("aws:PrincipalArn", alice.ARN)},
		{name: "aws:PrincipalArn of a session is the role", condition: equals("aws:PrincipalArn", roleARN), who: worker},
		{name: "aws:PrincipalAccount", condition: equals("aws:PrincipalAccount", account)},
		{name: "kms:CallerAccount", condition: equals("kms:CallerAccount", account)},
		{name: "aws:PrincipalType of a user", condition: equals("aws:PrincipalType", "User")},
		{name: "aws:PrincipalType of a session", condition: equals("aws:PrincipalType", "AssumedRole"), who: worker},
		{name: "aws:PrincipalIsAWSService", condition: `{"Bool":{"aws:PrincipalIsAWSService":"false"}}`},
		{name: "aws:userid of a user", condition: equals("aws:userid", alice.UniqueID)},
		{name: "aws:userid of a session", condition: equals("aws:userid", worker.UniqueID), who: worker},
		{name: "aws:username is without path", condition: equals("aws:username", "bob"), who: bob},
		{name: "aws:username of a session is absent", condition: absent("aws:username"), who: worker},
		{name: "aws:ResourceAccount", condition: equals("aws:ResourceAccount", account)},
		{name: "aws:PrincipalServiceName of a user is absent", condition: absent("aws:PrincipalServiceName")},
		{name: "context comes first", condition: equals("aws:username", "someone"), context: with("aws:username", "someone")},
	}
	for i := range cases {
		cases[i].holds = true
	}
	runConditions(t, cases)
	run(t, []testCase{
		{name: "aws:PrincipalServiceName of a service", who: dynamodb,
			key: `{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*",
"Condition":{"StringEquals":{"aws:PrincipalServiceName":"dynamodb.eu-central-1.amazonaws.com"},"Bool":{"aws:PrincipalIsAWSService":"true"},"Null":{"aws:PrincipalArn":"true","aws:PrincipalType":"true","aws:userid":"true"}}}`},
		{name: "aws:PrincipalType of root", who: root, key: `{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalType":"Account"}}}`},
		{name: "aws:PrincipalType of anonymous", who: anonymous, key: `{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalType":"Anonymous"}}}`},
	})
}

// TestReasons looks at what the reasons say of conditions.
func TestReasons(t *testing.T) {
	c := testCase{identity: []string{
		`{"Sid":"One","Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"a"},"StringLike":{"aws:PrincipalOrgID":"o-*"},"NumericEquals":{"kms:RotationPeriodInDays":"many"}}}`,
		`{"Sid":"Two","Effect":"Deny","Action":"kms:Encrypt","Resource":"arn:aws:kms:*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}}`,
		`{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"` + table +
			`","Condition":{"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":"secret-of-policy"}}}`,
	}, context: policy.Context{"kms:viaservice": {"b"}, "dynamodb:leadingkeys": {"secret-of-item"}}, key: delegation,
		grants: []policy.Grant{{ID: "g1", Name: "for bob", Grantee: bob.UniqueID, Operations: []string{"Encrypt"}}}}
	r, p := c.build(t)
	d := policy.Evaluate(r, p)
	if d.Allowed || d.Outcome != policy.ImplicitDeny || d.Cause != policy.LayerIdentity {
		t.Fatalf("decision %+v", d)
	}
	reasons := d.Reasons()
	one, two, three, root, grant := reasons[0], reasons[1], reasons[2], reasons[3], reasons[4]

	if one.Applies || !slices.Equal(one.Missed, []policy.Element{policy.ElementCondition}) || one.Sid != "One" ||
		one.Statement != 1 || one.Source != policy.SourceInline {
		t.Errorf("first reason %+v", one)
	}
	if v := one.Conditions[0]; v.Held || v.Absent || !slices.Equal(v.Got, []string{"b"}) ||
		!slices.Equal(v.Wanted, []string{"a"}) {
		t.Errorf("kms:ViaService %+v", v)
	}
	if v := one.Conditions[1]; v.Held || !v.Absent || !v.NeverSupplied ||
		!strings.Contains(v.String(), "condition key not supplied") {
		t.Errorf("aws:PrincipalOrgID %+v", v)
	}
	if v := one.Conditions[2]; v.Held || !v.Absent || v.NeverSupplied || !slices.Equal(v.Invalid, []string{"many"}) {
		t.Errorf("kms:RotationPeriodInDays %+v", v)
	}
	// Every element that misses is named, and a condition that holds only
	// because its key is absent says so.
	if two.Policy != "managed" || two.PolicyARN == "" ||
		!slices.Equal(two.Missed, []policy.Element{policy.ElementAction}) || !two.Conditions[0].Held ||
		!two.Conditions[0].NeverSupplied {
		t.Errorf("second reason %+v", two)
	}
	if !slices.Equal(three.Missed,
		[]policy.Element{policy.ElementAction, policy.ElementResource, policy.ElementCondition}) {
		t.Errorf("third reason %+v", three)
	}
	if !root.Applies || !root.Delegates || root.Source != policy.SourceResource {
		t.Errorf("key policy %+v", root)
	}
	if grant.GrantID != "g1" || grant.Applies ||
		!slices.Equal(grant.Missed, []policy.Element{policy.ElementPrincipal, policy.ElementAction}) {
		t.Errorf("grant %+v", grant)
	}
	text := d.Explain()
	if strings.Contains(text, "secret-of") {
		t.Errorf("item contents in the reasons:\n%s", text)
	}
	for _, want := range []string{d.Message(r), `inline policy "inline", statement 1 (One): Allow does not apply`,
		"applies to the account", `grant "for bob" g1: Allow does not apply: principal, action`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// TestReasonsForAdministrator: why an administrator whom no statement names as
// key user gets in.
func TestReasonsForAdministrator(t *testing.T) {
	c := testCase{who: bob, identity: []string{adminAccess}, key: console(alice.ARN)}
	r, p := c.build(t)
	d := policy.Evaluate(r, p)
	want := "allowed\n" +
		`inline policy "inline", statement 1: Allow applies` + "\n" +
		"resource-based policy, statement 1 (Enable IAM User Permissions): Allow applies to the account: " +
		"identity-based policies must allow too\n" +
		"resource-based policy, statement 2 (Allow access for Key Administrators): Allow does not apply: principal, " +
		"action did not match\n" +
		"resource-based policy, statement 3 (Allow use of the key): Allow does not apply: principal did not match\n" +
		"resource-based policy, statement 4 (Allow attachment of persistent resources): Allow does not apply: " +
		"principal, action, condition did not match; Bool kms:GrantIsForAWSResource not held: condition key not " +
		"supplied"
	if got := d.Explain(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestReasonsOfConditions: what a reason repeats of the policy and of the request.
func TestReasonsOfConditions(t *testing.T) {
	d := parse(t,
		`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:PrincipalOrgID":"o-*","aws:PrincipalAccount":"1*"},
"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":"secret-of-policy"},"NumericEquals":{"kms:RotationPeriodInDays":["9","many"]}}}`, policy.Identity)
	got := policy.Evaluate(policy.Request{Principal: alice, Action: "a:b",
		Context: policy.Context{"aws:principalorgid": {"o-1"}, "dynamodb:leadingkeys": {"secret-of-item"}}},
		policy.Policies{Identity: []policy.Attached{{Document: d}}}).Reasons()[0].Conditions
	for i, want := range []policy.ConditionResult{
		{Operator: "StringLike", Key: "aws:PrincipalOrgID", Wanted: []string{"o-*"}, Got: []string{"o-1"}, Held: true},
		{Operator: "StringLike", Key: "aws:PrincipalAccount", Wanted: []string{"1*"}, Got: []string{account}, Held: true},
		{Operator: "ForAllValues:StringEquals", Key: "dynamodb:LeadingKeys"},
		{Operator: "NumericEquals", Key: "kms:RotationPeriodInDays", Wanted: []string{"9", "many"}, Absent: true, Invalid: []string{"many"}},
	} {
		if !reflect.DeepEqual(got[i], want) {
			t.Errorf("%+v, want %+v", got[i], want)
		}
	}
}

// TestReasonsDelegate: only an Allow that applies by the caller's account alone
// hands the question to identity policies.
func TestReasonsDelegate(t *testing.T) {
	for text, delegates := range map[string]bool{
		keyFor(account): true,
		naming("Deny", "Principal", `{"AWS":"`+account+`"}`):           false,
		strings.Replace(keyFor(account), "kms:Decrypt", "kms:Sign", 1): false,
		keyFor(alice.ARN): false,
		naming("Allow", "Principal", `{"AWS":["`+account+`","`+alice.ARN+`"]}`): false,
		keyFor(other): false,
	} {
		c := testCase{key: text}
		r, p := c.build(t)
		if got := policy.Evaluate(r, p).Reasons()[0]; got.Delegates != delegates {
			t.Errorf("%s: %s", text, got)
		}
	}
}
