// SPDX-License-Identifier: Apache-2.0

package ddbexpr_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

type item = map[string]types.AttributeValue

func s(v string) types.AttributeValue                  { return &types.AttributeValueMemberS{Value: v} }
func n(v string) types.AttributeValue                  { return &types.AttributeValueMemberN{Value: v} }
func b(v string) types.AttributeValue                  { return &types.AttributeValueMemberB{Value: []byte(v)} }
func l(v ...types.AttributeValue) types.AttributeValue { return &types.AttributeValueMemberL{Value: v} }
func m(v item) types.AttributeValue                    { return &types.AttributeValueMemberM{Value: v} }
func ss(v ...string) types.AttributeValue              { return &types.AttributeValueMemberSS{Value: v} }
func ns(v ...string) types.AttributeValue              { return &types.AttributeValueMemberNS{Value: v} }
func bs(v ...[]byte) types.AttributeValue              { return &types.AttributeValueMemberBS{Value: v} }
func boolean(v bool) types.AttributeValue              { return &types.AttributeValueMemberBOOL{Value: v} }
func null() types.AttributeValue                       { return &types.AttributeValueMemberNULL{Value: true} }

var testNames = map[string]string{"#a": "attr", "#dot": "b.c", "#same": "a", "#name": "name"}

var testValues = item{
	":s": s("x"), ":t": s("y"), ":n": n("5"), ":m": n("1"), ":b": b("a"), ":l": l(), ":map": m(item{}),
	":ss": ss("a"), ":ns": ns("1"), ":bs": bs([]byte("a")), ":bool": boolean(true), ":null": null(), ":type": s("SS"),
}

// parse parses an expression of any kind with the test's placeholders.
func parse(kind ddbexpr.Kind, expression string) error {
	scope, err := ddbexpr.NewScope(testNames, testValues)
	if err != nil {
		return err
	}
	switch kind {
	case ddbexpr.KindCondition, ddbexpr.KindFilter:
		_, err = scope.Condition(kind, expression)
	case ddbexpr.KindProjection:
		_, err = scope.Projection(expression)
	case ddbexpr.KindKeyCondition:
		_, err = scope.KeyCondition(expression)
	case ddbexpr.KindUpdate:
		_, err = scope.Update(expression)
	}
	return err
}

// checkMessages compares refusals; "" stands for none, and prefix is put before
// every other message.
func checkMessages(t *testing.T, kind ddbexpr.Kind, prefix string, cases [][2]string) {
	t.Helper()
	for _, c := range cases {
		err := parse(kind, c[0])
		if c[1] == "" {
			if err != nil {
				t.Errorf("%.80s: %v", c[0], err)
			}
			continue
		}
		var e *ddbexpr.Error
		if !errors.As(err, &e) || e.Message != prefix+c[1] || e.Kind != kind {
			t.Errorf("%.80s:\n got %v\nwant %s", c[0], err, prefix+c[1])
		}
	}
}

func syntax(token, near string) string {
	return fmt.Sprintf(`Syntax error; token: "%s", near: "%s"`, token, near)
}

