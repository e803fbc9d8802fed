// SPDX-License-Identifier: Apache-2.0

package storage

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"os"
)

// The data file is a bbolt file, whose pages carry no checksums except for the
// two meta pages. Reading a torn one through a memory map would end the
// process, so its structure is walked first, with plain reads. Layout, in the
// byte order of the machine:
//
//	page:    id 8, flags 2, count 2, overflow 4
//	meta:    magic 4, version 4, page size 4, flags 4, root page 8, sequence 8,
//	         freelist page 8, high water mark 8, transaction 8, FNV-1a 8
//	branch:  position 4, key size 4, page 8
//	leaf:    flags 4, position 4, key size 4, value size 4
const (
	pageHeader = 16
	metaSize   = 64
	metaSum    = 56 // where the checksum stands
	boltMagic  = 0xED0CDAED
	boltFormat = 2
	noFreelist = ^uint64(0)

	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10
	bucketLeaf   = 0x01
)

var native = binary.NativeEndian

// boltMeta is what matters of a meta page.
type boltMeta struct {
	pageSize             int64
	root, freelist, high uint64
	txid                 uint64
}

func parseMeta(b []byte) (boltMeta, bool) {
	if len(b) < pageHeader+metaSize {
		return boltMeta{}, false
	}
	m := b[pageHeader : pageHeader+metaSize]
	sum := fnv.New64a()
	sum.Write(m[:metaSum])
	if native.Uint32(m) != boltMagic || native.Uint32(m[4:]) != boltFormat ||
		native.Uint64(m[metaSum:]) != sum.Sum64() {
		return boltMeta{}, false
	}
	meta := boltMeta{int64(native.Uint32(m[8:])), native.Uint64(m[16:]), native.Uint64(m[32:]), native.Uint64(m[40:]),
		native.Uint64(m[48:])}
	size := meta.pageSize
	return meta, size >= 1024 && size <= 1<<20 && size&(size-1) == 0 && meta.high < 1<<40
}

// readMeta finds the newest valid meta page.
func readMeta(f *os.File) (best boltMeta, ok bool) {
	buf := make([]byte, pageHeader+metaSize)
	for _, size := range []int64{0, 1024, 2048, 4096, 8192, 16384, 32768, 65536} {
		if _, err := f.ReadAt(buf, size); err != nil {
			continue
		}
		if m, valid := parseMeta(buf); valid && (size == 0 || size == m.pageSize) && (!ok || m.txid > best.txid) {
			best, ok = m, true
		}
	}
	return best, ok
}

// verifyHead makes sure that the file is a bbolt file of full length: what has
// to hold before it is mapped.
func verifyHead(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, _, err = head(f)
	return err
}

func head(f *os.File) (meta boltMeta, size int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return meta, 0, err
	}
	meta, ok := readMeta(f)
	switch {
	case !ok:
		return meta, 0, fmt.Errorf("%w: %s has no valid head", ErrDamaged, f.Name())
	case info.Size() < int64(meta.high)*meta.pageSize:
		return meta, 0, fmt.Errorf("%w: %s is cut short: %d bytes of at least %d", ErrDamaged, f.Name(), info.Size(),
			int64(meta.high)*meta.pageSize)
	}
	return meta, info.Size(), nil
}

// verify walks every page in use. The caller holds the file's lock.
func verify(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	meta, _, err := head(f)
	if err != nil {
		return err
	}
	w := &walker{f: f, meta: meta, seen: make([]bool, meta.high)}
	if err := w.freelist(); err != nil {
		return err
	}
	return w.tree(meta.root, 0)
}

type walker struct {
	f    *os.File
	meta boltMeta
	seen []bool
}

// maxTreeDepth is far beyond any real tree, buckets included.
const maxTreeDepth = 64

func (w *walker) damaged(id uint64, what string) error {
	return fmt.Errorf("%w: %s: page %d: %s", ErrDamaged, w.f.Name(), id, what)
}

