// SPDX-License-Identifier: Apache-2.0

// Package console is a web page over an embedded AWS: a learner signs in as an
// IAM user in one browser and as another in a second one, and sees who sees
// what, and the bytes.
//
// Every handler calls AWS through SDK clients that sign as the user who is
// signed in: the page has no power that its user lacks. What AWS does not say,
// it takes from the embedded server afterwards: the reasons of a denial that
// the user got, the sealed bytes of an item that the user can name, and the
// live audit for a user who may look up events.
//
// # Security
//
// It listens on loopback only and answers only requests whose Host is its own
// address (DNS rebinding); an Origin must be its own too, and a change needs
// one. Pages carry a Content-Security-Policy without inline code, forms a CSRF
// token. Sessions are random, known to the server by their hash only, in
// HttpOnly SameSite=Strict cookies, and end when idle. Passwords are compared
// in constant time and attempts limited. No password, token, session id or
// item key is ever in a URL, and nothing of an item is logged.
package console
