// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// exampleEncryptor encrypts the items of a table of patients.
func exampleEncryptor() *envelope.ItemEncryptor {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "clinic", Name: "2026", Key: key})
	if err != nil {
		log.Fatal(err)
	}
	e, err := envelope.NewItemEncryptor(envelope.Config{
		LogicalTableName: "patients",
		PartitionKey:     "id",
		Actions: map[string]envelope.Action{
			"id":        envelope.SignOnly,
			"ward":      envelope.SignOnly,
			"diagnosis": envelope.EncryptAndSign,
			"expires":   envelope.DoNothing, // DynamoDB's time to live has to read it
		},
		AllowedUnsigned: []string{"expires"},
		Keyring:         k,
	})
	if err != nil {
		log.Fatal(err)
	}
	return e
}

func examplePatient() envelope.Item {
	return envelope.Item{
		"id":        &types.AttributeValueMemberS{Value: "p-17"},
		"ward":      &types.AttributeValueMemberS{Value: "3b"},
		"diagnosis": &types.AttributeValueMemberS{Value: "measles"},
		"expires":   &types.AttributeValueMemberN{Value: "1900000000"},
	}
}

func Example() {
	ctx := context.Background()
	e := exampleEncryptor()
	sealed, err := e.EncryptItem(ctx, examplePatient()) // what PutItem gets
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%T\n", sealed["diagnosis"])

	item, err := e.DecryptItem(ctx, sealed) // what GetItem gave
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(item["diagnosis"].(*types.AttributeValueMemberS).Value)

	sealed["ward"] = &types.AttributeValueMemberS{Value: "9z"}
	_, err = e.DecryptItem(ctx, sealed)
	fmt.Println(errors.Is(err, envelope.ErrTampered))
	// Output:
	// *types.AttributeValueMemberB
	// measles
	// true
}

func ExampleNewItemEncryptor() {
	_, err := envelope.NewItemEncryptor(envelope.Config{
		LogicalTableName: "patients",
		PartitionKey:     "id",
		Actions:          map[string]envelope.Action{"id": envelope.EncryptAndSign},
	})
	fmt.Println(err)
	// Output:
	// configure table "patients": invalid configuration: exactly one of Keyring and CMM is needed
}

func ExampleItemEncryptor_EncryptItem() {
	item := examplePatient()
	item["surname"] = &types.AttributeValueMemberS{Value: "Doe"}
	_, err := exampleEncryptor().EncryptItem(context.Background(), item)
	fmt.Println(err)
	// Output:
	// encrypt table "patients" attribute "surname": item cannot be encrypted: no action is configured for the attribute; add it to Actions
}

func ExampleItemEncryptor_DecryptItem() {
	_, err := exampleEncryptor().DecryptItem(context.Background(), examplePatient())
	fmt.Println(errors.Is(err, envelope.ErrNotEncrypted))
	// Output:
	// true
}

func ExampleItemEncryptor_EncryptAll() {
	incomplete := examplePatient()
	delete(incomplete, "id")
	sealed, err := exampleEncryptor().EncryptAll(context.Background(), []envelope.Item{examplePatient(), incomplete})
	fmt.Println(len(sealed), sealed[1] == nil)
	fmt.Println(err)
	// Output:
	// 2 true
	// 1 of 2 items failed, the first at index 1: encrypt table "patients" attribute "id": item cannot be encrypted: key attribute is missing
}

func ExampleItemEncryptor_DecryptAll() {
	ctx := context.Background()
	e := exampleEncryptor()
	sealed, err := e.EncryptAll(ctx, []envelope.Item{examplePatient(), examplePatient()})
	if err != nil {
		log.Fatal(err)
	}
	items, err := e.DecryptAll(ctx, sealed)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(items), len(items[0]))
	// Output:
	// 2 4
}

func ExampleInspect() {
	sealed, err := exampleEncryptor().EncryptItem(context.Background(), examplePatient())
	if err != nil {
		log.Fatal(err)
	}
	delete(sealed, "expires") // without the configuration it could not be told from a signed attribute
	m, err := envelope.Inspect(sealed)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Suite)
	for _, f := range m.Header[:3] {
		fmt.Printf("%d+%d %s\n", f.Offset, f.Length, f.Name)
	}
	for _, a := range m.Attributes {
		fmt.Println(a.Name, a.Type, a.Action)
	}
	// Output:
	// ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384_SYMSIG_HMAC_SHA384
	// 0+1 version
	// 1+1 flavor
	// 2+32 message id
	// id S SIGN_ONLY
	// ward S SIGN_ONLY
	// diagnosis S ENCRYPT_AND_SIGN
}

