// SPDX-License-Identifier: Apache-2.0

package exercise

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
	"github.com/ddbseal/ddbseal/store"
)

// The tables and users of revokeGrant.
const (
	notes   = "notes" // under the AWS owned key
	leaver  = "leaver"
	program = "program"
)

// revokeGrant: a user keeps access by a grant after the statement is gone.
func revokeGrant() definition {
	return definition{
		Exercise: Exercise{
			ID:    "revoke-grant",
			Title: "Revoke while a grant remains",
			Goal:  "Access comes from every way that is open, and a key policy does not show grants.",
			Start: "The key policy has a statement that lets …-leaver and …-program decrypt, and each of the two has " +
				"a grant as well. The table …-wards is under the key, and …-notes is not.",
			Task: "Take the key from …-leaver. The user stays and goes on using …-notes, and …-program goes on " +
				"reading …-wards.",
			Hints: []string{
				"Take the user out of the statement and check. What still gives access?",
				"aws kms list-grants shows grants with their grantee. Leave the grants of DynamoDB alone: they are " +
					"how the table gets its keys.",
				"A Deny for the user in the key policy wins over every grant. It works too, and it stays in the " +
					"policy for the next reader to wonder about.",
			},
		},
		tables: []string{wards, notes}, users: []string{leaver, program},
		start: func(ctx context.Context, s *stage) error {
			for _, user := range []string{leaver, program} {
				if err := s.makeUser(ctx, user, s.identityPolicy(allTables, wards, notes)); err != nil {
					return err
				}
			}
			keyARN, err := s.makeKey(ctx, s.twoDecrypt(leaver, program))
			if err != nil {
				return err
			}
			for _, user := range []string{leaver, program} {
				if _, err := s.admin.kms.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: aws.String(keyARN),
					GranteePrincipal: aws.String(s.userARN(user)), Name: aws.String("exercise-" + user),
					Operations: []types.GrantOperation{types.GrantOperationDecrypt}}); err != nil {
					return err
				}
			}
			if err := s.makeTableWithRecord(ctx, notes, "", store.ServerSide{}); err != nil {
				return err
			}
			return s.makeTableWithRecord(ctx, wards, keyARN, store.ServerSide{})
		},
		probes: func(ctx context.Context, s *stage, _ string) ([]probe, error) {
			keyARN, err := s.key(ctx)
			if err != nil {
				return nil, err
			}
			who, err := s.cast(ctx, leaver, program)
			l, p := who[leaver], who[program]
			return []probe{
				{l.name, "read " + s.name(wards), deniedDecrypt, "The user still has a way to the key: look for it " +
					"with aws kms get-key-policy and aws kms list-grants.", s.reads(l, wards, store.ServerSide{})},
				{l.name, "decrypt with KMS directly", deniedDecrypt, "The user still has a way to the key.",
					s.decryptsDirectly(l, keyARN, nil)},
				{l.name, "read " + s.name(notes), theRecord, "The answer takes more than the key from the user.",
					s.reads(l, notes, store.ServerSide{})},
				{p.name, "read " + s.name(wards), theRecord, "The answer takes the key from the program too.",
					s.reads(p, wards, store.ServerSide{})},
				{p.name, "decrypt with KMS directly", allowed, "The answer takes the key from the program too.",
					s.decryptsDirectly(p, keyARN, nil)},
			}, err
		},
		solution: func(ctx context.Context, s *stage) (Solution, []command, error) {
			keyARN, err := s.key(ctx)
			if err != nil {
				return Solution{}, nil, err
			}
			revoke := command{"for grant in $(aws kms list-grants --key-id " + keyARN + " --grantee-principal " +
				s.userARN(leaver) + " --query 'Grants[].GrantId' --output text); do\n  aws kms revoke-grant --key-id " +
				keyARN + " --grant-id \"$grant\"\ndone",
				func(ctx context.Context) error {
					return s.revokeGrants(ctx, keyARN, func(g types.GrantListEntry) bool {
						return strings.HasSuffix(aws.ToString(g.GranteePrincipal), "/"+s.name(leaver))
					})
				}}
			return Solution{Why: "Two ways were open, and closing one changed nothing that the user could notice. " +
					"Revoke the user's grants and no others: the program has its own, and DynamoDB has one for each " +
					"table."},
				[]command{s.setPolicy(keyARN, s.twoDecrypt(program)), revoke}, nil
		},
	}
}

// twoDecrypt is the base policy with a statement that lets users decrypt.
func (s *stage) twoDecrypt(users ...string) keypolicy.Console {
	statement := keypolicy.AllowDecrypt("Allow decryption", "", nil)
	statement.Principal = nil
	for _, user := range users {
		statement.Principal = append(statement.Principal, s.userARN(user))
	}
	return s.basePolicy(statement)
}
