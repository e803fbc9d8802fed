// SPDX-License-Identifier: Apache-2.0

// Package cloudtrail keeps the audit of the embedded AWS: one event per call,
// allowed or denied, in the shape of CloudTrail's record (event version 1.11),
// and answers LookupEvents from it.
//
// The log is bounded: each account keeps a ring of management events and one
// of data events, so that a flood of item calls cannot push out who changed a
// key policy. LookupEvents answers management events only, as on AWS; Events
// and Subscribe give all of them to the process that runs the server.
//
// A log that is attached to a durable store files its events there, sealed, and
// begins with the events of earlier runs. A request does not wait for that: the
// events of FilingWindow are filed together, and a killed process loses the
// events of the last one.
//
// Events hold neither secrets nor item values: services put only names, ARNs
// and encryption contexts into a call's Trail.
//
// Reference: CloudTrail user guide, "CloudTrail record contents".
package cloudtrail
