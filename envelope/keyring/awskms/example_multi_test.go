// SPDX-License-Identifier: Apache-2.0

package awskms_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/localaws"
)

// exampleRegions gives clients of several Regions and a multi-Region key with
// a replica: in us-west-2 and eu-west-1.
func exampleRegions(ctx context.Context) (clients awskms.ClientSupplier, primary, replica string, end func()) {
	server, err := localaws.New(localaws.Options{})
	if err != nil {
		log.Fatal(err)
	}
	cfg := server.Config(server.RootCredentials())
	in := func(region string) *kms.Client {
		return kms.NewFromConfig(cfg, func(o *kms.Options) { o.Region = region })
	}
	key, err := in("us-west-2").CreateKey(ctx, &kms.CreateKeyInput{MultiRegion: aws.Bool(true)})
	if err != nil {
		log.Fatal(err)
	}
	copied, err := in("us-west-2").ReplicateKey(ctx,
		&kms.ReplicateKeyInput{KeyId: key.KeyMetadata.KeyId, ReplicaRegion: aws.String("eu-west-1")})
	if err != nil {
		log.Fatal(err)
	}
	return func(region string) (awskms.KMSClient, error) { return in(region), nil },
		*key.KeyMetadata.Arn, *copied.ReplicaKeyMetadata.Arn, func() { _ = server.Close() }
}

// exampleOpens writes an item with one keyring and says whether the other one
// opens it.
func exampleOpens(ctx context.Context, writer, reader materials.Keyring) bool {
	sealed, err := exampleEncryptor(writer).EncryptItem(ctx, exampleOrder())
	if err != nil {
		log.Fatal(err)
	}
	_, err = exampleEncryptor(reader).DecryptItem(ctx, sealed)
	return err == nil
}

// Every item is wrapped under keys of two Regions; either of them opens it.
func ExampleNewMulti() {
	ctx := context.Background()
	clients, primary, replica, end := exampleRegions(ctx)
	defer end()
	both, err := awskms.NewMulti(awskms.MultiConfig{Generator: primary, Children: []string{replica}, Client: clients})
	if err != nil {
		log.Fatal(err)
	}
	client, err := clients("eu-west-1")
	if err != nil {
		log.Fatal(err)
	}
	europe, err := awskms.New(awskms.Config{Client: client, KeyARN: replica})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(exampleOpens(ctx, both, europe))
	// Output: true
}

// Replicas of one multi-Region key are one key here, so naming both is refused.
func ExampleNewMRKMulti() {
	ctx := context.Background()
	clients, primary, replica, end := exampleRegions(ctx)
	defer end()
	_, err := awskms.NewMRKMulti(awskms.MultiConfig{Generator: primary, Children: []string{replica}, Client: clients})
	fmt.Println(err != nil)
	writer, err := awskms.NewMRKMulti(awskms.MultiConfig{Generator: primary, Client: clients})
	if err != nil {
		log.Fatal(err)
	}
	reader, err := awskms.NewMRKMulti(awskms.MultiConfig{Children: []string{replica}, Client: clients})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(exampleOpens(ctx, writer, reader))
	// Output:
	// true
	// true
}

// A reader for items of any of several Regions, each asked for its own keys.
func ExampleNewDiscoveryMulti() {
	ctx := context.Background()
	clients, primary, _, end := exampleRegions(ctx)
	defer end()
	writer, err := awskms.NewMulti(awskms.MultiConfig{Generator: primary, Client: clients})
	if err != nil {
		log.Fatal(err)
	}
	filter := &awskms.DiscoveryFilter{Partition: "aws", Accounts: []string{localaws.DefaultAccountID}}
	for _, regions := range [][]string{{"eu-west-1", "us-west-2"}, {"eu-west-1"}} {
		reader, err := awskms.NewDiscoveryMulti(awskms.DiscoveryMultiConfig{Regions: regions, Client: clients,
			Filter: filter})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(regions, exampleOpens(ctx, writer, reader))
	}
	// Output:
	// [eu-west-1 us-west-2] true
	// [eu-west-1] false
}

// A reader in another Region than the writer, which calls its own Region's
// replica only.
func ExampleNewMRKDiscovery() {
	ctx := context.Background()
	clients, primary, _, end := exampleRegions(ctx)
	defer end()
	writer, err := awskms.NewMulti(awskms.MultiConfig{Generator: primary, Client: clients})
	if err != nil {
		log.Fatal(err)
	}
	client, err := clients("eu-west-1")
	if err != nil {
		log.Fatal(err)
	}
	reader, err := awskms.NewMRKDiscovery(awskms.DiscoveryConfig{
		Client: client, Region: "eu-west-1",
		Filter: &awskms.DiscoveryFilter{Partition: "aws", Accounts: []string{localaws.DefaultAccountID}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(exampleOpens(ctx, writer, reader))
	// Output: true
}

// As NewMRKDiscovery, when the first Region's service may be out of reach.
func ExampleNewMRKDiscoveryMulti() {
	ctx := context.Background()
	clients, primary, _, end := exampleRegions(ctx)
	defer end()
	writer, err := awskms.NewMulti(awskms.MultiConfig{Generator: primary, Client: clients})
	if err != nil {
		log.Fatal(err)
	}
	reader, err := awskms.NewMRKDiscoveryMulti(awskms.DiscoveryMultiConfig{
		Regions: []string{"ap-south-1", "eu-west-1"}, // ap-south-1 has no replica
		Client:  clients,
		Filter:  &awskms.DiscoveryFilter{Partition: "aws", Accounts: []string{localaws.DefaultAccountID}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(exampleOpens(ctx, writer, reader))
	// Output: true
}
