// SPDX-License-Identifier: Apache-2.0

// Package frontdoor takes every request through the embedded AWS on one way,
// whatever brought the request:
//
//	route         endpoint and operation, from the headers alone
//	admit         encodings, sizes, callers and memory, before the body is read
//	read          the body, up to the endpoint's limit
//	authenticate  signature, scope and credentials
//	inflate       the body, if it is compressed
//	serve         the service, unless a fault answers in its place
//	audit         the event of the call
//	write         status, headers and body of the answer
//
// [Door] holds the way. [Door.ServeHTTP] and [Transport] are its two adapters:
// they turn what net/http gives them into a request, and the answer back.
// Listeners, their limits and their shutdown are not in this package.
//
// The package knows no service by name: what tells the services apart on the
// wire is in [Endpoint].
package frontdoor
