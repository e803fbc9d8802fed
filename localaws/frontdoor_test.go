// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"hash/crc32"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ddbseal/ddbseal/localaws"
)

const (
	json10 = "application/x-amz-json-1.0"
	json11 = "application/x-amz-json-1.1"
	form   = "application/x-www-form-urlencoded; charset=utf-8"
)

func TestIdentityServices(t *testing.T) {
	bothWays(t, localaws.Options{}, func(t *testing.T, s *localaws.Server, config func(aws.Credentials) aws.Config) {
		ctx := context.Background()
		root := config(s.RootCredentials())
		who, err := sts.NewFromConfig(root).GetCallerIdentity(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if aws.ToString(who.Arn) != "arn:aws:iam::111122223333:root" || aws.ToString(who.Account) != "111122223333" {
			t.Errorf("root is %s of %s", aws.ToString(who.Arn), aws.ToString(who.Account))
		}
		people := iam.NewFromConfig(root)
		if _, err := people.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("alice")}); err != nil {
			t.Fatal(err)
		}
		key, err := people.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("alice")})
		if err != nil {
			t.Fatal(err)
		}
		alice := config(aws.Credentials{AccessKeyID: *key.AccessKey.AccessKeyId,
			SecretAccessKey: *key.AccessKey.SecretAccessKey})
		if _, err = iam.NewFromConfig(alice).CreateUser(ctx,
			&iam.CreateUserInput{UserName: aws.String("bob")}); code(err) != "AccessDenied" {
			t.Errorf("alice makes a user: %v", err)
		}
		if _, err = cloudtrail.NewFromConfig(alice).LookupEvents(ctx, nil); code(err) != "AccessDeniedException" {
			t.Errorf("alice reads the audit: %v", err)
		}
		events, err := cloudtrail.NewFromConfig(root).LookupEvents(ctx,
			&cloudtrail.LookupEventsInput{LookupAttributes: []cloudtrailtypes.LookupAttribute{
				{AttributeKey: cloudtrailtypes.LookupAttributeKeyUsername, AttributeValue: aws.String("alice")}}})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range events.Events {
			names = append(names, aws.ToString(e.EventName))
		}
		if got := strings.Join(names, " "); got != "LookupEvents CreateUser" {
			t.Errorf("alice's events are %q", got)
		}
		var record struct {
			ErrorCode, ErrorMessage string
			UserIdentity            struct{ UserName string }
		}
		if err := json.Unmarshal([]byte(*events.Events[1].CloudTrailEvent), &record); err != nil {
			t.Fatal(err)
		}
		if record.ErrorCode != "AccessDenied" || record.UserIdentity.UserName != "alice" ||
			!strings.Contains(record.ErrorMessage, "iam:CreateUser") {
			t.Errorf("the event says %+v", record)
		}
		for _, e := range s.Audit().Events() {
			if e.ErrorCode == "AccessDenied" && e.EventName == "CreateUser" && len(e.Reasons()) != 0 {
				t.Errorf("alice has no policies, yet there are reasons: %q", e.Reasons())
			}
		}
	})
}

// IAM and STS work whatever region the client is set to, and IAM's events are
// in us-east-1 only.
func TestGlobalService(t *testing.T) {
	s := start(t, localaws.Options{Region: "eu-west-1"})
	ctx := context.Background()
	cfg := s.Config(s.RootCredentials())
	if _, err := iam.NewFromConfig(cfg).ListUsers(ctx, nil); err != nil {
		t.Fatal(err)
	}
	for region, want := range map[string]int{"us-east-1": 1, "eu-west-1": 0} {
		cfg.Region = region
		out, err := cloudtrail.NewFromConfig(cfg).LookupEvents(ctx,
			&cloudtrail.LookupEventsInput{LookupAttributes: []cloudtrailtypes.LookupAttribute{
				{AttributeKey: cloudtrailtypes.LookupAttributeKeyEventName, AttributeValue: aws.String("ListUsers")}}})
		if err != nil || len(out.Events) != want {
			t.Errorf("%s: %d events, %v; want %d", region, len(out.Events), err, want)
		}
	}
}

