// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"errors"
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// TestEveryOperationAsks sends one request of every operation as a user who has
// no policies: each is denied, but for the two that AWS lets everyone do.
func TestEveryOperationAsks(t *testing.T) {
	const document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
		`"Principal":{"AWS":"` + account1 + `"},"Action":"sts:AssumeRole"}]}`
	w := newWorld(t, nil)
	must(t)(w.iam(w.root(account1)).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("worker"),
		AssumeRolePolicyDocument: aws.String(trust)}))
	stranger := w.user(account1, "stranger")
	_, caller, err := w.service.Credentials(stranger.AccessKeyID, "")
	if err != nil {
		t.Fatal(err)
	}
	inline := url.Values{"PolicyName": {"p"}, "PolicyDocument": {document}}
	// What an operation wants to be right before it asks.
	forms := map[string]url.Values{
		"CreateUser": {"UserName": {"new"}}, "CreateGroup": {"GroupName": {"new"}},
		"CreateAccountAlias": {"AccountAlias": {"new"}},
		"CreateRole":         {"RoleName": {"new"}, "AssumeRolePolicyDocument": {trust}}, "CreatePolicy": inline,
		"CreatePolicyVersion": {"PolicyArn": {"arn:aws:iam::" + account1 + ":policy/some"}, "PolicyDocument": {document}}, "UpdateAssumeRolePolicy": {"PolicyDocument": {trust}},
		"PutUserPolicy": inline, "PutGroupPolicy": inline, "PutRolePolicy": inline,
		"AssumeRole": {"RoleArn": {"arn:aws:iam::" + account1 + ":role/worker"}, "RoleSessionName": {"session"}},
	}
	const some = "arn:aws:iam::" + account1 + ":policy/some"
	for _, operation := range []string{"AttachGroupPolicy", "AttachRolePolicy", "AttachUserPolicy", "DetachGroupPolicy",
		"DetachRolePolicy", "DetachUserPolicy", "GetPolicy", "DeletePolicy", "GetPolicyVersion", "ListPolicyVersions",
		"DeletePolicyVersion", "SetDefaultPolicyVersion", "TagPolicy", "UntagPolicy", "ListPolicyTags",
		"ListEntitiesForPolicy"} {
		forms[operation] = url.Values{"PolicyArn": {some}}
	}
	forms["GetContextKeysForCustomPolicy"] = url.Values{"PolicyInputList.member.1": {document}}
	forms["GetContextKeysForPrincipalPolicy"] = url.Values{"PolicySourceArn": {"arn:aws:iam::" + account1 +
		":user/stranger"}}
	free := map[string]bool{"GetCallerIdentity": true, "GetSessionToken": true}
	for name, operations := range map[string][]string{"iam": w.service.iam.Names(), "sts": w.service.sts.Names()} {
		service := w.service.IAM()
		if name == "sts" {
			service = w.service.STS()
		}
		for _, operation := range operations {
			c := &request.Call{ID: "test", Time: w.clock(), Service: name, Operation: operation, Region: "us-east-1",
				AccountID: account1, Caller: caller, Secure: true, Body: []byte(forms[operation].Encode())}
			_, err := service.Serve(t.Context(), c)
			var e *request.Error
			denied := errors.As(err, &e) && e.Code == "AccessDenied" && e.Decision != nil
			if denied == free[operation] {
				t.Errorf("%s by a stranger: %v", operation, err)
			}
		}
	}
}
