// SPDX-License-Identifier: Apache-2.0

package exercise

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
	"github.com/ddbseal/ddbseal/store"
)

// The questions of readAudit.
const (
	askServer  = "read-server"
	askClient  = "opened-client"
	askRefused = "refused"
)

// suspects are the users of readAudit. Which of them did what depends on the key,
// so that the solution is not the same everywhere.
var suspects = []string{"ada", "ben", "cleo"}

// readAudit: who read what, from CloudTrail alone.
func readAudit() definition {
	return definition{
		Exercise: Exercise{
			ID:    "read-audit",
			Title: "Who read what",
			Goal:  "Reads of items are not in the audit by default, but the use of the key that they need is.",
			Start: "Three users, …-ada, …-ben and …-cleo, tried to read the record of the table …-server, which is " +
				"under the key, and to open an item of …-client, which is encrypted under it before it is " +
				"sent. By now only the administrator may use the key, so the policy does not tell: the audit does.",
			Task: "Find out from CloudTrail which users read the table …-server, which opened an item of …-client, " +
				"and which were refused the key. Write an answer of three lines, each with one or more of the names " +
				"ada, ben and cleo:\n\n  " + askServer + ": NAME\n  " + askClient + ": NAME\n  " + askRefused + ": " +
				"NAME, NAME",
			Hints: []string{
				"aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=Decrypt",
				"Each event is a JSON text in CloudTrailEvent. userIdentity says who, errorCode whether it was " +
					"refused.",
				"invokedBy is dynamodb.amazonaws.com where DynamoDB asked for the user. The encryption context names " +
					"the table: under aws:dynamodb:tableName or, from the client-side library, aws-crypto-table-name.",
			},
			Text: true,
		},
		tables: []string{serverSide, clientItem}, users: suspects,
		start: startAudit,
		probes: func(ctx context.Context, s *stage, text string) ([]probe, error) {
			given, err := parseAnswer(text)
			if err != nil {
				return nil, err
			}
			truth, err := s.keyUses(ctx)
			if err != nil {
				return nil, err
			}
			var probes []probe
			for _, q := range []struct{ ask, tried, miss string }{
				{askServer, "who read the server-side table", "Look for Decrypt events with invokedBy " +
					"dynamodb.amazonaws.com and without an errorCode."},
				{askClient, "who opened a client-side item", "Look for Decrypt events without invokedBy and without " +
					"an errorCode."},
				{askRefused, "who was refused the key", "Look for Decrypt events with the errorCode AccessDenied."},
			} {
				probes = append(probes, probe{"the " +
					"answer", q.tried, "right", q.miss, func(context.Context) (string, error) {
					if slices.Equal(given[q.ask], truth[q.ask]) {
						return "right", nil
					}
					return "wrong", nil
				}})
			}
			return probes, nil
		},
		solution: func(ctx context.Context, s *stage) (Solution, []command, error) {
			truth, err := s.keyUses(ctx)
			var b strings.Builder
			for _, ask := range []string{askServer, askClient, askRefused} {
				b.WriteString(ask + ": " + strings.Join(truth[ask], ", ") + "\n")
			}
			return Solution{Answer: b.String(), Why: "GetItem is a data event and is not in CloudTrail unless a " +
				"trail is made for it. Each of these reads needs the key, and kms:Decrypt is in the audit, allowed " +
				"or refused, with who asked, through what, and for which table. On AWS DynamoDB keeps a table's key " +
				"for some minutes per caller, so a second read soon after leaves no event."}, nil, err
		},
	}
}

// roles assigns the users to what they do, by the key.
func roles(keyARN string) []string {
	sum := sha256.Sum256([]byte(keyARN))
	all := slices.Clone(suspects)
	i, j := int(sum[0])%3, int(sum[1])%2
	all[0], all[i] = all[i], all[0]
	all[1], all[1+j] = all[1+j], all[1]
	return all
}

