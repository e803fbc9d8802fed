// SPDX-License-Identifier: Apache-2.0

package exercise

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
	"github.com/ddbseal/ddbseal/store"
)

// The users of keyOff.
const (
	insider  = "insider"
	outsider = "outsider"
)

// keyOff: somebody with the key and the table takes the table off the key.
func keyOff() definition {
	return definition{
		Exercise: Exercise{
			ID:    "key-off",
			Title: "Take the key off, and close the way",
			Goal:  "The key of a server-side table is a setting of the table, and dynamodb:UpdateTable changes it.",
			Start: "The table …-wards is under the key. …-insider may do everything in DynamoDB and may decrypt. " +
				"…-outsider may do everything in DynamoDB and has no right to the key.",
			Task: "First, as …-insider, put …-wards under the AWS owned key, and see that …-outsider reads it. Then, " +
				"as the administrator, put the table back under the key and make sure that …-insider cannot do it " +
				"again. …-insider goes on reading and writing …-wards, and you go on administering it.",
			Hints: []string{
				"aws dynamodb update-table --table-name TABLE --sse-specification Enabled=false, signed by the " +
					"insider.",
				"No condition key tells what UpdateTable changes, so it can only be denied as a whole.",
				"Deny dynamodb:UpdateTable in an IAM policy of the insider, or in a resource policy of the table " +
					"with the insider as its Principal.",
			},
		},
		tables: []string{wards}, users: []string{insider, outsider},
		start: func(ctx context.Context, s *stage) error {
			for _, user := range []string{insider, outsider} {
				if err := s.makeUser(ctx, user, s.identityPolicy(allTables, wards)); err != nil {
					return err
				}
			}
			keyARN, err := s.makeKey(ctx,
				s.basePolicy(keypolicy.AllowDecrypt("Allow the insider", s.userARN(insider), nil)))
			if err != nil {
				return err
			}
			// DynamoDB allows four changes of a table's encryption in 24 hours and a
			// solution takes two, so each start makes another table.
			if err := s.removeTable(ctx, s.admin, s.name(wards)); err != nil {
				return err
			}
			if err := waitGone(ctx, s.admin.ddb, s.name(wards)); err != nil {
				return err
			}
			return s.makeTableWithRecord(ctx, wards, keyARN, store.ServerSide{})
		},
		probes: keyOffProbes,
		solution: func(ctx context.Context, s *stage) (Solution, []command, error) {
			keyARN, err := s.key(ctx)
			if err != nil {
				return Solution{}, nil, err
			}
			table := s.name(wards)
			deny := `{
  "Version": "2012-10-17",
  "Statement": [{"Effect": "Deny", "Action": "dynamodb:UpdateTable", "Resource": "*"}]
}`
			return Solution{Why: "A principal who may change the table's settings and use its key can take the key " +
					"off; from then on the key policy protects nothing. The Deny closes that way and leaves reading " +
					"and writing alone. A table that a client encrypts has no such setting: its items stay " +
					"ciphertext whatever is done to the table."},
				[]command{
					{"# as the insider, whose access key 'ddbseal exercise start' has kept\naws dynamodb " +
						"update-table --table-name " + table + " --sse-specification Enabled=false",
						func(ctx context.Context) error {
							defer s.close(ctx)
							i, err := s.as(ctx, insider)
							if err != nil {
								return err
							}
							return putUnder(ctx, i.ddb, table, "")
						}},
					{"# as the administrator\naws dynamodb update-table --table-name " + table +
						" --sse-specification Enabled=true,SSEType=KMS,KMSMasterKeyId=" + keyARN,
						func(ctx context.Context) error { return putUnder(ctx, s.admin.ddb, table, keyARN) }},
					{heredoc("deny.json", deny) + "aws iam put-user-policy --user-name " + s.name(insider) +
						" --policy-name no-update-table --policy-document file://deny.json",
						func(ctx context.Context) error {
							_, err := s.iam().PutUserPolicy(ctx, &iam.PutUserPolicyInput{
								UserName: aws.String(s.name(insider)), PolicyName: aws.String("no-update-table"),
								PolicyDocument: aws.String(deny)})
							return err
						}},
				}, nil
		},
	}
}

