// SPDX-License-Identifier: Apache-2.0

package change_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/change"
)

const streamARN = "arn:aws:dynamodb:us-east-1:123456789012:table/patients/stream/2026-05-11T21:21:33.291"

// event is a record of Lambda as a template: its members are replaced by tests.
func event(name, view, sequence, keys, old, new string) string {
	image := func(name, text string) string {
		if text == "" {
			return ""
		}
		return fmt.Sprintf(`,%q:%s`, name, text)
	}
	return fmt.Sprintf(`{"eventID":"00","eventName":%q,"eventVersion":"1.1","eventSource":"aws:dynamodb",`+
		`"awsRegion":"us-east-1","dynamodb":{"ApproximateCreationDateTime":1480642020,"Keys":%s%s%s,`+
		`"SequenceNumber":%q,"SizeBytes":26,"StreamViewType":%q},"eventSourceARN":%q}`,
		name, keys, image("OldImage", old), image("NewImage", new), sequence, view, streamARN)
}

func lambda(t testing.TB, records ...string) []change.Record {
	t.Helper()
	return must(change.Lambda([]byte(`{"Records":[` + strings.Join(records, ",") + `]}`)))(t)
}

const keysOne = `{"id":{"S":"patient-1"}}`

func TestDecodeLambda(t *testing.T) {
	table := patients(t)
	e := table.Encryptor()
	was, is := aPatient(1), aPatient(1)
	is.Diagnosis, is.Visits = "none", 2
	old, new := sealed(t, e, plainPatient(was)), sealed(t, e, plainPatient(is))
	ttl := strings.Replace(event("REMOVE", "NEW_AND_OLD_IMAGES", "500", keysOne, old, ""), `"eventID":"00"`,
		`"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"}`, 1)
	got := collect(change.Decode(t.Context(), table, lambda(t,
		event("INSERT", "NEW_AND_OLD_IMAGES", "100", keysOne, "", old),
		event("MODIFY", "NEW_AND_OLD_IMAGES", "200", keysOne, old, new),
		event("MODIFY", "NEW_AND_OLD_IMAGES", "300", keysOne, old, sealed(t, e, plainPatient(was))),
		event("REMOVE", "NEW_AND_OLD_IMAGES", "400", keysOne, new, ""), ttl,
		event("MODIFY", "NEW_IMAGE", "600", keysOne, "", new),
		event("MODIFY", "OLD_IMAGE", "700", keysOne, old, ""),
		event("MODIFY", "KEYS_ONLY", "800", keysOne, "", ""))))
	for i, want := range []struct {
		kind     change.Kind
		old, new *patient
		changed  string
		ttl      bool
	}{
		{change.Insert, nil, &was, "diagnosis id visits ward", false},
		{change.Modify, &was, &is, "diagnosis visits", false},
		{change.Modify, &was, &was, "", false},
		{change.Remove, &is, nil, "diagnosis id visits ward", false},
		{change.Remove, &was, nil, "diagnosis id visits ward", true},
		{change.Modify, nil, &is, "unknown", false},
		{change.Modify, &was, nil, "unknown", false},
		{change.Modify, nil, nil, "unknown", false},
	} {
		c, err := got.changes[i], got.errs[i]
		names, known := c.Changed()
		changed := strings.Join(names, " ")
		if !known {
			changed = "unknown"
		}
		id, _ := c.Key.Partition.(*types.AttributeValueMemberS)
		if err != nil || c.Kind != want.kind || changed != want.changed || c.ByTTL != want.ttl ||
			!same(c.Old, want.old) || !same(c.New, want.new) || id == nil || id.Value != "patient-1" ||
			c.Sequence != fmt.Sprint(100*(i+1)) || !c.At.Equal(time.Unix(1480642020, 0)) {
			t.Errorf("record %d: %+v, changed %s, %v", i, c, changed, err)
		}
	}
}

func same(a, b *patient) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