// startAudit lets one user read the server-side table, one open a client-side item
// and be refused the other table, and one be refused everything.
func startAudit(ctx context.Context, s *stage) error {
	for _, user := range suspects {
		if err := s.makeUser(ctx, user, s.identityPolicy(allTables, serverSide, clientItem)); err != nil {
			return err
		}
	}
	if err := s.clientTables(ctx, s.basePolicy(), clientItem); err != nil {
		return err
	}
	keyARN, err := s.key(ctx)
	if err != nil {
		return err
	}
	if err := s.makeTableWithRecord(ctx, serverSide, keyARN, store.ServerSide{}); err != nil {
		return err
	}
	who, err := s.cast(ctx, suspects...)
	if err != nil {
		return err
	}
	order := roles(keyARN)
	reads, opens, nothing := who[order[0]], who[order[1]], who[order[2]]
	only := func(key, value string) map[string]map[string]string {
		return map[string]map[string]string{"StringEquals": {key: value}}
	}
	err = s.putPolicy(ctx, keyARN, s.basePolicy(
		keypolicy.AllowDecrypt("For a moment", reads.arn, only("kms:ViaService", s.viaDynamoDB())),
		keypolicy.AllowDecrypt("For a moment too", opens.arn, only(clientTableKey, s.name(clientItem)))).Text())
	if err != nil {
		return err
	}
	for _, p := range []probe{
		{want: theRecord, do: s.reads(reads, serverSide, store.ServerSide{})},
		{want: theRecord, do: s.opens(opens, clientItem, keyARN)},
		{want: deniedDecrypt, do: s.reads(opens, serverSide, store.ServerSide{})},
		{want: deniedDecrypt, do: s.opens(nothing, clientItem, keyARN)},
	} {
		if _, err := s.take(ctx, p); err != nil {
			return err
		}
	}
	return s.putPolicy(ctx, keyARN, s.basePolicy().Text())
}

// decryptEvent is what keyUses reads of a CloudTrail event.
type decryptEvent struct {
	ErrorCode    string `json:"errorCode"`
	UserIdentity struct {
		UserName  string `json:"userName"`
		InvokedBy string `json:"invokedBy"`
	} `json:"userIdentity"`
}

// auditLead is how much earlier than the key an event may be, by another clock.
const auditLead = time.Minute

// keyUses finds in the audit who did what. The error matches ErrAudit as long as
// one of the answers is missing.
func (s *stage) keyUses(ctx context.Context) (map[string][]string, error) {
	if _, err := s.key(ctx); err != nil {
		return nil, err
	}
	m, err := s.describeKey(ctx)
	if err != nil {
		return nil, err
	}
	found := map[string]map[string]bool{askServer: {}, askClient: {}, askRefused: {}}
	pages := cloudtrail.NewLookupEventsPaginator(cloudtrail.NewFromConfig(s.cfg.Administrator),
		&cloudtrail.LookupEventsInput{StartTime: aws.Time(aws.ToTime(m.CreationDate).Add(-auditLead)),
			LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyEventName,
				AttributeValue: aws.String("Decrypt")}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, e := range page.Events {
			var d decryptEvent
			if json.Unmarshal([]byte(aws.ToString(e.CloudTrailEvent)), &d) != nil {
				continue // of another shape than the events that Start has caused
			}
			if user, ok := strings.CutPrefix(d.UserIdentity.UserName, s.name("")); ok {
				found[d.question()][user] = true
			}
		}
	}
	truth := map[string][]string{}
	for ask, users := range found {
		if len(users) == 0 {
			return nil, ErrAudit
		}
		truth[ask] = slices.Sorted(maps.Keys(users))
	}
	return truth, nil
}

// question returns the question to whose answer the event belongs.
func (d *decryptEvent) question() string {
	switch {
	case d.ErrorCode != "":
		return askRefused
	case d.UserIdentity.InvokedBy != "":
		return askServer
	}
	return askClient
}
