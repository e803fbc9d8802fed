// SPDX-License-Identifier: Apache-2.0

// Package kmsarn reads and compares AWS KMS key ARNs. (Material Providers
// specification, [aws-kms-key-arn] and [aws-kms-mrk-match-for-decrypt].)
//
// [aws-kms-key-arn]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/aws-kms/aws-kms-key-arn.md
// [aws-kms-mrk-match-for-decrypt]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/aws-kms/aws-kms-mrk-match-for-decrypt.md
package kmsarn

import (
	"errors"
	"fmt"
	"strings"
)

// ARN is the ARN of an AWS KMS key; never an alias.
type ARN struct{ Partition, Region, Account, ID string }

const multiRegionPrefix = "mrk-"

var errNotKeyARN = errors.New("not the ARN of an AWS KMS key (arn:<partition>:kms:<region>:<account>:key/<id>)")

// maxLength is what AWS KMS accepts as a key id.
const maxLength = 2048

// Parse reads a key ARN. The error says what text is instead, if it is another
// identifier that AWS KMS knows. Only printable ASCII of at most 2048 bytes
// passes: an ARN that an item names goes into calls, errors and logs.
func Parse(text string) (ARN, error) {
	if len(text) > maxLength || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ARN{}, fmt.Errorf("%.200q is %w", text, errNotKeyARN)
	}
	if strings.HasPrefix(text, "alias/") {
		return ARN{}, fmt.Errorf("%.200q is an alias", text)
	}
	p := strings.Split(text, ":")
	if len(p) == 1 && text != "" {
		return ARN{}, fmt.Errorf("%.200q is a bare key id", text)
	}
	if len(p) != 6 || p[0] != "arn" || p[1] == "" || p[2] != "kms" || p[3] == "" || p[4] == "" {
		return ARN{}, fmt.Errorf("%.200q is %w", text, errNotKeyARN)
	}
	kind, id, _ := strings.Cut(p[5], "/")
	if id != "" && kind == "alias" {
		return ARN{}, fmt.Errorf("%.200q is an alias", text)
	}
	if id == "" || kind != "key" {
		return ARN{}, fmt.Errorf("%.200q is %w", text, errNotKeyARN)
	}
	return ARN{Partition: p[1], Region: p[3], Account: p[4], ID: id}, nil
}

// String returns the ARN's text.
func (a ARN) String() string {
	return "arn:" + a.Partition + ":kms:" + a.Region + ":" + a.Account + ":key/" + a.ID
}

// MultiRegion reports whether the key is a multi-Region key.
func (a ARN) MultiRegion() bool { return strings.HasPrefix(a.ID, multiRegionPrefix) }

// InRegion returns the ARN of the same multi-Region key in another Region; a
// single-Region key's ARN stays as it is.
func (a ARN) InRegion(region string) ARN {
	if a.MultiRegion() {
		a.Region = region
	}
	return a
}

// Matches reports whether both name the same key, or replicas of one
// multi-Region key.
func (a ARN) Matches(b ARN) bool {
	return a == b || a.MultiRegion() && b.MultiRegion() && a == b.InRegion(a.Region)
}