func TestDecodeKinesis(t *testing.T) {
	table := patients(t)
	old := sealed(t, table.Encryptor(), plainPatient(aPatient(1)))
	record := func(at string) string {
		return fmt.Sprintf(`{"awsRegion":"us-east-1","eventID":"x","eventName":"INSERT","userIdentity":null,`+
			`"recordFormat":"application/json","tableName":"patients","dynamodb":{"ApproximateCreationDateTime":%s,`+
			`"Keys":%s,"NewImage":%s,"SizeBytes":9},"eventSource":"aws:dynamodb"}`, at, keysOne, old)
	}
	micros := strings.Replace(record("1738938265000001"), `"Keys"`,
		`"ApproximateCreationDateTimePrecision":"MICROSECOND","Keys"`, 1)
	event := fmt.Sprintf(`{"Records":[{"eventSource":"aws:kinesis","eventID":"shard:9","kinesis":{"data":%q,`+
		`"sequenceNumber":"9"}}]}`, base64.StdEncoding.EncodeToString([]byte(record("1738938265123"))))
	records := append(must(change.Lambda([]byte(event)))(t), change.Kinesis([]byte(micros), "10"))
	got := collect(change.Decode(t.Context(), table, records))
	for i, want := range []struct {
		at       time.Time
		sequence string
	}{{time.UnixMilli(1738938265123), "9"}, {time.UnixMicro(1738938265000001), "10"}} {
		c := got.changes[i]
		names, known := c.Changed()
		if got.errs[i] != nil || *c.New != aPatient(1) || !c.At.Equal(want.at) || c.Sequence != want.sequence ||
			!known || len(names) != 4 {
			t.Errorf("%d: %+v, %v", i, c, got.errs[i])
		}
	}
}

// TestDecodeBadRecords: each fault is named, with the sequence number as far as
// it can be read, and the others of the call are not affected.
func TestDecodeBadRecords(t *testing.T) {
	table := patients(t)
	image := sealed(t, table.Encryptor(), plainPatient(aPatient(1)))
	second := sealed(t, table.Encryptor(), plainPatient(aPatient(2)))
	good := event("INSERT", "NEW_AND_OLD_IMAGES", "100", keysOne, "", image)
	replaced := func(old, new string) string {
		out := strings.Replace(good, old, new, 1)
		if out == good {
			t.Fatalf("%s is not in the record", old)
		}
		return out
	}
	cases := []struct {
		name, record string
		want         error
		sequence     string
	}{
		{"a list", `[]`, change.ErrRecord, ""},
		{"no body", `{"eventName":"INSERT"}`, change.ErrRecord, ""},
		{"no keys", replaced(`"Keys":`+keysOne+`,`, ""), change.ErrRecord, "100"},
		{"empty keys", replaced(keysOne, "{}"), change.ErrRecord, "100"},
		{"other key attribute", replaced(keysOne, `{"pk":{"S":"patient-1"}}`), change.ErrRecord, "100"},
		{"number for a key", replaced(keysOne, `{"id":{"N":"1"}}`), change.ErrRecord, "100"},
		{"another item's image", replaced(image, second), change.ErrRecord, "100"},
		{"no sequence number", replaced(`"100"`, `""`), change.ErrRecord, ""},
		{"unknown event", replaced("INSERT", "UPSERT"), change.ErrRecord, "100"},
		{"unknown version", replaced(`"1.1"`, `"2.0"`), change.ErrRecord, "100"},
		{"other source", replaced("aws:dynamodb", "aws:s3"), change.ErrRecord, "100"},
		{"cut image", replaced(`,"NewImage":`+image, ""), change.ErrRecord, "100"},
		{"modification without the old image", replaced("INSERT", "MODIFY"), change.ErrRecord, "100"},
		{"image beyond the view", replaced("NEW_AND_OLD_IMAGES", "KEYS_ONLY"), change.ErrRecord, "100"},
		{"unknown view", replaced("NEW_AND_OLD_IMAGES", "EVERYTHING"), change.ErrView, "100"},
		{"no view", replaced("NEW_AND_OLD_IMAGES", ""), change.ErrView, "100"},
		{"another table", replaced("table/patients", "table/visits"), change.ErrOtherTable, "100"},
		{"no table", replaced(streamARN, "arn:aws:s3:::bucket"), change.ErrRecord, "100"},
		{"a time before 1970", replaced("1480642020", "-1"), change.ErrRecord, "100"},
		{"a time far away", replaced("1480642020", "1e300"), change.ErrRecord, "100"},
		{"two types", replaced(keysOne, `{"id":{"S":"a","N":"1"}}`), change.ErrRecord, "100"},
		{"changed ward", replaced(`{"S":"north"}`, `{"S":"south"}`), envelope.ErrTampered, "100"},
		{"cut item", replaced(`"ward":{"S":"north"}`, `"aaa":{"S":"north"}`), envelope.ErrTampered, "100"},
		{"plaintext", replaced(image, `{"id":{"S":"patient-1"}}`), envelope.ErrNotEncrypted, "100"},
	}
	var records []string
	for _, c := range cases {
		records = append(records, c.record, good)
	}
	got := collect(change.Decode(t.Context(), table, lambda(t, records...)))
	for i, c := range cases {
		err := got.errs[2*i]
		var record *change.RecordError
		if !errors.Is(err, c.want) || !errors.As(err, &record) || record.Sequence != c.sequence ||
			record.Index != 2*i || record.Table != "patients" || got.changes[2*i].New != nil {
			t.Errorf("%s: %v (%+v)", c.name, err, record)
		}
		if err != nil && (strings.Contains(err.Error(), "patient-1") || strings.Contains(err.Error(), "north")) {
			t.Errorf("%s: the error shows a value: %v", c.name, err)
		}
		if got.errs[2*i+1] != nil || got.changes[2*i+1].New == nil {
			t.Errorf("%s: the next record failed with it: %v", c.name, got.errs[2*i+1])
		}
	}
	for _, text := range []string{"", "{}", `{"Records":1}`, `{"Records":[`, `{"Records":[]}x`} {
		if _, err := change.Lambda([]byte(text)); !errors.Is(err, change.ErrRecord) {
			t.Errorf("event %q: %v", text, err)
		}
	}
	// Members of Kinesis.
	kinesis := strings.NewReplacer(`"eventVersion":"1.1"`, `"recordFormat":"text/csv"`).Replace(good)
	err := collect(change.Decode(t.Context(), table, []change.Record{change.Kinesis([]byte(kinesis), "7"), {}})).errs
	if !errors.Is(err[0], change.ErrFormat) || !errors.Is(err[1], change.ErrRecord) {
		t.Errorf("%v", err)
	}
}

