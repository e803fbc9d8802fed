// SPDX-License-Identifier: Apache-2.0

package awskms_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// broken is an HTTP client that has no connection.
type broken struct{}

func (broken) Do(*http.Request) (*http.Response, error) { return nil, errors.New("no connection") }

// TestCounter counts calls, their repetitions and their failures, of several
// clients at the same time.
func TestCounter(t *testing.T) {
	server := localawstest.New(t)
	config := server.Config(server.RootCredentials())
	config.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond })
	}
	var counter awskms.Counter
	client := kms.NewFromConfig(config, counter.Install)
	step := func(name string, call func(), want awskms.Stats) {
		t.Helper()
		before := counter.Stats()
		call()
		after := counter.Stats()
		got := awskms.Stats{Calls: after.Calls - before.Calls, Attempts: after.Attempts - before.Attempts,
			Failures: after.Failures - before.Failures, Denied: after.Denied - before.Denied,
			Unavailable: after.Unavailable - before.Unavailable}
		if got != want {
			t.Errorf("%s: counted %+v, want %+v", name, got, want)
		}
	}
	ctx := t.Context()
	key := func(c *kms.Client) error { _, err := c.CreateKey(ctx, &kms.CreateKeyInput{}); return err }
	step("nothing", func() {}, awskms.Stats{})
	step("a call", func() {
		if err := key(client); err != nil {
			t.Fatal(err)
		}
	}, awskms.Stats{Calls: 1, Attempts: 1})
	step("a call of a client without the counter", func() { _ = key(kms.NewFromConfig(config)) }, awskms.Stats{})
	step("another kind of failure", func() {
		if _, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String("alias/none")}); err == nil {
			t.Error("no error")
		}
	}, awskms.Stats{Calls: 1, Attempts: 1, Failures: 1})
	step("an invalid call, which is not sent", func() {
		if _, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{}); err == nil {
			t.Error("no error")
		}
	}, awskms.Stats{Calls: 1, Failures: 1})
	server.Seed(localawstest.Seed{Users: []localawstest.User{{Name: "nina"}}})
	denied := kms.NewFromConfig(server.User("nina"), counter.Install)
	step("denied", func() {
		if err := key(denied); err == nil {
			t.Error("no error")
		}
	}, awskms.Stats{Calls: 1, Attempts: 1, Failures: 1, Denied: 1})
	if err := server.SetFaults(localaws.Faults{Rules: []localaws.Fault{{Kind: localaws.FaultThrottle, Service: "kms",
		Count: 2}}}); err != nil {
		t.Fatal(err)
	}
	step("throttled, and repeated by the SDK", func() {
		if err := key(client); err != nil {
			t.Error(err)
		}
	}, awskms.Stats{Calls: 1, Attempts: 3})
	step("no connection", func() {
		offline := kms.NewFromConfig(config, counter.Install, func(o *kms.Options) {
			o.HTTPClient, o.Retryer = broken{}, aws.NopRetryer{}
		})
		if err := key(offline); err == nil {
			t.Error("no error")
		}
	}, awskms.Stats{Calls: 1, Attempts: 1, Failures: 1, Unavailable: 1})
	step("a call that the caller gave up", func() {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := client.CreateKey(ctx, &kms.CreateKeyInput{}); err == nil {
			t.Error("no error")
		}
	}, awskms.Stats{Calls: 1, Failures: 1})
	step("at the same time", func() {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { _ = key(client); counter.Stats() })
		}
		all.Wait()
	}, awskms.Stats{Calls: 8, Attempts: 8})
	if n := testing.AllocsPerRun(10, func() { counter.Stats() }); n != 0 {
		t.Errorf("Stats allocates %v times", n)
	}
}

// TestCounters: a client can have several counters, and counts for each of them
// once, however often it was installed.
func TestCounters(t *testing.T) {
	server := localawstest.New(t)
	var all, own awskms.Counter
	client := kms.NewFromConfig(server.Config(server.RootCredentials()), all.Install, own.Install, all.Install)
	if _, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*awskms.Counter{"all": &all, "own": &own} {
		if got, want := c.Stats(), (awskms.Stats{Calls: 1, Attempts: 1}); got != want {
			t.Errorf("%s: counted %+v, want %+v", name, got, want)
		}
	}
}
