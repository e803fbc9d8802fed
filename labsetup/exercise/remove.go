// SPDX-License-Identifier: Apache-2.0

package exercise

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// remove removes tables and users of the exercise, in both Regions, and schedules
// its key and the key's replicas for deletion.
func (s *stage) remove(ctx context.Context, tables, users []string) error {
	for _, table := range tables {
		if err := s.removeTable(ctx, s.admin, s.name(table)); err != nil {
			return err
		}
		if s.id == loseRegionID {
			if err := s.removeTable(ctx, s.admin.in(s.otherRegion()), s.name(table)); err != nil {
				return err
			}
		}
	}
	for _, user := range users {
		if err := s.removeUser(ctx, s.name(user)); err != nil {
			return err
		}
	}
	m, err := s.describeKey(ctx)
	if err != nil || m == nil {
		return err
	}
	return s.scheduleAll(ctx, m)
}

// scheduleAll schedules a key and its replicas.
func (s *stage) scheduleAll(ctx context.Context, m *types.KeyMetadata) error {
	if m.MultiRegionConfiguration != nil {
		for _, r := range m.MultiRegionConfiguration.ReplicaKeys {
			if err := schedule(ctx, s.admin.in(aws.ToString(r.Region)).kms, aws.ToString(r.Arn)); err != nil {
				return err
			}
		}
	}
	return schedule(ctx, s.admin.kms, aws.ToString(m.Arn))
}

func (s *stage) removeTable(ctx context.Context, a actor, name string) error {
	err := s.checkTableOurs(ctx, a, name)
	if err == nil {
		_, err = a.ddb.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String(name)})
	}
	var missing *ddbtypes.ResourceNotFoundException
	if errors.As(err, &missing) {
		return nil
	}
	return err
}

func (s *stage) removeUser(ctx context.Context, name string) error {
	err := s.checkUserOurs(ctx, name)
	if err == nil {
		err = s.deleteUser(ctx, name)
	}
	var missing *iamtypes.NoSuchEntityException
	if errors.As(err, &missing) {
		return nil
	}
	return err
}

// deleteUser deletes a user with its policies and access keys.
func (s *stage) deleteUser(ctx context.Context, name string) error {
	if err := s.dropPolicies(ctx, name); err != nil {
		return err
	}
	if err := s.dropAccessKeys(ctx, name); err != nil {
		return err
	}
	_, err := s.iam().DeleteUser(ctx, &iam.DeleteUserInput{UserName: aws.String(name)})
	return err
}
