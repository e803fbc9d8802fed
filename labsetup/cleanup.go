package labsetup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// deletionDays is how long the key waits: the least that AWS allows.
const deletionDays = 7

const scheduleCLI = "aws kms schedule-key-deletion --key-id KEY --pending-window-in-days 7"

// cleanUpChapter removes everything, the key last and with a waiting time, and
// shows what cancelling its deletion leaves.
func (l *Lab) cleanUpChapter() chapter {
	const describe = "aws kms describe-key --key-id KEY"
	return chapter{"Clean-up", append(l.removal(),
		sees("scheduled", "describe the key", administratorRole, ModeDirect, string(kmstypes.KeyStatePendingDeletion),
			"Nobody can use it any more.", describe, l.keyState),
		does("cancel", "cancel the deletion", "The time to notice a mistake.",
			"aws kms cancel-key-deletion --key-id KEY", doing(l.cancelDeletion)),
		sees("cancelled", "describe the key", administratorRole, ModeDirect, string(kmstypes.KeyStateDisabled),
			"It is back, but disabled: enable it to use it again.", describe, l.keyState),
		does("schedule-again", "schedule the deletion again", "", scheduleCLI, doing(l.scheduleDeletion)),
	)}
}

// removal are the steps that remove what the lab made.
func (l *Lab) removal() []labStep {
	var steps []labStep
	for _, table := range []string{ServerTable, OwnedTable, ManagedTable, ClientTable, BothTable, probeTable,
		HierarchyTable, BranchKeyTable, KeyOffTable} {
		steps = append(steps, does("delete-"+table, "delete "+table,
			"No backup is made; a table billed on demand has no alarms.",
			"aws dynamodb delete-table --table-name "+table,
			l.removing(func(ctx context.Context) error { return l.deleteTable(ctx, table) })))
	}
	for _, user := range []string{UserName, ProbeName, InsiderName} {
		steps = append(steps, does("delete-"+user, "delete "+user,
			"Password, access keys and policies first: IAM refuses otherwise.", "aws iam delete-user --user-name "+user,
			l.removing(func(ctx context.Context) error { return l.deleteUser(ctx, user) })))
	}
	return append(steps,
		does("delete-role", "delete the role", "", "aws iam delete-role --role-name "+RoleName,
			l.removing(l.deleteRole)),
		does("delete-file", "delete the credentials file", "", "rm "+CredentialsFile, doing(l.deleteFile)),
		does("schedule-multi", "schedule the multi-Region key and its replica",
			"A primary waits until its replicas are gone.", scheduleCLI, l.removing(l.scheduleMultiRegion)),
		does("schedule-strays", "schedule keys of an interrupted run",
			"Keys with the lab's tag that never got their alias.", scheduleCLI, doing(l.scheduleStrays)),
		does("schedule", "schedule the key's deletion in seven days",
			"What was encrypted under it and not decrypted by then is lost for good.", scheduleCLI,
			l.removing(l.scheduleDeletion)),
	)
}

// removing goes on when something is not the lab's: it stays, and the report
// says so.
func (l *Lab) removing(fn func(context.Context) error) action {
	return doing(func(ctx context.Context) error {
		err := fn(ctx)
		if errors.Is(err, ErrNotOurs) {
			l.report.LeftAlone = append(l.report.LeftAlone, err.Error())
			return nil
		}
		return err
	})
}

