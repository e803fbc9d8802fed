// SPDX-License-Identifier: Apache-2.0

// Package reply is what a page decides, before the console renders it: handlers
// that return a Reply need no http.ResponseWriter and no templates.
package reply

import "errors"

// Reply is the answer to one request.
type Reply struct {
	To  string // page of the console to go to; empty: the template is shown
	Say string // message on the next page that is shown

	Status   int // of the template; zero: 200, or the status of Err
	Template string
	Title    string
	Body     any
	// Err is why AWS refused. With a template the page shows it beside what was
	// typed; without one it is the whole page.
	Err error

	File *File // a download instead of a page
}

// File is a download that holds a secret.
type File struct {
	Name    string
	Content []byte
}

// ErrNoAction means that the console has no such page or action.
var ErrNoAction = errors.New("there is no such action")

// Go leads to another page.
func Go(to string) Reply { return Reply{To: to} }

// Done leads to another page with a message, or shows why AWS refused.
func Done(to, say string, err error) Reply {
	if err != nil {
		return Fail("The change was refused", err)
	}
	return Reply{To: to, Say: say}
}

// Fail shows err as the whole page.
func Fail(title string, err error) Reply { return Reply{Title: title, Err: err} }