// sdk converts the text of an item into what the streams client returns.
func sdk(t testing.TB, item envelope.Item) map[string]streamtypes.AttributeValue {
	t.Helper()
	out := map[string]streamtypes.AttributeValue{}
	for name, v := range item {
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			out[name] = &streamtypes.AttributeValueMemberS{Value: v.Value}
		case *types.AttributeValueMemberN:
			out[name] = &streamtypes.AttributeValueMemberN{Value: v.Value}
		case *types.AttributeValueMemberB:
			out[name] = &streamtypes.AttributeValueMemberB{Value: v.Value}
		default:
			t.Fatalf("%T", v)
		}
	}
	return out
}

func TestDecodeStreamValues(t *testing.T) {
	everything := map[string]streamtypes.AttributeValue{
		"id": &streamtypes.AttributeValueMemberS{Value: "1"}, "n": &streamtypes.AttributeValueMemberN{Value: "1.0"},
		"b":  &streamtypes.AttributeValueMemberB{Value: []byte{1}},
		"t":  &streamtypes.AttributeValueMemberBOOL{Value: true},
		"0":  &streamtypes.AttributeValueMemberNULL{Value: true},
		"ss": &streamtypes.AttributeValueMemberSS{Value: []string{"a"}},
		"ns": &streamtypes.AttributeValueMemberNS{Value: []string{"1"}},
		"bs": &streamtypes.AttributeValueMemberBS{Value: [][]byte{{2}}},
		"l": &streamtypes.AttributeValueMemberL{Value: []streamtypes.AttributeValue{
			&streamtypes.AttributeValueMemberM{Value: map[string]streamtypes.AttributeValue{
				"x": &streamtypes.AttributeValueMemberS{Value: "y"}}}}},
	}
	var deep streamtypes.AttributeValue = &streamtypes.AttributeValueMemberS{}
	for range 40 {
		deep = &streamtypes.AttributeValueMemberL{Value: []streamtypes.AttributeValue{deep}}
	}
	number := "5"
	record := func(image map[string]streamtypes.AttributeValue) streamtypes.Record {
		return streamtypes.Record{EventName: "INSERT", Dynamodb: &streamtypes.StreamRecord{NewImage: image,
			Keys:           map[string]streamtypes.AttributeValue{"id": everything["id"]},
			SequenceNumber: &number, StreamViewType: streamtypes.StreamViewTypeNewImage}}
	}
	table := must(change.Items("things", nil, "id", ""))(t)
	got := collect(change.Decode(t.Context(), table, change.Stream([]streamtypes.Record{
		record(everything), record(map[string]streamtypes.AttributeValue{"id": everything["id"], "deep": deep}),
		record(map[string]streamtypes.AttributeValue{"id": everything["id"], "nil": nil}), {}})))
	text := sealed(t, nil, *got.changes[0].New)
	want := `{"0":{"NULL":true},"b":{"B":"AQ=="},"bs":{"BS":["Ag=="]},"id":{"S":"1"},"l":{"L":[{"M":{"x":{"S":"y"}}}]},` +
		`"n":{"N":"1.0"},"ns":{"NS":["1"]},"ss":{"SS":["a"]},"t":{"BOOL":true}}`
	if got.errs[0] != nil || text != want {
		t.Errorf("%s, %v", text, got.errs[0])
	}
	for i, err := range got.errs[1:] {
		if !errors.Is(err, change.ErrRecord) {
			t.Errorf("bad record %d: %v", i, err)
		}
	}
}

