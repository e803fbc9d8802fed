// SPDX-License-Identifier: Apache-2.0

package exercise

import (
	"context"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
	"github.com/ddbseal/ddbseal/store"
)

const brokenTask = "Find out why and mend the key policy, so that …-reader reads …-wards through DynamoDB and gets " +
	"nothing else: not …-payroll, no direct decryption, no change of the key, no other user."

var brokenHints = []string{
	"Read the error of the denied call: it says whether an explicit Deny stopped it or nothing allowed it.",
	"Compare each member of the statement with what the call brings: who calls, through which service, for which " +
		"table.",
}

// broken is an exercise that begins with a key policy with a fault.
func broken(e Exercise, start func(context.Context, *stage) error, why string,
	solution func(*stage) keypolicy.Console) definition {
	e.Goal = "A denial names what was missing; the policy has to be read against the call that was made."
	return definition{
		Exercise: e,
		tables:   []string{wards, payroll}, users: []string{reader, other},
		start:  start,
		probes: func(ctx context.Context, s *stage, _ string) ([]probe, error) { return s.oneServerTable(ctx) },
		solution: func(ctx context.Context, s *stage) (Solution, []command, error) {
			keyARN, err := s.key(ctx)
			return Solution{Why: why}, []command{s.setPolicy(keyARN, solution(s))}, err
		},
	}
}

// brokenCondition: the value of a condition that no call has.
func brokenCondition() definition {
	return broken(Exercise{
		ID:    "broken-condition",
		Title: "Find the broken policy: the condition",
		Start: "A statement was written to let …-reader read …-wards through DynamoDB. The user is denied all the " +
			"same.",
		Task:  brokenTask,
		Hints: append(brokenHints[:2:2], "kms:ViaService is the name of a service in a Region."),
	}, func(ctx context.Context, s *stage) error {
		statement := s.oneTableStatement()
		statement.Condition["StringEquals"]["kms:ViaService"] = "dynamodb.amazonaws.com"
		return s.twoServerTables(ctx, s.basePolicy(statement))
	}, "The value of kms:ViaService has the Region in it, and the policy's had none: a condition that is never true "+
		"is not an error, the statement just never allows anything.",
		func(s *stage) keypolicy.Console { return s.basePolicy(s.oneTableStatement()) })
}

// brokenPrincipal: the statement names a user that was deleted.
func brokenPrincipal() definition {
	return broken(Exercise{
		ID:    "broken-principal",
		Title: "Find the broken policy: the principal",
		Start: "A statement lets …-reader read …-wards through DynamoDB. The user was deleted by mistake and made " +
			"again under the same name. Since then the user is denied.",
		Task: brokenTask,
		Hints: append(brokenHints[:2:2], "Look at the principal of the statement: is it still an ARN?",
			"KMS keeps the unique ID of a principal. Put the ARN in its place."),
	}, func(ctx context.Context, s *stage) error {
		// An old policy with a deleted user cannot be written again, so the user is
		// deleted after the policy names it.
		if err := s.twoServerTables(ctx, s.basePolicy(s.oneTableStatement())); err != nil {
			return err
		}
		if err := s.deleteUser(ctx, s.name(reader)); err != nil {
			return err
		}
		return s.makeUser(ctx, reader, s.identityPolicy(allTables, wards, payroll))
	}, "A policy binds the user and not the name: KMS resolves the ARN to a unique ID when the policy is written, "+
		"and shows "+
		"that ID when the user is gone. A new user of the same name has another ID. Otherwise a person who creates "+
		"users could "+
		"take over the rights of a deleted one.",
		func(s *stage) keypolicy.Console { return s.basePolicy(s.oneTableStatement()) })
}

// auditor is a user of brokenDeny whom the Deny has to keep out of payroll.
const auditor = "auditor"

// brokenDeny: a Deny that denies too much, and that something else depends on.
func brokenDeny() definition {
	d := broken(Exercise{
		ID:    "broken-deny",
		Title: "Find the broken policy: the Deny",
		Start: "A statement lets …-reader read …-wards through DynamoDB, and another lets …-auditor decrypt " +
			"everything. A Deny was added to keep everybody but the administrator out of …-payroll. Since then " +
			"…-reader is denied …-wards as well.",
		Task: "Mend the key policy, so that …-reader reads …-wards through DynamoDB and gets nothing else, and the " +
			"Deny still keeps …-auditor out of …-payroll and out of nothing else.",
		Hints: append(brokenHints[:2:2],
			"A Deny wins over every Allow, so adding statements does not help. Read the operator of its condition.",
			"StringNotEquals is true for each table but the one named. Which operator is true for that one alone?"),
	}, func(ctx context.Context, s *stage) error {
		if err := s.makeUser(ctx, auditor, s.identityPolicy(allTables, wards, payroll)); err != nil {
			return err
		}
		return s.twoServerTables(ctx, s.withDeny("StringNotEquals"))
	}, "StringNotEquals denies each call for a table other than …-payroll, which is the opposite of what was meant; "+
		"it is "+
		"true even where the key is absent. StringEquals denies the calls for …-payroll. Taking the Deny out is too "+
		"much: it "+
		"keeps …-auditor, whom another statement allows everything, out of that table.",
		func(s *stage) keypolicy.Console { return s.withDeny("StringEquals") })
	d.users = append(d.users, auditor)
	d.probes = func(ctx context.Context, s *stage, _ string) ([]probe, error) {
		probes, err := s.oneServerTable(ctx)
		if err != nil {
			return nil, err
		}
		a, err := s.as(ctx, auditor)
		return append(probes,
			probe{a.name, "read " + s.name(payroll), deniedDecrypt, "The Deny no longer keeps the auditor out of the " +
				"payroll.",
				s.reads(a, payroll, store.ServerSide{})},
			probe{a.name, "read " + s.name(wards), theRecord, "The Deny keeps the auditor out of more than the " +
				"payroll.",
				s.reads(a, wards, store.ServerSide{})}), err
	}
	return d
}

// withDeny is the policy of brokenDeny with an operator in the Deny's condition.
func (s *stage) withDeny(operator string) keypolicy.Console {
	deny := keypolicy.Statement{Sid: "Keep the payroll closed", Effect: "Deny",
		Principal: keypolicy.Principals{s.userARN(reader), s.userARN(other), s.userARN(auditor)},
		Action:    keypolicy.Strings{"kms:Decrypt"}, Resource: "*",
		Condition: map[string]map[string]string{operator: {serverTableKey: s.name(payroll)}}}
	return s.basePolicy(s.oneTableStatement(), keypolicy.AllowDecrypt("Allow the "+
		"auditor", s.userARN(auditor), nil), deny)
}
