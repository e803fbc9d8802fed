// SPDX-License-Identifier: Apache-2.0

package access_test

import (
	"context"
	"testing"

	"github.com/ddbseal/ddbseal/access"
	"github.com/ddbseal/ddbseal/access/accesstest"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// deployment is what a program for deployment makes in the account.
var deployment = localawstest.Seed{
	Users: []localawstest.User{
		{Name: "administrator", Attach: []string{"AdministratorAccess"}},
		{Name: "auditor", Policies: map[string]any{"see-tables": `{"Version":"2012-10-17","Statement":{
			"Effect":"Allow","Action":["dynamodb:DescribeTable","dynamodb:ListTables"],"Resource":"*"}}`}},
	},
	Roles: []localawstest.Role{{Name: "app",
		Trust: `{"Version":"2012-10-17","Statement":{
			"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`,
		Policies: map[string]any{"patients": `{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:PutItem"],
			 "Resource":"arn:aws:dynamodb:{{region}}:{{account}}:table/Patients"},
			{"Effect":"Allow","Action":"kms:Decrypt","Resource":"{{key:patients}}",
			 "Condition":{"StringEquals":{"kms:ViaService":"dynamodb.{{region}}.amazonaws.com"}}}]}`}}},
	Keys:   []localawstest.Key{{Name: "patients"}},
	Tables: []localawstest.Table{{Name: "Patients", PartitionKey: "id", Key: "patients"}},
}

// Test keeps the patients readable by the application and by those who administer
// the account.
func Test(t *testing.T) {
	server := localawstest.New(t, localawstest.WithSeed(localawstest.Seed{Keys: deployment.Keys}))
	rest := deployment
	rest.Keys = nil // made first: the policies name the key
	server.Seed(rest)
	snapshot, err := access.Load(context.Background(), server.Root(), access.Table{Name: "Patients"})
	if err != nil {
		t.Fatal(err)
	}
	const account = "arn:aws:iam::111122223333:"
	accesstest.Only(t, snapshot, access.ReadClear, account+"role/app", account+"user/administrator", account+"root")
}