// page reads a page with its overflow, once.
func (w *walker) page(id uint64) (flags uint16, count int, data []byte, err error) {
	if id < 2 || id >= w.meta.high {
		return 0, 0, nil, w.damaged(id, "outside of the file")
	}
	var header [pageHeader]byte
	if _, err := w.f.ReadAt(header[:], int64(id)*w.meta.pageSize); err != nil {
		return 0, 0, nil, err
	}
	overflow := uint64(native.Uint32(header[12:]))
	if native.Uint64(header[:]) != id || id+overflow >= w.meta.high {
		return 0, 0, nil, w.damaged(id, "not the page it should be")
	}
	for p := id; p <= id+overflow; p++ {
		if w.seen[p] {
			return 0, 0, nil, w.damaged(p, "used twice")
		}
		w.seen[p] = true
	}
	data = make([]byte, int64(overflow+1)*w.meta.pageSize)
	if _, err := w.f.ReadAt(data, int64(id)*w.meta.pageSize); err != nil {
		return 0, 0, nil, err
	}
	return native.Uint16(data[8:]), int(native.Uint16(data[10:])), data, nil
}

func (w *walker) freelist() error {
	if w.meta.freelist == noFreelist {
		return nil
	}
	flags, count, data, err := w.page(w.meta.freelist)
	if err != nil {
		return err
	}
	if flags != freelistPage {
		return w.damaged(w.meta.freelist, "not a freelist")
	}
	ids := data[pageHeader:]
	n := uint64(count)
	if count == 0xffff { // the count did not fit and stands in front
		n, ids = native.Uint64(ids), ids[8:]
	}
	if n > uint64(len(ids))/8 {
		return w.damaged(w.meta.freelist, "longer than its page")
	}
	for i := range n {
		if id := native.Uint64(ids[8*i:]); id < 2 || id >= w.meta.high {
			return w.damaged(w.meta.freelist, "names a page outside of the file")
		}
	}
	return nil
}

// tree walks a page and everything below it, nested buckets included.
func (w *walker) tree(id uint64, depth int) error {
	if depth > maxTreeDepth {
		return w.damaged(id, "nested too deeply")
	}
	flags, count, data, err := w.page(id)
	if err != nil {
		return err
	}
	return w.elements(id, flags, count, data, depth)
}

func (w *walker) elements(id uint64, flags uint16, count int, data []byte, depth int) error {
	if flags != branchPage && flags != leafPage {
		return w.damaged(id, "neither branch nor leaf")
	}
	if pageHeader+16*count > len(data) {
		return w.damaged(id, "more elements than fit")
	}
	for i := range count {
		at := pageHeader + 16*i
		e := data[at:]
		position, keySize, valueSize := native.Uint32(e), native.Uint32(e[4:]), uint32(0)
		if flags == leafPage {
			position, keySize, valueSize = native.Uint32(e[4:]), native.Uint32(e[8:]), native.Uint32(e[12:])
		}
		start := int64(at) + int64(position)
		end := start + int64(keySize) + int64(valueSize)
		if position < 16 || end > int64(len(data)) {
			return w.damaged(id, "an element outside of its page")
		}
		switch {
		case flags == branchPage:
			if err := w.tree(native.Uint64(e[8:]), depth+1); err != nil {
				return err
			}
		case native.Uint32(e)&bucketLeaf != 0:
			if err := w.bucket(id, data[start+int64(keySize):end], depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// bucket walks the bucket in a leaf's value: root page 8, sequence 8, and for
// root 0 the only page itself, inline.
func (w *walker) bucket(id uint64, value []byte, depth int) error {
	if len(value) < 16 {
		return w.damaged(id, "a bucket without header")
	}
	if root := native.Uint64(value); root != 0 {
		return w.tree(root, depth+1)
	}
	inline := value[16:]
	if len(inline) < pageHeader {
		return w.damaged(id, "an inline bucket without page")
	}
	return w.elements(id, native.Uint16(inline[8:]), int(native.Uint16(inline[10:])), inline, depth+1)
}
