package localawstest_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// Failures that a fault asked for are no defects of the server.
func TestFaultsAreNoFailures(t *testing.T) {
	r := &recorder{TB: t}
	s := localawstest.New(r,
		localawstest.WithOptions(
			localaws.Options{Faults: localaws.Faults{Rules: []localaws.Fault{{Kind: localaws.FaultInternal}}}}))
	cfg := s.Root()
	cfg.RetryMaxAttempts = 1
	if _, err := iam.NewFromConfig(cfg).ListUsers(context.Background(), nil); err == nil {
		t.Fatal("the fault did not work")
	}
	for _, f := range r.cleanups {
		f()
	}
	if len(r.failures) != 0 {
		t.Errorf("a fault that was asked for failed the test: %q", r.failures)
	}
}
