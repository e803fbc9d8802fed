// SPDX-License-Identifier: Apache-2.0

package migrate_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/migrate"
)

// TestExpiry: a table that expires items by an attribute that would be encrypted
// is refused, before anything is written.
func TestExpiry(t *testing.T) {
	w := newWorld(t)
	to := encryptor(t, aes(t, 1))
	for attribute, c := range map[string]struct {
		from, to *envelope.ItemEncryptor
		refused  bool
	}{
		"count":  {nil, to, true},
		"ward":   {nil, to, false}, // signed: DynamoDB can read it
		"note":   {nil, to, false},
		"secret": {to, nil, false}, // it will be readable
	} {
		table := w.table(t, 3, c.from)
		_, err := w.client.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
			TableName: &table, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &attribute,
				Enabled: aws.Bool(true)},
		})
		ok(t, err)
		config := w.config(table, c.from, c.to)
		config.SkipDryRun = true
		m, err := migrate.New(config)
		ok(t, err)
		for phase, do := range map[string]func(context.Context) (migrate.Report, error){"dry run": m.DryRun,
			"run": m.Run} {
			r, err := do(t.Context())
			if c.refused && (!errors.Is(err, envelope.ErrConfiguration) ||
				!strings.Contains(err.Error(), `expires items by "count"`) || r.Counts.Total() != 0) || !c.refused &&
				err != nil {
				t.Errorf("%s, %s: %+v, %v", attribute, phase, r.Counts, err)
			}
			if len(r.Unchecked) > 0 {
				t.Errorf("unchecked: %v", r.Unchecked)
			}
		}
		if c.refused {
			w.opens(t, table, nil, 3)
		}
	}
}

// denied is a client whose caller cannot describe the time to live.
type denied struct {
	*dynamodb.Client
	err error
}

func (d denied) DescribeTimeToLive(context.Context, *dynamodb.DescribeTimeToLiveInput,
	...func(*dynamodb.Options)) (*dynamodb.DescribeTimeToLiveOutput, error) {
	return nil, d.err
}

// TestExpiryUnchecked: the report says that time to live was not checked.
func TestExpiryUnchecked(t *testing.T) {
	w := newWorld(t)
	for says, client := range map[string]migrate.Client{
		"dynamodb:DescribeTimeToLive": denied{w.client, &smithy.GenericAPIError{Code: "AccessDeniedException"}},
		"no method":                   struct{ migrate.Client }{w.client},
	} {
		config := w.config(w.table(t, 3, nil), nil, encryptor(t, aes(t, 1)))
		config.Client = client
		m, err := migrate.New(config)
		ok(t, err)
		for _, do := range []func(context.Context) (migrate.Report, error){m.DryRun, m.Run} {
			r, err := do(t.Context())
			if err != nil || len(r.Unchecked) != 1 || !strings.Contains(r.Unchecked[0], says) || r.Counts.Total() != 3 {
				t.Errorf("%+v, %v", r, err)
			}
		}
	}
}
