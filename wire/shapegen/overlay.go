package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// overlay is what a service's clients send that its public model does not tell: members of structures, and values of enums.
type overlay struct {
	Shapes map[string]struct {
		Members map[string]ref
		Enum    []string
	}
}

// readOverlay reads the overlay of a model: the file of the same name in the folder "overlay" beside it. Most models have none.
func readOverlay(path string) ([]byte, error) {
	raw, err := os.ReadFile(filepath.Join(filepath.Dir(path), "overlay", filepath.Base(path)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return raw, err
}

// lay adds an overlay's members and values to the model. It refuses to touch what the model has, so that an overlay the model has caught up with is seen.
func (m *model) lay(raw []byte) error {
	if raw == nil {
		return nil
	}
	var o overlay
	if err := json.Unmarshal(raw, &o); err != nil {
		return fmt.Errorf("overlay: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(o.Shapes)) {
		s, ok := m.Shapes[name]
		if values := o.Shapes[name].Enum; len(values) > 0 {
			if !ok || len(s.Enum) == 0 {
				return fmt.Errorf("overlay: no enum %q", name)
			}
			for _, v := range values {
				if slices.Contains(s.Enum, v) {
					return fmt.Errorf("overlay: %s has a value %q already", name, v)
				}
			}
			s.Enum = append(s.Enum, values...)
			m.Shapes[name] = s
			continue
		}
		if !ok || s.Type != "structure" {
			return fmt.Errorf("overlay: no structure %q", name)
		}
		if err := addMembers(name, &s, o.Shapes[name].Members); err != nil {
			return err
		}
		m.Shapes[name] = s
	}
	return nil
}

func addMembers(name string, s *modelShape, members map[string]ref) error {
	for member, r := range members {
		if _, has := s.Members[member]; has {
			return fmt.Errorf("overlay: %s has a member %q already", name, member)
		}
		if s.Members == nil {
			s.Members = map[string]ref{}
		}
		s.Members[member] = r
	}
	return nil
}
