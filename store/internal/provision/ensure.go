// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/store/internal/expiry"
	"github.com/ddbseal/ddbseal/store/internal/pace"
)

// Client is what making a table needs. *dynamodb.Client fits.
type Client interface {
	CreateTable(context.Context, *dynamodb.CreateTableInput,
		...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error)
	DescribeTable(context.Context, *dynamodb.DescribeTableInput,
		...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error)
	UpdateTimeToLive(context.Context, *dynamodb.UpdateTimeToLiveInput,
		...func(*dynamodb.Options)) (*dynamodb.UpdateTimeToLiveOutput, error)
	expiry.Describer
}

var _ Client = (*dynamodb.Client)(nil)

// Waiting for a table: the first and the longest pause between two calls.
const (
	firstPause   = 50 * time.Millisecond
	longestPause = 5 * time.Second
)

// Ensure makes the table unless there is one, waits until it and its indexes are
// active, and turns the time to live on. It returns how a table that was there
// already differs from d, and changes no such table but for a time to live that
// is off. Errors: the client's, and ctx's with what was waited for.
func (d *Definition) Ensure(ctx context.Context, c Client) (differences []string, err error) {
	t, err := d.describe(ctx, c)
	if err == nil {
		t, err = d.wait(ctx, c, t, deleting)
	}
	existed := t != nil
	if err == nil && !existed {
		_, err = c.CreateTable(ctx, d.input())
		var inUse *types.ResourceInUseException
		if errors.As(err, &inUse) { // another program was faster
			existed, err = true, nil
		}
	}
	if err != nil {
		return nil, err
	}
	if t, err = d.wait(ctx, c, t, busy); err != nil {
		return nil, err
	}
	if existed {
		differences = d.Differences(t)
	}
	if len(differences) > 0 || d.TTL == "" {
		return differences, nil
	}
	other, err := d.expire(ctx, c)
	if other != "" {
		differences = append(differences, fmt.Sprintf("items expire by %q, declared %q", other, d.TTL))
	}
	return differences, err
}

// describe returns nil for a table that does not exist.
func (d *Definition) describe(ctx context.Context, c Client) (*types.TableDescription, error) {
	out, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &d.Name})
	var missing *types.ResourceNotFoundException
	switch {
	case errors.As(err, &missing):
		return nil, nil
	case err != nil:
		return nil, err
	case out.Table == nil:
		return nil, errors.New("DescribeTable returned nothing")
	}
	return out.Table, nil
}

// wait returns the table once there is nothing to wait for.
func (d *Definition) wait(ctx context.Context, c Client, t *types.TableDescription,
	waitsFor func(*types.TableDescription) string) (*types.TableDescription, error) {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		state := waitsFor(t)
		if state == "" {
			return t, nil
		}
		err := pace.Sleep(ctx, pause)
		if err != nil {
			return nil, fmt.Errorf("waiting for %s: %w", state, err)
		}
		if t, err = d.describe(ctx, c); err != nil {
			return nil, err
		}
	}
}

// deleting says that a table is on its way out.
func deleting(t *types.TableDescription) string {
	if t != nil && t.TableStatus == types.TableStatusDeleting {
		return "the deletion of the table of that name"
	}
	return ""
}

// busy says what of a table is not active yet; empty: all of it is. A table that
// has just been made may not be there yet.
func busy(t *types.TableDescription) string {
	switch {
	case t == nil:
		return "the table to appear"
	case t.TableStatus == types.TableStatusDeleting:
		return deleting(t)
	case t.TableStatus == types.TableStatusCreating || t.TableStatus == types.TableStatusUpdating:
		return "the table, whose status is " + string(t.TableStatus)
	}
	var indexes []string
	for _, i := range t.GlobalSecondaryIndexes {
		if i.IndexStatus == types.IndexStatusCreating || i.IndexStatus == types.IndexStatusUpdating {
			indexes = append(indexes, aws.ToString(i.IndexName))
		}
	}
	if indexes == nil {
		return ""
	}
	return "the indexes " + strings.Join(indexes, ", ")
}

// expire turns the time to live on unless it is. It returns the attribute by
// which items expire if that is another one.
func (d *Definition) expire(ctx context.Context, c Client) (other string, err error) {
	attribute, unchecked, err := expiry.Attribute(ctx, c, d.Name)
	if err != nil {
		return "", err
	}
	if unchecked == "" && attribute != "" {
		if attribute != d.TTL {
			return attribute, nil
		}
		return "", nil
	}
	_, err = c.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{TableName: &d.Name,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &d.TTL, Enabled: aws.Bool(true)}})
	if err == nil {
		return "", nil
	}
	// Another program may have been faster.
	if now, unchecked, again := expiry.Attribute(ctx, c, d.Name); again == nil && unchecked == "" && now != "" {
		if now != d.TTL {
			return now, nil
		}
		return "", nil
	}
	return "", fmt.Errorf("time to live: %w", err)
}
