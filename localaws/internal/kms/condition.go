// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// Condition keys that depend on the request, under their names in a Context.
const (
	conditionAlgorithm         = "kms:encryptionalgorithm"
	conditionMacAlgorithm      = "kms:macalgorithm"
	conditionAgreement         = "kms:keyagreementalgorithm"
	conditionBypass            = "kms:bypasspolicylockoutsafetycheck"
	conditionWindow            = "kms:schedulekeydeletionpendingwindowindays"
	conditionPeriod            = "kms:rotationperiodindays"
	conditionPrimaryRegion     = "kms:primaryregion"
	conditionReplicaRegion     = "kms:replicaregion"
	conditionRequestAlias      = "kms:requestalias"
	conditionReEncrypt         = "kms:reencryptonsamekey"
	conditionGrantOperations   = "kms:grantoperations"
	conditionGrantee           = "kms:granteeprincipal"
	conditionRetiring          = "kms:retiringprincipal"
	conditionConstraint        = "kms:grantconstrainttype"
	conditionForAWSResource    = "kms:grantisforawsresource"
	conditionKeyOrigin         = "kms:keyorigin"
	conditionKeySpec           = "kms:keyspec"
	conditionKeyUsage          = "kms:keyusage"
	conditionMultiRegion       = "kms:multiregion"
	conditionMultiRegionType   = "kms:multiregionkeytype"
	conditionResourceAliases   = "kms:resourcealiases"
	conditionSourceARN         = "aws:sourcearn"
	conditionTagKeys           = "aws:tagkeys"
	conditionResourceTag       = "aws:resourcetag/"
	conditionCustomerMasterKey = "kms:customermasterkeyspec"
	conditionCustomerKeyUsage  = "kms:customermasterkeyusage"
)

// conditions are the condition keys of a key that are the same for every
// request. The values are shared and never changed.
type conditions []condition

type condition struct {
	name   string
	values []string
}

// describe computes the condition keys of k. It belongs to every change of k.
func (k *key) describe() {
	c := conditions{
		{conditionKeyOrigin, []string{"AWS_KMS"}},
		{conditionKeySpec, []string{k.spec}},
		{conditionKeyUsage, []string{k.usage}},
		{conditionMultiRegion, []string{strconv.FormatBool(k.multiRegion)}},
	}
	if k.multiRegion {
		c = append(c, condition{conditionMultiRegionType, []string{k.multiRegionType()}})
	}
	if len(k.aliases) > 0 {
		c = append(c, condition{conditionResourceAliases, slices.Clone(k.aliases)})
	}
	for _, t := range k.tags {
		c = append(c, condition{conditionResourceTag + strings.ToLower(t.Key), []string{t.Value}})
	}
	k.conditions = c
}

// with returns a new context of the condition keys of a key and of a request.
func (c conditions) with(extra policy.Context, requestAlias string) policy.Context {
	out := make(policy.Context, len(c)+len(extra)+1)
	for _, v := range c {
		out[v.name] = v.values
	}
	maps.Copy(out, extra)
	if requestAlias != "" {
		out[conditionRequestAlias] = []string{requestAlias}
	}
	return out
}

// symmetric is what encryption and decryption under symmetric keys carry.
var symmetric = policy.Context{conditionAlgorithm: {specSymmetric}}

// encryptionAlgorithm returns the algorithm of a request and its condition key.
func encryptionAlgorithm(p *string) (string, policy.Context) {
	if name := or(p, specSymmetric); name != specSymmetric {
		return name, policy.Context{conditionAlgorithm: {name}}
	}
	return specSymmetric, symmetric
}

// requestTags adds the tags of a request to a context.
func requestTags(context policy.Context, tags []tag) {
	for _, t := range tags {
		wire.RequestTags(context, wire.Tag(t))
	}
}
