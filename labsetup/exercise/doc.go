// SPDX-License-Identifier: Apache-2.0

// Package exercise has exercises on encryption with AWS KMS and checks how they
// were solved. This package is experimental: its API may change in any release.
//
// An [Exercise] has a task, a starting state, hints, and a solution. [Set.Start]
// creates the starting state. [Set.Check] makes the calls that show whether the
// task is done, and no more than the task: an answer that allows too much fails
// like one that allows too little. Use any tool to solve an exercise, because
// Check looks at what AWS answers and not at how you did it. The answer to some
// exercises is a text, which you pass to Check.
//
// Each exercise has its own resources, so that you can start several at once.
// They have the tag [Tag]; the package never changes a resource without it. The
// package works with any aws.Config, of the embedded AWS or of a real account.
package exercise
