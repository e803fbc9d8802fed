// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// The lists of instance profiles are empty. The caller needs permission, and the
// role must exist.
func TestInstanceProfiles(t *testing.T) {
	w := newWorld(t, nil)
	ctx, root := t.Context(), w.iam(w.root(account1))
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
		`"Principal":{"AWS":"` + account1 + `"},"Action":"sts:AssumeRole"}]}`
	must(t)(root.CreateRole(ctx,
		&iam.CreateRoleInput{RoleName: aws.String("worker"), AssumeRolePolicyDocument: &trust}))
	all, err := root.ListInstanceProfiles(ctx,
		&iam.ListInstanceProfilesInput{PathPrefix: aws.String("/"), MaxItems: aws.Int32(1)})
	if err != nil || len(all.InstanceProfiles) != 0 || all.IsTruncated || all.Marker != nil {
		t.Errorf("all profiles: %+v, %v", all, err)
	}
	of, err := root.ListInstanceProfilesForRole(ctx,
		&iam.ListInstanceProfilesForRoleInput{RoleName: aws.String("WORKER")})
	if err != nil || len(of.InstanceProfiles) != 0 || of.IsTruncated {
		t.Errorf("the role's profiles: %+v, %v", of, err)
	}
	_, err = root.ListInstanceProfilesForRole(ctx,
		&iam.ListInstanceProfilesForRoleInput{RoleName: aws.String("missing")})
	wantCode(t, err, "NoSuchEntity", "The role with name missing cannot be found.")
	_, err = root.ListInstanceProfiles(ctx, &iam.ListInstanceProfilesInput{MaxItems: aws.Int32(1001)})
	wantCode(t, err, "ValidationError",
		"Value '1001' at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000")

	alice := w.iam(w.user(account1, "alice"))
	_, err = alice.ListInstanceProfiles(ctx, nil)
	wantCode(t, err, "AccessDenied",
		"iam:ListInstanceProfiles on resource: arn:aws:iam::"+account1+":instance-profile/")
	_, err = alice.ListInstanceProfilesForRole(ctx,
		&iam.ListInstanceProfilesForRoleInput{RoleName: aws.String("worker")})
	wantCode(t, err, "AccessDenied",
		"iam:ListInstanceProfilesForRole on resource: arn:aws:iam::"+account1+":role/worker")
}
