package config

import (
	"fmt"
	"strings"
)

func unknown(keys []Key, name, from string) error {
	return fmt.Errorf("%s: unknown setting %q; the nearest known one is %q", from, name, nearest(keys, name).Name)
}

func unknownVariable(keys []Key, variable string) error {
	name := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(variable, EnvPrefix), "_", "-"))
	return fmt.Errorf("environment: unknown variable %s; the nearest known one is %s", variable, nearest(keys, name).Env())
}

// nearest returns the key with the smallest edit distance to name; of equals, the first in order.
func nearest(keys []Key, name string) Key {
	best, least := keys[0], distance(keys[0].Name, name)
	for _, k := range keys[1:] {
		if d := distance(k.Name, name); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is Levenshtein's: insertions, deletions and replacements of one byte.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// Nearest returns the name of the known setting that is most like name.
func Nearest(name string) string { return nearest(Keys(), name).Name }