func TestConditionMessages(t *testing.T) {
	const (
		parens   = "The expression has redundant parentheses;"
		word     = "Attribute name is a reserved keyword; reserved keyword: "
		noName   = "An expression attribute name used in the document path is not defined; attribute name: "
		noValue  = "An expression attribute value used in expression is not defined; attribute value: "
		function = "Invalid function name; function: "
		notHere  = "The function is not allowed to be used this way in an expression; function: "
		count    = "Incorrect number of operands for operator or function; operator or function: "
		typ      = "Incorrect operand type for operator or function; operator or function: "
		needPath = "Operator or function requires a document path; operator or function: "
		distinct = "The first operand must be distinct from the remaining operands for this operator or function; " +
			"operator: "
		between = "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower " +
			"bound operand: AttributeValue: "
		sameType = "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: " +
			"AttributeValue: "
	)
	repeat := func(s, sep string, n int) string { return strings.TrimSuffix(strings.Repeat(s+sep, n), sep) }
	checkMessages(t, ddbexpr.KindCondition, "Invalid ConditionExpression: ", [][2]string{
		// Accepted.
		{"a = :s", ""}, {"a=:s", ""}, {"a\n<>\t:s", ""}, {"#a.b[0][1].c > :n", ""}, {"a . b [ 0 ] = :s", ""}, {"a_1_ = :s", ""},
		{"(a = :s)", ""}, {"(a) = (:s)", ""}, {"(size(a)) > :n", ""}, {"((size(a)) > :n)", ""}, {"NOT (a = :s)", ""}, {"NOT NOT a = :s", ""},
		{"not a = :s and b = :s or c = :s", ""}, {"a=:s AND(b=:s)", ""}, {"a between :m and :n", ""}, {"a in (:s,:s, b)", ""},
		{"attribute_exists (a)", ""}, {"(attribute_exists(a))", ""}, {"attribute_exists = :s", ""}, {":s = :s", ""}, {":s = a", ""},
		{"attribute_type(a, :type)", ""}, {"attribute_type(:s, :type)", ""}, {"begins_with(a, :b)", ""}, {"contains(a, :map)", ""}, {"contains(:ss, a)", ""},
		{"size(:s) = :n", ""}, {"a > size(b)", ""}, {"a BETWEEN size(b) AND size(c)", ""}, {"begins_with(:s, :s)", ""}, {"a[01] = :s", ""},
		{"a = :s OR (b = :s AND (c = :s OR NOT d = :s))", ""},
		// Syntax. A name that begins with an underscore needs a placeholder.
		{"_version = :s", `Syntax error; token: "_", near: "_version"`}, {"__typename <> :s", `Syntax error; token: "_", near: "__"`},
		{"a = :s AND _sortKey = :s", `Syntax error; token: "_", near: "AND _sortKey"`}, {"a._b = :s", `Syntax error; token: "_", near: "._b"`},
		{"", "The expression can not be empty;"}, {" \t", "The expression can not be empty;"},
		{"a", syntax("<EOF>", "a")}, {"a =", syntax("<EOF>", "=")}, {"= a", syntax("=", "= a")}, {":s", syntax("<EOF>", ":s")},
		{"a = :s)", syntax(")", ":s)")}, {"(a = :s", syntax("<EOF>", ":s")}, {"a = :s b", syntax("b", ":s b")},
		{"a = :s AND", syntax("<EOF>", "AND")}, {"a == :s", syntax("=", "== :s")}, {`a = "x"`, syntax(`"`, `= "x`)},
		{"a = 5", syntax("5", "= 5")}, {"a ! b", syntax("!", "a ! b")}, {"a[", syntax("<EOF>", "[")}, {"a[x] = :s", syntax("x", "[x]")},
		{"a[-1] = :s", syntax("-", "[-1")}, {"a[1 = :s", syntax("=", "1 = :s")}, {"a. = :s", syntax("=", ". = :s")}, {".a = :s", syntax(".", ".a")},
		{"a..b = :s", syntax(".", "..b")}, {"1a = :s", syntax("1", "1a")}, {"a-b = :s", syntax("-", "a-b")}, {"# = :s", syntax("#", "# =")},
		{"hits : incr", syntax(":", "hits : incr")}, {"NOT = :s", syntax("=", "NOT = :s")}, {"and = :s", syntax("and", "and =")},
		{"a = :s = :s", syntax("=", ":s = :s")}, {"a < b < c", syntax("<", "b < c")}, {"a AND b = :s", syntax("AND", "a AND b")},
		{"attribute_exists(a", syntax("<EOF>", "a")}, {"attribute_exists()", syntax(")", "()")}, {"a BETWEEN :m", syntax("<EOF>", ":m")},
		{"a BETWEEN :m OR :n", syntax("OR", ":m OR :n")}, {"a IN ()", syntax(")", "()")}, {"a IN (:s,)", syntax(")", ",)")}, {"a IN :s", syntax(":s", "IN :s")},
		{"a >< :s", syntax("<", ">< :s")}, {"é = :s", syntax("é", "é =")}, {"a = :s ; b", syntax(";", ":s ; b")}, {"(a)", syntax("<EOF>", ")")},
		{"(a) AND b = :s", syntax("AND", ") AND b")}, {"a = b.c[0] d", syntax("d", "] d")}, {"a = :s OR OR b = :s", syntax("OR", "OR OR b")},
		// Syntax comes before all else, parentheses before words.
		{"name = :s b", syntax("b", ":s b")}, {"((name = :zz))", parens},
		{"((a = :s))", parens}, {"((a)) = :s", parens}, {"a = ((:s))", parens}, {"NOT ((a = :s))", parens}, {"a = :s AND ((b = :s))", parens},
		// Words and functions, in the order of the text.
		{"name = :s", word + "name"}, {"a.Name = :s", word + "Name"}, {"size = :n", word + "size"}, {"a[0].ZONE = :s", word + "ZONE"}, {"a = :zz AND name = :s", word + "name"},
		{"foo(a)", function + "foo"}, {"a = foo(b)", function + "foo"}, {"foo(a) = :s", function + "foo"}, {"ATTRIBUTE_EXISTS(a)", function + "ATTRIBUTE_EXISTS"}, {"SIZE(a) = :n", function + "SIZE"},
		{"size(a)", notHere + "size"}, {"(size(a))", notHere + "size"}, {"a = :s AND size(b)", notHere + "size"}, {"a = attribute_exists(b)", notHere + "attribute_exists"}, {"attribute_exists(a) = :s", notHere + "attribute_exists"},
		{"attribute_exists(contains(a, b))", notHere + "contains"}, {"a BETWEEN contains(a,b) AND :n", notHere + "contains"},
		{"if_not_exists(a, :s) = :s", "The function is not allowed in a condition expression; function: if_not_exists"},
		{"a = list_append(a, b)", "The function is not allowed in a condition expression; function: list_append"},
		{"attribute_exists(a, b)", count + "attribute_exists, number of operands: 2"}, {"size(a, b) = :n", count + "size, number of operands: 2"},
		{"begins_with(a)", count + "begins_with, number of operands: 1"}, {"begins_with(a, b, c)", count + "begins_with, number of operands: 3"},
		{"a[2147483648] = :s", "List index is not within the allowable range; index: [2147483648]"},
		{"a[99999999999999999999] = :s", "List index is not within the allowable range; index: [99999999999999999999]"},
		// Operands.
		{"#zz = :s", noName + "#zz"}, {"a.#zz = :s", noName + "#zz"}, {"a = :zz", noValue + ":zz"}, {"a = :yy AND b = :zz", noValue + ":yy"}, {"#zz = :zz", noName + "#zz"},
		{"attribute_exists(:s)", needPath + "attribute_exists"}, {"attribute_not_exists(size(a))", needPath + "attribute_not_exists"},
		{"a = a", distinct + "=, first operand: [a]"}, {"a.b[0] <= a.b[0]", distinct + "<=, first operand: [a, b, [0]]"}, {"a = #same", distinct + "=, first operand: [a]"},
		{"begins_with(a, a)", distinct + "begins_with, first operand: [a]"}, {"contains(a, a)", distinct + "contains, first operand: [a]"},
		{"a IN (:s, a)", distinct + "IN, first operand: [a]"}, {"a BETWEEN :s AND a", distinct + "BETWEEN, first operand: [a]"},
		{"begins_with(a, :n)", typ + "begins_with, operand type: N"}, {"begins_with(:ss, a)", typ + "begins_with, operand type: SS"}, {"begins_with(a, size(b))", typ + "begins_with, operand type: N"},
		{"size(:n) = :n", typ + "size, operand type: N"}, {"size(:bool) = :n", typ + "size, operand type: BOOL"}, {"size(:null) = :n", typ + "size, operand type: NULL"}, {"size(size(a)) = :n", typ + "size, operand type: N"},
		{"attribute_type(a, :n)", typ + "attribute_type, operand type: N"}, {"attribute_type(a, b)", typ + "attribute_type, operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}"},
		{"attribute_type(a, :s)", "Invalid attribute type name found; type: x, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"},
		{"a < :bool", typ + "<, operand type: BOOL"}, {":ss >= a", typ + ">=, operand type: SS"}, {"a BETWEEN :l AND :l", typ + "BETWEEN, operand type: L"}, {"a > :null", typ + ">, operand type: NULL"},
		{"a BETWEEN :n AND :m", between + "{N:5}, upper bound operand: AttributeValue: {N:1}"},
		{"a BETWEEN :s AND :n", sameType + "{S:x}, upper bound operand: AttributeValue: {N:5}"},
		{"a BETWEEN :b AND :n", sameType + "{B:java.nio.HeapByteBuffer[pos=0 lim=1 cap=1]}, upper bound operand: AttributeValue: {N:5}"},
		// Limits.
		{repeat("a", ".", 32) + " = :s", ""}, {repeat("a", ".", 33) + " = :s", "The document path has too many nesting levels; nesting levels: 33"},
		{"a IN (" + repeat(":s", ",", 100) + ")", ""}, {"a IN (" + repeat(":s", ",", 101) + ")", "The IN operator is provided with too many operands; number of operands: 101"},
		{repeat("a=:s", " OR ", 150), ""}, {repeat("a=:s", " OR ", 151), "The expression contains too many operators; operator count: 301"},
		{"a = :s" + strings.Repeat(" ", 4090), ""}, {"a = :s" + strings.Repeat(" ", 4091), "Expression size has exceeded the maximum allowed size; expression size: 4097"},
		{strings.Repeat("(", 4096), syntax("<EOF>", "(")},
	})
	checkMessages(t, ddbexpr.KindFilter, "Invalid FilterExpression: ",
		[][2]string{{"a", syntax("<EOF>", "a")}, {"name = :s", word + "name"}})
}

