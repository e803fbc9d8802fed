// SPDX-License-Identifier: Apache-2.0

package localawstest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var runs localawstest.Clock
		stands := localawstest.NewClock(began)
		for _, c := range []*localawstest.Clock{&runs, stands} {
			if !c.Now().Equal(began) {
				t.Errorf("the clock begins at %v", c.Now())
			}
			c.Advance(time.Hour)
			c.Advance(time.Minute)
		}
		time.Sleep(time.Second)
		if got := runs.Now().Sub(began); got != time.Hour+time.Minute+time.Second {
			t.Errorf("the clock that runs is %v ahead", got)
		}
		if got := stands.Now().Sub(began); got != time.Hour+time.Minute {
			t.Errorf("the clock that stands is %v ahead", got)
		}
	})
}

func TestClockOfServer(t *testing.T) {
	s := localawstest.New(t, localawstest.WithSeed(localawstest.Seed{
		Keys:   []localawstest.Key{{Name: "k"}},
		Tables: []localawstest.Table{{Name: "Table", PartitionKey: "id", Key: "k"}}}))
	ctx := context.Background()
	key := aws.String(s.Key("k"))
	if _, err := kms.NewFromConfig(s.Root()).ScheduleKeyDeletion(ctx,
		&kms.ScheduleKeyDeletionInput{KeyId: key, PendingWindowInDays: aws.Int32(7)}); err != nil {
		t.Fatal(err)
	}
	s.Clock.Advance(8 * 24 * time.Hour)
	_, err := kms.NewFromConfig(s.Root()).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key})
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "NotFoundException" {
		t.Errorf("after eight days: %v", err)
	}
}
