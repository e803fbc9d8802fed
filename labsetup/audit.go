// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"context"
	"encoding/json"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
)

// auditChapter finds in CloudTrail what the lab did.
func (l *Lab) auditChapter() chapter {
	found := func(id, title, why, cli string, do action) labStep {
		return labStep{Step: Step{ID: id, Title: title, Expected: "found", Principal: administratorRole, Why: why,
			CLI: cli}, audit: true, do: do}
	}
	lookup := func(event, filter, more string) string {
		return "aws cloudtrail lookup-events --lookup-attributes " +
			"AttributeKey=EventName,AttributeValue=" + event + more +
			" \\\n  --query 'Events[].CloudTrailEvent' --output text | tr '\\t' '\\n' | " + filter
	}
	const denied = "grep AccessDenied | grep " + UserName + " | "
	return chapter{"The audit", []labStep{
		found("audit-denied", "find the user's denied use through DynamoDB",
			"CloudTrail records each use of the key that KMS is asked for, with the person behind it, and refusals "+
				"too. "+
				"The read of the item is a data event and is not here. Not every read leaves a Decrypt: DynamoDB "+
				"keeps a "+
				"table's key for each caller for about five minutes.",
			lookup("Decrypt", denied+"grep invokedBy | tail -n 1", ""),
			l.finds("Decrypt", l.region, func(e *trailEvent) bool {
				return e.UserIdentity.UserName == l.actual(UserName) && e.ErrorCode == "AccessDenied" &&
					e.UserIdentity.InvokedBy == "dynamodb.amazonaws.com"
			})),
		found("audit-direct", "find the user's denied direct use",
			"Here the user's program asked KMS itself, so no service is named.",
			lookup("Decrypt", denied+"grep -v invokedBy | tail -n 1", ""),
			l.finds("Decrypt", l.region, func(e *trailEvent) bool {
				return e.UserIdentity.UserName == l.actual(UserName) && e.ErrorCode == "AccessDenied" &&
					e.UserIdentity.InvokedBy == ""
			})),
		found("audit-allowed", "find the administrator's use with its encryption context",
			"The context names the table and the key attributes. It is not secret, so keep secrets out of keys.",
			lookup("Decrypt", `grep '"aws-crypto-table-name": *"`+ClientTable+`"' | tail -n 1`, ""),
			l.finds("Decrypt", l.region, func(e *trailEvent) bool {
				return e.ErrorCode == "" && e.UserIdentity.ARN == l.caller &&
					e.RequestParameters.EncryptionContext["aws-crypto-table-name"] == l.actual(ClientTable)
			})),
		found("audit-policy", "find the changes of the key policy",
			"Who changed a key policy, and when, is on record. Watch this event.",
			lookup("PutKeyPolicy", "tail -n 1", ""),
			l.finds("PutKeyPolicy", l.region, func(e *trailEvent) bool {
				return e.ErrorCode == "" && e.RequestParameters.KeyID == l.keyARN
			})),
		found("audit-user", "find the making of the user", "The events of IAM are in us-east-1, wherever you work.",
			lookup("CreateUser", "grep "+UserName+" | tail -n 1", " --region us-east-1"),
			l.finds("CreateUser", "us-east-1",
				func(e *trailEvent) bool { return e.RequestParameters.UserName == l.actual(UserName) })),
	}}
}

// trailEvent is what the lab reads of a CloudTrail event.
type trailEvent struct {
	EventTime    time.Time `json:"eventTime"`
	EventName    string    `json:"eventName"`
	ErrorCode    string    `json:"errorCode"`
	UserIdentity struct {
		ARN       string `json:"arn"`
		UserName  string `json:"userName"`
		InvokedBy string `json:"invokedBy"`
	} `json:"userIdentity"`
	RequestParameters struct {
		UserName          string            `json:"userName"`
		KeyID             string            `json:"keyId"`
		EncryptionContext map[string]string `json:"encryptionContext"`
	} `json:"requestParameters"`
	Resources []struct {
		ARN string `json:"ARN"`
	} `json:"resources"`
}

const reportedUses = 60

// finds looks for an event of this run; events of the key are kept for the
// report.
func (l *Lab) finds(name, region string, match func(*trailEvent) bool) action {
	return func(ctx context.Context) (string, error) {
		pages := cloudtrail.NewLookupEventsPaginator(l.trail(region), &cloudtrail.LookupEventsInput{
			LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyEventName,
				AttributeValue: aws.String(name)}},
			StartTime: aws.Time(l.report.Began.Add(-time.Minute)),
		})
		found := "not found"
		var uses []KeyUse
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return "", err
			}
			for _, e := range page.Events {
				var t trailEvent
				if err := json.Unmarshal([]byte(aws.ToString(e.CloudTrailEvent)), &t); err != nil {
					continue // an event of a shape that this lab does not ask for
				}
				if match(&t) {
					found = "found"
				}
				uses = append(uses, use(&t))
			}
		}
		if l.report.Audit == nil && name == "Decrypt" {
			l.report.Audit = uses[:min(len(uses), reportedUses)]
		}
		return found, nil
	}
}

func use(t *trailEvent) KeyUse {
	u := KeyUse{Time: t.EventTime, Event: t.EventName, Principal: t.UserIdentity.ARN,
		InvokedBy: t.UserIdentity.InvokedBy, Error: t.ErrorCode}
	if len(t.RequestParameters.EncryptionContext) > 0 {
		text, err := json.Marshal(t.RequestParameters.EncryptionContext)
		if err == nil {
			u.Context = string(text)
		}
	}
	return u
}
