package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/berth-ecs/berth/internal/config"
)

const defaultConfigFile = "/etc/berth/berth.yaml"

// readFile reads the configuration file: path, or the default one if it exists.
func readFile(path string) ([]config.Value, error) {
	text, err := os.ReadFile(orDefault(path))
	if path == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	return parseFile(orDefault(path), text)
}

func orDefault(path string) string {
	if path == "" {
		return defaultConfigFile
	}
	return path
}

// parseFile turns YAML into values: a mapping of keys to scalars, or to lists of scalars.
func parseFile(path string, text []byte) ([]config.Value, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s line %d: want a mapping of settings, such as region: us-east-1", path, root.Line)
	}
	var values []config.Value
	lines := map[string]int{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, node := root.Content[i], root.Content[i+1]
		if first, twice := lines[key.Value]; twice {
			return nil, fmt.Errorf("%s line %d: %q stands in line %d already", path, key.Line, key.Value, first)
		}
		lines[key.Value] = key.Line
		value, err := scalar(node)
		if err != nil {
			return nil, fmt.Errorf("%s line %d: %q: %w", path, key.Line, key.Value, err)
		}
		values = append(values, config.Value{Key: key.Value, Text: value, From: fmt.Sprintf("%s line %d", path, key.Line)})
	}
	return values, nil
}

func scalar(n *yaml.Node) (string, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		if n.Tag == "!!null" {
			return "", nil
		}
		return n.Value, nil
	case yaml.SequenceNode:
		var parts []string
		for _, item := range n.Content {
			if item.Kind != yaml.ScalarNode {
				return "", errors.New("a list holds plain values only")
			}
			parts = append(parts, item.Value)
		}
		return strings.Join(parts, ","), nil
	default:
		return "", errors.New("want a plain value or a list of them")
	}
}
