// Package db is the node's small database: what the node was asked for, and what neither containerd nor the kernel keeps.
//
// What is guaranteed:
//
//   - A call that changes something returns when it is on disk (bbolt, fdatasync), all of it or nothing.
//   - One process has it open at a time; a second one is told so.
//   - Secrets never get here: callers hand in records without credentials.
//
// This is the only package of the node that imports bbolt.
package db

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/internal/reserve"
)

// Instance is who this node is to its servers.
type Instance struct {
	ARN     string
	Cluster string // as configured when it registered
}

var (
	tasksBucket = []byte("tasks") // task ARN -> record
	metaBucket  = []byte("meta")
	instanceKey = []byte("instance")
	seqKey      = []byte("seq")
	nodeKey     = []byte("node")
)

// reserved is room on the disk for the records of some thousand tasks.
const reserved = 8 << 20

// lockWait is how long another process may take to let go.
const lockWait = 5 * time.Second

// DB is an open database. Its methods may be called at once.
type DB struct{ bolt *bbolt.DB }

// Open opens the database at path and makes it when it is missing.
func Open(path string) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("db: %w", err)
	}
	b, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockWait, FreelistType: bbolt.FreelistMapType})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("db: %s is open in another process", path)
	}
	if err != nil {
		return nil, fmt.Errorf("db: open %s: %w", path, err)
	}
	err = b.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{tasksBucket, metaBucket} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("db: open %s: %w", path, err), b.Close())
	}
	// On a full disk the end of a container must still be written down: it is what makes room.
	if err := reserve.File(path, reserved); err != nil {
		return nil, errors.Join(fmt.Errorf("db: %w", err), b.Close())
	}
	return &DB{b}, nil
}

// Close lets go of the file.
func (d *DB) Close() error { return d.bolt.Close() }

// Save writes task records by ARN.
func (d *DB) Save(records map[string][]byte) error {
	defer failpoint.Around(failpoint.Save)()
	return d.bolt.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(tasksBucket)
		for arn, r := range records {
			if err := b.Put([]byte(arn), r); err != nil {
				return fmt.Errorf("db: save %s: %w", arn, err)
			}
		}
		return nil
	})
}

// Load reads all task records.
func (d *DB) Load() (map[string][]byte, error) {
	out := map[string][]byte{}
	err := d.bolt.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(tasksBucket).ForEach(func(k, v []byte) error {
			out[string(k)] = append([]byte(nil), v...)
			return nil
		})
	})
	return out, err
}

// Delete forgets a task.
func (d *DB) Delete(arn string) error {
	defer failpoint.Around(failpoint.Forget)()
	return d.bolt.Update(func(tx *bbolt.Tx) error { return tx.Bucket(tasksBucket).Delete([]byte(arn)) })
}

// Instance answers who this node is; the zero value before it registered.
func (d *DB) Instance() (Instance, error) {
	var i Instance
	err := d.bolt.View(func(tx *bbolt.Tx) error {
		v := tx.Bucket(metaBucket).Get(instanceKey)
		if v == nil {
			return nil
		}
		return json.Unmarshal(v, &i)
	})
	if err != nil {
		return Instance{}, fmt.Errorf("db: instance: %w", err)
	}
	return i, nil
}

// SetInstance writes down who this node is.
func (d *DB) SetInstance(i Instance) error {
	v, err := json.Marshal(i)
	if err != nil {
		return fmt.Errorf("db: instance: %w", err)
	}
	defer failpoint.Around(failpoint.SaveInstance)()
	return d.put(instanceKey, v)
}

// NodeID answers the name of this machine: the one made by the first call, for as long as the file lives.
func (d *DB) NodeID(make func() string) (id string, err error) {
	err = d.bolt.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(metaBucket)
		if id = string(b.Get(nodeKey)); id != "" {
			return nil
		}
		id = make()
		return b.Put(nodeKey, []byte(id))
	})
	return id, err
}

// Seq answers the highest number of a manifest or payload that was handled.
func (d *DB) Seq() (int64, error) {
	var n int64
	err := d.bolt.View(func(tx *bbolt.Tx) error {
		v := tx.Bucket(metaBucket).Get(seqKey)
		switch {
		case v == nil:
		case len(v) != 8:
			return fmt.Errorf("db: sequence number of %d bytes", len(v))
		default:
			n = int64(binary.BigEndian.Uint64(v))
		}
		return nil
	})
	return n, err
}

// Reset forgets the instance and the sequence numbers, for a node that registers as a new one. Tasks stay.
func (d *DB) Reset() error {
	return d.bolt.Update(func(tx *bbolt.Tx) error {
		return errors.Join(tx.Bucket(metaBucket).Delete(instanceKey), tx.Bucket(metaBucket).Delete(seqKey))
	})
}

// Advance raises the number to n. It never goes back.
func (d *DB) Advance(n int64) error {
	if have, err := d.Seq(); err != nil || have >= n {
		return err
	}
	defer failpoint.Around(failpoint.SaveSeq)()
	return d.put(seqKey, binary.BigEndian.AppendUint64(nil, uint64(n)))
}

func (d *DB) put(key, value []byte) error {
	return d.bolt.Update(func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Put(key, value) })
}