func TestProjectionMessages(t *testing.T) {
	const overlap = "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: "
	checkMessages(t, ddbexpr.KindProjection, "Invalid ProjectionExpression: ", [][2]string{
		{"a", ""}, {"a, b.c[0].d ,#a", ""}, {"a[0], a[1]", ""}, {"a.b.c, a.b.d", ""}, {"#name", ""},
		{"", "The expression can not be empty;"}, {"a,", syntax("<EOF>", ",")}, {"a b", syntax("b", "a b")}, {":s", syntax(":s", ":s")},
		{"(a)", syntax("(", "(a")}, {"size(a)", syntax("(", "size(a")}, {"!!bad", syntax("!", "!!")}, {"l[a]", syntax("a", "[a]")}, {", #,", syntax(",", ", #")},
		{"name", "Attribute name is a reserved keyword; reserved keyword: name"}, {"a.set", "Attribute name is a reserved keyword; reserved keyword: set"},
		{"#zz", "An expression attribute name used in the document path is not defined; attribute name: #zz"},
		{"a, a", overlap + "[a], path two: [a]"}, {"a, #same", overlap + "[a], path two: [a]"}, {"a.b, a", overlap + "[a, b], path two: [a]"}, {"x, a[0], y, a[0].b", overlap + "[a, [0]], path two: [a, [0], b]"},
		{"a[0], a.b", "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, [0]], path two: [a, b]"},
		{"a, a, #zz", "An expression attribute name used in the document path is not defined; attribute name: #zz"},
	})
}

