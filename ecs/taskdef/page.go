package taskdef

import (
	"fmt"
	"reflect"
	"strings"

	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

//go:generate go test -count=1 -run ^TestPage$ . -update

const pageHead = `# The fields of a task definition

What this region does with each field of RegisterTaskDefinition. Generated from the code: make generate. Every definition is held to AWS's rules
and refused with AWS's error when it breaks one; this page is about definitions that AWS would take.

`

// legend says what the verdicts mean.
var legend = []struct{ how, text string }{
	{Works, "as in ECS."},
	{Differs, "accepted and answered as in ECS, but not all of it happens."},
	{RefusedHere, "RegisterTaskDefinition answers a ClientException with this sentence."},
	{RefusedPlace, "the definition is registered and requires this attribute, which berth's own node does not have. RunTask answers the\n" +
		"  failure ATTRIBUTE; a service says it in its events. An instance with the unmodified amazon-ecs-agent may have it."},
	{RefusedStart, "berth's own node stops the task, and its stopped reason names the field or what it is in Docker's words."},
}

// meanings is the legend of the verdicts that there are.
func meanings() string {
	var b strings.Builder
	for _, l := range legend {
		for _, verdict := range verdicts {
			if verdict.How == l.how {
				fmt.Fprintf(&b, "- **%s**: %s\n", l.how, l.text)
				break
			}
		}
	}
	return b.String()
}

// Page is the documentation of every field, as Markdown.
func Page() string {
	var b strings.Builder
	b.WriteString(pageHead + meanings())
	for _, s := range []struct{ title, prefix string }{{"The task", ""}, {"Its containers", containers}, {"Its volumes", volumes}} {
		fmt.Fprintf(&b, "\n## %s\n\n| field | verdict | note |\n|---|---|---|\n", s.title)
		for _, path := range Fields() {
			if section(path) != s.prefix {
				continue
			}
			verdict, _ := VerdictOf(path)
			note := verdict.Note
			if verdict.How == RefusedPlace || verdict.How == RefusedStart {
				note = quoted(note)
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", strings.TrimPrefix(path, s.prefix), verdict.How, note)
		}
	}
	return b.String()
}

func section(path string) string {
	for _, prefix := range []string{containers, volumes} {
		if strings.HasPrefix(path, prefix) {
			return prefix
		}
	}
	return ""
}

// quoted puts names in code quotes, and leaves the "or" between them.
func quoted(note string) string { return "`" + strings.ReplaceAll(note, " or ", "` or `") + "`" }

// VerdictOf is the verdict of a field, or of the closest one that it is in.
func VerdictOf(path string) (Verdict, bool) {
	for {
		if verdict, ok := verdicts[path]; ok {
			return verdict, true
		}
		i := strings.LastIndexByte(path, '.')
		if i < 0 {
			return Verdict{}, false
		}
		path = path[:i]
	}
}

// Fields are the paths of all members of the request that have a value of their own,
// in the order of the model.
func Fields() []string {
	var paths []string
	var walk func(reflect.Type, string)
	walk = func(t reflect.Type, path string) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			paths = append(paths, strings.TrimSuffix(path, "."))
			return
		}
		for field := range t.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			walk(field.Type, path+name+".")
		}
	}
	walk(reflect.TypeFor[shape.RegisterTaskDefinitionRequest](), "")
	return paths
}
