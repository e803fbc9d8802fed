// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/sts"
)

// eventVersion is the version of the record format.
const eventVersion = "1.11"

// Event is one call in CloudTrail's shape. It is never changed after it was
// filed; json.Marshal gives the text that LookupEvents answers as
// CloudTrailEvent.
type Event struct {
	EventVersion        string             `json:"eventVersion"`
	UserIdentity        UserIdentity       `json:"userIdentity"`
	EventTime           time.Time          `json:"eventTime"` // UTC, whole seconds
	EventSource         string             `json:"eventSource"`
	EventName           string             `json:"eventName"`
	AWSRegion           string             `json:"awsRegion"`
	SourceIPAddress     string             `json:"sourceIPAddress"`
	UserAgent           string             `json:"userAgent"`
	ErrorCode           string             `json:"errorCode,omitempty"`
	ErrorMessage        string             `json:"errorMessage,omitempty"`
	RequestParameters   json.RawMessage    `json:"requestParameters"` // null: none
	ResponseElements    json.RawMessage    `json:"responseElements"`
	AdditionalEventData json.RawMessage    `json:"additionalEventData,omitempty"`
	RequestID           string             `json:"requestID"`
	EventID             string             `json:"eventID"`
	ReadOnly            bool               `json:"readOnly"`
	Resources           []request.Resource `json:"resources,omitempty"`
	EventType           string             `json:"eventType"`
	ManagementEvent     bool               `json:"managementEvent"`
	RecipientAccountID  string             `json:"recipientAccountId"`
	// SharedEventID joins the two events of a call on another account's
	// resource: one in each account.
	SharedEventID string `json:"sharedEventID,omitempty"`
	EventCategory string `json:"eventCategory"` // "Management" or "Data"

	// Unauthenticated marks a call whose signature was refused. AWS does not
	// log these at all: LookupEvents never answers them.
	Unauthenticated bool `json:"-"`

	decision *policy.Decision
	seq      uint64
	size     int // roughly what it takes, in bytes
}

// UserIdentity is who called.
type UserIdentity struct {
	// "Root", "IAMUser", "AssumedRole", "AWSService", "AWSAccount", "Unknown"
	Type           string          `json:"type"`
	PrincipalID    string          `json:"principalId,omitempty"`
	ARN            string          `json:"arn,omitempty"`
	AccountID      string          `json:"accountId,omitempty"`
	AccessKeyID    string          `json:"accessKeyId,omitempty"`
	UserName       string          `json:"userName,omitempty"`
	SessionContext *SessionContext `json:"sessionContext,omitempty"`
	// InvokedBy is the service that called on behalf of the identity.
	InvokedBy string `json:"invokedBy,omitempty"`
}

// SessionContext is there for temporary credentials.
type SessionContext struct {
	SessionIssuer *SessionIssuer    `json:"sessionIssuer,omitempty"`
	Attributes    map[string]string `json:"attributes,omitempty"`
}

// SessionIssuer is the role behind a session.
type SessionIssuer struct {
	Type        string `json:"type"`
	PrincipalID string `json:"principalId"`
	ARN         string `json:"arn"`
	AccountID   string `json:"accountId"`
	UserName    string `json:"userName"`
}

// Denied reports whether the call was refused for want of a permission.
func (e *Event) Denied() bool { return e.ErrorCode == "AccessDenied" }

// Reason is how one statement or grant bore on a denied call.
type Reason struct {
	Text   string // all of it in one line
	Sid    string // of the statement; empty for a grant
	Effect string // "Allow" or "Deny"
	// Applies says that every element of the statement or grant matched the call.
	Applies bool
	// Missed names the elements that did not match, such as "principal".
	Missed []string
}

// Explanation returns, for a denied call, how each statement and grant bore on
// it; nil for other events and for events of an earlier run of the server. It is
// not a part of CloudTrail's record: AWS does not say.
func (e *Event) Explanation() []Reason {
	if e.decision == nil {
		return nil
	}
	var out []Reason
	for _, r := range e.decision.Reasons() {
		reason := Reason{Text: r.String(), Sid: r.Sid, Effect: r.Effect.String(), Applies: r.Applies}
		for _, m := range r.Missed {
			reason.Missed = append(reason.Missed, m.String())
		}
		out = append(out, reason)
	}
	return out
}

// Reasons returns the texts of [Event.Explanation].
func (e *Event) Reasons() []string {
	var out []string
	for _, r := range e.Explanation() {
		out = append(out, r.Text)
	}
	return out
}

// maxField bounds one member of an event, as CloudTrail does: 100 KB.
const maxField = 100 << 10

func newEvent(c *request.Call, o request.Operation, err error) *Event {
	e := &Event{
		EventVersion:       eventVersion,
		UserIdentity:       identity(c),
		EventTime:          c.Time.UTC().Truncate(time.Second),
		EventSource:        c.Service + ".amazonaws.com",
		EventName:          c.Operation,
		AWSRegion:          c.Region,
		SourceIPAddress:    c.SourceIP,
		UserAgent:          c.UserAgent,
		RequestParameters:  raw(c.Trail.RequestParameters, "requestParameters"),
		RequestID:          c.ID,
		EventID:            request.NewID(),
		ReadOnly:           o.ReadOnly,
		Resources:          c.Trail.Resources,
		EventType:          "AwsApiCall",
		ManagementEvent:    !o.Data,
		RecipientAccountID: c.AccountID,
		EventCategory:      "Management",
	}
	if o.Data {
		e.EventCategory = "Data"
	}
	if len(c.Trail.Additional) > 0 {
		e.AdditionalEventData = raw(c.Trail.Additional, "additionalEventData")
	}
	if c.ViaService != "" {
		service := invoker(c.ViaService)
		e.UserIdentity.InvokedBy, e.SourceIPAddress, e.UserAgent = service, service, service
	}
	if err == nil {
		e.ResponseElements = raw(c.Trail.ResponseElements, "responseElements")
	} else {
		e.fail(c, err)
	}
	e.measure()
	return e
}