func TestKeyConditionMessages(t *testing.T) {
	checkMessages(t, ddbexpr.KindKeyCondition, "Invalid KeyConditionExpression: ", [][2]string{
		{"id = :s", ""}, {":s = id AND :t > sk", ""}, {"(id = :s) AND (sk BETWEEN :s AND :t)", ""}, {"((id = :s) AND begins_with(sk, :s))", ""},
		{"", "The expression can not be empty;"}, {"id = ", syntax("<EOF>", "=")}, {"id = foo(a)", "Invalid function name; function: foo"},
		{"id = :s AND sk BETWEEN :t AND :s", "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {S:y}, upper bound operand: AttributeValue: {S:x}"},
		{"begins_with(id, :n)", "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"},
	})
	const operator = "Invalid operator used in KeyConditionExpression: "
	checkMessages(t, ddbexpr.KindKeyCondition, "Invalid KeyConditionExpression: ", [][2]string{
		{"id = :s OR sk = :s", operator + "OR"}, {"NOT id.x = :s", operator + "NOT"}, {"id <> :s", operator + "<>"}, {"id IN (:s)", operator + "IN"},
		{"id = :s AND contains(sk, :s)", operator + "contains"}, {"attribute_exists(id)", operator + "attribute_exists"}, {"id = :s OR id <> :s", operator + "OR"},
		{"id = :s AND size(sk) = :n", "KeyConditionExpressions cannot contain nested operations"},
		{"id.x = :s", "KeyConditionExpressions cannot have conditions on nested attributes"}, {"id[0] = :s", "KeyConditionExpressions cannot have conditions on nested attributes"},
		{"id = sk", "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"},
		{"sk BETWEEN id AND :s", "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"},
		{":s = :s", "Invalid condition in KeyConditionExpression: No key attribute specified"},
		{"begins_with(:s, sk)", "Invalid condition in KeyConditionExpression: begins_with operator must have the key attribute as its first operand"},
		{":s BETWEEN sk AND :s", "Invalid condition in KeyConditionExpression: BETWEEN operator must have the key attribute as its first operand"},
		{"id = :s AND id = :t", "KeyConditionExpressions must only contain one condition per key"},
		{"id = :s AND sk > :s AND sk < :t", "KeyConditionExpressions must only contain one condition per key"},
	})
}

