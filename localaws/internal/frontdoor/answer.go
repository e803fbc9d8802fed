// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// answer is what goes back for one request.
type answer struct {
	status      int
	contentType string
	requestID   string
	code        string // of an error, for the log
	body        []byte
	hint        string
	server      string
	checksum    bool // DynamoDB's x-amz-crc32, of the bytes that are sent
	compressed  encoding
	close       bool // the connection cannot be used again
}

func (e *Endpoint) success(id string, body []byte) answer {
	return answer{status: http.StatusOK, contentType: e.ContentType, requestID: id, body: body, server: e.Server,
		checksum: e.Checksum}
}

// failure turns an error into AWS's answer. Anything but a *request.Error is an
// internal failure about which the client learns nothing.
func (e *Endpoint) failure(id string, err error) answer {
	var known *request.Error
	if !errors.As(err, &known) {
		known = e.internal("The request processing has failed because of an unknown error, exception or failure.")
	}
	a := answer{status: known.HTTPStatus(), contentType: e.ContentType, requestID: id, code: known.Code,
		server: e.Server, checksum: e.Checksum, close: known.Status == http.StatusRequestEntityTooLarge,
		hint: headerText(known.Hint)}
	if e.query() {
		a.body = e.xmlError(id, known)
	} else {
		a.body = e.jsonError(known)
	}
	return a
}

// internal returns the endpoint's internal failure.
func (e *Endpoint) internal(message string) *request.Error {
	err := &request.Error{Code: "InternalFailure", Status: http.StatusInternalServerError, Message: message}
	if e.InternalError != "" {
		err.Code = e.InternalError
	}
	return err
}

// explained returns err, which may be nil, or an internal failure with the explanation of what
// lies behind it. The failure takes the place of every other
// answer, because it says nothing of the request.
func (d *Door) explained(e *Endpoint, err error) error {
	if err == nil {
		return nil
	}
	var known *request.Error
	if errors.As(err, &known) && known.HTTPStatus() < http.StatusInternalServerError {
		return err
	}
	if text := d.config.Explain(err); text != "" {
		return e.internal(text)
	}
	return err
}

func (e *Endpoint) jsonError(err *request.Error) []byte {
	body := make(map[string]any, 2+len(err.Members))
	for name, value := range err.Members {
		body[name] = value
	}
	message := "message"
	if len(err.Members) > 0 { // errors with members of their own have the other spelling
		message = "Message"
	}
	body["__type"], body[message] = e.typeName(err), err.Message
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if fail := enc.Encode(body); fail != nil {
		return []byte(`{"__type":"com.amazon.coral.service#InternalFailure"}`)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func (e *Endpoint) xmlError(id string, err *request.Error) []byte {
	kind := "Sender"
	if err.HTTPStatus() >= http.StatusInternalServerError {
		kind = "Receiver"
	}
	var b bytes.Buffer
	b.WriteString(`<ErrorResponse xmlns="` + e.Namespace + `"><Error><Type>` + kind + `</Type><Code>`)
	_ = xml.EscapeText(&b, []byte(err.Code))
	b.WriteString(`</Code><Message>`)
	_ = xml.EscapeText(&b, []byte(err.Message))
	b.WriteString(`</Message></Error><RequestId>` + id + `</RequestId></ErrorResponse>`)
	return b.Bytes()
}

// stray answers a request that belongs to no endpoint.
func stray(r *exchange) answer {
	a := answer{contentType: "text/plain", requestID: request.NewID(), close: r.connected && r.length != 0}
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	root := r.RawQuery == "" && (r.Path == "/" || r.Path == "")
	switch {
	case reads && root && r.get("Authorization") == "":
		// What DynamoDB's own endpoint says to a health check. A signed request
		// is one for a service that is not here, such as S3's ListBuckets.
		a.status, a.body = http.StatusOK, []byte("healthy: localaws\n")
	case r.get("X-Amz-Target") != "" || r.Method == http.MethodPost:
		a.status, a.contentType, a.code = http.StatusBadRequest, "application/x-amz-json-1.0",
			"UnknownOperationException"
		a.body = []byte(`{"__type":"com.amazon.coral.service#UnknownOperationException",` +
			`"message":"X-Amz-Target, Content-Type or Action name no service of this server"}`)
	default:
		a.status, a.body = http.StatusNotFound, []byte("no service of this server answers here\n")
	}
	return a
}

// header fills h with the answer's headers, whose values share one array.
func (a *answer) header(h http.Header) {
	values := make([]string, 0, 8)
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
	if a.hint != "" {
		set(hintHeader, a.hint)
	}
	if a.server != "" {
		set("Server", a.server)
	}
	if a.compressed != "" {
		set("Content-Encoding", string(a.compressed))
	}
	if a.close {
		set("Connection", "close")
	}
}

// hintHeader is the header of an answer that has the hint of an error. Every SDK
// gives access to the headers of a failed call.
const hintHeader = "X-Localaws-Hint"

// maxHint bounds a hint in bytes.
const maxHint = 512

// headerText returns text with what a header cannot carry escaped.
func headerText(text string) string {
	if len(text) > maxHint {
		text = strings.ToValidUTF8(text[:maxHint], "")
	}
	quoted := strconv.QuoteToASCII(text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
