// SPDX-License-Identifier: Apache-2.0

package exercise

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/internal/keypolicy"
)

// The table, users and values of attributeClass.
const (
	patients = "patients"
	north    = "north-office"
	job      = "job"
	email    = "robin@example.org"
	illness  = "hay fever"

	officeKey = "kms:EncryptionContext:aws-crypto-attr.office"
)

// classAttributes are the attributes of attributeClass in the order of the task, but
// for the partition key.
var classAttributes = []string{"email", "diagnosis", "ward", "office", "visits"}

// seals are the actions by the words of the struct tag seal.
var seals = map[string]envelope.Action{"encrypt": envelope.EncryptAndSign, "sign": envelope.SignOnly,
	"context": envelope.SignAndIncludeInEncryptionContext, "none": envelope.DoNothing}

// attributeClass: the class of an attribute decides its action.
func attributeClass() definition {
	return definition{
		Exercise: Exercise{
			ID:    "attribute-class",
			Title: "Name each attribute's action by its class",
			Goal:  "How sensitive an attribute is, and who has to work with it without the key, decides its action.",
			Start: "The table …-patients is empty. The key policy lets …-north-office decrypt items whose encryption " +
				"context has the office north, and no others. …-job may change items and has no right to the key.",
			Task: "Choose the action of each attribute and write an answer of five lines, \"attribute: action\", " +
				"with the words encrypt, sign, context and none:\n\n" +
				"  email      personal; only programs with the key use it\n" +
				"  diagnosis  health data; only programs with the key use it\n" +
				"  ward       internal; DynamoDB filters by it, and a change must be noticed\n" +
				"  office     internal; the key policy decides by it\n" +
				"  visits     public; …-job, which has no key, counts it up",
			Hints: []string{
				"Encrypt is the default. Another action needs a reason: who works with the attribute without the key?",
				"A filter needs the value in clear. Clear and protected against changes is sign.",
				"KMS sees the encryption context, and CloudTrail keeps it: personal data does not belong there. What " +
					"changes without the key cannot be signed.",
			},
			Text: true,
		},
		tables: []string{patients}, users: []string{north, job},
		start: func(ctx context.Context, s *stage) error {
			for _, user := range []string{north, job} {
				if err := s.makeUser(ctx, user, s.identityPolicy(allTables, patients)); err != nil {
					return err
				}
			}
			_, err := s.makeKey(ctx, s.basePolicy(keypolicy.AllowDecrypt("Allow one office", s.userARN(north),
				map[string]map[string]string{"StringEquals": {officeKey: "north"}})))
			if err != nil {
				return err
			}
			return s.makeTable(ctx, s.admin, s.name(patients), "")
		},
		probes: classProbes,
		solution: func(context.Context, *stage) (Solution, []command, error) {
			return Solution{
				Answer: "email: encrypt\ndiagnosis: encrypt\nward: sign\noffice: context\nvisits: none\n",
				Why: "Encrypt is the default, and every other action is for somebody who works without the key: " +
					"DynamoDB with the filter, KMS with the office, the job with the counter. Encrypting more would " +
					"stop them, and encrypting less would show personal data to each reader of the table and, in the " +
					"context, of the audit.",
			}, nil, nil
		},
	}
}

// patientItem is the item of an office in clear.
func patientItem(office string) envelope.Item {
	text := func(v string) ddbtypes.AttributeValue { return &ddbtypes.AttributeValueMemberS{Value: v} }
	return envelope.Item{"id": text(office + "-1"), "email": text(email), "diagnosis": text(illness),
		"ward": text("ward 3"), "office": text(office), "visits": &ddbtypes.AttributeValueMemberN{Value: "4"}}
}

// classConfig returns the table's configuration of an answer.
func (s *stage) classConfig(a actor, keyARN string, given map[string][]string) (*envelope.ItemEncryptor, error) {
	kr, err := awskms.New(awskms.Config{Client: a.kms, KeyARN: keyARN})
	if err != nil {
		return nil, err
	}
	c := envelope.Config{LogicalTableName: s.name(patients), PartitionKey: "id", Keyring: kr,
		Actions: map[string]envelope.Action{"id": envelope.SignOnly}}
	for name := range given {
		if !slices.Contains(classAttributes, name) {
			return nil, fmt.Errorf("the items have no attribute %.40q", name)
		}
	}
	for _, name := range classAttributes {
		words, ok := given[name]
		if !ok {
			return nil, fmt.Errorf("the answer has no action for %s", name)
		}
		action, ok := seals[strings.Join(words, ",")]
		if !ok {
			return nil, fmt.Errorf("the action of %s is not one of encrypt, sign, context and none", name)
		}
		c.Actions[name] = action
		if action == envelope.DoNothing {
			c.AllowedUnsigned = append(c.AllowedUnsigned, name)
		}
		if action == envelope.SignAndIncludeInEncryptionContext {
			c.Actions["id"] = action // the keys are in the context as soon as one attribute is
		}
	}
	return envelope.NewItemEncryptor(c)
}

