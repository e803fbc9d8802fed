// SPDX-License-Identifier: Apache-2.0

// Package screen lays out what the lab shows on a terminal, so that no line is
// wider than the terminal is.
package screen