func TestUpdateMessages(t *testing.T) {
	const (
		overlap  = "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: "
		conflict = "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: "
		section  = " section can only be used once in an update expression;"
		typ      = "Incorrect operand type for operator or function; operator or function: "
		secType  = "Incorrect operand type for operator or function; operator: "
		noName   = "An expression attribute name used in the document path is not defined; attribute name: "
		noValue  = "An expression attribute value used in expression is not defined; attribute value: "
		notHere  = "The function is not allowed in an update expression; function: "
	)
	checkMessages(t, ddbexpr.KindUpdate, "Invalid UpdateExpression: ", [][2]string{
		{"SET a = :s", ""}, {"set a=:s,b = :s remove c add d :n delete e :ss", ""}, {"REMOVE a SET b = :s", ""}, {"SET a = a", ""},
		{"SET a = a + :n", ""}, {"SET a = b-:m", ""}, {"SET a = :n+:m", ""}, {"SET a = (a + :m)", ""}, {"SET a = (:m)", ""}, {"SET a = (a + :m) - :n", ""},
		{"SET a = if_not_exists(b, :n) + if_not_exists(a, :n)", ""}, {"SET a = list_append(if_not_exists(a, :l), :l)", ""}, {"SET a = if_not_exists(a, if_not_exists(b, :l))", ""},
		{"REMOVE a[0], a[1], b.c", ""}, {"ADD a :n, b :ss, c :ns, d :bs", ""}, {"DELETE a :ss, b :ns, c :bs", ""}, {"SET a = list_append(a, :l) + :n", ""}, {"SET #name = :s", ""},
		{"SET set1 = :s", ""}, {"SET a = if_not_exists(#a, :n)", ""},
		// Syntax.
		{"", "The expression can not be empty;"}, {"SET", syntax("<EOF>", "SET")}, {"SET a", syntax("<EOF>", "a")}, {"SET a =", syntax("<EOF>", "=")},
		{"SET a = :s b = :s", syntax("b", ":s b =")}, {"SET a = :s,", syntax("<EOF>", ",")}, {"SET a = :s, SET b = :s", syntax("SET", ", SET b")},
		{"SET (a) = :s", syntax("(", "SET (a")}, {"SET a = a + :m - :m", syntax("-", ":m - :m")}, {"SET a = if_not_exists(b, :n", syntax("<EOF>", ":n")},
		{"SET a = if_not_exists(a, b + :n)", syntax("+", "b + :n")}, {"REMOVE", syntax("<EOF>", "REMOVE")}, {"REMOVE a = :s", syntax("=", "a = :s")}, {"REMOVE :s", syntax(":s", "REMOVE :s")},
		{"ADD a b", syntax("b", "a b")}, {"ADD a = :n", syntax("=", "a = :n")}, {"DELETE a", syntax("<EOF>", "a")}, {"INVALID SYNTAX HERE", syntax("INVALID", "INVALID SYNTAX")},
		{"SET a = :s AND b = :s", syntax("AND", ":s AND b")}, {"SET :s = :n", syntax(":s", "SET :s =")}, {"SET a = :n * :m", syntax("*", ":n * :m")}, {"SET a = - :n", syntax("-", "= - :n")},
		{"ADD hits : incr", syntax(":", "hits : incr")}, {"SET a = ((:m))", "The expression has redundant parentheses;"},
		// Words, functions, sections.
		{"SET name = :s", "Attribute name is a reserved keyword; reserved keyword: name"}, {"SET a = status", "Attribute name is a reserved keyword; reserved keyword: status"},
		{"SET a = :s SET b = :s", `The "SET"` + section}, {"ADD a :n ADD b :n", `The "ADD"` + section}, {"REMOVE a SET b = :s REMOVE c", `The "REMOVE"` + section},
		{"SET a = size(b)", notHere + "size"}, {"SET a = contains(b, :s)", notHere + "contains"}, {"SET a = foo(b)", "Invalid function name; function: foo"},
		{"SET a = list_append(list_append(a, :l), :l)", "The function is not allowed to be used this way in an expression; function: list_append"},
		{"SET a = list_append(:l, list_append(a, :l))", "The function is not allowed to be used this way in an expression; function: list_append"},
		// Targets, then operands; those of the last action first.
		{"SET #zz = :zz, a = :s, a = :s", noName + "#zz"}, {"SET a = :zz, a = :s", overlap + "[a], path two: [a]"},
		{"SET a = :s, a.b = :s", overlap + "[a], path two: [a, b]"}, {"SET a = :s REMOVE a.b", overlap + "[a], path two: [a, b]"}, {"REMOVE a[0].b, a[0]", overlap + "[a, [0], b], path two: [a, [0]]"},
		{"ADD a :n DELETE a :ss", overlap + "[a], path two: [a]"}, {"SET a.b = :s, a[0] = :s", conflict + "[a, b], path two: [a, [0]]"},
		{"SET a = #zz, b = :zz", noName + "#zz"}, {"SET a = :zz", noValue + ":zz"}, {"SET a = :yy, b = :zz", noValue + ":zz"}, {"SET a = :yy + :zz", noValue + ":yy"},
		{"SET a = if_not_exists(b)", "Incorrect number of operands for operator or function; operator or function: if_not_exists, number of operands: 1"},
		{"SET a = list_append(a)", "Incorrect number of operands for operator or function; operator or function: list_append, number of operands: 1"},
		{"SET a = if_not_exists(:n, b)", "Operator or function requires a document path; operator or function: if_not_exists"},
		{"SET a = if_not_exists(b, b)", "The first operand must be distinct from the remaining operands for this operator or function; operator: if_not_exists, first operand: [b]"},
		{"SET a = :s + :m", typ + "+, operand type: S"}, {"SET a = :m - :null", typ + "-, operand type: NULL"}, {"SET a = list_append(a, :n)", typ + "list_append, operand type: N"},
		{"ADD a :s", secType + "ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND"}, {"ADD a :l", secType + "ADD, operand type: LIST, typeSet: ALLOWED_FOR_ADD_OPERAND"},
		{"ADD a :map", secType + "ADD, operand type: MAP, typeSet: ALLOWED_FOR_ADD_OPERAND"}, {"ADD a :bool", secType + "ADD, operand type: BOOLEAN, typeSet: ALLOWED_FOR_ADD_OPERAND"},
		{"DELETE a :n", secType + "DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND"}, {"DELETE a :b", secType + "DELETE, operand type: BINARY, typeSet: ALLOWED_FOR_DELETE_OPERAND"},
		{"DELETE a :null", secType + "DELETE, operand type: NULL, typeSet: ALLOWED_FOR_DELETE_OPERAND"},
	})
}

