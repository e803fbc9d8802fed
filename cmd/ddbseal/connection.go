package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/internal/itemconfig"
)

// connection are the flags that choose a real AWS, named as the AWS CLI names
// them. Without one of the first two a command uses nothing outside its
// process, whatever credentials lie around.
type connection struct {
	AWS         bool   `name:"aws" help:"Use the AWS account of the current credentials."`
	EndpointURL string `name:"endpoint-url" placeholder:"URL" env:"AWS_ENDPOINT_URL" help:"Use the AWS-compatible server at this address, such as a running 'ddbseal serve'."`
	Profile     string `name:"profile" placeholder:"NAME" help:"Profile of the AWS configuration files."`
	Region      string `name:"region" placeholder:"REGION" help:"AWS region."`
}

func (c *connection) remote() bool { return c.AWS || c.EndpointURL != "" }

// load reads the usual AWS configuration.
func (c *connection) load(ctx context.Context) (aws.Config, error) {
	var options []func(*config.LoadOptions) error
	if c.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(c.Profile))
	}
	if c.Region != "" {
		options = append(options, config.WithRegion(c.Region))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return aws.Config{}, err
	}
	if c.EndpointURL != "" {
		cfg.BaseEndpoint = aws.String(c.EndpointURL)
	}
	return cfg, nil
}

// providers gives keyrings their AWS clients, when a real AWS was chosen.
func (c *connection) providers() itemconfig.Providers {
	if !c.remote() {
		return itemconfig.Providers{}
	}
	return itemconfig.Providers{KMS: func(ctx context.Context, keyARN string) (awskms.KMSClient, error) {
		cfg, err := c.load(ctx)
		if err != nil {
			return nil, fmt.Errorf("client for %s: %w", keyARN, err)
		}
		return kms.NewFromConfig(cfg), nil
	}}
}