// classProbes write items as the answer says and let everybody of the task work.
func classProbes(ctx context.Context, s *stage, text string) ([]probe, error) {
	given, err := parseAnswer(text)
	if err != nil {
		return nil, err
	}
	keyARN, err := s.key(ctx)
	if err != nil {
		return nil, err
	}
	who, err := s.cast(ctx, north, job)
	if err != nil {
		return nil, err
	}
	n, j := who[north], who[job]
	mine, err := s.classConfig(s.admin, keyARN, given)
	if err != nil {
		return []probe{{s.admin.name, "configure the table", allowed, "The library refuses the answer: " + err.Error(),
			func(context.Context) (string, error) { return "refused", nil }}}, nil
	}
	for _, office := range []string{"north", "south"} {
		if err := s.putSealed(ctx, mine, patientItem(office)); err != nil {
			return nil, err
		}
	}
	theirs, err := s.classConfig(n, keyARN, given)
	if err != nil {
		return nil, err
	}
	return []probe{
		{j.name, "read email without the key", "unreadable", "Personal data is in clear for each reader of the table.",
			s.readsAttribute(j, "email", email)},
		{j.name, "read diagnosis without the key", "unreadable", "Health data is in clear for each reader of the " +
			"table.",
			s.readsAttribute(j, "diagnosis", illness)},
		{j.name, "filter by ward in DynamoDB", "found", "DynamoDB cannot compare what it cannot read.",
			s.filtersWard(j)},
		{j.name, "count visits up, and the item still opens", theRecord, "The job cannot do its work, or what it " +
			"changes is signed.", s.countsUp(j, mine)},
		{j.name, "change ward, and the item no longer opens", "changed since it was written",
			"A changed ward goes unnoticed: sign it.", s.changesWard(j, mine)},
		{n.name, "open the item of the office north", theRecord, "KMS cannot tell whose item it is: put office into " +
			"the context.", s.opensSealed(n, theirs, "north")},
		{n.name, "open the item of the office south", deniedDecrypt, "The office opens another office's items.",
			s.opensSealed(n, theirs, "south")},
	}, nil
}

func (s *stage) putSealed(ctx context.Context, e *envelope.ItemEncryptor, item envelope.Item) error {
	sealed, err := e.EncryptItem(ctx, item)
	if err != nil {
		return err
	}
	_, err = s.admin.ddb.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(s.name(patients)), Item: sealed})
	return err
}

func patientKey(office string) map[string]ddbtypes.AttributeValue {
	return map[string]ddbtypes.AttributeValue{"id": &ddbtypes.AttributeValueMemberS{Value: office + "-1"}}
}

func (s *stage) rawPatient(ctx context.Context, a actor, office string) (envelope.Item, error) {
	out, err := a.ddb.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(s.name(patients)),
		Key: patientKey(office), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	return out.Item, nil
}

func (s *stage) readsAttribute(a actor, name, value string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		item, err := s.rawPatient(ctx, a, "north")
		if v, ok := item[name].(*ddbtypes.AttributeValueMemberS); ok && v.Value == value {
			return "in clear", err
		}
		return "unreadable", err
	}
}

func (s *stage) filtersWard(a actor) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		out, err := a.ddb.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(s.name(patients)),
			ConsistentRead: aws.Bool(true), FilterExpression: aws.String("ward = :w"),
			ExpressionAttributeValues: map[string]ddbtypes.AttributeValue{
				":w": &ddbtypes.AttributeValueMemberS{Value: "ward 3"}}})
		if err != nil || out.Count == 0 {
			return "not found", err
		}
		return "found", nil
	}
}

// opensSealed opens the item of an office.
func (s *stage) opensSealed(a actor, e *envelope.ItemEncryptor, office string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		item, err := s.rawPatient(ctx, a, office)
		if err != nil {
			return "", err
		}
		opened, err := e.DecryptItem(ctx, item)
		if err != nil {
			return "", err
		}
		if v, ok := opened["diagnosis"].(*ddbtypes.AttributeValueMemberS); !ok || v.Value != illness {
			return anotherRecord, nil
		}
		return theRecord, nil
	}
}

// countsUp changes visits as the actor and opens the item.
func (s *stage) countsUp(a actor, e *envelope.ItemEncryptor) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		_, err := a.ddb.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: aws.String(s.name(patients)),
			Key: patientKey("north"), UpdateExpression: aws.String("ADD visits :one"),
			ExpressionAttributeValues: map[string]ddbtypes.AttributeValue{
				":one": &ddbtypes.AttributeValueMemberN{Value: "1"}}})
		if err != nil {
			return "", err
		}
		return s.opensSealed(s.admin, e, "north")(ctx)
	}
}

// changesWard changes ward as the actor, opens the item, and writes it again.
func (s *stage) changesWard(a actor, e *envelope.ItemEncryptor) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		_, err := a.ddb.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: aws.String(s.name(patients)),
			Key: patientKey("north"), UpdateExpression: aws.String("SET ward = :w"),
			ExpressionAttributeValues: map[string]ddbtypes.AttributeValue{
				":w": &ddbtypes.AttributeValueMemberS{Value: "ward 4"}}})
		if err != nil {
			return "", err
		}
		got, err := s.opensSealed(s.admin, e, "north")(ctx)
		if again := s.putSealed(ctx, e, patientItem("north")); again != nil {
			return "", again
		}
		return got, err
	}
}
