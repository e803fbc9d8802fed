// SPDX-License-Identifier: Apache-2.0

package exercise

import (
	"context"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
	"github.com/ddbseal/ddbseal/store"
)

// The tables and users of the exercises about one table out of two.
const (
	wards   = "wards"
	payroll = "payroll"
	reader  = "reader"
	other   = "colleague"
)

// Encryption context keys.
const (
	serverTableKey = "kms:EncryptionContext:aws:dynamodb:tableName"
	clientTableKey = "kms:EncryptionContext:aws-crypto-table-name"
)

const tooWideOther = "The statement lets other users of the account use the key too: name the one user."
const administers = "The user can write the key policy and so give the key to anyone: allow kms:Decrypt only."

// oneServerTable: the statement that opens one server-side table.
func oneServerTable() definition {
	return definition{
		Exercise: Exercise{
			ID:    "one-server-table",
			Title: "Open one server-side table",
			Goal:  "DynamoDB tells KMS for whom and for which table it asks, and a policy can demand both.",
			Start: "One key encrypts two tables, …-wards and …-payroll. The user …-reader may do everything in " +
				"DynamoDB with both and has no right to the key.",
			Task: "Let …-reader read …-wards through DynamoDB, and nothing else: not …-payroll, no decryption of " +
				"data that comes from anywhere but DynamoDB, no change of the key, no other user.",
			Hints: []string{
				"kms:Decrypt is all that DynamoDB asks of a caller. The question is under which condition.",
				"Two condition keys describe a call that DynamoDB makes for a caller: kms:ViaService says that it " +
					"comes through DynamoDB, and " + serverTableKey + " says for which table.",
				"Add a statement to the key policy with Effect Allow, the user as Principal, Action kms:Decrypt, and " +
					"both condition keys under StringEquals.",
			},
		},
		tables: []string{wards, payroll}, users: []string{reader, other},
		start: func(ctx context.Context, s *stage) error {
			return s.twoServerTables(ctx, s.basePolicy())
		},
		probes: func(ctx context.Context, s *stage, _ string) ([]probe, error) { return s.oneServerTable(ctx) },
		solution: func(ctx context.Context, s *stage) (Solution, []command, error) {
			keyARN, err := s.key(ctx)
			return Solution{Why: "kms:ViaService demands that DynamoDB asks for the user, and the encryption context " +
					"demands that it asks for this table. With one of the two alone the user could read …-payroll, " +
					"or could hand KMS a data key of the table itself."},
				[]command{s.setPolicy(keyARN, s.basePolicy(s.oneTableStatement()))}, err
		},
	}
}

// oneTableStatement allows the reader one server-side table.
func (s *stage) oneTableStatement() keypolicy.Statement {
	return keypolicy.AllowDecrypt("Allow one table", s.userARN(reader), s.oneTableCondition())
}

func (s *stage) oneTableCondition() map[string]map[string]string {
	return map[string]map[string]string{"StringEquals": {"kms:ViaService": s.viaDynamoDB(),
		serverTableKey: s.name(wards)}}
}

// twoServerTables creates two tables under one key and two users who may use them.
func (s *stage) twoServerTables(ctx context.Context, policy keypolicy.Console) error {
	for _, user := range []string{reader, other} {
		if err := s.makeUser(ctx, user, s.identityPolicy(allTables, wards, payroll)); err != nil {
			return err
		}
	}
	keyARN, err := s.makeKey(ctx, policy)
	if err != nil {
		return err
	}
	for _, table := range []string{wards, payroll} {
		if err := s.makeTableWithRecord(ctx, table, keyARN, store.ServerSide{}); err != nil {
			return err
		}
	}
	return nil
}

