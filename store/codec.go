package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"strconv"

	"github.com/berth-ecs/berth/store/unknown"
)

var sumSeed = maphash.MakeSeed()

// decode makes a row of stored bytes.
func (c *core) decode(kv KV, key string) (*row, error) {
	r := &row{key: key, mod: kv.Mod, sum: maphash.Bytes(sumSeed, kv.Value), rec: c.fresh()}
	body, err := c.openBody(kv.Value, r)
	if err == nil {
		err = c.decodeBody(body, r)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s %s at revision %d: %w", ErrUnreadable, c.name, key, kv.Mod, err)
	}
	if got := c.key(r.rec); got != key {
		return nil, fmt.Errorf("%w: %s %s at revision %d holds the record of key %q", ErrUnreadable, c.name, key, kv.Mod, got)
	}
	return r, nil
}

// decodePlain is decode for bytes this program encoded itself: our version, and nothing unknown ("V" is, to the type).
func (c *core) decodePlain(value []byte, key string) (*row, error) {
	r := &row{key: key, sum: maphash.Bytes(sumSeed, value), rec: c.fresh(), version: c.version}
	return r, json.Unmarshal(value, r.rec)
}

// openBody reads "V", which leads every value this package wrote, and answers the object without it.
func (c *core) openBody(value []byte, r *row) ([]byte, error) {
	const lead = `{"V":`
	if rest, ok := bytes.CutPrefix(value, []byte(lead)); ok {
		if n := bytes.IndexAny(rest, ",}"); n > 0 {
			if v, err := strconv.Atoi(string(rest[:n])); err == nil {
				r.version = v
				body := append([]byte{'{'}, bytes.TrimPrefix(rest[n:], []byte{','})...)
				return c.upgraded(body, v)
			}
		}
	}
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(value, &members); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(members["V"], &r.version); err != nil {
		return nil, fmt.Errorf("member V: %w", err)
	}
	delete(members, "V")
	body, err := json.Marshal(members)
	if err != nil {
		return nil, err
	}
	return c.upgraded(body, r.version)
}

func (c *core) upgraded(body []byte, from int) ([]byte, error) {
	if c.upgrade == nil || from >= c.version {
		return body, nil
	}
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, err
	}
	if err := c.upgrade(from, members); err != nil {
		return nil, fmt.Errorf("upgrade from V %d: %w", from, err)
	}
	return json.Marshal(members)
}

// decodeBody fills r.rec. Members it does not know are the exception, so it decodes strictly first and looks for them
// only when that fails.
func (c *core) decodeBody(body []byte, r *row) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if d.Decode(r.rec) == nil {
		return nil
	}
	r.rec = c.fresh()
	if err := json.Unmarshal(body, r.rec); err != nil {
		return err
	}
	var err error
	r.unknown, err = unknown.Collect(body, c.typ)
	return err
}

// encode makes the stored bytes of rec, keeping what was unknown in the row it replaces, and the newer of both versions
// (a newer program's upgrade must not run over what that program wrote).
func (c *core) encode(rec any, old *row) ([]byte, error) {
	body, err := json.Marshal(rec)
	if err != nil {
		return nil, fmt.Errorf("store: encode %s %s: %w", c.name, c.key(rec), err)
	}
	version := c.version
	if old != nil {
		version = max(version, old.version)
		if old.unknown != nil {
			if body, err = c.keepUnknown(body, old); err != nil {
				return nil, fmt.Errorf("store: encode %s %s: %w", c.name, c.key(rec), err)
			}
		}
	}
	out := make([]byte, 0, len(body)+12)
	out = append(out, `{"V":`...)
	out = strconv.AppendInt(out, int64(version), 10)
	if len(body) > 2 {
		out = append(out, ',')
	}
	return append(out, body[1:]...), nil
}

func (c *core) keepUnknown(body []byte, old *row) ([]byte, error) {
	was, err := json.Marshal(old.rec)
	if err != nil {
		return nil, err
	}
	return old.unknown.Merge(was, body)
}

// unchanged tells whether value is what the row was decoded from. Equal hashes are confirmed by encoding again.
func (c *core) unchanged(value []byte, old *row) bool {
	if old == nil || maphash.Bytes(sumSeed, value) != old.sum {
		return false
	}
	was, err := c.encode(old.rec, old)
	return err == nil && bytes.Equal(was, value)
}
