// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/localaws"
)

// answer is what the front door answers to one DynamoDB request. An empty code
// means that the request is served.
type answer struct{ operation, request, code, text string }

// dynamodbAnswers sends requests to a server, in order, and compares the codes
// and texts. A table "items" is there with the partition key p (S), and a table
// "sorted" with the sort key c (N) beside it.
func dynamodbAnswers(t *testing.T, answers []answer) {
	t.Helper()
	s := start(t, localaws.Options{})
	ask := func(operation, body string) (code, text string) {
		_, _, out := send(t, s, rawRequest{target: "DynamoDB_20120810." + operation,
			contentType: "application/x-amz-json-1.0",
			service:     "dynamodb", body: body, creds: s.RootCredentials()})
		var e struct {
			Type    string `json:"__type"`
			Small   string `json:"message"`
			Message string
		}
		if err := json.Unmarshal([]byte(out), &e); err != nil {
			t.Fatalf("%s %s: %s: %v", operation, body, out, err)
		}
		return e.Type[strings.LastIndexByte(e.Type, '#')+1:], e.Small
	}
	for _, a := range append([]answer{
		{"CreateTable",
			`{"TableName":"items","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"p","KeyType":"HASH"}],` +
				`"AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"}]}`, "", ""},
		{"CreateTable",
			`{"TableName":"sorted","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"p","KeyType":"HASH"},` +
				`{"AttributeName":"c","KeyType":"RANGE"}],"AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"},` +
				`{"AttributeName":"c","AttributeType":"N"}]}`, "", ""},
	}, answers...) {
		if code, text := ask(a.operation, a.request); code != a.code || text != a.text {
			t.Errorf("%s %.400s\n got %s: %.600s\nwant %s: %.600s", a.operation, a.request, code, text, a.code, a.text)
		}
	}
}

const (
	invalid  = "ValidationException"
	one      = "1 validation error detected: "
	bad      = "One or more parameter values were invalid: "
	violated = " failed to satisfy constraint: "
	atLeast1 = "Member must have length greater than or equal to 1"
)

// layerRequests are one request of each operation that has the given value,
// which is not valid, among its values.
func layerRequests(value string) map[string]string {
	values := `"ExpressionAttributeValues":{":v":` + value + `}`
	filter := `"FilterExpression":"n = :v",` + values
	return map[string]string{
		"PutItem":    `{"TableName":"items","Item":{"p":{"S":"a"},"n":{"L":[` + value + `]}}}`,
		"UpdateItem": `{"TableName":"items","Key":{"p":{"S":"a"}},"UpdateExpression":"SET n = :v",` + values + `}`,
		"DeleteItem": `{"TableName":"items","Key":{"p":{"S":"a"}},"ConditionExpression":"n = :v",` + values + `}`,
		"GetItem":    `{"TableName":"items","Key":{"p":` + value + `}}`,
		"Query": `{"TableName":"items","KeyConditionExpression":"p = :p","FilterExpression":"n = :v",` +
			`"ExpressionAttributeValues":{":p":{"S":"a"},":v":` + value + `}}`,
		"BatchGetItem":     `{"RequestItems":{"items":{"Keys":[{"p":` + value + `}]}}}`,
		"Scan":             `{"TableName":"items",` + filter + `}`,
		"BatchWriteItem":   `{"RequestItems":{"items":[{"PutRequest":{"Item":{"p":{"S":"a"},"n":` + value + `}}}]}}`,
		"TransactGetItems": `{"TransactItems":[{"Get":{"TableName":"items","Key":{"p":` + value + `}}}]}`,
		"TransactWriteItems": `{"TransactItems":[{"Update":{"TableName":"items","Key":{"p":{"S":"a"}},"UpdateExpression":"SET n = :v",` +
			values + `}}]}`,
	}
}

