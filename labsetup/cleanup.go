// SPDX-License-Identifier: Apache-2.0

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

	"github.com/ddbseal/ddbseal/labsetup/internal/shell"
)

// deletionDays is how long the key waits: the minimum that AWS allows.
const deletionDays = 7

const scheduleCLI = `aws kms schedule-key-deletion --key-id "$KEY" --pending-window-in-days 7`

// cleanUpChapter removes everything, the key last and with a waiting time, and
// shows what cancelling its deletion leaves.
func (l *Lab) cleanUpChapter() chapter {
	const describe = `aws kms describe-key --key-id "$KEY" --query KeyMetadata.KeyState --output text`
	return chapter{chapterCleanUp, append(l.removal(),
		sees("scheduled", "describe the key", administratorRole, ModeDirect, string(kmstypes.KeyStatePendingDeletion),
			"It cannot be used any more. Until the seven days are over you can cancel the deletion; a key may wait "+
				"between 7 and 30 days.", describe, l.keyState),
		does("cancel", "cancel the deletion", "The waiting time is there to notice a mistake.",
			`aws kms cancel-key-deletion --key-id "$KEY"`, doing(l.cancelDeletion)),
		sees("cancelled", "describe the key", administratorRole, ModeDirect, string(kmstypes.KeyStateDisabled),
			"The key is back, and disabled. Enable it to use it again.", describe, l.keyState),
		does("schedule-again", "schedule the deletion again", "The lab is over, and each key costs about 1 USD a "+
			"month.",
			scheduleCLI, doing(l.scheduleDeletion)),
	)}
}

// removal are the steps that remove what the lab made.
func (l *Lab) removal() []labStep {
	var steps []labStep
	for _, table := range []string{ServerTable, OwnedTable, ManagedTable, ClientTable, OtherTable, BothTable,
		HierarchyTable, BranchKeyTable, KeyOffTable, probeTable} {
		cli := "aws dynamodb delete-table --table-name " + table
		if table == probeTable {
			cli += " 2>/dev/null || true"
		}
		steps = append(steps, does("delete-"+table, "delete "+table, deletionWhy(table), cli,
			l.removing(func(ctx context.Context) error { return l.deleteTable(ctx, table) })))
	}
	for _, user := range []string{UserName, ProbeName, InsiderName} {
		steps = append(steps, does("delete-"+user, "delete "+user, deletionWhy(user), shell.DeleteUser(user),
			l.removing(func(ctx context.Context) error { return l.deleteUser(ctx, user) })))
	}
	return append(steps,
		does("delete-role", "delete the role", "Its policy is detached first, for the same reason.",
			"aws iam detach-role-policy --role-name "+RoleName+" --policy-arn "+l.fullAccess+
				"\naws iam delete-role --role-name "+RoleName, l.removing(l.deleteRole)),
		does("delete-file", "delete the credentials file", "It held the user's password.", "rm -f "+CredentialsFile,
			doing(l.deleteFile)),
		does("schedule-multi", "schedule the deletion of the multi-Region key and its replica",
			"A primary key waits until its replicas are gone.",
			`aws kms schedule-key-deletion --key-id "${MULTI/`+l.region+`/`+l.otherRegion()+`}" --pending-window-in-days 7 `+
				"--region "+l.otherRegion()+"\n"+`aws kms schedule-key-deletion --key-id "$MULTI" --pending-window-in-days 7`,
			l.removing(l.scheduleMultiRegion)),
		does("schedule-strays", "schedule the deletion of keys of an interrupted run",
			"A run can end between making a key and naming it. Such a key has the lab's tag and no alias.",
			"# This finds every key with the tag of the lab:\n"+
				"for id in $(aws kms list-keys --query 'Keys[].KeyId' --output text); do\n"+
				"  aws kms list-resource-tags --key-id \"$id\" --query \"Tags[?TagKey=='"+labTag+"']\" --output text "+
				"2>/dev/null | grep -q . && echo \"$id\"\ndone || true", doing(l.scheduleStrays)),
		does("schedule", "schedule the key's deletion in seven days",
			"What was encrypted under the key and not decrypted by then is lost for good. Until then the deletion "+
				"can be "+
				"cancelled.", scheduleCLI, l.removing(l.scheduleDeletion)),
	)
}

// deletionWhy says what there is to know about the deletion of a table or a user.
func deletionWhy(name string) string {
	switch name {
	case ServerTable:
		return "The items go with the table, and no backup is kept. The console of AWS also offers to delete " +
			"CloudWatch alarms: tables that are billed on demand, as all of this lab, have none."
	case OwnedTable:
		return "The AWS owned key was never in your account, so nothing of it is left."
	case ManagedTable:
		return "alias/aws/dynamodb stays. AWS manages this key, and a key of AWS costs nothing by the month."
	case ClientTable:
		return "The encrypted data keys lie in the items, so they go with the table."
	case OtherTable:
		return "This was the second client-side table, for the condition on the encryption context."
	case BothTable:
		return "This table was encrypted both ways."
	case HierarchyTable:
		return "Its items were encrypted under branch keys."
	case BranchKeyTable:
		return "The branch keys go with it. Nothing that was encrypted under them can be opened any more."
	case KeyOffTable:
		return "This is the table that was taken off the key."
	case probeTable:
		return "The second user tried to make this table. It is there only if a run was interrupted."
	case UserName:
		return "IAM refuses to delete a user who still has a password, access keys or policies. They go first."
	case ProbeName:
		return "This was the second user, who tried the four statements."
	}
	return "This user took the key off a table."
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

// scheduleStrays schedules the keys with the lab's tag that have no alias: a run can
// end between making a key and naming it. A key with another alias is another lab's.
func (l *Lab) scheduleStrays(ctx context.Context) error {
	client := l.administrator.kms
	pages := kms.NewListKeysPaginator(client, &kms.ListKeysInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, k := range page.Keys {
			keyARN := aws.ToString(k.KeyArn)
			if l.checkKeyOurs(ctx, keyARN) != nil {
				continue // a key whose tags cannot be read is not the lab's
			}
			aliases, err := client.ListAliases(ctx, &kms.ListAliasesInput{KeyId: k.KeyArn})
			if err != nil {
				return err
			}
			if len(aliases.Aliases) > 0 {
				continue
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
	if l.keyARN, err = l.findKey(ctx, l.actual(KeyAlias)); err != nil || l.keyARN == "" {
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
	name = l.actual(name)
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
	if err := l.deleteAccessKeys(ctx, name, ""); err != nil {
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
