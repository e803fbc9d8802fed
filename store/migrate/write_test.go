// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
)

// TestDid: DynamoDB returns a set in another order and a number in another
// spelling than the write had. That is still the migration's own write.
func TestDid(t *testing.T) {
	next := envelope.Item{
		"id": &types.AttributeValueMemberS{Value: "a"}, "n": &types.AttributeValueMemberN{Value: "1.50"},
		"tags": &types.AttributeValueMemberSS{Value: []string{"b", "a"}},
	}
	now := envelope.Item{
		"id": &types.AttributeValueMemberS{Value: "a"}, "n": &types.AttributeValueMemberN{Value: "1.5"},
		"tags":  &types.AttributeValueMemberSS{Value: []string{"a", "b"}},
		"added": &types.AttributeValueMemberS{Value: "by another writer"},
	}
	w := &write{conversion: conversion{next: next}}
	if !w.did(now) {
		t.Error("its own write is not recognized")
	}
	delete(now, "n")
	if w.did(now) {
		t.Error("an item that lacks an attribute is taken for its own write")
	}
}