// TestAnswersToValues asks every operation on items about values that are not
// allowed: writes count the refusal, GetItem, BatchGetItem and Query have the
// words of 2026, and the others have the words of before.
func TestAnswersToValues(t *testing.T) {
	const number = "The parameter cannot be converted to a numeric value"
	var answers []answer
	for _, c := range []struct{ value, text, older string }{
		{`{"N":"abc"}`, number + ": abc", ""},
		{`{"N":""}`, number + ": ", number},
		{`{"N":"1e126"}`, "Number overflow. Attempting to store a number with magnitude larger than supported range", ""},
		{`{"N":"1e99999999999"}`, "Number overflow. Attempting to store a number with magnitude larger than supported range", ""},
		{`{"N":"1e-99999999999"}`, "Number underflow. Attempting to store a number with magnitude smaller than supported range", ""},
		{`{"N":"1e9223372036854775808"}`, number + ": 1e9223372036854775808", ""},
		{`{"N":"0e126"}`, "Number overflow. Attempting to store a number with magnitude larger than supported range", ""},
		{`{"NS":["1","0e-131"]}`, "Number underflow. Attempting to store a number with magnitude smaller than supported range", ""},
		{`{"N":"123456789012345678901234567890123456789"}`, "Attempting to store more than 38 significant digits in a Number", ""},
		{`{"NULL":false}`, bad + "Null attribute value types must have the value of true", ""},
		{`{"SS":[]}`, bad + "An string set  may not be empty", ""},
		{`{"NS":[]}`, bad + "An number set  may not be empty", ""},
		{`{"BS":[]}`, bad + "Binary sets should not be empty", ""},
		{`{"SS":["b","a","b"]}`, bad + `Input collection ["a", "b", "b"] contains duplicates.`,
			bad + "Input collection [b, a, b] contains duplicates."},
		{`{"BS":["/w==","AA==","AA=="]}`,
			bad + `Input collection ["AA==","/w==","AA=="]of type BS contains duplicates.`,
			bad + "Input collection [/w==, AA==, AA==]of type BS contains duplicates."},
		{`{"NS":["2","1","2"]}`, bad + "Input collection contains duplicates.", "Input collection contains duplicates"},
		{strings.Repeat(`{"L":[`, 33) + `{"S":"a"}` + strings.Repeat(`]}`, 33),
			"Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit", ""},
	} {
		older := c.older
		if older == "" {
			older = c.text
		}
		for operation, request := range layerRequests(c.value) {
			text := map[string]string{"PutItem": one + c.text, "UpdateItem": one + c.text, "DeleteItem": one + c.text,
				"GetItem": c.text, "Query": c.text, "BatchGetItem": c.text}[operation]
			switch operation {
			case "Scan", "TransactWriteItems":
				text = "ExpressionAttributeValues contains invalid value: " + older + " for key :v"
			case "BatchWriteItem", "TransactGetItems":
				text = older
			}
			answers = append(answers, answer{operation, request, invalid, text})
		}
	}
	// No operation counts a value without a type or with two.
	for operation, request := range layerRequests(`{}`) {
		text := "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
		if operation == "Scan" || operation == "TransactWriteItems" {
			text = "ExpressionAttributeValues contains invalid value: " + text + " for key :v"
		}
		answers = append(answers, answer{operation, request, invalid, text})
	}
	dynamodbAnswers(t, answers)
}

