package localaws

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"

	"github.com/ddbseal/ddbseal/localaws/internal/call"
)

// endpoint is one service as the wire sees it.
type endpoint struct {
	name    string // signing name
	service call.Service
	// xmlns is the namespace of a Query service; empty: JSON.
	xmlns string
	// contentType is that of answers.
	contentType string
	maxBody     int64
	// errors is the namespace of the service's own error codes in __type;
	// empty: none.
	errors string
}

func (e *endpoint) query() bool { return e.xmlns != "" }

// Body limits: DynamoDB's documented 16 MB; for the rest what the largest
// request (a policy of 32 KB, escaped or form-encoded) can need.
const (
	maxDynamoDBBody   = 16 << 20
	maxKMSBody        = 256 << 10
	maxQueryBody      = 512 << 10
	maxCloudTrailBody = 64 << 10
)

var (
	kmsEndpoint        = endpoint{name: "kms", contentType: "application/x-amz-json-1.1", maxBody: maxKMSBody}
	dynamodbEndpoint   = endpoint{name: "dynamodb", contentType: "application/x-amz-json-1.0", maxBody: maxDynamoDBBody, errors: "com.amazonaws.dynamodb.v20120810"}
	cloudtrailEndpoint = endpoint{name: "cloudtrail", contentType: "application/x-amz-json-1.1", maxBody: maxCloudTrailBody}
	iamEndpoint        = endpoint{name: "iam", contentType: "text/xml", maxBody: maxQueryBody, xmlns: "https://iam.amazonaws.com/doc/2010-05-08/"}
	stsEndpoint        = endpoint{name: "sts", contentType: "text/xml", maxBody: maxQueryBody, xmlns: "https://sts.amazonaws.com/doc/2011-06-15/"}
)

// commonErrors are the codes that AWS's framework answers for every JSON
// service, so that they carry its namespace and not the service's.
var commonErrors = map[string]bool{
	"AccessDeniedException": true, "ExpiredTokenException": true, "IncompleteSignatureException": true, "InternalFailure": true,
	"InvalidSignatureException": true, "MissingAuthenticationTokenException": true, "SerializationException": true,
	"ServiceUnavailable": true, "ThrottlingException": true, "UnknownOperationException": true, "UnrecognizedClientException": true,
	"RequestEntityTooLargeException": true,
}

// typeName is the __type of a JSON error body.
func (e *endpoint) typeName(err *call.Error) string {
	switch {
	case err.Namespace != "":
		return err.Namespace + "#" + err.Code
	case err.Code == "ValidationException":
		return "com.amazon.coral.validate#" + err.Code
	case commonErrors[err.Code]:
		return "com.amazon.coral.service#" + err.Code
	case e.errors != "":
		return e.errors + "#" + err.Code
	}
	return err.Code
}

// answer is what goes back for one request.
type answer struct {
	status      int
	contentType string
	requestID   string
	body        []byte
	checksum    bool // DynamoDB's x-amz-crc32
	close       bool // the connection cannot be used again
	query       bool
}

func (e *endpoint) success(id string, body []byte) answer {
	return answer{status: http.StatusOK, contentType: e.contentType, requestID: id, body: body, checksum: e.name == "dynamodb", query: e.query()}
}

// failure turns an error into AWS's answer. Anything but a *call.Error is an
// internal failure about which the client learns nothing.
func (e *endpoint) failure(id string, err error) answer {
	var known *call.Error
	if !errors.As(err, &known) {
		known = &call.Error{Code: "InternalFailure", Status: http.StatusInternalServerError,
			Message: "The request processing has failed because of an unknown error, exception or failure."}
		if e.name == "dynamodb" {
			known.Code = "InternalServerError"
		}
	}
	a := answer{status: known.HTTPStatus(), contentType: e.contentType, requestID: id, checksum: e.name == "dynamodb", query: e.query(),
		close: known.Status == http.StatusRequestEntityTooLarge}
	if e.query() {
		a.body = e.xmlError(id, known)
	} else {
		a.body = e.jsonError(known)
	}
	return a
}

func (e *endpoint) jsonError(err *call.Error) []byte {
	body := make(map[string]any, 2+len(err.Members))
	for name, value := range err.Members {
		body[name] = value
	}
	body["__type"], body["message"] = e.typeName(err), err.Message
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if fail := enc.Encode(body); fail != nil {
		return []byte(`{"__type":"com.amazon.coral.service#InternalFailure"}`)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func (e *endpoint) xmlError(id string, err *call.Error) []byte {
	kind := "Sender"
	if err.HTTPStatus() >= http.StatusInternalServerError {
		kind = "Receiver"
	}
	var b bytes.Buffer
	b.WriteString(`<ErrorResponse xmlns="` + e.xmlns + `"><Error><Type>` + kind + `</Type><Code>`)
	_ = xml.EscapeText(&b, []byte(err.Code))
	b.WriteString(`</Code><Message>`)
	_ = xml.EscapeText(&b, []byte(err.Message))
	b.WriteString(`</Message></Error><RequestId>` + id + `</RequestId></ErrorResponse>`)
	return b.Bytes()
}

// header fills h with the answer's headers, whose values share one array.
func (a *answer) header(h http.Header) {
	values := make([]string, 0, 5)
	set := func(name, value string) {
		values = append(values, value)
		h[name] = values[len(values)-1 : len(values) : len(values)]
	}
	set("Content-Type", a.contentType)
	set("Content-Length", strconv.Itoa(len(a.body)))
	set("X-Amzn-Requestid", a.requestID)
	if a.checksum {
		set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(a.body)), 10))
	}
	if a.close {
		set("Connection", "close")
	}
}

// authentication errors: the code for JSON services and the one, with its
// status, for Query services.
var authCodes = map[string]struct {
	query  string
	status int
}{
	"MissingAuthenticationTokenException": {"MissingAuthenticationToken", http.StatusForbidden},
	"IncompleteSignatureException":        {"IncompleteSignature", http.StatusBadRequest},
	"InvalidSignatureException":           {"SignatureDoesNotMatch", http.StatusForbidden},
	"UnrecognizedClientException":         {"InvalidClientTokenId", http.StatusForbidden},
	"ExpiredTokenException":               {"ExpiredToken", http.StatusForbidden},
	"SerializationException":              {"MalformedQueryString", http.StatusBadRequest},
	"UnknownOperationException":           {"InvalidAction", http.StatusBadRequest},
	"RequestEntityTooLargeException":      {"RequestEntityTooLarge", http.StatusRequestEntityTooLarge},
}

// refusal makes an error of the front door itself, under the code that the
// endpoint's protocol has for it.
func (e *endpoint) refusal(code, message string) *call.Error {
	err := &call.Error{Code: code, Message: message, Status: http.StatusBadRequest}
	if code == "RequestEntityTooLargeException" {
		err.Status = http.StatusRequestEntityTooLarge
	}
	if e.query() {
		if q, ok := authCodes[code]; ok {
			err.Code, err.Status = q.query, q.status
		} else {
			err.Code = strings.TrimSuffix(code, "Exception")
		}
	}
	return err
}