func ExampleItemEncryptor_Inspect() {
	e := exampleEncryptor()
	sealed, err := e.EncryptItem(context.Background(), examplePatient())
	if err != nil {
		log.Fatal(err)
	}
	m, err := e.Inspect(sealed)
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range m.Attributes {
		fmt.Println(a.Name, a.Action)
	}
	// Output:
	// id SIGN_ONLY
	// ward SIGN_ONLY
	// expires DO_NOTHING
	// diagnosis ENCRYPT_AND_SIGN
}

func ExampleItemEncryptor_Action() {
	e := exampleEncryptor()
	fmt.Println(e.Action("diagnosis"))
	_, known := e.Action("surname")
	fmt.Println(known)
	// Output:
	// ENCRYPT_AND_SIGN true
	// false
}

func ExampleParseAction() {
	a, err := envelope.ParseAction("SIGN_ONLY")
	fmt.Println(a, err)
	_, err = envelope.ParseAction("sign")
	fmt.Println(err)
	// Output:
	// SIGN_ONLY <nil>
	// invalid configuration: unknown attribute action "sign": one of ENCRYPT_AND_SIGN, SIGN_ONLY, SIGN_AND_INCLUDE_IN_ENCRYPTION_CONTEXT, DO_NOTHING
}

func ExampleParseAlgorithmSuite() {
	s, err := envelope.ParseAlgorithmSuite("ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_SYMSIG_HMAC_SHA384")
	fmt.Printf("%#x %v\n", uint16(s), err)
	// Output:
	// 0x6700 <nil>
}

func ExampleParsePlaintextPolicy() {
	p, err := envelope.ParsePlaintextPolicy("FORBID_PLAINTEXT_WRITE_ALLOW_PLAINTEXT_READ")
	fmt.Println(p == envelope.ForbidPlaintextWriteAllowPlaintextRead, err)
	// Output:
	// true <nil>
}

// An item that a newer version of the application wrote is changed by an older
// one, whose configuration lacks the attribute "allergy".
func ExampleItemEncryptor_EncryptItemAs() {
	ctx := context.Background()
	e := exampleEncryptor()
	patient := examplePatient()
	patient["allergy"] = &types.AttributeValueMemberS{Value: "penicillin"}
	stored, err := e.EncryptItemAs(ctx, patient, map[string]envelope.Action{"allergy": envelope.EncryptAndSign})
	if err != nil {
		log.Fatal(err)
	}

	opened, err := e.OpenItem(ctx, stored)
	if err != nil {
		log.Fatal(err)
	}
	opened.Item["ward"] = &types.AttributeValueMemberS{Value: "4a"}
	if _, err = e.EncryptItem(ctx, opened.Item); err != nil {
		fmt.Println(err)
	}
	if stored, err = e.EncryptItemAs(ctx, opened.Item, opened.Actions); err != nil {
		log.Fatal(err)
	}
	fmt.Println(opened.Actions["allergy"])
	fmt.Printf("%T\n", stored["allergy"])
	// Output:
	// encrypt table "patients" attribute "allergy": item cannot be encrypted: no action is configured for the attribute; add it to Actions
	// ENCRYPT_AND_SIGN
	// *types.AttributeValueMemberB
}

// DynamoDB cannot compare ciphertext, but a beacon: an index on the attribute
// aws_dbe_b_diagnosis finds the item.
func Example_search() {
	branch := &keyring.MemorySource{} // a key store in an application
	if err := branch.AddBeaconKey(materials.NewBeaconKey("clinic", [32]byte{1, 2, 3})); err != nil {
		log.Fatal(err)
	}
	k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "clinic", Name: "2026", Key: make([]byte, 32)})
	if err != nil {
		log.Fatal(err)
	}
	e, err := envelope.NewItemEncryptor(envelope.Config{
		LogicalTableName: "patients",
		PartitionKey:     "id",
		Actions:          map[string]envelope.Action{"id": envelope.SignOnly, "diagnosis": envelope.EncryptAndSign},
		Keyring:          k,
		Search: &beacon.Config{
			Standard: []beacon.Standard{{Name: "diagnosis", Length: 8}},
			Keys:     beacon.KeySource{Source: branch, BranchKeyID: "clinic", Lifetime: time.Hour},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	for id, diagnosis := range map[string]string{"p-17": "measles", "p-18": "measles"} {
		sealed, err := e.EncryptItem(context.Background(), envelope.Item{
			"id":        &types.AttributeValueMemberS{Value: id},
			"diagnosis": &types.AttributeValueMemberS{Value: diagnosis},
		})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%T %s\n", sealed["diagnosis"], sealed["aws_dbe_b_diagnosis"].(*types.AttributeValueMemberS).Value)
	}
	// Output:
	// *types.AttributeValueMemberB 95
	// *types.AttributeValueMemberB 95
}
