package dir_test

import (
	"testing"
	"time"

	"github.com/berth-ecs/berth/blobs"
	"github.com/berth-ecs/berth/blobs/blobstest"
	"github.com/berth-ecs/berth/blobs/dir"
)

func TestDir(t *testing.T) {
	blobstest.Run(t, func(t *testing.T, now func() time.Time) (blobs.Store, func() blobs.Store) {
		t.Helper()
		root := t.TempDir()
		open := func() blobs.Store {
			s, err := dir.Open(root+"/blobs", now)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		return open(), open
	})
}