// The = of SET, and the actions themselves, are no operators.
func TestUpdateOperatorLimit(t *testing.T) {
	actions := func(n int, format string) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = fmt.Sprintf(format, i)
		}
		return strings.Join(parts, ",")
	}
	const refusal = "The expression contains too many operators; operator count: 301"
	checkMessages(t, ddbexpr.KindUpdate, "Invalid UpdateExpression: ", [][2]string{
		{"SET " + actions(400, "a%d=:n"), ""}, {"ADD " + actions(400, "a%d :n"), ""},
		{"SET " + actions(300, "a%d=:n+:n"), ""}, {"SET " + actions(301, "a%d=:n+:n"), refusal},
	})
}

func TestScopeMessages(t *testing.T) {
	long := strings.Repeat("x", 255)
	for _, c := range []struct {
		names  map[string]string
		values item
		want   string
	}{
		{nil, nil, ""},
		{map[string]string{"#a_1": "x"}, item{":0": s("")}, ""},
		{map[string]string{}, nil, "ExpressionAttributeNames must not be empty"},
		{nil, item{}, "ExpressionAttributeValues must not be empty"},
		{map[string]string{"a": "x"}, nil, `ExpressionAttributeNames contains invalid key: Syntax error; key: "a"`},
		{map[string]string{"#": "x"}, nil, `ExpressionAttributeNames contains invalid key: Syntax error; key: "#"`},
		{map[string]string{"#a-b": "x"}, nil, `ExpressionAttributeNames contains invalid key: Syntax error; key: "#a-b"`},
		{map[string]string{"#" + long: "x"}, nil, "ExpressionAttributeNames contains invalid key: The expression attribute map contains a key that is too long; size of key: 256"},
		{map[string]string{"#a": ""}, nil, "ExpressionAttributeNames contains invalid value: Empty attribute name for key #a"},
		{map[string]string{"#a": strings.Repeat("x", 65536)}, nil, "ExpressionAttributeNames contains invalid value: Member must have length less than or equal to 65535 for key #a"},
		{map[string]string{"#a": "aa"}, item{":a": s(strings.Repeat("x", 2<<20-2))}, ""},
		{map[string]string{"#a": "aaa"}, item{":a": s(strings.Repeat("x", 2<<20-2))}, "The substitution variables of the expressions have exceeded the maximum allowed size; size: 2097153"},
		{nil, item{"#a": s("")}, `ExpressionAttributeValues contains invalid key: Syntax error; key: "#a"`},
		{nil, item{":" + long: s("")}, "ExpressionAttributeValues contains invalid key: The expression attribute map contains a key that is too long;"},
		{nil, item{":a": n("x")}, "ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric value: x for key :a"},
		{nil, item{":a": ss()}, "ExpressionAttributeValues contains invalid value: One or more parameter values were invalid: An string set  may not be empty for key :a"},
		{nil, item{":a": nil}, "ExpressionAttributeValues contains invalid value: Supplied AttributeValue is empty, must contain exactly one of the supported datatypes for key :a"},
	} {
		_, err := ddbexpr.NewScope(c.names, c.values)
		var e *ddbexpr.Error
		if c.want == "" {
			if err != nil {
				t.Error(err)
			}
		} else if !errors.As(err, &e) || e.Message != c.want {
			t.Errorf("%.200v, want %s", err, c.want)
		}
	}
}