// TestAnswersToExpressions asks about expressions and about parameters that do
// not go together.
func TestAnswersToExpressions(t *testing.T) {
	put := func(more string) string { return `{"TableName":"items","Item":{"p":{"S":"a"}},` + more + `}` }
	update := func(more string) string { return `{"TableName":"items","Key":{"p":{"S":"a"}},` + more + `}` }
	query := func(more string) string { return `{"TableName":"sorted",` + more + `}` }
	const (
		only  = "ExpressionAttributeValues can only be specified when using expressions"
		names = "ExpressionAttributeNames can only be specified when using expressions"
		v     = `"ExpressionAttributeValues":{":v":{"S":"x"}}`
		mixed = "Can not use both expression and non-expression parameters in the same request: Non-expression " +
			"parameters: "
		key  = "Invalid KeyConditionExpression: "
		long = "Expression size has exceeded the maximum allowed size;"
	)
	deep := strings.Repeat("x", 4097)
	dynamodbAnswers(t, []answer{
		{"PutItem", put(v), invalid, one + only},
		{"UpdateItem", update(v), invalid, one + only},
		{"DeleteItem", update(v), invalid, one + only},
		{"Scan", `{"TableName":"items",` + v + `}`, invalid, only + ": FilterExpression is null"},
		{"PutItem", put(`"ExpressionAttributeNames":{"#a":"a"}`), invalid, one + names},
		{"GetItem", update(`"ExpressionAttributeNames":{"#a":"a"}`), invalid, names},
		{"DeleteItem", update(`"ConditionExpression":"attribute_exists(a)","ExpressionAttributeValues":{}`), invalid,
			one + "ExpressionAttributeValues must not be empty"},
		{"PutItem", put(`"ConditionExpression":""`), invalid, one + "Invalid ConditionExpression: The expression can not be empty;"},
		{"UpdateItem", update(`"UpdateExpression":""`), invalid, one + "Invalid UpdateExpression: The expression can not be empty;"},
		{"Query", query(`"KeyConditionExpression":"",` + v), invalid, key + "The expression can not be empty;"},
		{"PutItem", put(`"ConditionExpression":"((attribute_exists(a)))"`), invalid,
			one + "Invalid ConditionExpression: The expression has redundant parentheses;"},
		{"UpdateItem", update(`"UpdateExpression":"INVALID SYNTAX HERE"`), invalid,
			one + `Invalid UpdateExpression: Syntax error; token: "INVALID", near: "INVALID SYNTAX"`},
		{"GetItem", update(`"ProjectionExpression":"a, a"`), invalid,
			"Invalid ProjectionExpression: Two document paths overlap with " +
				"each other; must remove or rewrite one of these paths; path one: [a], path two: [a]"},
		{"UpdateItem", update(`"UpdateExpression":"SET a = :v, a.b = :v",` + v), invalid,
			one + "Invalid UpdateExpression: Two document " +
				"paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a, b]"},
		{"UpdateItem", update(`"UpdateExpression":"SET a = :missing"`), invalid,
			one + "Invalid UpdateExpression: An expression " +
				"attribute value used in expression is not defined; attribute value: :missing"},
		{"UpdateItem", update(`"UpdateExpression":"REMOVE a",` + v), invalid,
			one + "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}"},
		{"Query", query(`"KeyConditionExpression":"p = :v","ExpressionAttributeNames":{"#u":"u"},` + v), invalid,
			"Value provided in ExpressionAttributeNames unused in expressions: keys: {#u}"},
		{"UpdateItem", update(`"UpdateExpression":"REMOVE ` + deep + `"`), invalid, one + "Invalid UpdateExpression: " + long},
		{"PutItem", put(`"ConditionExpression":"` + deep + `"`), invalid,
			one + "Invalid ConditionExpression: " + long + " expression size: 4097"},
		{"PutItem", put(`"ConditionExpression":"a = a","Expected":{"a":{"Exists":false}}`), invalid,
			one + mixed + "{Expected} Expression parameters: {ConditionExpression}"},
		{"UpdateItem", update(`"UpdateExpression":"REMOVE a","AttributeUpdates":{}`), invalid,
			one + mixed + "{AttributeUpdates} Expression parameters: {UpdateExpression}"},
		{"DeleteItem", update(`"Expected":{"a":{"Exists":true}}`), invalid,
			one + bad + "Value must be provided when Exists is true for Attribute: a"},
		{"DeleteItem", update(`"Expected":{"a":{"Exists":false,"Value":{"S":"x"}}}`), invalid,
			one + bad + "Value cannot be used when Exists is false for Attribute: a"},
		{"DeleteItem", update(`"Expected":{"a":{"ComparisonOperator":"EQ"}}`), invalid,
			one + bad + "Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: a"},
		{"PutItem", put(`"ReturnValues":"ALL_NEW"`), invalid, one + "ReturnValues can only be ALL_OLD or NONE"},
		{"DeleteItem", update(`"ReturnValues":"UPDATED_NEW"`), invalid, one + "ReturnValues can only be ALL_OLD or NONE"},
		// What only the table or the item shows is never counted.
		{"UpdateItem", update(`"UpdateExpression":"SET p = :v",` + v), invalid,
			bad + "Cannot update attribute p. This attribute is part of the key"},
		{"UpdateItem", update(`"UpdateExpression":"SET a = b"`), invalid,
			"The provided expression refers to an attribute that does not exist in the item"},
		{"PutItem", `{"TableName":"items","Item":{"p":{"N":"1"}}}`, invalid, bad + "Type mismatch for key p expected: S actual: N"},
		{"PutItem", `{"TableName":"items","Item":{"p":{"S":""}}}`, invalid,
			"One or more parameter values are not valid. The " +
				"AttributeValue for a key attribute cannot contain an empty string value. Key: p"},
		// Key conditions.
		{"Query", query(`"KeyConditionExpression":"(#0 = x)","ExpressionAttributeNames":{"#0":"p"}`), invalid,
			key + "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"},
		{"Query", query(`"KeyConditionExpression":"p = :v AND c > :v AND c < :v",` + v), invalid,
			key + "KeyConditionExpressions must only contain one condition per key"},
		{"Query", query(`"KeyConditionExpression":"p = :v AND c > :v AND x = :v",` + v), invalid,
			"The number of query conditions (3) exceeds the number of key attributes defined in the schema (2)"},
		{"Query",
			query(
				`"KeyConditionExpression":"p = :v AND begins_with(c, :n)","ExpressionAttributeValues":{":v":{"S":"a"},":n":{"N":"1"}}`),
			invalid,
			key + "Incorrect operand type for operator or function; operator or function: begins_with, " +
				"operand type: N"},
		{"Scan", `{"TableName":"items","Select":"ALL_PROJECTED_ATTRIBUTES"}`, invalid,
			"ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"},
	})
}

