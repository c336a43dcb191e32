package blobstest

import (
	"testing"
	"time"

	"github.com/berth-ecs/berth/blobs"
)

func TestFake(t *testing.T) {
	Run(t, func(_ *testing.T, now func() time.Time) (blobs.Store, func() blobs.Store) { return NewFake(now), nil })
}
