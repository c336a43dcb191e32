package dir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/berth-ecs/berth/blobs"
)

// List implements blobs.Sweeper.
func (s *Store) List(ctx context.Context) iter.Seq2[blobs.Info, error] {
	return func(yield func(blobs.Info, error) bool) {
		shelves, err := os.ReadDir(s.objects())
		if err != nil {
			yield(blobs.Info{}, fmt.Errorf("blobs: %w", err))
			return
		}
		for _, shelf := range shelves {
			if ctx.Err() != nil {
				yield(blobs.Info{}, ctx.Err())
				return
			}
			files := func(f fs.FileInfo) bool {
				return yield(blobs.Info{Digest: "sha256:" + f.Name(), Size: f.Size(), Touched: f.ModTime()}, nil)
			}
			if more, err := each(filepath.Join(s.objects(), shelf.Name()), files); err != nil {
				yield(blobs.Info{}, err)
				return
			} else if !more {
				return
			}
		}
	}
}

// Uploads implements blobs.Sweeper.
func (s *Store) Uploads(context.Context) iter.Seq2[blobs.UploadInfo, error] {
	return func(yield func(blobs.UploadInfo, error) bool) {
		_, err := each(s.uploads(), func(f fs.FileInfo) bool {
			return yield(blobs.UploadInfo{ID: f.Name(), Size: f.Size(), Written: f.ModTime()}, nil)
		})
		if err != nil {
			yield(blobs.UploadInfo{}, err)
		}
	}
}

// each calls fn for the files of a directory until it says false.
func each(path string, fn func(fs.FileInfo) bool) (more bool, err error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return false, fmt.Errorf("blobs: %w", err)
	}
	for _, e := range entries {
		f, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone meanwhile
		}
		if err != nil {
			return false, fmt.Errorf("blobs: %w", err)
		}
		if !fn(f) {
			return false, nil
		}
	}
	return true, nil
}