// scheduleStrays schedules the lab's keys that no alias leads to: a run can
// end between making a key and naming it.
func (l *Lab) scheduleStrays(ctx context.Context) error {
	aliased := map[string]bool{}
	for _, alias := range []string{KeyAlias, MultiAlias} {
		if keyARN, err := l.findKey(ctx, alias); err == nil {
			aliased[keyARN] = true
		} else if !errors.Is(err, ErrNotOurs) {
			return err
		}
	}
	client := l.administrator.kms
	pages := kms.NewListKeysPaginator(client, &kms.ListKeysInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, k := range page.Keys {
			keyARN := aws.ToString(k.KeyArn)
			if aliased[keyARN] || l.checkKeyOurs(ctx, keyARN) != nil {
				continue // a key whose tags cannot be read is not the lab's
			}
			if err := schedule(ctx, client, keyARN); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// findKey finds the lab's key by its alias when this run has not made it;
// without one there is nothing to do.
func (l *Lab) findKey(ctx context.Context, alias string) (string, error) {
	out, err := l.administrator.kms.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(alias)})
	var missing *kmstypes.NotFoundException
	if errors.As(err, &missing) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	keyARN := aws.ToString(out.KeyMetadata.Arn)
	if err := l.checkKeyOurs(ctx, keyARN); err != nil {
		return "", fmt.Errorf("%s %w", alias, err)
	}
	return keyARN, nil
}

func (l *Lab) scheduleDeletion(ctx context.Context) (err error) {
	if l.keyARN, err = l.findKey(ctx, KeyAlias); err != nil || l.keyARN == "" {
		return err
	}
	return schedule(ctx, l.administrator.kms, l.keyARN)
}

// schedule schedules a key's deletion unless it already is.
func schedule(ctx context.Context, client *kms.Client, keyARN string) error {
	now, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(keyARN)})
	if err != nil {
		return err
	}
	switch now.KeyMetadata.KeyState {
	case kmstypes.KeyStatePendingDeletion, kmstypes.KeyStatePendingReplicaDeletion:
		return nil
	}
	_, err = client.ScheduleKeyDeletion(ctx,
		&kms.ScheduleKeyDeletionInput{KeyId: aws.String(keyARN), PendingWindowInDays: aws.Int32(deletionDays)})
	return err
}

func (l *Lab) cancelDeletion(ctx context.Context) error {
	if l.keyARN == "" {
		return nil
	}
	_, err := l.administrator.kms.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: aws.String(l.keyARN)})
	return err
}

func (l *Lab) keyState(ctx context.Context) (string, error) {
	out, err := l.administrator.kms.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(l.keyARN)})
	if err != nil {
		return "", err
	}
	return string(out.KeyMetadata.KeyState), nil
}

func (l *Lab) scheduleMultiRegion(ctx context.Context) (err error) {
	if l.multi, err = l.findKey(ctx, MultiAlias); err != nil || l.multi == "" {
		return err
	}
	var missing *kmstypes.NotFoundException
	if err := schedule(ctx, l.elsewhere(), l.replicaARN()); err != nil && !errors.As(err, &missing) {
		return err
	}
	return schedule(ctx, l.administrator.kms, l.multi)
}

// deleteUser takes everything off the user and deletes it; a missing one is
// fine.
func (l *Lab) deleteUser(ctx context.Context, name string) error {
	client := l.iam()
	err := l.checkUserOurs(ctx, name)
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := client.DeleteLoginProfile(ctx, &iam.DeleteLoginProfileInput{UserName: aws.String(name)}); err != nil &&
		!missing(err) {
		return err
	}
	if err := l.deleteAccessKeys(ctx, name); err != nil {
		return err
	}
	attached, err := client.ListAttachedUserPolicies(ctx,
		&iam.ListAttachedUserPoliciesInput{UserName: aws.String(name)})
	if err != nil {
		return err
	}
	for _, p := range attached.AttachedPolicies {
		if _, err := client.DetachUserPolicy(ctx,
			&iam.DetachUserPolicyInput{UserName: aws.String(name), PolicyArn: p.PolicyArn}); err != nil {
			return err
		}
	}
	inline, err := client.ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: aws.String(name)})
	if err != nil {
		return err
	}
	for _, p := range inline.PolicyNames {
		if _, err := client.DeleteUserPolicy(ctx,
			&iam.DeleteUserPolicyInput{UserName: aws.String(name), PolicyName: aws.String(p)}); err != nil {
			return err
		}
	}
	_, err = client.DeleteUser(ctx, &iam.DeleteUserInput{UserName: aws.String(name)})
	return err
}

func missing(err error) bool {
	var gone *iamtypes.NoSuchEntityException
	return errors.As(err, &gone)
}

func (l *Lab) deleteRole(ctx context.Context) error {
	err := l.checkRoleOurs(ctx)
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	client := l.iam()
	attached, err := client.ListAttachedRolePolicies(ctx,
		&iam.ListAttachedRolePoliciesInput{RoleName: aws.String(RoleName)})
	if err != nil {
		return err
	}
	for _, p := range attached.AttachedPolicies {
		if _, err := client.DetachRolePolicy(ctx,
			&iam.DetachRolePolicyInput{RoleName: aws.String(RoleName), PolicyArn: p.PolicyArn}); err != nil {
			return err
		}
	}
	_, err = client.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: aws.String(RoleName)})
	return err
}

func (l *Lab) deleteFile(context.Context) error {
	if l.cfg.Folder == "" {
		return nil
	}
	err := os.Remove(filepath.Join(l.cfg.Folder, CredentialsFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
