package main

import (
	"fmt"
	"regexp"
	"strings"
)

// java are parts of Java's syntax and what Go writes for them. The first is how Java spells all characters above U+FFFF.
var java = strings.NewReplacer(
	`\uD800\uDC00-\uDBFF\uDFFF`, `\x{10000}-\x{10FFFF}`,
	`\p{Print}`, `[[:print:]]`,
)

// escaped is a character by number. AWS's own models write numbers of more than four digits, which Java would read otherwise.
var escaped = regexp.MustCompile(`\\u(10FFFF|10000|[0-9A-Fa-f]{4})`)

// translate turns a model's pattern into Go's syntax. What cannot be said in it (look-ahead) is an error: a constraint must not be lost
// silently.
func translate(pattern string) (string, error) {
	re := escaped.ReplaceAllString(java.Replace(pattern), `\x{$1}`)
	if _, err := regexp.Compile(re); err != nil {
		return "", fmt.Errorf("pattern %q has no Go form: %w", pattern, err)
	}
	return re, nil
}
