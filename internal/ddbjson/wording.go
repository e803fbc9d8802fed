// SPDX-License-Identifier: Apache-2.0

package ddbjson

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/internal/ddbnumber"
)

const invalidPrefix = "One or more parameter values were invalid: "

// The refusals that have always the same text.
var (
	errEmptyValue = &ValidationError{Untyped: true,
		Message: "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"}
	errManyTypes = &ValidationError{Untyped: true,
		Message: "Supplied AttributeValue has more than one datatypes set, " +
			"must contain exactly one of the supported datatypes"}
	errTooDeep = &ValidationError{Message: "Nesting Levels have exceeded supported limits"}
	// DynamoDB says more of a request than of what an update makes.
	errReadTooDeep = &ValidationError{
		Message: errTooDeep.Message + ": Attributes in the item have nested levels beyond supported limit"}
	errDuplicateNumbers = &ValidationError{Message: invalidPrefix + "Input collection contains duplicates.",
		Older: "Input collection contains duplicates"}
)

// invalidNumber returns the refusal of the number s, which err refused.
func invalidNumber(err error, s string) *ValidationError {
	e := &ValidationError{Message: ddbnumber.Message(err, s), reason: err.Error()}
	if s == "" && errors.Is(err, ddbnumber.ErrSyntax) {
		e.Older = strings.TrimSuffix(e.Message, ": ")
	}
	return e
}

// duplicateStrings returns the refusal of a string set with duplicates.
func duplicateStrings(set []string) *ValidationError {
	shown := shownDuplicates(set, set)
	for i, s := range shown {
		shown[i] = `"` + s + `"`
	}
	return &ValidationError{
		Message: invalidPrefix + "Input collection [" + strings.Join(shown, ", ") + "] contains duplicates.",
		Older:   invalidPrefix + "Input collection [" + strings.Join(set, ", ") + "] contains duplicates.",
		reason:  "string set with duplicates",
	}
}

// duplicateBinaries returns the refusal of a binary set with duplicates.
func duplicateBinaries(set [][]byte) *ValidationError {
	values, texts := make([]string, len(set)), make([]string, len(set))
	for i, b := range set {
		values[i], texts[i] = string(b), base64.StdEncoding.EncodeToString(b)
	}
	shown := shownDuplicates(values, texts)
	for i, s := range shown {
		shown[i] = `"` + s + `"`
	}
	const end = "]of type BS contains duplicates."
	return &ValidationError{
		Message: invalidPrefix + "Input collection [" + strings.Join(shown, ",") + end,
		Older:   invalidPrefix + "Input collection [" + strings.Join(texts, ", ") + end,
		reason:  "binary set with duplicates",
	}
}

// shownDuplicates returns the members of a set in the order in which DynamoDB
// lists them: those before the first repetition in byte order, then the repeated
// one and the rest as they were sent. texts are the members as they are shown.
func shownDuplicates(set, texts []string) []string {
	seen := make(map[string]struct{}, len(set))
	repeated := len(set)
	for i, s := range set {
		if _, ok := seen[s]; ok {
			repeated = i
			break
		}
		seen[s] = struct{}{}
	}
	order := make([]int, repeated)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(set[a], set[b]) })
	shown := make([]string, 0, len(set))
	for _, i := range order {
		shown = append(shown, texts[i])
	}
	return append(shown, texts[repeated:]...)
}