// visit is another entity type of the table of patients.
type visit struct {
	ID   string `dynamodbav:"id" seal:"partition"`
	Note string `dynamodbav:"note"`
}

type ward struct {
	ID   string `dynamodbav:"id" seal:"partition"`
	Beds int    `dynamodbav:"beds"`
}

// entity makes a table of one of several types.
func entity[T any](t testing.TB, name string) *store.Table[T] {
	t.Helper()
	mode := aKeyring(t)
	mode.OtherActions = map[string]envelope.Action{"note": envelope.EncryptAndSign, "beds": envelope.EncryptAndSign}
	return must(store.NewEntity[T](noClient{}, "things", mode, store.Entity{Attribute: "type", Name: name}))(t)
}

func TestDecodeEntities(t *testing.T) {
	visits, wards := entity[visit](t, "visit"), entity[ward](t, "ward")
	s := func(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
	e := visits.Encryptor()
	v := sealed(t, e, envelope.Item{"id": s("patient-1"), "type": s("visit"), "note": s(secret)})
	w := sealed(t, e, envelope.Item{"id": s("patient-1"), "type": s("ward"),
		"beds": &types.AttributeValueMemberN{Value: "3"}})
	third := sealed(t, e, envelope.Item{"id": s("patient-1"), "type": s("nurse")})
	both := "NEW_AND_OLD_IMAGES"
	records := []string{event("INSERT", both, "1", keysOne, "", v), event("MODIFY", both, "2", keysOne, v, w),
		event("REMOVE", both, "3", keysOne, w, ""), event("INSERT", both, "4", keysOne, "", third),
		event("INSERT", both, "5", keysOne, "", strings.Replace(v, `"visit"`, `"ward"`, 1))}
	for i := range records {
		records[i] = strings.Replace(records[i], "table/patients", "table/things", 1)
	}
	text := func(kind change.Kind, old, new any, err error) string {
		switch {
		case errors.Is(err, store.ErrOtherEntity):
			return "other"
		case errors.Is(err, envelope.ErrTampered):
			return "tampered"
		case err != nil:
			return err.Error()
		}
		return fmt.Sprintf("%v %v %v", kind, old, new)
	}
	one := func(table change.Table[any]) (out []string) {
		for c, err := range change.Decode(t.Context(), table, lambda(t, records...)) {
			var old, new any
			if c.Old != nil {
				old = *c.Old
			}
			if c.New != nil {
				new = *c.New
			}
			out = append(out, text(c.Kind, old, new, err))
		}
		return out
	}
	first, second := fmt.Sprint(visit{"patient-1", secret}), fmt.Sprint(ward{"patient-1", 3})
	all := must(change.OneOf(change.Any(visits), change.Any(wards)))(t)
	for _, c := range []struct {
		name  string
		table change.Table[any]
		want  []string
	}{
		{"visits", change.Any(visits), []string{"INSERT <nil> " + first, "REMOVE " + first + " <nil>", "other", "other",
			"tampered"}},
		{"wards", change.Any(wards), []string{"other", "INSERT <nil> " + second, "REMOVE " + second + " <nil>", "other",
			"tampered"}},
		{"both", all, []string{"INSERT <nil> " + first, "MODIFY " + first + " " + second, "REMOVE " + second + " <nil>",
			"other", "tampered"}},
	} {
		if got := one(c.table); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	for _, tables := range [][]change.Table[any]{{}, {change.Any(patients(t))},
		{change.Any(visits), change.Any(patients(t))}} {
		if _, err := change.OneOf(tables...); !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("OneOf: %v", err)
		}
	}
}

// TestDecodePlaintext: what the policy of the table allows is read, as by Get.
func TestDecodePlaintext(t *testing.T) {
	mode := aKeyring(t)
	mode.PlaintextPolicy = envelope.ForbidPlaintextWriteAllowPlaintextRead
	table := must(store.New[patient](noClient{}, "patients", mode))(t)
	plain := sealed(t, nil, plainPatient(aPatient(1)))
	record := event("MODIFY", "NEW_AND_OLD_IMAGES", "1", keysOne, plain,
		sealed(t, table.Encryptor(), plainPatient(aPatient(1))))
	got := collect(change.Decode(t.Context(), table, lambda(t, record)))
	names, known := got.changes[0].Changed()
	if got.errs[0] != nil || *got.changes[0].Old != aPatient(1) || !known || len(names) > 0 {
		t.Errorf("%+v, %v, %v", got.changes, names, got.errs)
	}
	serverSide := must(store.New[patient](noClient{}, "patients", store.ServerSide{}))(t)
	if errs := collect(change.Decode(t.Context(), serverSide, lambda(t, record))).errs; !errors.Is(errs[0],
		store.ErrClientSideItem) {
		t.Errorf("in server-side mode: %v", errs)
	}
}

// TestDecodeEnds: an ended context is the last element, and is not a RecordError.
func TestDecodeEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	table := patients(t)
	got := collect(change.Decode(ctx, table, lambda(t, event("INSERT", "KEYS_ONLY", "1", keysOne, "", ""))))
	var record *change.RecordError
	if len(got.errs) != 1 || !errors.Is(got.errs[0], context.Canceled) || errors.As(got.errs[0], &record) {
		t.Errorf("%v", got.errs)
	}
}

