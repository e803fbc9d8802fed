// SPDX-License-Identifier: Apache-2.0

// Package exercise is a set of exercises on encryption under AWS KMS that check
// themselves. This package is experimental: its API may change in any release.
//
// An [Exercise] has a task, a starting state, hints, and a solution. [Set.Start]
// makes the starting state, [Set.Check] makes the calls that show whether the
// task is done, and whether more than the task was done: an answer that gives
// too much fails as one that gives too little. The answer itself is given with
// any tool, because Check looks at what AWS answers and never at how the answer
// was written. Some exercises are answered by a text, which Check is given.
//
// Each exercise has resources of its own, so that several can be open at once.
// They bear the tag [Tag], and what lacks the tag is never changed. The package
// works on any aws.Config, the embedded AWS or a real account, and knows neither.
package exercise