// measure sets the size of an event.
func (e *Event) measure() {
	const fixed = 1 << 10 // the members that do not grow with the request
	e.size = fixed + len(e.RequestParameters) + len(e.ResponseElements) + len(
		e.AdditionalEventData) + len(e.ErrorMessage)
	if e.decision != nil {
		e.size += e.decision.Size()
	}
}

// fail files the error that the call was answered with.
func (e *Event) fail(c *request.Call, err error) {
	var known *request.Error
	if !errors.As(err, &known) || known.HTTPStatus() >= http.StatusInternalServerError {
		e.ErrorCode, e.ErrorMessage = "InternalFailure", "An internal failure occurred."
		if known != nil {
			e.ErrorCode, e.ErrorMessage = known.Code, known.Message
		}
		return
	}
	e.ErrorCode, e.ErrorMessage, e.decision = known.Code, known.Message, known.Decision
	if known.Hint != "" {
		e.AdditionalEventData = raw(map[string]string{"hint": known.Hint}, "additionalEventData")
	}
	switch {
	case known.Code == "AccessDeniedException":
		e.ErrorCode = "AccessDenied"
	case c.Service == "iam" && known.Code != "AccessDenied" && !strings.HasSuffix(known.Code, "Exception") &&
		!strings.HasSuffix(known.Code, "Error"):
		// IAM's wire codes are short, CloudTrail's are not.
		e.ErrorCode += "Exception"
	}
	if c.Service == "kms" && e.Denied() {
		// Nothing about the key is told where the caller may not use it.
		e.RequestParameters, e.Resources = nil, nil
	}
}

func identity(c *request.Call) UserIdentity {
	p := &c.Caller.Principal
	id := UserIdentity{PrincipalID: p.UniqueID, ARN: p.ARN, AccountID: p.AccountID, AccessKeyID: c.Caller.AccessKeyID}
	switch p.Type {
	case policy.Root:
		id.Type = "Root"
	case policy.User:
		id.Type, id.UserName = "IAMUser", c.Caller.UserName
	case policy.AssumedRole:
		id.Type = "AssumedRole"
		id.SessionContext = &SessionContext{SessionIssuer: &SessionIssuer{
			Type: "Role", PrincipalID: p.RoleUniqueID, ARN: p.RoleARN, AccountID: p.AccountID,
			UserName: p.RoleARN[strings.LastIndexByte(p.RoleARN, '/')+1:],
		}}
	case policy.Service:
		// A service acting for itself is named, and nothing else is known of it.
		id = UserIdentity{Type: "AWSService", InvokedBy: invoker(p.ARN)}
	default:
		id.Type = "Unknown"
	}
	if info, ok := sts.Describe(c.Caller); ok {
		if id.SessionContext == nil {
			id.SessionContext = &SessionContext{}
		}
		id.SessionContext.Attributes = map[string]string{"creationDate": info.Issued.UTC().Format(time.RFC3339),
			"mfaAuthenticated": "false"}
	}
	return id
}

// invoker is how events name the service "dynamodb.us-east-1.amazonaws.com":
// without its region.
func invoker(principal string) string {
	name, _, _ := strings.Cut(principal, ".")
	return name + ".amazonaws.com"
}

// raw marshals one member of the event at once: what it was made from may
// change later.
func raw(v any, name string) json.RawMessage {
	if v == nil {
		return nil
	}
	text, ok := v.(json.RawMessage)
	if !ok {
		var err error
		if text, err = json.Marshal(v); err != nil {
			text, _ = json.Marshal(map[string]any{"omitted": true, "reason": name + " cannot be shown"})
		}
	}
	if string(text) == "null" {
		return nil
	}
	if len(text) > maxField {
		text, _ = json.Marshal(map[string]any{"omitted": true, "originalSize": len(text),
			"reason": name + " too large"})
	}
	return text
}

// inOwnersAccount is the event of the same call in the account that owns the
// resource: it tells the caller's account but not the caller's name.
func (e *Event) inOwnersAccount(account string) *Event {
	o := *e
	o.EventID, o.RecipientAccountID = request.NewID(), account
	o.UserIdentity = UserIdentity{Type: "AWSAccount", PrincipalID: e.UserIdentity.PrincipalID,
		AccountID: e.UserIdentity.AccountID, InvokedBy: e.UserIdentity.InvokedBy}
	o.ResponseElements = nil
	o.measure()
	return &o
}

// userName is what lookups by user name compare: an IAM user's name, a
// session's name or "root".
func (e *Event) userName() string {
	switch e.UserIdentity.Type {
	case "IAMUser":
		return e.UserIdentity.UserName
	case "Root":
		return "root"
	case "AssumedRole":
		return e.UserIdentity.PrincipalID[strings.IndexByte(e.UserIdentity.PrincipalID, ':')+1:]
	}
	return ""
}