// What AWS has and this server does not is refused in words that say so,
// whatever the protocol.
func TestUnknownOperationsAreNamed(t *testing.T) {
	s := start(t, localaws.Options{})
	_, err := iam.NewFromConfig(s.Config(s.RootCredentials())).CreateServiceLinkedRole(ctx,
		&iam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("dax.amazonaws.com")})
	if code(err) != "UnsupportedOperation" ||
		!strings.Contains(err.Error(), "CreateServiceLinkedRole is not supported by this server: it does not have "+
			"service-linked roles.") {
		t.Errorf("IAM: %v", err)
	}
	_, err = cloudtrail.NewFromConfig(s.Config(s.RootCredentials())).CreateTrail(ctx,
		&cloudtrail.CreateTrailInput{Name: aws.String("t"), S3BucketName: aws.String("b")})
	if code(err) != "UnsupportedOperationException" ||
		!strings.Contains(err.Error(), "CreateTrail is not supported by this server: it does not have trails.") {
		t.Errorf("CloudTrail: %v", err)
	}
	// What AWS does not have either is named too.
	status, _, body := send(t, s, rawRequest{target: "TrentService.Levitate", contentType: json11, service: "kms", body: `{}`, creds: s.RootCredentials()})
	if status != 400 || !strings.Contains(body, "This server has no operation kms:Levitate") {
		t.Errorf("KMS: %d %s", status, body)
	}
}

