package hold

import (
	"errors"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// journal is a page of memory shared with a file in RunDir. What is stored in it
// survives kill -9 of this process, at the price of a store.
type journal struct {
	page []byte
	*journalRecord
}

// journalRecord is the page's layout. One chunk at a time is on its way from a
// FIFO to the log; the log's size says how much of it has left the FIFO.
type journalRecord struct {
	spoolRecord
	Taking atomic.Uint64 // 0: nothing is under way; else the stream's index and 1
	Before atomic.Uint64 // the log's size before the chunk
	At     atomic.Int64  // when it was taken, in nanoseconds of the Unix epoch
}

const pageSize = 4096

func openJournal(path string) (*journal, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := f.Truncate(pageSize); err != nil {
		return nil, err
	}
	page, err := unix.Mmap(int(f.Fd()), 0, pageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, errors.Join(errors.New("hold: journal"), err)
	}
	return &journal{page: page, journalRecord: (*journalRecord)(unsafe.Pointer(&page[0]))}, nil //nolint:gosec // the record is laid over the page, and smaller
}

func (j *journal) close() error { return unix.Munmap(j.page) }
