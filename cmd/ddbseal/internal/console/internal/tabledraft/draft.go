// SPDX-License-Identifier: Apache-2.0

// Package tabledraft describes a DynamoDB table before it is created, and the key
// under which DynamoDB encrypts it: it reads the forms, checks them, and explains
// the choices.
package tabledraft

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/fault"
)

// Draft is a table as the form describes it.
type Draft struct {
	Name                    string
	Partition, Sort         string // names of the key's attributes; no Sort: the partition key alone
	PartitionType, SortType string // S, N or B
	Own                     bool   // own settings, which follow; otherwise the default settings
	Provisioned             bool   // else on-demand
	Read, Write             string // capacity units, as typed
	Protected               bool   // from deletion
	Encryption
}

// New returns the draft that an empty form shows: the default settings of AWS.
func New() Draft {
	return Draft{PartitionType: "S", SortType: "S", Read: "5", Write: "5", Encryption: Encryption{Kind: Owned}}
}

// Form returns the draft of a form.
func Form(form url.Values) Draft {
	return Draft{Name: strings.TrimSpace(form.Get("name")), Partition: form.Get("partition"), Sort: form.Get("sort"),
		PartitionType: form.Get("partition-type"), SortType: form.Get("sort-type"), Own: form.Get("settings") == "own",
		Provisioned: form.Get("capacity") == "provisioned", Read: strings.TrimSpace(form.Get("read")),
		Write:     strings.TrimSpace(form.Get("write")),
		Protected: form.Get("protection") == "yes", Encryption: EncryptionForm(form)}
}

// Limits of DynamoDB, in bytes.
const (
	minName      = 3
	maxName      = 255
	maxAttribute = 255
)

// Check returns what is wrong with the form.
func (d Draft) Check() fault.List {
	var faults fault.List
	faults.Add("name", wrongName(d.Name))
	faults.Add("partition", wrongAttribute(d.Partition, "partition"))
	faults.Add("partition-type", wrongType(d.PartitionType))
	if d.Sort != "" {
		faults.Add("sort", wrongAttribute(d.Sort, "sort"))
		if d.Sort == d.Partition {
			faults.Add("sort", "the sort key has the name of the partition key: choose another, or leave it empty")
		}
		faults.Add("sort-type", wrongType(d.SortType))
	}
	if !d.Own {
		return faults
	}
	if d.Provisioned {
		faults.Add("read", wrongUnits(d.Read))
		faults.Add("write", wrongUnits(d.Write))
	}
	return append(faults, d.Encryption.Check()...)
}

func wrongName(name string) string {
	switch {
	case name == "":
		return "write a name, such as my-table"
	case len(name) < minName || len(name) > maxName:
		return "a table's name has 3 to 255 characters"
	case strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_.-", r)
	}):
		return "a table's name has letters from a to z, digits, and the characters _ . -; nothing else"
	}
	return ""
}

func wrongAttribute(name, which string) string {
	switch {
	case name == "":
		return "write the name of the " + which + " key's attribute, such as id"
	case len(name) > maxAttribute:
		return "the name of the " + which + " key's attribute is longer than 255 bytes"
	}
	return ""
}

func wrongType(kind string) string {
	if kind != "S" && kind != "N" && kind != "B" {
		return "choose a type: String, Number or Binary"
	}
	return ""
}

func wrongUnits(text string) string {
	if n, err := strconv.ParseInt(text, 10, 64); err != nil || n < 1 {
		return "write a number of capacity units, at least 1"
	}
	return ""
}

// Input returns the call that creates the table. The draft must have passed
// Check.
func (d Draft) Input() *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{TableName: aws.String(d.Name), BillingMode: types.BillingModePayPerRequest}
	add := func(name, kind string, role types.KeyType) {
		in.KeySchema = append(in.KeySchema, types.KeySchemaElement{AttributeName: aws.String(name), KeyType: role})
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: aws.String(name), AttributeType: types.ScalarAttributeType(kind)})
	}
	add(d.Partition, d.PartitionType, types.KeyTypeHash)
	if d.Sort != "" {
		add(d.Sort, d.SortType, types.KeyTypeRange)
	}
	if !d.Own {
		return in
	}
	if d.Provisioned {
		in.BillingMode = types.BillingModeProvisioned
		in.ProvisionedThroughput = &types.ProvisionedThroughput{ReadCapacityUnits: units(d.Read),
			WriteCapacityUnits: units(d.Write)}
	}
	in.DeletionProtectionEnabled = aws.Bool(d.Protected)
	if d.Kind != Owned {
		in.SSESpecification = d.Specification()
	}
	return in
}

func units(text string) *int64 {
	n, _ := strconv.ParseInt(text, 10, 64) // checked
	return &n
}