// The in-process transport's answers are as net/http makes them.
func TestStatusOfAnswers(t *testing.T) {
	s := start(t, localaws.Options{})
	r := rawRequest{contentType: form, service: "sts", creds: s.RootCredentials(),
		body: "Action=GetCallerIdentity&Version=2011-06-15"}
	resp, err := s.Config(r.creds).HTTPClient.Do(r.build(t, "https://localaws.invalid"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Status != "200 OK" {
		t.Errorf("status %q", resp.Status)
	}
}

type jsonError struct {
	Type    string `json:"__type"`
	Message string `json:"message"`
}

type xmlError struct {
	Error struct{ Type, Code, Message string }
	ID    string `xml:"RequestId"`
}

// The order and the shape of what is refused before a service sees it.
func TestRefusals(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := start(t, localaws.Options{SigningClock: func() time.Time { return now }})
	root := s.RootCredentials()
	wrong := root
	wrong.SecretAccessKey += "x"
	stranger := aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "x"}
	forged := root
	forged.AccessKeyID, forged.SessionToken = "ASIAIOSFODNN7EXAMPLE", "bm90IGEgdG9rZW4="
	noKey := func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 SignedHeaders=host") }
	const lookup, get = "CloudTrail_20131101.LookupEvents", "Action=GetCallerIdentity&Version=2011-06-15"
	const common = "com.amazon.coral.service#"
	for _, c := range []struct {
		name    string
		r       rawRequest
		status  int
		code    string
		message string
	}{
		{"JSON: broken body before everything", rawRequest{target: lookup, contentType: json11, service: "cloudtrail", body: `{`, unsigned: true}, 400, common + "SerializationException", ""},
		{"JSON: broken body before wrong signature", rawRequest{target: lookup, contentType: json11, service: "cloudtrail", body: `{`, creds: wrong}, 400, common + "SerializationException", ""},
		{"JSON: broken body, rightly signed", rawRequest{target: lookup, contentType: json11, service: "cloudtrail", body: `{`, creds: root}, 400, common + "SerializationException", ""},
		{"JSON: unknown operation after signature", rawRequest{target: "CloudTrail_20131101.Nothing", contentType: json11, service: "cloudtrail", body: `{}`, unsigned: true}, 400, common + "MissingAuthenticationTokenException", "Missing"},
		{"JSON: unknown operation, wrong signature", rawRequest{target: "CloudTrail_20131101.Nothing", contentType: json11, service: "cloudtrail", body: `{}`, creds: wrong}, 400, common + "InvalidSignatureException", "does not match"},
		{"JSON: unknown operation, rightly signed", rawRequest{target: "CloudTrail_20131101.Nothing", contentType: json11, service: "cloudtrail", body: `{}`, creds: root}, 400, common + "UnknownOperationException", "cloudtrail:Nothing"},
		{"JSON: operation with control characters", rawRequest{target: "CloudTrail_20131101.<b>", contentType: json11, service: "cloudtrail", body: `{}`, creds: root}, 400, common + "UnknownOperationException", ""},
		{"JSON: unknown service", rawRequest{target: "Nothing_20200101.Do", contentType: json11, service: "missing", body: `{}`, creds: root}, 400, common + "UnknownOperationException", "X-Amz-Target"},
		{"JSON: no content type", rawRequest{target: lookup, service: "cloudtrail", body: `{}`, creds: root}, 400, common + "UnknownOperationException", ""},
		{"JSON: no signature", rawRequest{target: lookup, contentType: json11, service: "cloudtrail", body: `{}`, unsigned: true}, 400, common + "MissingAuthenticationTokenException", "Missing"},
		{"JSON: half a signature", rawRequest{target: lookup, contentType: json11, service: "cloudtrail", body: `{}`, unsigned: true, edit: noKey}, 400, common + "IncompleteSignatureException", "'Credential'"},
		{"JSON: old before unknown client", rawRequest{target: lookup, contentType: json11, service: "cloudtrail", body: `{}`, creds: stranger, at: now.Add(-time.Hour)}, 400, common + "InvalidSignatureException", "Signature expired"},
		{"JSON: another service's scope", rawRequest{target: lookup, contentType: json11, service: "kms", body: `{}`, creds: root}, 400, common + "InvalidSignatureException", "correct service: 'cloudtrail'"},
		{"JSON: unknown client", rawRequest{target: lookup, contentType: json11, service: "cloudtrail", body: `{}`, creds: stranger}, 400, common + "UnrecognizedClientException", "The security token included in the request is invalid."},
		{"JSON: forged session", rawRequest{target: lookup, contentType: json11, service: "cloudtrail", body: `{}`, creds: forged}, 400, common + "UnrecognizedClientException", "invalid"},
		{"JSON: wrong signature", rawRequest{target: lookup, contentType: json11, service: "cloudtrail", body: `{}`, creds: wrong}, 400, common + "InvalidSignatureException", "does not match"},
		{"JSON: body changed on the way", rawRequest{target: lookup, contentType: json11, service: "cloudtrail", body: `{}`, creds: root, edit: func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`[]`)) }}, 400, common + "InvalidSignatureException", "does not match"},
		{"JSON: not gzip", rawRequest{target: lookup, contentType: json11, service: "cloudtrail", body: `{}`, creds: root, header: map[string]string{"Content-Encoding": "gzip"}}, 500, common + "InternalFailure", "Content-Encoding"},
		{"JSON: another encoding", rawRequest{target: lookup, contentType: json11, service: "cloudtrail", body: `{}`, creds: root, header: map[string]string{"Content-Encoding": "br"}}, 500, common + "InternalFailure", "Content-Encoding"},
		{"JSON: too large", rawRequest{target: lookup, contentType: json11, service: "cloudtrail", body: strings.Repeat(" ", 65<<10), creds: root}, 413, common + "RequestEntityTooLargeException", "limit"},
		{"Query: unknown action", rawRequest{contentType: form, service: "iam", body: "Action=Nothing&Version=2010-05-08", creds: root}, 400, "InvalidAction", "Nothing"},
		{"Query: unknown action, wrong signature", rawRequest{contentType: form, service: "iam", body: "Action=Nothing&Version=2010-05-08", creds: wrong}, 403, "SignatureDoesNotMatch", "does not match"},
		{"Query: no action", rawRequest{contentType: form, service: "iam", body: "", creds: root}, 400, "InvalidAction", ""},
		{"Query: no version", rawRequest{contentType: form, service: "sts", body: "Action=GetCallerIdentity", creds: wrong}, 403, "SignatureDoesNotMatch", ""},
		{"Query: no signature", rawRequest{contentType: form, service: "sts", body: get, unsigned: true}, 403, "MissingAuthenticationToken", "Missing"},
		{"Query: old", rawRequest{contentType: form, service: "sts", body: get, creds: root, at: now.Add(-time.Hour)}, 403, "SignatureDoesNotMatch", "Signature expired"},
		{"Query: of the future", rawRequest{contentType: form, service: "sts", body: get, creds: root, at: now.Add(time.Hour)}, 403, "SignatureDoesNotMatch", "not yet current"},
		{"Query: unknown client", rawRequest{contentType: form, service: "sts", body: get, creds: stranger}, 403, "InvalidClientTokenId", "invalid"},
		{"Query: wrong signature", rawRequest{contentType: form, service: "sts", body: get, creds: wrong}, 403, "SignatureDoesNotMatch", "does not match"},
		{"Query: scope of the other Query service", rawRequest{contentType: form, service: "iam", body: get, creds: root}, 403, "SignatureDoesNotMatch", "correct service: 'sts'"},
		{"Query: too large", rawRequest{contentType: form, service: "iam", body: strings.Repeat("x", 513<<10), creds: root}, 413, "RequestEntityTooLarge", ""},
		{"post of nothing", rawRequest{service: "iam", creds: root}, 400, common + "UnknownOperationException", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.r.at.IsZero() {
				c.r.at = now
			}
			status, header, body := send(t, s, c.r)
			got, message := "", ""
			if strings.HasPrefix(header.Get("Content-Type"), "text/xml") {
				var e xmlError
				if err := xml.Unmarshal([]byte(body), &e); err != nil {
					t.Fatalf("%v in %s", err, body)
				}
				got, message = e.Error.Code, e.Error.Message
				if e.ID == "" || e.ID != header.Get("X-Amzn-RequestId") || e.Error.Type != "Sender" {
					t.Errorf("answer %s, request id %s", body, header.Get("X-Amzn-RequestId"))
				}
			} else {
				var e jsonError
				if err := json.Unmarshal([]byte(body), &e); err != nil {
					t.Fatalf("%v in %s", err, body)
				}
				got, message = e.Type, e.Message
			}
			if status != c.status || got != c.code ||
				!strings.Contains(strings.ToLower(message), strings.ToLower(c.message)) {
				t.Errorf("got %d %s %q, want %d %s with %q", status, got, message, c.status, c.code, c.message)
			}
			if len(header.Get("X-Amzn-RequestId")) != 36 {
				t.Errorf("request id %q", header.Get("X-Amzn-RequestId"))
			}
			if strings.Contains(body, root.SecretAccessKey) {
				t.Error("the answer holds a secret")
			}
		})
	}
	// Refused signatures of a known key are on record, but not for LookupEvents.
	marked := 0
	for _, e := range s.Audit().Events() {
		if e.Unauthenticated {
			marked++
			if e.UserIdentity.Type != "Unknown" || e.UserIdentity.ARN != "" {
				t.Errorf("an unverified caller is named: %+v", e.UserIdentity)
			}
		}
	}
	if marked != 4 {
		t.Errorf("%d refused signatures are on record, want 4", marked)
	}
}

