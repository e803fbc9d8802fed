// SPDX-License-Identifier: Apache-2.0

// Package wire is how the services of the embedded AWS speak: the table of a
// service's operations, the two decoders of requests, the words in which a
// violated constraint is answered, pages and tags. It knows no service.
//
// An operation is one entry of a [Table] and the function that serves it:
//
//	var operations = wire.NewTable(protocol,
//		wire.Op[*Service, getThing, []byte]{Name: "GetThing", Kind: wire.Read,
//			Authorize: (*Service).allowGetThing, Serve: (*Service).getThing},
//	)
//
// The table takes every request the same way. It decodes the body into a new
// In under the service's [Protocol], [JSON] or [Query]; lets In check its
// members ([Checker]) and prepare what needs no state ([Preparer]); asks
// Authorize; and calls Serve.
package wire
