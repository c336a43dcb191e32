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

// ahead are the patterns that look ahead, or count beyond what Go does, and the part of them that can be said in Go's syntax. What is missing
// of each is checked by the wing that is named.
var ahead = map[string]string{
	// cloudmap.CheckNamespaceName: not "arn:", and the length, which the model says again.
	`^[!-~]{1,1024}$`:         `^[!-~]+$`,
	`^(?!arn:)[!-~]{1,1024}$`: `^[!-~]+$`,
	`^(?!arn:)[!-~]{1,253}$`:  `^[!-~]+$`,
	// cloudmap.CheckServiceName: the length as a whole.
	`((?=^.{1,127}$)^([a-zA-Z0-9_][a-zA-Z0-9-_]{0,61}[a-zA-Z0-9_]|[a-zA-Z0-9])(\.([a-zA-Z0-9_][a-zA-Z0-9-_]{0,61}[a-zA-Z0-9_]|[a-zA-Z0-9]))*$)|(^\.$)`: `(^([a-zA-Z0-9_][a-zA-Z0-9-_]{0,61}[a-zA-Z0-9_]|[a-zA-Z0-9])(\.([a-zA-Z0-9_][a-zA-Z0-9-_]{0,61}[a-zA-Z0-9_]|[a-zA-Z0-9]))*$)|(^\.$)`,
	// Nothing is missing: "not a hyphen, then letters, digits and hyphens" is said by the first character's own set.
	`(\*\.)?(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9])\.)+((?!-)[A-Za-z0-9-]{1,62}[A-Za-z0-9])`: `(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+([A-Za-z0-9][A-Za-z0-9-]{0,61}[A-Za-z0-9])`,
}

// translate turns a model's pattern into Go's syntax. What cannot be said in it, and is not in ahead, is an error: a constraint must
// not be lost silently.
func translate(pattern string) (string, error) {
	if said, ok := ahead[pattern]; ok {
		return said, nil
	}
	re := escaped.ReplaceAllString(java.Replace(pattern), `\x{$1}`)
	if _, err := regexp.Compile(re); err != nil {
		return "", fmt.Errorf("pattern %q has no Go form: %w", pattern, err)
	}
	return re, nil
}