// TestAnswersToMembers asks about members that violate a constraint.
func TestAnswersToMembers(t *testing.T) {
	const (
		item  = `"Item":{"p":{"S":"a"}}`
		key   = `"Key":{"p":{"S":"a"}}`
		empty = one + "Value at 'TableName'" + violated + atLeast1
		null  = violated + "Member must not be null"
		modes = "Value 'INVALID' at 'returnConsumedCapacity'" + violated +
			"Member must satisfy enum value set: [INDEXES, TOTAL, NONE]"
		metrics = "Value 'INVALID' at 'returnItemCollectionMetrics'" + violated +
			"Member must satisfy enum value set: [SIZE, NONE]"
		returns = "Failed to satisfy constraint: Member must satisfy enum value set: [ALL_OLD, UPDATED_OLD, " +
			"ALL_NEW, UPDATE_NEW, NONE]"
		older = "Value 'INVALID' at 'returnValues'" + violated +
			"Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]"
		query = `"KeyConditionExpression":"p = :p","ExpressionAttributeValues":{":p":{"S":"a"}}`
		names = "Map keys must satisfy constraint: [Member must have length less than or equal to 255, Member must " +
			"have length " +
			"greater than or equal to 3, Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]"
		lists = "Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must " +
			"have length " +
			"greater than or equal to 1]"
	)
	bogus := `"ReturnConsumedCapacity":"INVALID","ReturnValues":"INVALID","ReturnItemCollectionMetrics":"INVALID"`
	long := strings.Repeat("a", 256)
	keys := strings.Repeat(`{"p":{"S":"a"}},`, 100) + `{"p":{"S":"a"}}`
	write := `{"PutRequest":{"Item":{"p":{"S":"a"},"b":{"S":"b"}}}}`
	shown := `WriteRequest(putRequest=PutRequest(item={b=…, p=…}), deleteRequest=null)`
	schema := func(index, attribute string) string {
		return fmt.Sprintf(
			`{"IndexName":"%s","KeySchema":[{"AttributeName":"%s","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}`,
			index, attribute)
	}
	short := func(name, member string) string {
		return "Value '" + name + "' at '" + member + ".1.member.indexName'" + violated +
			"Member must have length greater than or equal to 3"
	}
	dynamodbAnswers(t, []answer{
		{"PutItem", `{"TableName":"",` + item + `}`, invalid, empty},
		{"PutItem", `{"TableName":"","Item":{},` + bogus + `}`, invalid, empty},
		{"DeleteItem", `{"TableName":"","Key":{}}`, invalid, empty},
		{"UpdateItem", `{"TableName":"","Key":{}}`, invalid, empty},
		{"GetItem", `{"TableName":"",` + key + `}`, invalid, empty},
		{"Query", `{"TableName":"",` + query + `}`, invalid, empty},
		{"Scan", `{"TableName":""}`, invalid, one + "Value '' at 'tableName'" + violated + atLeast1},
		{"PutItem", `{` + item + `}`, invalid, one + "Value null at 'tableName'" + null},
		{"PutItem", `{"TableName":"` + long + `",` + item + `}`, invalid,
			one + "Value '" + long + "' at 'tableName'" + violated +
				"Member must have length less than or equal to 255"},
		{"PutItem", `{"TableName":"bad table!@#",` + item + `}`, invalid,
			one + "Value 'bad table!@#' at 'tableName'" + violated +
				"Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
		{"PutItem", `{"TableName":"ab",` + item + `}`, "ResourceNotFoundException", "Requested resource not found"},
		{"CreateTable",
			`{"TableName":"ab","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"p","KeyType":"HASH"}],` +
				`"AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"}]}`, invalid,
			one + "Value 'ab' at 'tableName'" + violated + "Member must have length greater than or equal to 3"},
		{"PutItem", `{"TableName":"items",` + item + `,` + bogus + `}`, invalid,
			"3 validation errors detected: " + modes + "; " + returns + "; " + metrics},
		{"DeleteItem", `{"TableName":"items",` + key + `,"ReturnValues":"INVALID","ReturnConsumedCapacity":"INVALID"}`,
			invalid,
			"2 validation errors detected: " + modes + "; " + returns},
		{"UpdateItem", `{"TableName":"items",` + key + `,` + bogus + `}`, invalid, one + returns},
		{"UpdateItem", `{"TableName":"items",` + key + `,"ReturnConsumedCapacity":"INVALID"}`, invalid, one + modes},
		{"UpdateItem", `{"TableName":"","ReturnValues":"INVALID","ReturnConsumedCapacity":"INVALID"}`, invalid,
			"4 validation errors detected: " + modes + "; Value '' at 'tableName'" + violated + atLeast1 + "; " +
				older +
				"; Value null at 'key'" + null},
		{"Query",
			`{"TableName":"items","KeyConditions":{"p":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"a"}]}},` +
				`"QueryFilter":{"b":{"ComparisonOperator":"NULL"},"d":{"ComparisonOperator":"NULL"}},"ConditionalOperator":"XOR","Select":"NO"}`,
			invalid, "Failed to satisfy constraint: Member must satisfy enum value set: [ALL, OR]"},
		{"Query", `{"TableName":"items","Limit":0,` + query + `}`, invalid,
			one + "Value at 'Limit'" + violated + "Member must have value greater than or equal to 1"},
		{"Scan", `{"TableName":"items","Limit":0}`, invalid,
			one + "Value '0' at 'limit'" + violated + "Member must have value greater than or equal to 1"},
		{"BatchGetItem", `{"RequestItems":{}}`, invalid, one + "Value at 'RequestItems'" + violated + atLeast1},
		{"BatchGetItem", `{"RequestItems":{"items":{"Keys":[]}}}`, invalid,
			one + "Value at 'RequestItems.items.member.Keys'" + violated + atLeast1},
		{"BatchGetItem", `{"RequestItems":{"items":{"Keys":[` + keys + `]}}}`, invalid,
			one + "Value at 'RequestItems.items.member.Keys'" + violated +
				"Member must have length less than or equal to 100"},
		{"BatchGetItem", `{"RequestItems":{"bad!name":{"Keys":[{"p":{"S":"a"}}]}},"ReturnConsumedCapacity":"INVALID"}`,
			invalid,
			`2 validation errors detected: Value '{"bad!name":{"Keys":[{"p":{"S":"a"}}]}}' at 'requestItems'` +
				violated + names + "; " + modes},
		{"BatchWriteItem", `{"RequestItems":{}}`, invalid, "The requestItems parameter is required for BatchWriteItem"},
		{"BatchWriteItem", `{"RequestItems":{"items":[]}}`, invalid, one + "Value '{items=[]}' at 'requestItems'" + violated + lists},
		{"BatchWriteItem", `{"RequestItems":{"items":[` + strings.Repeat(write+",", 25) + write + `]}}`, invalid,
			one + "Value '{items=[" + strings.Repeat(shown+", ", 25) + shown + "]}' at 'requestItems'" +
				violated + lists},
		{"BatchWriteItem", `{"RequestItems":{"bad!name":[` + write + `]}}`, invalid,
			one + "Value '{bad!name=[" + shown + "]}' at 'requestItems'" + violated + names},
		{"BatchWriteItem", `{"RequestItems":{"bad!name":[` + write + `]},"ReturnConsumedCapacity":"INVALID"}`, invalid, one + modes},
		{"TransactGetItems", `{"TransactItems":[]}`, invalid, one + "Value '[]' at 'transactItems'" + violated + atLeast1},
		{"CreateTable",
			`{"TableName":"three","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"p","KeyType":"HASH"},` +
				`{"AttributeName":"c","KeyType":"RANGE"},{"AttributeName":"d","KeyType":"RANGE"}],"AttributeDefinitions":[]}`, invalid,
			one + "Value '[KeySchemaElement(attributeName=p, keyType=HASH), KeySchemaElement(attributeName=c, " +
				"keyType=RANGE), " +
				"KeySchemaElement(attributeName=d, keyType=RANGE)]' at 'keySchema'" + violated + "Member must have length less than or equal to 2"},
		{"CreateTable",
			`{"TableName":"index-names","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"p","KeyType":"HASH"}],` +
				`"AttributeDefinitions":[],"LocalSecondaryIndexes":[` + schema("l1", "p") +
				`],"GlobalSecondaryIndexes":[` + schema("g1", "p") + `]}`,
			invalid, "2 validation errors detected: " + short("g1", "globalSecondaryIndexes") + "; " +
				short("l1", "localSecondaryIndexes")},
	})
}

// TestAnswersToTransactions has transactions with several faults: the first
// faulty action decides, whatever its fault is.
func TestAnswersToTransactions(t *testing.T) {
	const (
		syntax = `Invalid ConditionExpression: Syntax error; token: "=", near: "= = b"`
		unused = "Value provided in ExpressionAttributeValues unused in expressions: keys: {:u}"
		number = "The parameter cannot be converted to a numeric value: x"
	)
	transaction := func(actions ...string) string { return `{"TransactItems":[` + strings.Join(actions, ",") + `]}` }
	wrong := `{"Put":{"TableName":"items","Item":{"p":{"S":"a"},"n":{"N":"x"}}}}`
	nameless := `{"Put":{"TableName":"items","Item":{"p":{"S":"b"},"":{"S":"x"}}}}`
	torn := `{"Put":{"TableName":"items","Item":{"p":{"S":"c"}},"ConditionExpression":"a = = b"}}`
	idle := `{"Delete":{"TableName":"items","Key":{"p":{"S":"d"}},"ConditionExpression":"attribute_exists(a)",` +
		`"ExpressionAttributeValues":{":u":{"S":"x"}}}}`
	missing := `{"Delete":{"TableName":"missing","Key":{"p":{"S":"e"}}}}`
	get := func(key, more string) string {
		return `{"Get":{"TableName":"items","Key":{"p":` + key + `}` + more + `}}`
	}
	dynamodbAnswers(t, []answer{
		{"TransactWriteItems", transaction(wrong, nameless), invalid, number},
		{"TransactWriteItems", transaction(nameless, wrong), invalid, "Empty attribute name"},
		{"TransactWriteItems", transaction(torn, wrong), invalid, syntax},
		{"TransactWriteItems", transaction(wrong, torn), invalid, number},
		{"TransactWriteItems", transaction(idle, torn), invalid, unused},
		{"TransactWriteItems", transaction(missing, idle), invalid, unused},
		{"TransactWriteItems", transaction(missing), "ResourceNotFoundException", "Requested resource not found"},
		{"TransactGetItems", transaction(get(`{"S":"a"}`, `,"ProjectionExpression":"a,"`), get(`{"N":"x"}`, "")),
			invalid,
			`Invalid ProjectionExpression: Syntax error; token: "<EOF>", near: ","`},
		{"TransactGetItems", transaction(get(`{"N":"x"}`, ""), get(`{"S":"a"}`, `,"ProjectionExpression":"a,"`)), invalid, number},
	})
}

// TestAnswersWithMembers: an error with further members spells the member that
// holds its text otherwise. The SDK reads both.
func TestAnswersWithMembers(t *testing.T) {
	s := start(t, localaws.Options{})
	client := dynamodb.NewFromConfig(s.Config(s.RootCredentials()))
	item := map[string]types.AttributeValue{"p": &types.AttributeValueMemberS{Value: "a"}}
	_, err := client.CreateTable(ctx,
		&dynamodb.CreateTableInput{TableName: aws.String("items"), BillingMode: types.BillingModePayPerRequest,
			KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("p"),
				KeyType: types.KeyTypeHash}},
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("p"),
				AttributeType: types.ScalarAttributeTypeS}}})
	if err == nil {
		_, err = client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("items"), Item: item})
	}
	if err != nil {
		t.Fatal(err)
	}
	const failed = "The conditional request failed"
	put := `{"TableName":"items","Item":{"p":{"S":"a"}},"ConditionExpression":"attribute_not_exists(p)"`
	for _, c := range []struct{ operation, request, member, text string }{
		{"PutItem", put + `}`, "message", failed},
		{"PutItem", put + `,"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}`, "Message", failed},
		{"TransactWriteItems", `{"TransactItems":[{"Put":` + put + `}}]}`, "Message",
			"Transaction cancelled, please refer cancellation reasons for specific reasons [ConditionalCheckFailed]"},
	} {
		_, _, out := send(t, s, rawRequest{target: "DynamoDB_20120810." + c.operation,
			contentType: "application/x-amz-json-1.0",
			service:     "dynamodb", body: c.request, creds: s.RootCredentials()})
		var members map[string]any
		if err := json.Unmarshal([]byte(out), &members); err != nil {
			t.Fatal(err)
		}
		if members[c.member] != c.text || (members["message"] == nil) == (members["Message"] == nil) {
			t.Errorf("%s %s: %s, want the text in %s alone", c.operation, c.request, out, c.member)
		}
	}
	_, err = client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("items"), Item: item,
		ConditionExpression:                 aws.String("attribute_not_exists(p)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld})
	var condition *types.ConditionalCheckFailedException
	if !errors.As(err, &condition) || condition.ErrorMessage() != failed || len(condition.Item) != 1 {
		t.Errorf("the SDK reads %v", err)
	}
}

// TestManagedKeyDescription: the AWS managed key describes itself with the name
// of its service.
func TestManagedKeyDescription(t *testing.T) {
	clock := newClock()
	s := start(t, localaws.Options{Clock: clock.Now})
	l := newLab(t, clock, s, s.Config)
	l.createTable("Managed", &types.SSESpecification{Enabled: aws.Bool(true)})
	key, err := l.keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String("alias/aws/dynamodb")})
	l.must(err)
	if got := aws.ToString(key.KeyMetadata.Description); got != "Default key that protects my DynamoDB data when no "+
		"other key is defined" {
		t.Error(got)
	}
}