func keyOffProbes(ctx context.Context, s *stage, _ string) ([]probe, error) {
	if _, err := s.key(ctx); err != nil {
		return nil, err
	}
	who, err := s.cast(ctx, insider, outsider)
	i, o := who[insider], who[outsider]
	return []probe{
		{"the audit", "find the insider's change of the table's key", "found",
			"Do the first part as the insider: no other change counts in its place.", s.findsKeyOff},
		{o.name, "read " + s.name(wards), deniedDecrypt, "The table is not under the key: put it back.",
			s.reads(o, wards, store.ServerSide{})},
		{i.name, "change the table's key", "denied dynamodb:UpdateTable", "The way is still open.", s.changesKey(i)},
		{i.name, "read " + s.name(wards), theRecord, "The answer takes reading from the insider.",
			s.reads(i, wards, store.ServerSide{})},
		{i.name, "put an item into " + s.name(wards), allowed, "The answer takes writing from the insider.",
			s.putsStray(i, wards)},
		{s.admin.name, "change the table's key", allowed, "The answer locks you out of the table's settings as well.",
			s.changesKey(s.admin)},
	}, err
}

// changesKey asks for the key that the table has. DynamoDB refuses that after it
// has authorized the caller, so that nothing changes.
func (s *stage) changesKey(a actor) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		now, err := s.admin.ddb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(s.name(wards))})
		if err != nil {
			return "", err
		}
		if now.Table.SSEDescription == nil {
			return "the table is under the AWS owned key", nil
		}
		_, err = a.ddb.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: aws.String(s.name(wards)),
			SSESpecification: sse(aws.ToString(now.Table.SSEDescription.KMSMasterKeyArn))})
		var api smithy.APIError
		if errors.As(err, &api) && api.ErrorCode() == "ValidationException" {
			return allowed, nil
		}
		return allowed, err
	}
}

// findsKeyOff looks in the audit for the insider's UpdateTable of this table, and
// not of one of its name that an earlier start has made.
func (s *stage) findsKeyOff(ctx context.Context) (string, error) {
	now, err := s.admin.ddb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(s.name(wards))})
	if err != nil {
		return "", err
	}
	pages := cloudtrail.NewLookupEventsPaginator(cloudtrail.NewFromConfig(s.cfg.Administrator),
		&cloudtrail.LookupEventsInput{StartTime: aws.Time(aws.ToTime(now.Table.CreationDateTime).Add(-auditLead)),
			LookupAttributes: []trailtypes.LookupAttribute{{AttributeKey: trailtypes.LookupAttributeKeyEventName,
				AttributeValue: aws.String("UpdateTable")}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", err
		}
		for _, e := range page.Events {
			var u struct {
				ErrorCode    string `json:"errorCode"`
				UserIdentity struct {
					UserName string `json:"userName"`
				} `json:"userIdentity"`
				RequestParameters struct {
					SSE *struct {
						Enabled *bool `json:"enabled"`
					} `json:"sSESpecification"`
				} `json:"requestParameters"`
				ResponseElements struct {
					Table struct {
						ID string `json:"tableId"`
					} `json:"tableDescription"`
				} `json:"responseElements"`
			}
			if json.Unmarshal([]byte(aws.ToString(e.CloudTrailEvent)), &u) != nil {
				continue // not an event that the task asks for
			}
			spec := u.RequestParameters.SSE
			if u.ErrorCode == "" && u.UserIdentity.UserName == s.name(insider) && spec != nil && spec.Enabled != nil &&
				!*spec.Enabled && u.ResponseElements.Table.ID == aws.ToString(now.Table.TableId) {
				return "found", nil
			}
		}
	}
	return "not found", nil
}