func TestAnswerHeaders(t *testing.T) {
	s := start(t, localaws.Options{})
	status, header, body := send(t, s,
		rawRequest{target: "DynamoDB_20120810.ListTables", contentType: json10, service: "dynamodb", body: `{}`,
			creds: s.RootCredentials()})
	if status != 200 || header.Get("Content-Type") != json10 ||
		header.Get("X-Amz-Crc32") != strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(body))), 10) {
		t.Errorf("DynamoDB: %d %v %s", status, header, body)
	}
	if header.Get("Server") != "Server" {
		t.Errorf("DynamoDB's Server header is %q", header.Get("Server"))
	}
	status, header, body = send(t, s,
		rawRequest{target: "DynamoDB_20120810.ListTables", contentType: json10, service: "dynamodb", body: `{}`,
			unsigned: true})
	if status != 400 || header.Get("X-Amz-Crc32") != strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(body))), 10) {
		t.Errorf("DynamoDB's error: %d %v %s", status, header, body)
	}
	status, header, _ = send(t, s,
		rawRequest{target: "TrentService.ListKeys", contentType: json11, service: "kms", body: `{}`,
			creds: s.RootCredentials()})
	if status != 200 || header.Get("Content-Type") != json11 || header.Get("X-Amz-Crc32") != "" ||
		header.Get("Server") != "" {
		t.Errorf("KMS: %d %v", status, header)
	}
	status, header, _ = send(t, s,
		rawRequest{contentType: form, service: "sts", body: "Action=GetCallerIdentity&Version=2011-06-15",
			creds: s.RootCredentials()})
	if status != 200 || header.Get("Content-Type") != "text/xml" {
		t.Errorf("STS: %d %v", status, header)
	}
	// What this server says beyond AWS's text is in a header.
	broken := "Action=CreatePolicy&Version=2010-05-08&PolicyName=p&PolicyDocument=" + url.QueryEscape(`{"Version":"2012-10-17","Statement":"é"}`)
	status, header, body = send(t, s, rawRequest{contentType: form, service: "iam", body: broken,
		creds: s.RootCredentials()})
	if status != 400 || !strings.Contains(body, "<Message>Syntax errors in policy.</Message>") ||
		header.Get("X-Localaws-Hint") != "Statement 1: is not an object" {
		t.Errorf("a broken policy: %d %v %s", status, header, body)
	}
	for method, want := range map[string]int{"GET": 200, "HEAD": 200, "POST": 400, "DELETE": 404, "OPTIONS": 404} {
		if status, _, _ := send(t, s, rawRequest{method: method, unsigned: true}); status != want {
			t.Errorf("%s /: %d, want %d", method, status, want)
		}
	}
	// S3's ListBuckets, say: not a health check.
	if status, _, body := send(t, s,
		rawRequest{method: "GET", service: "s3", creds: s.RootCredentials()}); status != 404 {
		t.Errorf("a service that is not here: %d %s", status, body)
	}
	// as boto spells the target
	status, _, body = send(t, s,
		rawRequest{target: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents", contentType: json11,
			service: "cloudtrail", body: `{}`, creds: s.RootCredentials()})
	if status != 200 || !strings.Contains(body, `"Events":`) {
		t.Errorf("botocore's LookupEvents: %d %s", status, body)
	}
}