// TestDecodeOrder: many records, across chunks, come in their order.
func TestDecodeOrder(t *testing.T) {
	table := patients(t)
	var records []string
	for i := range 600 {
		records = append(records, event("MODIFY", "KEYS_ONLY", fmt.Sprint(i+1), keysOne, "", ""))
	}
	i := 0
	for c, err := range change.Decode(t.Context(), table, lambda(t, records...)) {
		i++
		if err != nil || c.Sequence != fmt.Sprint(i) {
			t.Fatalf("place %d: %s, %v", i, c.Sequence, err)
		}
	}
	if i != 600 {
		t.Errorf("%d records", i)
	}
}

func TestResponse(t *testing.T) {
	c := change.Change[patient]{Sequence: "42"}
	for _, test := range []struct {
		err  error
		want string
		ok   bool
	}{
		{nil, `{"batchItemFailures":[]}`, true},
		{c.Failed(errDone), `{"batchItemFailures":[{"itemIdentifier":"42"}]}`, true},
		{errDone, `{"batchItemFailures":[]}`, false},
		{(change.Change[patient]{}).Failed(errDone), `{"batchItemFailures":[]}`, false},
	} {
		response, found := change.Response(test.err)
		text, err := json.Marshal(response)
		if err != nil || string(text) != test.want || found != test.ok {
			t.Errorf("%v: %s, %v, %v", test.err, text, found, err)
		}
	}
	if err := c.Failed(errDone); !errors.Is(err, errDone) {
		t.Error(err)
	}
}
