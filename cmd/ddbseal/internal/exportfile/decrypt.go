// SPDX-License-Identifier: Apache-2.0

// Package exportfile decrypts the files of an export to S3, one by one, so that
// an interrupted run goes on where it was.
package exportfile

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/display"
	"github.com/ddbseal/ddbseal/store/change"
	"github.com/ddbseal/ddbseal/store/migrate"
)

// Job decrypts an export.
type Job struct {
	Encryptor *envelope.ItemEncryptor
	// Report is told of each line that does not open, and of files that are not
	// finished, in calls one after the other.
	Report func(file string, err error)
	// Line is called after each line, before the next.
	Line func()
}

// Counts are what a job did.
type Counts struct {
	// Files, Done and Failed count files: of the share, of them finished by
	// earlier runs, and of them not finished because lines did not open.
	Files, Done, Failed int
	// Lines and BadLines count lines of this run.
	Lines, BadLines int64
}

func (j *Job) table() (change.Table[envelope.Item], error) {
	return change.Items(j.Encryptor.LogicalTableName(), j.Encryptor, "", "")
}

// Stream decrypts one file from in to out, whose lines have the form of the
// input's. Lines that do not open are reported and left out. The error is one of
// the file as a whole, or of out.
func (j *Job) Stream(ctx context.Context, name string, in io.Reader, out io.Writer) (n Counts, err error) {
	table, err := j.table()
	if err != nil {
		return n, err
	}
	keys := Keys{j.Encryptor.PartitionKey(), j.Encryptor.SortKey()}
	buffered := bufio.NewWriterSize(out, 64<<10)
	var line []byte
	for c, err := range change.DecodeExport(ctx, table, in) {
		var record *change.RecordError
		if err != nil && !errors.As(err, &record) {
			return n, errors.Join(err, buffered.Flush())
		}
		n.Lines++
		if err == nil {
			line, err = appendLine(line[:0], keys, c)
		}
		if err != nil {
			n.BadLines++
			j.Report(name, err)
		} else if _, err := buffered.Write(append(display.JSON(line), '\n')); err != nil {
			return n, err
		}
		if j.Line != nil {
			j.Line()
		}
	}
	return n, buffered.Flush()
}

// Folder decrypts the share of the export in the folder from that this process
// has. If to is not "", the output of each file gets a file there, which only
// its owner can read; a file that is there already was finished by an earlier
// run and is left out. Otherwise all goes to out.
func (j *Job) Folder(ctx context.Context, from, to string, share migrate.Share, out io.Writer) (n Counts, err error) {
	x, err := open(from)
	if err != nil {
		return n, err
	}
	if to != "" {
		if err := prepare(from, to); err != nil {
			return n, err
		}
	}
	for i, f := range x.files {
		if i%share.Total != share.Index {
			continue
		}
		n.Files++
		if err := ctx.Err(); err != nil {
			return n, err
		}
		var one Counts
		if to == "" {
			one, err = j.file(ctx, f, out)
		} else {
			one, err = j.fileTo(ctx, f, filepath.Join(to, f.output()))
		}
		n.Lines, n.BadLines, n.Done = n.Lines+one.Lines, n.BadLines+one.BadLines, n.Done+one.Done
		if err != nil && ctx.Err() != nil {
			return n, err
		}
		if err != nil || one.BadLines > 0 {
			n.Failed++
		}
		if err != nil {
			j.Report(f.name, err)
		}
	}
	return n, nil
}

// file decrypts one file.
func (j *Job) file(ctx context.Context, f dataFile, out io.Writer) (n Counts, err error) {
	in, err := os.Open(f.path)
	if err != nil {
		return n, err
	}
	defer in.Close()
	check := f.checker(in)
	n, err = j.Stream(ctx, f.name, check, out)
	if err == nil {
		err = check.verify(n.Lines)
	}
	return n, err
}

// fileTo decrypts one file to another, which has its name only when it is
// complete.
func (j *Job) fileTo(ctx context.Context, f dataFile, to string) (n Counts, err error) {
	if _, err := os.Lstat(to); err == nil {
		n.Done = 1
		return n, nil
	}
	incomplete := to + ".incomplete"
	if err := os.Remove(incomplete); err != nil && !errors.Is(err, os.ErrNotExist) {
		return n, err
	}
	out, err := os.OpenFile(incomplete, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return n, err
	}
	n, err = j.file(ctx, f, out)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil || n.BadLines > 0 {
		return n, err // what opened stays in the incomplete file
	}
	return n, os.Rename(incomplete, to)
}

// prepare makes the folder of the output, which may not be in that of the input
// nor around it: plaintext does not lie beside ciphertext.
func prepare(from, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	a, err := filepath.EvalSymlinks(from)
	if err != nil {
		return err
	}
	b, err := filepath.EvalSymlinks(to)
	if err != nil {
		return err
	}
	if a, err = filepath.Abs(a); err != nil {
		return err
	}
	if b, err = filepath.Abs(b); err != nil {
		return err
	}
	for _, pair := range [][2]string{{a, b}, {b, a}} {
		if rel, err := filepath.Rel(pair[0], pair[1]); err == nil && filepath.IsLocal(rel) {
			return fmt.Errorf("%w: %s and %s", ErrBeside, from, to)
		}
	}
	return nil
}

// ErrBeside means that the output would lie beside the input.
var ErrBeside = errors.New("plaintext must not be written beside the export: choose a folder outside of it")