// A presigned GetCallerIdentity is how other systems prove an AWS identity.
func TestPresignedIdentity(t *testing.T) {
	s := start(t, localaws.Options{})
	root := s.RootCredentials()
	p, err := sts.NewPresignClient(sts.NewFromConfig(s.Config(root))).PresignGetCallerIdentity(context.Background(),
		nil)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(p.Method, p.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	status, _, body := do(t, s.Config(root).HTTPClient, req)
	if status != 200 || !strings.Contains(body, "arn:aws:iam::111122223333:root") {
		t.Errorf("%d %s", status, body)
	}
	for _, e := range s.Audit().Events() {
		if strings.Contains(string(e.RequestParameters), "ignature") {
			t.Errorf("the event repeats the signature: %s", e.RequestParameters)
		}
	}
}

func TestPanicIsContained(t *testing.T) {
	s, err := localaws.New(localaws.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Break("sts", func() { panic("the secret is hunter") })
	cfg := s.Config(s.RootCredentials())
	cfg.RetryMaxAttempts = 1
	_, err = sts.NewFromConfig(cfg).GetCallerIdentity(context.Background(), nil)
	if code(err) != "InternalFailure" || strings.Contains(err.Error(), "hunter") {
		t.Errorf("the caller got %v", err)
	}
	failures := s.Failures()
	if len(failures) != 1 || !strings.Contains(failures[0].Error(), "sts:GetCallerIdentity") ||
		!strings.Contains(failures[0].Error(), "frontdoor/door.go") || strings.Contains(failures[0].Error(), "hunter") {
		t.Errorf("failures are %v", failures)
	}
	events := s.Audit().Events()
	if e := events[len(events)-1]; e.ErrorCode != "InternalFailure" || strings.Contains(e.ErrorMessage, "hunter") {
		t.Errorf("the event says %s %s", e.ErrorCode, e.ErrorMessage)
	}
}
