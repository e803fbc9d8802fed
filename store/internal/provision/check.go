// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/store/internal/tablename"
)

// SSEDifferences reports how a table's encryption at rest differs from being
// under the KMS key with an ARN.
func SSEDifferences(arn string, sse *types.SSEDescription, report func(string, ...any)) {
	if sse == nil || aws.ToString(sse.KMSMasterKeyArn) == "" {
		report("encrypted under a key that AWS owns, declared %s", arn)
		return
	}
	if got := aws.ToString(sse.KMSMasterKeyArn); got != arn {
		report("encrypted under %s, declared %s", got, arn)
	}
	if sse.InaccessibleEncryptionDateTime != nil {
		report("the KMS key is inaccessible since %v", sse.InaccessibleEncryptionDateTime.UTC())
	}
}

// WholeDifferences reports the indexes that are declared to hold whole items and
// do not.
func WholeDifferences(indexes []string, t *types.TableDescription, report func(string, ...any)) {
	projections := map[string]*types.Projection{}
	for _, i := range t.GlobalSecondaryIndexes {
		projections[aws.ToString(i.IndexName)] = i.Projection
	}
	for _, i := range t.LocalSecondaryIndexes {
		projections[aws.ToString(i.IndexName)] = i.Projection
	}
	for _, index := range indexes {
		p, has := projections[index]
		switch {
		case !has:
			report("index %s does not exist, declared to hold whole items", index)
		case p == nil || p.ProjectionType != types.ProjectionTypeAll:
			kind := "unknown"
			if p != nil {
				kind = string(p.ProjectionType)
			}
			report("index %s has projection %s, declared to hold whole items: create it with projection ALL",
				index, kind)
		}
	}
}

// CheckIndexName refuses what is not the name of an index.
func CheckIndexName(name string) error {
	if len(name) < 3 || !tablename.Valid(name) {
		return fmt.Errorf("%q is not the name of an index: 3 to 255 letters, digits, and _ . -", name)
	}
	return nil
}

// AddKey adds to indexes what one "name,role" of an index tag says: that the
// attribute is a key of the index. The error is the reason why it cannot be.
func AddKey(indexes []Index, local bool, text, attribute string) ([]Index, error) {
	name, role, _ := strings.Cut(text, ",")
	name, role = strings.TrimSpace(name), strings.TrimSpace(role)
	if err := CheckIndexName(name); err != nil {
		return indexes, err
	}
	i := slices.IndexFunc(indexes, func(x Index) bool { return x.Name == name })
	if i < 0 {
		i = len(indexes)
		indexes = append(indexes, Index{Name: name, Local: local, Projection: types.ProjectionTypeAll})
	}
	x := &indexes[i]
	if x.Local != local {
		return indexes, fmt.Errorf("index %s is global in one tag and local in another", name)
	}
	partition := role == "hash" || role == "partition"
	switch {
	case partition && local:
		return indexes, fmt.Errorf("the partition key of local index %s is the table's", name)
	case !partition && role != "range" && role != "sort":
		return indexes, fmt.Errorf("the role in index %s is %q: one of hash, partition, range, sort", name, role)
	}
	return indexes, x.Key.add(name, attribute, local, partition)
}