func TestUnused(t *testing.T) {
	scope, err := ddbexpr.NewScope(map[string]string{"#a": "a", "#b": "b", "#c": "c"}, item{":a": s("x"), ":b": s("x")})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ expression, want string }{
		{"#b = :b", "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a, #c}"},
		{"#a = :b AND attribute_exists(#c)", "Value provided in ExpressionAttributeValues unused in expressions: keys: {:a}"},
		{"#a = :a", ""},
	} {
		if _, err := scope.Condition(ddbexpr.KindCondition, step.expression); err != nil {
			t.Fatal(err)
		}
		if err := scope.Unused(); step.want == "" && err != nil || step.want != "" &&
			(err == nil || err.Error() != step.want) {
			t.Errorf("after %s: %v, want %q", step.expression, err, step.want)
		}
	}
	if _, err := ddbexpr.ParseUpdate("SET a = :a", map[string]string{"#a": "a"}, item{":a": s("x")}); err == nil {
		t.Error("ParseUpdate left an unused name unnoticed")
	}
	if _, err := ddbexpr.ParseProjection("#a", map[string]string{"#a": "a"}); err != nil {
		t.Error(err)
	}
	if _, err := ddbexpr.ParseKeyCondition("a = :a", nil, item{":a": s("x")}); err != nil {
		t.Error(err)
	}
}

// Values appear in messages for the caller, not in the text of the error.
func TestErrorsDoNotRepeatValues(t *testing.T) {
	values := item{":low": s("secret2"), ":high": s("secret1"), ":number": n("1")}
	_, err := ddbexpr.ParseCondition(ddbexpr.KindFilter, "a BETWEEN :low AND :high AND b = :number", nil, values)
	var e *ddbexpr.Error
	if !errors.As(err, &e) || !strings.Contains(e.Message, "secret2") || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
	_, err = ddbexpr.NewScope(nil, item{":a": n("secret")})
	if !errors.As(err, &e) || !strings.Contains(e.Message, "secret") || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
	_, err = ddbexpr.ParseCondition(ddbexpr.KindFilter, "attribute_type(a, :a)", nil, item{":a": s("secret")})
	if !errors.As(err, &e) || !strings.Contains(e.Message, "type: secret, valid") || strings.Contains(err.Error(),
		"secret") {
		t.Errorf("%v, and its message %q", err, e.Message)
	}
}
