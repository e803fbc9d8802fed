// SPDX-License-Identifier: Apache-2.0

package exercise

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
	"github.com/ddbseal/ddbseal/store"
)

// The tables of readOnly.
const (
	serverSide = "server"
	clientItem = "client"
)

// readOnly: a user who reads both kinds of tables and writes neither.
func readOnly() definition {
	return definition{
		Exercise: Exercise{
			ID:    "read-only",
			Title: "A reader who cannot write",
			Goal:  "The right to decrypt is not the right to read: server-side it opens a table for writing as well.",
			Start: "One key encrypts the table …-server, and the items of …-client before they are sent. The user " +
				"…-reader may do everything in DynamoDB with both and has no right to the key.",
			Task: "Let …-reader read both tables and write neither: no item put, changed or deleted, and no item of " +
				"its own making encrypted under the key.",
			Hints: []string{
				"DynamoDB asks the caller for kms:Decrypt both to read and to write. Which policy tells the two apart?",
				"A program that encrypts an item needs kms:GenerateDataKey; one that opens it needs kms:Decrypt.",
				"Write two policies: the key policy allows kms:Decrypt only, and the user's IAM policy allows " +
					"dynamodb:GetItem, Query and Scan only.",
			},
		},
		tables: []string{serverSide, clientItem}, users: []string{reader},
		start: func(ctx context.Context, s *stage) error {
			if err := s.makeUser(ctx, reader, s.identityPolicy(allTables, serverSide, clientItem)); err != nil {
				return err
			}
			if err := s.clientTables(ctx, s.basePolicy(), clientItem); err != nil {
				return err
			}
			keyARN, err := s.key(ctx)
			if err != nil {
				return err
			}
			return s.makeTableWithRecord(ctx, serverSide, keyARN, store.ServerSide{})
		},
		probes: func(ctx context.Context, s *stage, _ string) ([]probe, error) {
			keyARN, err := s.key(ctx)
			if err != nil {
				return nil, err
			}
			r, err := s.as(ctx, reader)
			const writes = "The user can change the table: kms:Decrypt does not tell reading from writing, IAM does."
			return []probe{
				{r.name, "read " + s.name(serverSide), theRecord, "The user cannot read the server-side table.",
					s.reads(r, serverSide, store.ServerSide{})},
				{r.name, "open the item of " + s.name(clientItem), theRecord, "The user cannot open the item.",
					s.opens(r, clientItem, keyARN)},
				{r.name, "put an item into " + s.name(serverSide), "denied dynamodb:PutItem", writes,
					s.putsStray(r, serverSide)},
				{r.name, "delete an item of " + s.name(serverSide), "denied dynamodb:DeleteItem", writes,
					s.deletesStray(r, serverSide)},
				{r.name, "change an item of " + s.name(clientItem), "denied dynamodb:UpdateItem", writes,
					s.updatesStray(r, clientItem)},
				{r.name, "make a data key for an item", "denied kms:GenerateDataKey",
					"The user can encrypt items under the key, which only a writer needs: allow kms:Decrypt alone.",
					func(ctx context.Context) (string, error) {
						_, err := r.kms.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: aws.String(keyARN),
							KeySpec: kmstypes.DataKeySpecAes256})
						return allowed, err
					}},
				{r.name, "write the key policy", denied, administers, s.writesPolicy(r, keyARN)},
			}, err
		},
		solution: func(ctx context.Context, s *stage) (Solution, []command, error) {
			keyARN, err := s.key(ctx)
			return Solution{Why: "The key policy decides who may decrypt. It cannot tell a read of a server-side " +
					"table from a write, because DynamoDB asks for kms:Decrypt in both cases, so the IAM policy has " +
					"to. Without kms:GenerateDataKey the user cannot make an item that other readers would accept."},
				[]command{
					s.setPolicy(keyARN, s.basePolicy(keypolicy.AllowDecrypt("Allow reading", s.userARN(reader), nil))),
					s.setIdentityPolicy(reader, s.identityPolicy(
						[]string{"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan"},
						serverSide, clientItem)),
				}, err
		},
	}
}

// setIdentityPolicy is the command that replaces a user's inline policy.
func (s *stage) setIdentityPolicy(suffix, policy string) command {
	return command{heredoc("tables.json", policy) + "aws iam put-user-policy --user-name " + s.name(suffix) +
		" --policy-name " + tablesPolicy + " --policy-document file://tables.json",
		func(ctx context.Context) error {
			_, err := s.iam().PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String(s.name(suffix)),
				PolicyName: aws.String(tablesPolicy), PolicyDocument: aws.String(policy)})
			return err
		}}
}

// strayKey is the key of an item that exists only because a check could write it.
func strayKey() map[string]ddbtypes.AttributeValue {
	return map[string]ddbtypes.AttributeValue{"id": &ddbtypes.AttributeValueMemberS{Value: "written-by-check"}}
}

func (s *stage) putsStray(a actor, table string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		_, err := a.ddb.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(s.name(table)), Item: strayKey()})
		return s.cleared(ctx, table, err)
	}
}

func (s *stage) updatesStray(a actor, table string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		_, err := a.ddb.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: aws.String(s.name(table)),
			Key: strayKey()})
		return s.cleared(ctx, table, err)
	}
}

func (s *stage) deletesStray(a actor, table string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		_, err := a.ddb.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(s.name(table)),
			Key: strayKey()})
		return allowed, err
	}
}

// cleared removes what a check could write.
func (s *stage) cleared(ctx context.Context, table string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return s.deletesStray(s.admin, table)(ctx)
}
