// Command runner runs the project's tests by groups, each within its limit.
//
// Guarantees:
//
//   - Every package of the module is in exactly one group of a budget that says "once", so none is forgotten or run twice.
//   - It prints go test's own lines as they come, the output of the tests that fail, and at the end a summary: the time each
//     group and its slowest packages took, the limit, and every test that was skipped with its reason.
//   - It fails when a test fails, when a group runs over its limit, or when a group is stopped because it hangs.
//
// Compiling is a step of its own without a limit: a fresh machine compiles everything once, and that says nothing about
// the tests.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	file := flag.String("budget", "test/budget.txt", "budget file")
	only := flag.String("groups", "", "comma-separated groups to run (default: all)")
	flag.Parse()
	if err := run(ctx, *file, *only, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "runner:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, file, only string, out io.Writer) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	budget, err := parseBudget(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	packages, err := listPackages(ctx)
	if err != nil {
		return err
	}
	groups, err := budget.assign(packages)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if groups, err = choose(groups, only); err != nil {
		return err
	}
	begin := time.Now()
	if err := compile(ctx, groups, out); err != nil {
		return err
	}
	compiled := time.Since(begin)
	var results []result
	for _, g := range groups {
		results = append(results, runGroup(ctx, g, out))
		if ctx.Err() != nil {
			break
		}
	}
	return summarize(out, compiled, results)
}

// listPackages returns the import paths of the module's packages, relative to the module: "./store/etcd".
func listPackages(ctx context.Context) ([]string, error) {
	out, err := output(ctx, "go", "list", "-f", "{{.ImportPath}} {{.Module.Path}}", "./...")
	if err != nil {
		return nil, err
	}
	var packages []string
	for line := range strings.Lines(out) {
		path, module, _ := strings.Cut(strings.TrimSpace(line), " ")
		packages = append(packages, "."+strings.TrimPrefix(path, module))
	}
	return packages, nil
}

// compile builds every test binary, so that groups are measured by what their tests do.
func compile(ctx context.Context, groups []group, out io.Writer) error {
	args := []string{"test", "-run", "^$", "-exec", "true"}
	for _, g := range groups {
		args = append(args, g.packages...)
	}
	if len(args) == 5 {
		return nil
	}
	fmt.Fprintln(out, "# compile")
	if text, err := output(ctx, "go", args...); err != nil {
		fmt.Fprint(out, text)
		return fmt.Errorf("the tests do not compile: %w", err)
	}
	return nil
}

// output is what a command says on its standard output. What it says beside that, such as which modules it downloads on a fresh
// machine, is told with its failure only.
func output(ctx context.Context, name string, args ...string) (string, error) {
	var said, beside strings.Builder
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &said, &beside
	if err := cmd.Run(); err != nil {
		return said.String(), fmt.Errorf("%s %s: %w\n%s", name, args[0], err, beside.String())
	}
	return said.String(), nil
}
