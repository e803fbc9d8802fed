// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
)

// connection are the flags that choose an AWS outside of the process, named as
// the AWS CLI names them. Without --aws, --endpoint-url or AWS_ENDPOINT_URL a
// command uses the embedded AWS, whatever credentials and profiles there are.
type connection struct {
	AWS         bool   `name:"aws" group:"Where" help:"Use the AWS account of the current credentials."`
	EndpointURL string `name:"endpoint-url" group:"Where" placeholder:"URL" env:"AWS_ENDPOINT_URL" help:"Use the AWS-compatible server at this address, such as a running 'ddbseal serve'. As for the AWS CLI, AWS_ENDPOINT_URL is the default; an empty address means the embedded AWS."`
	Profile     string `name:"profile" group:"Where" placeholder:"NAME" help:"Profile of the AWS configuration files, with --aws or --endpoint-url."`
	Region      string `name:"region" group:"Where" placeholder:"REGION" help:"AWS region."`
}

var regionName = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]+$`)

// AfterApply drops the endpoint of the environment where the environment says
// to ignore it, as the AWS CLI does.
func (c *connection) AfterApply() error {
	ignored, _ := strconv.ParseBool(os.Getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) // garbage ignores nothing
	if ignored && c.fromEnvironment() {
		c.EndpointURL = ""
	}
	return nil
}

// fromEnvironment reports whether AWS_ENDPOINT_URL chose the endpoint.
func (c *connection) fromEnvironment() bool {
	return c.EndpointURL != "" && c.EndpointURL == os.Getenv("AWS_ENDPOINT_URL")
}

func (c *connection) remote() bool { return c.AWS || c.EndpointURL != "" }

// billed reports whether somebody pays for what is done: an endpoint of AWS's
// own is AWS too.
func (c *connection) billed() bool {
	if c.AWS {
		return true
	}
	u, err := url.Parse(c.EndpointURL)
	return err == nil && amazonHost.MatchString(u.Hostname())
}

var amazonHost = regexp.MustCompile(`(^|\.)(amazonaws\.com(\.cn)?|api\.aws)$`)

// check refuses flags that contradict each other.
func (c *connection) check() error {
	switch {
	case c.AWS && c.EndpointURL != "":
		return usagef("--aws and the endpoint %s contradict each other: leave out one (AWS_ENDPOINT_URL counts too)",
			c.EndpointURL)
	case c.EndpointURL != "" && !validEndpoint(c.EndpointURL):
		return usagef("endpoint %q is not a URL such as http://127.0.0.1:4566", c.EndpointURL)
	case c.Profile != "" && !c.remote():
		return usagef("--profile is for --aws or --endpoint-url: without them the embedded AWS is used, which needs " +
			"no profile")
	}
	return checkRegion(c.Region)
}

func validEndpoint(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != ""
}

// checkRegion refuses what is not the name of a Region; empty means the default.
func checkRegion(region string) error {
	if region != "" && !regionName.MatchString(region) {
		return usagef("region %q is not a region name such as eu-central-1", region)
	}
	return nil
}

// load reads the usual AWS configuration.
func (c *connection) load(ctx context.Context) (aws.Config, error) {
	// The SDK's own warnings would be a second voice on standard error.
	options := []func(*config.LoadOptions) error{config.WithLogger(logging.Nop{})}
	if c.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(c.Profile))
	}
	if c.Region != "" {
		options = append(options, config.WithRegion(c.Region))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("AWS configuration: %w", err)
	}
	if c.EndpointURL != "" {
		cfg.BaseEndpoint = aws.String(c.EndpointURL)
		if !c.fromEnvironment() {
			// As with the AWS CLI the flag wins over AWS_ENDPOINT_URL_KMS and
			// its like, which clients would take from here.
			cfg.ConfigSources = nil
		}
	}
	return cfg, nil
}

// inRegionOf is cfg for the region of a key.
func inRegionOf(cfg aws.Config, keyARN string) aws.Config {
	if a, err := arn.Parse(keyARN); err == nil && a.Region != "" {
		cfg = cfg.Copy()
		cfg.Region = a.Region
	}
	return cfg
}