// oneServerTable are the calls that show that the reader has one table and nothing
// else.
func (s *stage) oneServerTable(ctx context.Context) ([]probe, error) {
	keyARN, err := s.key(ctx)
	if err != nil {
		return nil, err
	}
	who, err := s.cast(ctx, reader, other)
	if err != nil {
		return nil, err
	}
	r, o := who[reader], who[other]
	fromElsewhere := map[string]string{"aws:dynamodb:tableName": s.name(wards),
		"aws:dynamodb:subscriberId": s.account}
	return []probe{
		{r.name, "read " + s.name(wards), theRecord, "The user cannot read the table that the task names.",
			s.reads(r, wards, store.ServerSide{})},
		{r.name, "read " + s.name(payroll), deniedDecrypt,
			"The permission reaches to the other table under the key: demand the table's name by " +
				"" + serverTableKey + ".",
			s.reads(r, payroll, store.ServerSide{})},
		{r.name, "decrypt with KMS directly", deniedDecrypt,
			"The user can use the key without DynamoDB: demand kms:ViaService.",
			s.decryptsDirectly(r, keyARN, fromElsewhere)},
		{r.name, "write the key policy", denied, administers, s.writesPolicy(r, keyARN)},
		{o.name, "read " + s.name(wards), deniedDecrypt, tooWideOther, s.reads(o, wards, store.ServerSide{})},
	}, nil
}

// oneClientTable: the statement that opens the items of one client-side table.
func oneClientTable() definition {
	return definition{
		Exercise: Exercise{
			ID:    "one-client-table",
			Title: "Open one client-side table",
			Goal:  "Client-side encryption binds every item to its table, and a key policy can demand that table.",
			Start: "The items of two tables, …-wards and …-payroll, are encrypted under one key before they are " +
				"sent. The user …-reader may do everything in DynamoDB with both and has no right to the key.",
			Task: "Let …-reader open the items of …-wards, and nothing else: not the items of …-payroll, no change " +
				"of the key, no other user.",
			Hints: []string{
				"The program asks KMS directly here: kms:ViaService is never set.",
				"The encryption context of every item has the table's name under aws-crypto-table-name.",
				"A condition reads a member of the encryption context by the key " + clientTableKey + ".",
			},
		},
		tables: []string{wards, payroll}, users: []string{reader, other},
		start: func(ctx context.Context, s *stage) error {
			for _, user := range []string{reader, other} {
				if err := s.makeUser(ctx, user, s.identityPolicy(allTables, wards, payroll)); err != nil {
					return err
				}
			}
			return s.clientTables(ctx, s.basePolicy(), wards, payroll)
		},
		probes: func(ctx context.Context, s *stage, _ string) ([]probe, error) {
			keyARN, err := s.key(ctx)
			if err != nil {
				return nil, err
			}
			who, err := s.cast(ctx, reader, other)
			r, o := who[reader], who[other]
			return []probe{
				{r.name, "open the item of " + s.name(wards), theRecord, "The user cannot open the item.",
					s.opens(r, wards, keyARN)},
				{r.name, "open the item of " + s.name(payroll), deniedDecrypt,
					"The permission reaches to the other table: demand the whole name by " + clientTableKey + ".",
					s.opens(r, payroll, keyARN)},
				{r.name, "decrypt a message of no table", deniedDecrypt,
					"The permission holds without an encryption context: demand " + clientTableKey + ".",
					s.decryptsDirectly(r, keyARN, nil)},
				{r.name, "write the key policy", denied, administers, s.writesPolicy(r, keyARN)},
				{o.name, "open the item of " + s.name(wards), deniedDecrypt, tooWideOther, s.opens(o, wards, keyARN)},
			}, err
		},
		solution: func(ctx context.Context, s *stage) (Solution, []command, error) {
			keyARN, err := s.key(ctx)
			condition := map[string]map[string]string{"StringEquals": {clientTableKey: s.name(wards)}}
			return Solution{Why: "The library binds the table's name to each item, so KMS opens an item only under " +
					"the name that it was written with. A condition on the name therefore chooses the table."},
				[]command{s.setPolicy(keyARN,
					s.basePolicy(keypolicy.AllowDecrypt("Allow one table's items", s.userARN(reader), condition)))}, err
		},
	}
}

// clientTables creates the key and tables with an item encrypted under it.
func (s *stage) clientTables(ctx context.Context, policy keypolicy.Console, tables ...string) error {
	keyARN, err := s.makeKey(ctx, policy)
	if err != nil {
		return err
	}
	mode, err := clientSide(s.admin, keyARN)
	if err != nil {
		return err
	}
	for _, table := range tables {
		if err := s.makeTableWithRecord(ctx, table, "", mode); err != nil {
			return err
		}
	}
	return nil
}
