package localaws

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/ddbseal/ddbseal/localaws/internal/sigv4"
)

// targets are the services of X-Amz-Target, by the part before the last dot.
var targets = map[string]string{
	"DynamoDB_20120810":   "dynamodb",
	"TrentService":        "kms",
	"CloudTrail_20131101": "cloudtrail",
	// as botocore spells it
	"com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101": "cloudtrail",
}

// versions are the Query services, by the Version of their interface.
var versions = map[string]string{
	"2010-05-08": "iam",
	"2011-06-15": "sts",
}

// maxOperation bounds the names of operations, which go into the audit.
const maxOperation = 64

// incoming is one request on its way in, whatever brought it.
type incoming struct {
	sigv4.Request
	secure    bool
	sourceIP  string
	userAgent string
}

func (in *incoming) get(name string) string {
	if v := in.Header[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// route finds the endpoint of a request from its headers alone, so that the
// limit of its body is known before the body is read. nil means nobody's.
// operation is empty for the Query protocol, whose body names it.
func (s *Server) route(in *incoming) (e *endpoint, operation string) {
	if target := in.get("X-Amz-Target"); target != "" {
		dot := strings.LastIndexByte(target, '.')
		if dot < 0 || !jsonContent(in.get("Content-Type")) {
			return nil, ""
		}
		return s.endpoints[targets[target[:dot]]], operationName(target[dot+1:])
	}
	if in.Method == http.MethodPost && formContent(in.get("Content-Type")) || in.Method == http.MethodGet && strings.Contains(in.RawQuery, "Action=") {
		// Which of the Query services is only said by the signature's scope and
		// by the body; their limits are the same.
		return s.endpoints["iam"], ""
	}
	return nil, ""
}

// routeQuery finds endpoint and operation of a request of the Query protocol.
func (s *Server) routeQuery(body []byte, sig *sigv4.Signature) (e *endpoint, operation string) {
	action, version := formField(body, "Action"), formField(body, "Version")
	name := versions[version]
	if name == "" && sig != nil && (sig.Service == "iam" || sig.Service == "sts") {
		name = sig.Service
	}
	return s.endpoints[name], operationName(action)
}

// formField finds one parameter of a form without decoding the rest.
func formField(form []byte, name string) string {
	for part := range strings.SplitSeq(string(form), "&") {
		if value, ok := strings.CutPrefix(part, name+"="); ok {
			if value, err := url.QueryUnescape(value); err == nil {
				return value
			}
			return ""
		}
	}
	return ""
}

// operationName returns name if it can be an operation's, else the empty
// string: it goes into logs, events and answers.
func operationName(name string) string {
	if len(name) > maxOperation {
		return ""
	}
	for _, c := range []byte(name) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9') {
			return ""
		}
	}
	return name
}

func jsonContent(contentType string) bool {
	contentType, _, _ = strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(contentType)) {
	case "application/x-amz-json-1.0", "application/x-amz-json-1.1", "application/json":
		return true
	}
	return false
}

func formContent(contentType string) bool {
	contentType, _, _ = strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(contentType), "application/x-www-form-urlencoded")
}
