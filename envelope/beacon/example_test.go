// SPDX-License-Identifier: Apache-2.0

package beacon_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// exampleKeys holds a beacon key in memory. Applications use a key store, whose
// keys AWS KMS protects.
func exampleKeys() beacon.KeySource {
	source := &keyring.MemorySource{}
	if err := source.AddBeaconKey(materials.NewBeaconKey("clinic", [32]byte{1, 2, 3})); err != nil {
		panic(err)
	}
	return beacon.KeySource{Source: source, BranchKeyID: "clinic", Lifetime: time.Hour}
}

// The beacons of an item are equal for equal values, however a number is spelled.
func ExampleSearch_Beacons() {
	protection := map[string]beacon.Protection{
		"number": beacon.Encrypted, "name": beacon.Encrypted, "year": beacon.Signed,
	}
	search, err := beacon.New(beacon.Config{
		Standard: []beacon.Standard{{Name: "number", Length: 32}, {Name: "initial", Length: 8}},
		Virtual: []beacon.VirtualField{{Name: "initial", Parts: []beacon.VirtualPart{
			{Location: "name", Transforms: []beacon.Transform{beacon.Prefix(1), beacon.Upper()}}}}},
		Compound: []beacon.Compound{{Name: "yearNumber", Split: '|',
			Signed:    []beacon.SignedPart{{Name: "year", Prefix: "Y-"}},
			Encrypted: []beacon.EncryptedPart{{Name: "number", Prefix: "N-"}}}},
		Keys: exampleKeys(),
	}, beacon.Schema{Table: "patients", Protection: func(name string) beacon.Protection { return protection[name] }})
	if err != nil {
		panic(err)
	}
	keys, err := search.Keys(context.Background(), "")
	if err != nil {
		panic(err)
	}
	defer keys.Release()

	for _, number := range []string{"4711", "4711.0"} {
		beacons, err := search.Beacons(keys, 0, beacon.Item{
			"number": &types.AttributeValueMemberN{Value: number},
			"name":   &types.AttributeValueMemberS{Value: "ada"},
			"year":   &types.AttributeValueMemberN{Value: "1984"},
		})
		if err != nil {
			panic(err)
		}
		for _, b := range beacons {
			fmt.Println(b.Name, b.Value.(*types.AttributeValueMemberS).Value)
		}
	}
	// Output:
	// aws_dbe_b_initial ff
	// aws_dbe_b_number fc72ee14
	// aws_dbe_b_yearNumber Y-1984|N-fc72ee14
	// aws_dbe_b_initial ff
	// aws_dbe_b_number fc72ee14
	// aws_dbe_b_yearNumber Y-1984|N-fc72ee14
}

// A search for a value of a compound beacon compares what is stored: signed
// parts in the clear, encrypted ones as hashes.
func ExampleCompoundBeacon_Operand() {
	protection := map[string]beacon.Protection{"number": beacon.Encrypted, "year": beacon.Signed}
	search, err := beacon.New(beacon.Config{
		Standard: []beacon.Standard{{Name: "number", Length: 16, Style: beacon.PartOnly}},
		Compound: []beacon.Compound{{Name: "yearNumber", Split: '|',
			Signed:    []beacon.SignedPart{{Name: "year", Prefix: "Y-"}},
			Encrypted: []beacon.EncryptedPart{{Name: "number", Prefix: "N-"}}}},
		Keys: exampleKeys(),
	}, beacon.Schema{Table: "patients", Protection: func(name string) beacon.Protection { return protection[name] }})
	if err != nil {
		panic(err)
	}
	keys, err := search.Keys(context.Background(), "")
	if err != nil {
		panic(err)
	}
	defer keys.Release()

	compound := search.Lookup("yearNumber").Compound
	for _, value := range []string{"Y-1984|N-4711", "Y-19", "N-4711|Y-1984"} {
		pieces, err := compound.Parse(value)
		if err != nil {
			fmt.Println(errors.Is(err, beacon.ErrSearch))
			continue
		}
		operand, err := compound.Operand(keys, 0, pieces, false)
		if err != nil {
			panic(err)
		}
		fmt.Println(operand)
	}
	// Output:
	// Y-1984|N-ee14
	// Y-19
	// true
}
